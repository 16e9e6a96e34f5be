"""Who may call: one user and password, one key, or a session from the login request."""

import base64
import binascii
import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from integrations.simulator.models import Session

SESSION_LIFETIME = timedelta(hours=1)


def is_known(request: HttpRequest) -> bool:
    """Whether the headers carry valid credentials: X-Api-Key, X-Session, Bearer or Basic."""
    headers = request.headers
    if "X-Api-Key" in headers:
        return key_is_right(headers["X-Api-Key"])
    if "X-Session" in headers:
        return session_is_right(headers["X-Session"])
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return key_is_right(value)
        case "basic":
            return basic_is_right(value)
    return False


def key_is_right(key: str) -> bool:
    """Whether this is our intake key."""
    return constant_time_compare(key, settings.PRACTICE_DESK_INTAKE_KEY)


def session_is_right(value: str) -> bool:
    """Whether this is a session that has not ended."""
    return Session.objects.filter(value=value, created_at__gt=timezone.now() - SESSION_LIFETIME).exists()


def password_is_right(user: str, password: str) -> bool:
    """Whether these are our intake user and password."""
    # Half of a surrogate pair, which JSON can write, cannot be compared.
    user, password = (text.encode(errors="replace").decode() for text in (user, password))
    right_user = constant_time_compare(user, settings.PRACTICE_DESK_USER)
    return constant_time_compare(password, settings.PRACTICE_DESK_PASSWORD) and right_user


def basic_is_right(value: str) -> bool:
    """Whether the value of a Basic header holds our user and password."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(colon) and password_is_right(user, password)


def begin_session() -> str:
    """A new session value, valid for `SESSION_LIFETIME`."""
    return Session.objects.create(value=secrets.token_urlsafe(24)).value
