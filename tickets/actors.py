"""Who did it: the one form in which a person, another desk or the system itself is named as the cause of a change."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest


class ActorKind(models.TextChoices):
    """What kind of cause."""

    AGENT = "agent", _("agent")
    END_USER = "end_user", _("end user")
    EXTERNAL = "external", _("other desk")
    SYSTEM = "system", _("the system")


@dataclass(frozen=True)
class Actor:
    """The cause of a change. `key` names another desk in a way that only `integrations` understands."""

    kind: ActorKind
    name: str
    user_id: int | None = None
    key: str = ""

    @classmethod
    def of_user(cls, user: "User") -> "Actor":
        """The signed-in user: an agent if staff, else an end user."""
        kind = ActorKind.AGENT if user.is_staff else ActorKind.END_USER
        name = user.get_full_name()
        if not name and kind is ActorKind.END_USER and hasattr(user, "contact"):
            name = user.contact.name
        return cls(kind=kind, name=name or user.get_username(), user_id=user.pk)

    @classmethod
    def of_request(cls, request: "HttpRequest") -> "Actor":
        """Whoever is signed in, on a page that lets nobody else in."""
        return cls.of_user(cast("User", request.user))

    @classmethod
    def external(cls, *, key: str, name: str) -> "Actor":
        """Another desk; `name` may be the author that it named."""
        return cls(kind=ActorKind.EXTERNAL, name=name, key=key)

    @classmethod
    def system(cls, name: str = "") -> "Actor":
        """The portal itself, for example a process's step."""
        return cls(kind=ActorKind.SYSTEM, name=name or gettext("Deskbridge"))
