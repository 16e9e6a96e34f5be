"""How a mailbox is signed in to: by its password, or by an access token of OAuth 2.0, which ends after a while."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.engine.authentication import Learn
from integrations.engine.claim import longest_send
from integrations.engine.oauth import TOKEN, TokenRefused, access_token, drop_token
from integrations.engine.sending import Occasion, begin, deliver
from integrations.models import ExternalSystem, Mailbox
from integrations.models.systems import OAUTH
from integrations.secrets import readable
from integrations.transports import imap
from integrations.transports.addresses import normal_host
from integrations.transports.errors import AddressRefused, LoginRefused
from integrations.transports.http import Request, Response

COMMAND_SECONDS = 60.0


@contextmanager
def opened(mailbox: Mailbox) -> Iterator[imap.Reader]:
    """The mailbox, signed in. A token that the server refuses has ended early: it is tried once more with a new one.

    Raises what `open_mailbox` raises, and `SecretUnreadable`; `LoginRefused` also where there is no token.
    """
    account = account_of(mailbox)
    with ExitStack() as stack:
        try:
            reader = stack.enter_context(imap.open_mailbox(account))
        except LoginRefused:
            if mailbox.token_system is None:
                raise
            drop_token(mailbox.token_system, account.token)
            reader = stack.enter_context(imap.open_mailbox(replace(account, token=_token(mailbox))))
        yield reader


def account_of(mailbox: Mailbox) -> imap.Account:
    """How its server is reached; asks for an access token, where that is needed. Raises as `opened`."""
    return imap.Account(
        host=mailbox.host,
        port=mailbox.port,
        security=mailbox.security,
        username=mailbox.username,
        secret="" if mailbox.token_system else readable(mailbox.secret),
        token=_token(mailbox),
        folder=mailbox.folder,
        done_folder=mailbox.done_folder,
        verify_tls=mailbox.verify_tls,
        allow_private=mailbox.allow_private,
        deadline=longest_send(COMMAND_SECONDS),
        largest=settings.MAX_MAIL_BYTES,
    )


def may_get_token(system: ExternalSystem, host: str) -> bool:
    """Whether the system's tokens may go to this host: to that of its address alone, as all its credentials."""
    own = urlsplit(system.base_url).hostname or ""
    return bool(own) and normal_host(host) == normal_host(own)


def _token(mailbox: Mailbox) -> str:
    system = mailbox.token_system
    if system is None:
        return ""
    words = {"system": system, "host": mailbox.host}
    if not system.active:
        raise LoginRefused(_("%(system)s, whose access token signs in here, is switched off.") % words)
    if system.auth_kind not in OAUTH:
        raise LoginRefused(_("%(system)s has no access token: its authentication is not OAuth 2.0.") % words)
    if not may_get_token(system, mailbox.host):
        raise AddressRefused(_("%(host)s is not the host of %(system)s, so it gets no token of it.") % words)
    occasion = Occasion(system=system, dialect="http", operation=TOKEN)

    def ask(request: Request, learn: Learn) -> Response:
        return deliver(begin(occasion, request, operation=TOKEN), occasion, request, learn=learn)

    try:
        return access_token(system, ask)
    except TokenRefused as problem:
        raise LoginRefused(str(problem)) from problem
