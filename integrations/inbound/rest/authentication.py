"""REST callers present a key of their system: `Authorization: Api-Key <key>` or `Authorization: Bearer <key>`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from integrations.inbound.authentication import key_of
from integrations.inbound.problems import Unauthenticated
from integrations.models import ExternalSystem, SystemKey

if TYPE_CHECKING:
    # rest_framework.views imports this module, by its settings.
    from rest_framework.views import APIView


@dataclass(frozen=True)
class Caller:
    """`request.user` of a call by an external system."""

    system: ExternalSystem
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False


class SystemKeyAuthentication(BaseAuthentication):
    """`request.user` is the `Caller`, `request.auth` the key. Raises `Unauthenticated` for a wrong key."""

    def authenticate(self, request: Request) -> tuple[Caller, SystemKey] | None:
        """None without the header: whether that is allowed is the view's decision."""
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _blank, secret = header.partition(" ")
        if scheme.lower() not in ("api-key", "bearer"):
            raise Unauthenticated(_("Give your key as: Authorization: Api-Key <key>"))
        key = key_of(secret.strip())
        return Caller(key.system), key

    def authenticate_header(self, request: Request) -> str:
        """What a refused caller is told to present."""
        return 'Api-Key realm="Deskbridge"'


class IsExternalSystem(BasePermission):
    """Only callers with a key."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Without one: 401, never 403."""
        return isinstance(request.user, Caller)
