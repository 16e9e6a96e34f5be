"""Access tokens of OAuth 2.0 (RFC 6749): client credentials, and refresh tokens that may be replaced at each use."""

import base64
import json
import re
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.parameters import parse_token_response, prepare_token_request

from integrations.engine.outcome import RETRYABLE_STATUSES, Verdict
from integrations.models import Authentication, ClientAuthentication, ExternalSystem, OAuthToken, Outcome
from integrations.secrets import readable
from integrations.transports.http import Request, Response

# The operation under which requests for tokens stand in the exchange log.
TOKEN = "oauth_token"  # noqa: S105 - a name
# How long a token lasts whose endpoint does not say it; a 401 ends it earlier.
UNSAID_LIFETIME = timedelta(hours=1)
# It is replaced this much before its end, or a tenth of its life before, if that is less: a request takes time.
MARGIN = timedelta(seconds=60)
# How long one worker waits for another that is asking for the token.
PATIENCE = 10.0
PAUSE = 0.1
# Of an answer, what the library judges; a lifetime or scope in a form of its own is no reason to lose a token.
READ = ("access_token", "token_type", "error", "error_description", "error_uri")
# The characters of a token (RFC 6749, appendix A.12).
TOKEN_TEXT = re.compile(r"[\x20-\x7e]+")
TEMPORARY = ("temporarily_unavailable", "server_error", "slow_down")

# Tokens that this process has held, by system: they are removed from whatever is stored.
_seen: dict[int, deque[str]] = {}

Ask = Callable[[Request, Callable[[Response], None]], object]


class TokenRefused(Exception):
    """There is no access token; `verdict` says what follows from that."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def access_token(system: ExternalSystem, ask: Ask) -> str:
    """A token that is good now: the stored one, or a new one for which `ask` sends a request.

    `ask` shows the answer to its second argument before it is stored anywhere. Raises `TokenRefused`,
    `SecretUnreadable`, and what `ask` raises.
    """
    give_up = time.monotonic() + PATIENCE
    made_for = _made_for(system)
    while True:
        row = OAuthToken.objects.get_or_create(system=system)[0]
        if _is_good(row, made_for):
            return _noted(system, row.access_token)
        if _take(row):
            return _renewed(row, system, made_for, ask)
        if time.monotonic() > give_up:
            reason = _("Another worker has been asking for the access token for too long.")
            raise TokenRefused(Verdict(Outcome.RETRYABLE, reason))
        time.sleep(PAUSE)


def drop_token(system: ExternalSystem, token: str = "") -> bool:
    """Forget an access token that the other desk no longer takes; whether there was one.

    Where another worker has a new one by now, that stays.
    """
    row = OAuthToken.objects.filter(system=system).first()
    if row is None or not row.access_token:
        return row is not None and bool(token)
    if not token or row.access_token == token:
        OAuthToken.objects.filter(pk=row.pk, turn=row.turn).update(access_token="", use_until=None)
    return True


def seen_tokens(system: ExternalSystem) -> list[str]:
    """Every token of the system that this process has held, as none may be stored in clear."""
    return list(_seen.get(system.pk, ()))


def _is_good(row: OAuthToken, made_for: str) -> bool:
    return bool(
        row.access_token and row.made_for == made_for and row.use_until is not None and row.use_until > timezone.now()
    )


def _take(row: OAuthToken) -> bool:
    """Become the one worker that asks. Then the row is read again: another may have been here since it was read."""
    now = timezone.now()
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    taken = OAuthToken.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=row.pk).update(
        turn=F("turn") + 1, lease_until=now + lease
    )
    if taken:
        row.refresh_from_db()
    return bool(taken)


def _renewed(row: OAuthToken, system: ExternalSystem, made_for: str, ask: Ask) -> str:
    held = OAuthToken.objects.filter(pk=row.pk, turn=row.turn)
    verdict = Verdict(Outcome.MISCONFIGURED)

    def learn(answer: Response) -> None:
        """Keep what was given before anything else is done with the answer: it may have come for the only time."""
        nonlocal verdict
        verdict = _judge(answer)
        if verdict.outcome != Outcome.SUCCEEDED:
            return
        given = _given(answer)
        row.access_token = _noted(system, given["access_token"])
        row.refresh_token = _noted(system, given["refresh_token"]) or row.refresh_token
        held.update(
            access_token=row.access_token,
            refresh_token=row.refresh_token,
            use_until=timezone.now() + _usable(given.get("expires_in")),
            made_for=made_for,
        )

    try:
        if not _is_good(row, made_for):
            ask(_request(system, row), learn)
            if verdict.outcome != Outcome.SUCCEEDED:
                raise TokenRefused(verdict)
        return _noted(system, row.access_token)
    finally:
        held.update(lease_until=None)


def _request(system: ExternalSystem, row: OAuthToken) -> Request:
    secret = readable(system.auth_secret)
    extra = dict(system.oauth_extra)
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    if secret and system.oauth_client_authentication == ClientAuthentication.BASIC:
        # The standard encodes both before they are joined (section 2.3.1).
        pair = f"{quote_plus(system.auth_username)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        # A client without a secret has nothing but its name to give.
        extra |= {"client_id": system.auth_username} | ({"client_secret": secret} if secret else {})
    grant = "client_credentials"
    if system.auth_kind == Authentication.OAUTH_REFRESH:
        grant, extra["refresh_token"] = "refresh_token", _noted(system, readable(row.refresh_token))
        if not row.refresh_token:
            raise TokenRefused(Verdict(Outcome.MISCONFIGURED, _("No refresh token is stored. Enter one.")))
    if system.oauth_scope.strip():
        extra["scope"] = " ".join(system.oauth_scope.split())
    body = prepare_token_request(grant, include_client_id=True, **extra)
    return Request("POST", system.oauth_token_url, headers, body.encode())


def _judge(answer: Response) -> Verdict:
    """What the answer of a token endpoint means. The request proper has not been sent, so nothing is in doubt."""
    temporary = answer.status in RETRYABLE_STATUSES or answer.status >= 500
    try:
        _given(answer)
    except OAuth2Error as error:
        words = ": ".join(filter(None, [str(error.error or ""), str(error.description or "")]))
        reason = _("No access token was given, status %(status)d (%(words)s).")
        temporary = temporary or error.error in TEMPORARY
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        words = str(error)
        reason = _("The answer of the token endpoint, status %(status)d, cannot be read (%(words)s).")
    else:
        if 200 <= answer.status < 300:
            return Verdict(Outcome.SUCCEEDED)
        words = ""
        reason = _("The token endpoint answered with status %(status)d.")
    outcome = Outcome.RETRYABLE if temporary else Outcome.MISCONFIGURED
    return Verdict(outcome, reason % {"status": answer.status, "words": words[:300]})


def _given(answer: Response) -> dict[str, Any]:
    """What a token endpoint gave: `access_token`, `refresh_token` ("": none) and `expires_in` as it wrote it.

    A refresh token may have come for the only time, so what is odd about the rest does not matter. Raises
    `OAuth2Error` for an answer that is an error or has no token, and others for one that cannot be read.
    """
    try:
        said = json.loads(answer.text)
    except ValueError:
        # Older endpoints answer with a form.
        said = dict(parse_qsl(answer.text))
    if not isinstance(said, dict):
        raise TypeError(_("it is no object"))
    parse_token_response(json.dumps({name: said[name] for name in READ if name in said}))
    tokens = {name: said.get(name) or "" for name in ("access_token", "refresh_token")}
    for name, token in tokens.items():
        if not (isinstance(token, str) and TOKEN_TEXT.fullmatch(token)):
            if name == "access_token":
                raise ValueError(_("its access token is no text that a header can carry"))
            tokens[name] = ""
    return {**tokens, "expires_in": said.get("expires_in")}


def _usable(expires_in: object) -> timedelta:
    """How long a token is used whose endpoint gives it so many seconds."""
    try:
        lifetime = timedelta(seconds=max(0.0, min(float(str(expires_in)), 30 * 86_400.0)))
    except ValueError:
        lifetime = UNSAID_LIFETIME
    return lifetime - min(MARGIN, lifetime / 10)


def _made_for(system: ExternalSystem) -> str:
    """What the token depends on, unreadable: a token of another client, or for another scope, is not used."""
    parts = (
        system.auth_kind,
        system.oauth_token_url,
        system.auth_username,
        readable(system.auth_secret),
        system.oauth_scope,
        system.oauth_parameters,
    )
    return salted_hmac("oauth token", "\0".join(parts), algorithm="sha256").hexdigest()


def _noted(system: ExternalSystem, token: str) -> str:
    seen = _seen.setdefault(system.pk, deque(maxlen=12))
    if token and token not in seen:
        seen.append(token)
    return token
