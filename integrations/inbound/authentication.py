"""Who is calling: an external system, by one of its keys."""

import re
from typing import Final

from django.utils.translation import gettext as _

from integrations.inbound.problems import Unauthenticated
from integrations.models import SystemKey

KEY: Final = re.compile(r"[A-Za-z0-9]{1,8}\.[A-Za-z0-9]{1,200}")


def key_of(secret: str, *, user: str | None = None) -> SystemKey:
    """The key row, with its system, for what a caller presents; `user` must be the system's code where it is given.

    Raises `Unauthenticated`: wrong, revoked, expired, another system's, or the system is switched off.
    """
    refusal = Unauthenticated(_("The key is not valid. Ask the administrator of this portal for a new one."))
    if not KEY.fullmatch(secret):
        raise refusal
    prefix = secret.partition(".")[0]
    key = SystemKey.objects.get_usable_keys().select_related("system").filter(prefix=prefix).first()
    if key is None or not key.is_valid(secret) or key.has_expired or not key.system.active:
        raise refusal
    if user is not None and user.casefold() != key.system.code.casefold():
        raise refusal
    return key
