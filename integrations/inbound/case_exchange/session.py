"""Case Exchange callers sign in with their system's code and a key, and carry the session as a cookie.

The session is a signed statement that names the key and nothing else: it ends when its time is over, and at once when
the key is revoked or expires, or the system is switched off.
"""

from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from integrations.inbound.authentication import key_of
from integrations.inbound.problems import NotFound, Unauthenticated
from integrations.models import ExternalSystem, SystemKey

SESSION_COOKIE: Final = "LWSSO_COOKIE_KEY"
TENANT_COOKIE: Final = "TENANTID"
SALT: Final = "integrations.case_exchange.session"


def sign_in(login: str, password: str) -> str:
    """The token of a new session. Raises `Unauthenticated`."""
    key = key_of(password, user=login)
    return signing.TimestampSigner(salt=SALT).sign_object({"key": key.prefix})


def caller_of(request: HttpRequest) -> ExternalSystem:
    """The system whose session the request carries. Raises `Unauthenticated`; the answer does not say why."""
    refusal = Unauthenticated(_("There is no session here, or it has ended: sign in."))
    token = request.COOKIES.get(SESSION_COOKIE, "")
    try:
        session = signing.TimestampSigner(salt=SALT).unsign_object(token, max_age=_lifetime())
    except signing.BadSignature as error:
        raise refusal from error
    if request.COOKIES.get(TENANT_COOKIE, settings.CASE_EXCHANGE_TENANT) != settings.CASE_EXCHANGE_TENANT:
        raise refusal
    key = SystemKey.objects.get_usable_keys().select_related("system").filter(prefix=session["key"]).first()
    if key is None or key.has_expired or not key.system.active:
        raise refusal
    system: ExternalSystem = key.system
    return system


def check_tenant(tenant: str) -> None:
    """Raises `NotFound` for any tenant but ours."""
    if tenant != settings.CASE_EXCHANGE_TENANT:
        raise NotFound(_('There is no tenant "%(name)s" here.') % {"name": tenant[:100]})


def set_cookies(response: HttpResponse, token: str, *, tenant: str = "") -> None:
    """Give the caller its session, and the tenant where it was named."""
    values = {SESSION_COOKIE: token} | ({TENANT_COOKIE: tenant} if tenant else {})
    for name, value in values.items():
        response.set_cookie(
            name,
            value,
            max_age=_lifetime(),
            httponly=True,
            samesite="Strict",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def _lifetime() -> int:
    """In seconds."""
    return settings.CASE_EXCHANGE_SESSION_MINUTES * 60
