"""ITX callers present three values: tokenv2, rcntrl and ccntrl, as headers or in the query."""

from typing import TYPE_CHECKING, Final

from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from integrations.inbound.authentication import key_of
from integrations.inbound.problems import Unauthenticated
from integrations.inbound.rest.authentication import Caller

if TYPE_CHECKING:
    from integrations.models import SystemKey

# The key, its prefix, the system's code. `integrations.redaction` removes all three wherever they stand.
NAMES: Final = ("tokenv2", "rcntrl", "ccntrl")


class ThreeValues(BaseAuthentication):
    """`request.user` is the `Caller`, `request.auth` the key. All three values come from one place and agree; which
    one was wrong, the answer does not say."""

    def authenticate(self, request: Request) -> "tuple[Caller, SystemKey]":
        """Raises `Unauthenticated`."""
        refusal = Unauthenticated(
            _(
                "Give tokenv2, rcntrl and ccntrl, all three as headers or all three in the query. If you did, they "
                "are not valid: ask the administrator of this portal for new ones."
            )
        )
        in_headers = any(name in request.headers for name in NAMES)
        if in_headers and any(name in request.query_params for name in NAMES):
            raise refusal
        values = [request.headers.get(name, "") if in_headers else _once(request, name) for name in NAMES]
        if not all(values):
            raise refusal
        secret, prefix, code = values
        try:
            key = key_of(secret, user=code)
        except Unauthenticated as error:
            raise refusal from error
        if not constant_time_compare(prefix, key.prefix):
            raise refusal
        return Caller(key.system), key

    def authenticate_header(self, request: Request) -> str:
        """What a refused caller is told to present."""
        return CHALLENGE


CHALLENGE: Final = 'ITX realm="Deskbridge"'


def _once(request: Request, name: str) -> str:
    given = request.query_params.getlist(name)
    return str(given[0]) if len(given) == 1 else ""
