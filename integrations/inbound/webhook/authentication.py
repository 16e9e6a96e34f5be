"""Whether a call is the desk's own: each kind of proof, compared in constant time, by one of two secrets."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound.authentication import key_of
from integrations.inbound.problems import Unauthenticated
from integrations.models import Hook, HookAuthentication, HookEncoding
from integrations.secrets import readable

# Beyond this a number of seconds is one of milliseconds: the year 5138 as seconds, 1973 as milliseconds.
MILLISECONDS_FROM: Final = 10**11
# By so many seconds the time of a Standard Webhook may differ from ours.
STANDARD_TOLERANCE: Final = 300
# A header may carry several signatures while its sender rotates, too; more than this nobody means.
MOST_SIGNATURES: Final = 10


class NotProved(Unauthenticated):
    """`why` is for our log: the caller is never told which part was wrong."""

    def __init__(self, why: str) -> None:
        super().__init__(_("The signature or key is missing or not valid. Ask the administrator of this portal."))
        self.why = why


def authenticate(hook: Hook, *, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> None:
    """Raises `NotProved` for a call that is not proved to be the desk's, or whose system is switched off.

    `headers` looks names up whatever their case. Raises `SecretUnreadable` where no key decrypts the stored secret.
    """
    kind = hook.authentication
    if kind == HookAuthentication.API_KEY:
        _api_key(hook, headers)
    elif kind == HookAuthentication.STANDARD:
        _standard(hook, headers, body)
    elif kind == HookAuthentication.HMAC:
        _hmac(hook, headers, body)
    elif kind == HookAuthentication.BASIC:
        _basic(hook, headers)
    elif kind == HookAuthentication.KEY_HEADER:
        _key(hook, headers.get(hook.header, ""))
    else:
        _key(hook, query.get(hook.header, ""))
    if not hook.system.active:
        raise NotProved(_("The external system is switched off."))


def standard_secret_works(secret: str) -> bool:
    """Whether the text can be a secret of Standard Webhooks: base64, with or without whsec_ before it."""
    return bool(_base64(secret.removeprefix("whsec_")))


def _secrets(hook: Hook) -> list[str]:
    found = [secret for secret in (readable(hook.secret), readable(hook.former_secret)) if secret]
    if not found:
        raise NotProved(_("No secret is stored for this webhook."))
    return found


def _standard(hook: Hook, headers: Mapping[str, str], body: bytes) -> None:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    if missing := [name for name in names if not headers.get(name)]:
        raise NotProved(_("Headers are missing: %(names)s.") % {"names": ", ".join(missing)})
    name, written, signatures = (headers[name] for name in names)
    moment = _moment(written) if written.isdecimal() else None
    if moment is None:
        raise NotProved(_("The header %(name)s holds no time.") % {"name": "webhook-timestamp"})
    _require_near(moment, STANDARD_TOLERANCE)
    # Over the bytes as they came: a body may be in another character set than UTF-8.
    message = f"{name}.{written}.".encode("latin-1", errors="replace") + body
    proofs = [
        _base64(text)
        for version, _comma, text in (part.partition(",") for part in signatures.split()[:MOST_SIGNATURES])
        if version == "v1"
    ]
    matches = False
    for secret in _secrets(hook):
        key = _base64(secret.removeprefix("whsec_"))
        expected = hmac.new(key, message, hashlib.sha256).digest() if key else b""
        for proof in filter(None, proofs):
            matches |= hmac.compare_digest(expected, proof)
    if not matches:
        raise NotProved(_("The signature in %(name)s does not fit.") % {"name": "webhook-signature"})


def _base64(text: str) -> bytes:
    """What it encodes, with or without the signs that fill it up; nothing for what is no base64."""
    text = text.rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _hmac(hook: Hook, headers: Mapping[str, str], body: bytes) -> None:
    given = headers.get(hook.header, "")
    if not given:
        raise NotProved(_("The header %(name)s is missing.") % {"name": hook.header})
    signed = hook.signed.encode()
    if hook.timestamp_header:
        moment = headers.get(hook.timestamp_header, "")
        _require_recent(hook, moment)
        signed = signed.replace(b"{timestamp}", moment.encode())
    before, _mark, behind = signed.partition(b"{body}")
    message = before + body + behind
    proofs = list(_signatures(hook, given))
    matches = False
    for secret in _secrets(hook):
        expected = hmac.new(secret.encode(), message, getattr(hashlib, hook.algorithm)).digest()
        for proof in proofs:
            matches |= hmac.compare_digest(expected, proof)
    if not matches:
        raise NotProved(_("The signature in %(name)s does not fit.") % {"name": hook.header})


def _signatures(hook: Hook, header: str) -> Iterable[bytes]:
    """The signatures in a header, each behind the prefix; what is none of them is left out."""
    for part in header.replace(",", " ").split()[:MOST_SIGNATURES]:
        if part.startswith(hook.prefix):
            text = part.removeprefix(hook.prefix)
            try:
                is_hex = hook.encoding == HookEncoding.HEX
                yield bytes.fromhex(text) if is_hex else base64.b64decode(text, validate=True)
            except (ValueError, binascii.Error):
                continue


def _require_recent(hook: Hook, written: str) -> None:
    """Raises `NotProved` where the time is none, or further from ours than the tolerance, in either direction."""
    moment = _moment(written)
    if moment is None:
        raise NotProved(_("The header %(name)s holds no time.") % {"name": hook.timestamp_header})
    _require_near(moment, hook.tolerance_seconds)


def _require_near(moment: datetime, tolerance: int) -> None:
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) > tolerance:
        raise NotProved(_("The time of the call is %(seconds)d seconds from ours.") % {"seconds": seconds})


def _moment(written: str) -> datetime | None:
    """Seconds or milliseconds since 1970, or ISO 8601 (UTC without an offset); None for anything else."""
    try:
        if written.isascii() and written.isdecimal():
            number = int(written[:20])
            return datetime.fromtimestamp(number / 1000 if number >= MILLISECONDS_FROM else number, UTC)
        moment = datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _basic(hook: Hook, headers: Mapping[str, str]) -> None:
    scheme, _blank, encoded = headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        given = b""
    expected = [f"{hook.username}:{secret}".encode() for secret in _secrets(hook)]
    if scheme.lower() != "basic" or not _is_one_of(given, expected):
        raise NotProved(_("User or password (HTTP Basic) do not fit."))


def _key(hook: Hook, given: str) -> None:
    prefix = hook.prefix.strip()
    key = given.removeprefix(prefix).strip() if given.startswith(prefix) else ""
    if not _is_one_of(key.encode(errors="replace"), [secret.encode() for secret in _secrets(hook)]):
        raise NotProved(_("The key in %(name)s is missing or does not fit.") % {"name": hook.header})


def _is_one_of(given: bytes, expected: Iterable[bytes]) -> bool:
    matches = False
    for secret in expected:
        matches |= hmac.compare_digest(given, secret)
    return matches


def _api_key(hook: Hook, headers: Mapping[str, str]) -> None:
    scheme, _blank, secret = headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    user = None
    if scheme.lower() == "basic":
        try:
            user, _colon, secret = base64.b64decode(secret, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            secret = ""
    elif scheme.lower() not in ("api-key", "bearer"):
        secret = headers.get("X-Api-Key", "")
    try:
        key = key_of(secret, user=user)
    except Unauthenticated as error:
        raise NotProved(_("The API key is missing, wrong, revoked or expired.")) from error
    if key.system_id != hook.system_id:
        raise NotProved(_("The API key is another system's."))
