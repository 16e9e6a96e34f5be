"""What the list of tickets may be narrowed by in the admin."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from tickets.filters import followed_by, looked_after_by, overdue, with_property
from tickets.lifecycle import OPEN_STATUSES, Phase
from tickets.models import AssignmentGroup, Member, MemberRole, PropertyDefinition, PropertyKind, Task, Ticket
from tickets.property_fields import PREFIX, YES_NO

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

DAY = timedelta(days=1)
# Beyond these the list of filters is no longer read.
MOST_PROPERTIES = 12


class MineFilter(SimpleListFilter):
    """Tickets that I look after, with a task that I work on or that waits in one of my groups, that I follow."""

    title = _("assigned to me")
    parameter_name = "mine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, "_StrPromise"]]:
        """Me, my groups, or what I follow."""
        return [("1", _("Assigned to me")), ("groups", _("With my groups")), ("followed", _("Followed by me"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Open work only: what is done waits for nobody."""
        me = cast("User", request.user).pk
        tasks = Task.objects.exclude(phase=Phase.CLOSE)
        if self.value() == "1":
            mine = looked_after_by(Ticket.objects.filter(status__in=OPEN_STATUSES), me).values("pk")
            working = tasks.filter(assignee=me).values("ticket")
            return queryset.filter(Q(pk__in=working) | Q(pk__in=mine))
        if self.value() == "groups":
            return queryset.filter(pk__in=tasks.filter(group__members=me).values("ticket"))
        if self.value() == "followed":
            return followed_by(queryset, me)
        return queryset


class MineDropdownFilter(MineFilter, DropdownFilter):
    """The same as a drop-down."""


class AssignedUserFilter(DropdownFilter):
    """By who looks after the ticket as a whole."""

    title = _("who looks after it")
    parameter_name = "assigned_user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, "str | _StrPromise"]]:
        """Those who look after any ticket, and nobody."""
        active = Member.objects.filter(role=MemberRole.ASSIGNED, ended_at=None)
        people = User.objects.filter(pk__in=active.values("user")).order_by("first_name", "username")
        named = [(str(person.pk), person.get_full_name() or person.get_username()) for person in people]
        return [("nobody", _("Nobody")), *named]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Theirs."""
        value = self.value() or ""
        if value == "nobody":
            active = Member.objects.filter(role=MemberRole.ASSIGNED, ended_at=None)
            return queryset.exclude(pk__in=active.values("ticket"))
        return looked_after_by(queryset, int(value)) if value.isdecimal() else queryset


class DeadlineFilter(DropdownFilter):
    """By the deadline."""

    title = _("deadline")
    parameter_name = "deadline"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, "_StrPromise"]]:
        """What one asks for."""
        return [("overdue", _("Overdue")), ("day", _("Within a day")), ("none", _("None"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Only while something is still to happen."""
        now = timezone.now()
        match self.value():
            case "overdue":
                return overdue(queryset)
            case "day":
                return queryset.filter(deadline_at__range=(now, now + DAY), status__in=OPEN_STATUSES)
            case "none":
                return queryset.filter(deadline_at=None)
        return queryset


class OfTasksFilter(DropdownFilter):
    """Tickets of which a task has something. A subquery, because a join would list a ticket several times."""

    field: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Tickets with such a task."""
        if not self.value():
            return queryset
        return queryset.filter(pk__in=Task.objects.filter(**{self.field: self.value()}).values("ticket"))


class GroupFilter(OfTasksFilter):
    """By the group that has a task."""

    title = _("group")
    parameter_name = "group"
    field = "group__code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All groups."""
        return list(AssignmentGroup.objects.values_list("code", "name"))


class PhaseFilter(OfTasksFilter):
    """By the phase of a task."""

    title = _("phase")
    parameter_name = "phase"
    field = "phase"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, "_StrPromise"]]:
        """All phases."""
        return Phase.choices


class OfPropertyFilter(admin.SimpleListFilter):
    """Tickets whose property holds something. What cannot be a value of it is held by no ticket."""

    definition: PropertyDefinition

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """Those that hold it."""
        value = (self.value() or "").strip()
        if not value:
            return queryset
        try:
            return with_property(queryset, self.definition, value)
        except ValueError:
            return queryset.none()


class PropertyDropdownFilter(OfPropertyFilter, DropdownFilter):
    """For properties with a few known values."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The values."""
        if self.definition.kind == PropertyKind.YES_NO:
            return list(YES_NO)
        return [(choice, choice) for choice in self.definition.choice_list]


class PropertyTextFilter(OfPropertyFilter, TextFilter):
    """For properties that hold anything."""


def property_filters() -> list[type[OfPropertyFilter]]:
    """One for each active property, in their order: one query."""
    found = []
    for definition in PropertyDefinition.objects.filter(active=True)[:MOST_PROPERTIES]:
        listed = definition.kind in (PropertyKind.CHOICE, PropertyKind.YES_NO)
        base: type[OfPropertyFilter] = PropertyDropdownFilter if listed else PropertyTextFilter
        attributes = {
            "title": definition.name,
            "parameter_name": f"{PREFIX}{definition.code}",
            "definition": definition,
        }
        found.append(type(f"Property{definition.pk}Filter", (base,), attributes))
    return found
