"""Where a file stands may be told by a redirect. It is followed for files alone: they are read, never written."""

from dataclasses import replace
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from django.utils.translation import gettext as _

from integrations.engine.authentication import secrets_of
from integrations.models import ExternalSystem
from integrations.transports.addresses import origin_of
from integrations.transports.errors import RedirectRefused
from integrations.transports.http import Request, Response

REDIRECTS: Final = (301, 302, 303, 307, 308)
MOST_REDIRECTS: Final = 5
LOCATION: Final = "Location"
# What says nothing of us, and may be told to whoever keeps the file.
TOLD_TO_ANYBODY: Final = frozenset({"accept"})


def is_redirect(response: Response) -> bool:
    """Whether the answer only says where to ask instead."""
    return response.status in REDIRECTS and bool(response.headers.get(LOCATION, "").strip())


def redirected(request: Request, response: Response, system: ExternalSystem) -> Request:
    """The request for the address that the answer names; to anybody but the desk itself without our headers, which
    may hold credentials. Which hosts may be called, the door to the network sees to.

    Raises `RedirectRefused` for what is no address, for one without encryption after one with it, and for one that
    would carry a secret of the desk to others.
    """
    try:
        url = urljoin(request.url, response.headers[LOCATION].strip())
        origin = origin_of(url)
    except ValueError as problem:
        raise RedirectRefused(
            _("The redirect leads to what is no address: %(reason)s") % {"reason": problem}
        ) from problem
    if origin[0] not in ("http", "https"):
        raise RedirectRefused(_("The redirect leads to what is no address of the web."))
    if origin[0] == "http" and origin_of(request.url)[0] == "https":
        raise RedirectRefused(
            _("The redirect leads from https to http, to %(host)s: it is not followed.") % {"host": origin[1]}
        )
    if origin == origin_of(system.base_url):
        return replace(request, url=url)
    written = unquote(url)
    if any(secret and (secret in url or secret in written) for secret in secrets_of(system)):
        raise RedirectRefused(
            _("The redirect would carry this system's credentials to %(host)s: it is not followed.")
            % {"host": origin[1]}
        )
    headers = {name: value for name, value in request.headers.items() if name.lower() in TOLD_TO_ANYBODY}
    return replace(request, url=url, headers=headers)


def without_query(url: str) -> str:
    """The address for the log: whoever knows the query of a file's address may fetch it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _("[no address]")
    return urlunsplit(parts._replace(query=_("[query left out]") if parts.query else "", fragment=""))


def told(response: Response) -> Response:
    """The answer for the log."""
    headers = {name: value for name, value in response.headers.items() if name.lower() != LOCATION.lower()}
    headers[LOCATION] = without_query(response.headers[LOCATION])
    return replace(response, headers=headers, body=b"")
