"""Lists: filters and paging that refuse what they do not know, so that a misspelt filter never returns everything."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from integrations.models import Exchange, Outcome, Way
from tickets.filters import overdue, with_property
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import Contact, PropertyDefinition, Task, Ticket
from tickets.property_fields import PREFIX, PropertyField

LARGEST_PAGE = 200
LARGEST_OFFSET = 10_000_000


class StrictPaging(LimitOffsetPagination):
    """`limit` (1 to 200, 50 if not given) and `offset`."""

    max_limit = LARGEST_PAGE

    def get_limit(self, request: Request) -> int:
        """Refuses what is no number in range instead of using another."""
        return _number(request, "limit", default=self.default_limit or 50, low=1, high=LARGEST_PAGE)

    def get_offset(self, request: Request) -> int:
        """As `get_limit`."""
        return _number(request, "offset", default=0, low=0, high=LARGEST_OFFSET)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """With the bounds."""
        limit = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": self.default_limit}
        offset = {"type": "integer", "minimum": 0, "maximum": LARGEST_OFFSET, "default": 0}
        return [
            {"name": "limit", "in": "query", "required": False, "schema": limit},
            {"name": "offset", "in": "query", "required": False, "schema": offset},
        ]


def _number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10 and low <= int(given) <= high):
        raise ValidationError({name: [_("Give a number from %(low)d to %(high)d.") % {"low": low, "high": high}]})
    return int(given)


class StrictFilters(DjangoFilterBackend):
    """Refuses a query parameter that no filter takes, and one that is given twice."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """The filtered rows. Raises `ValidationError`."""
        filters = self.get_filterset_class(view, queryset)
        known = {*filters.base_filters, "limit", "offset"}
        if issubclass(filters, TicketFilters):
            known |= set(property_filters(request.query_params))
        errors = {name[:100]: [_("There is no such filter.")] for name in request.query_params if name not in known}
        errors |= {name: [_("Give it once.")] for name, values in request.query_params.lists() if len(values) > 1}
        # An empty filter would return everything, too.
        errors |= {
            name: [_("Give a value.")]
            for name, value in request.query_params.items()
            if not str(value).strip(", \t\r\n")
        }
        if errors:
            raise ValidationError(errors)
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class MomentField(forms.CharField):
    """A moment by ISO 8601; without a time zone it is UTC."""

    def clean(self, value: Any) -> dt.datetime | None:
        """The moment in UTC."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return moment_of(text)
        except ValueError as error:
            raise forms.ValidationError(_("Give a moment like 2026-01-31T12:00:00Z.")) from error


def moment_of(text: str) -> dt.datetime:
    """The moment in UTC. Raises `ValueError`."""
    try:
        # A "+" that was not escaped arrives as a blank.
        moment = dt.datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except OverflowError as error:
        raise ValueError(text) from error


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentFilter(django_filters.Filter):
    """For `..._since`."""

    field_class = MomentField


class TaskFilters(django_filters.FilterSet):
    """Of the tasks that the caller may see."""

    phase = django_filters.ChoiceFilter(choices=Phase.choices)
    group = django_filters.CharFilter(field_name="group__code", help_text=_("An assignment group's code."))
    reference = django_filters.CharFilter(method="by_reference", help_text=_("Your number for the task."))
    ticket = django_filters.CharFilter(field_name="ticket__number", help_text=_("Our ticket's number."))
    modified_since = MomentFilter(
        field_name="modified_at", lookup_expr="gte", help_text=_("Only what changed then or later (ISO 8601).")
    )
    ordering = django_filters.OrderingFilter(fields=["number", "created_at", "modified_at"])

    class Meta:
        model = Task
        fields: list[str] = []

    def by_reference(self, tasks: QuerySet[Task], name: str, value: str) -> QuerySet[Task]:
        """The caller's own reference, never another system's."""
        system = self.request.user.system
        return tasks.filter(Q(external_references__system=system, external_references__value=value))


class PropertyFilter(django_filters.Filter):
    """A property that administrators have defined; its values are checked by its kind."""

    def __init__(self, definition: PropertyDefinition) -> None:
        super().__init__(label=definition.name)
        self.definition = definition

    @property
    def field(self) -> forms.Field:
        """What takes the value."""
        return PropertyField(self.definition)

    def filter(self, tickets: QuerySet[Ticket], value: str) -> QuerySet[Ticket]:
        """Tickets that hold it."""
        return with_property(tickets, self.definition, value) if value else tickets


def property_filters(names: Iterable[str]) -> dict[str, PropertyFilter]:
    """The filters `property_<code>` among these names of query parameters; not those of unknown properties."""
    codes = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX) and "\0" not in name]
    if not codes:
        return {}
    definitions = PropertyDefinition.objects.filter(code__in=codes, active=True)
    return {f"{PREFIX}{row.code}": PropertyFilter(row) for row in definitions}


class TicketFilters(django_filters.FilterSet):
    """Of the tickets of these tasks; besides, `property_<code>` for each active property."""

    status = django_filters.ChoiceFilter(
        method="by_status",
        choices=[(str(status.label), status.label) for status in TicketStatus],
        help_text=_("One of the eight fixed statuses, in words."),
    )
    own_status = django_filters.CharFilter(field_name="own_status__code", help_text=_("An own status' code."))
    tag = django_filters.CharFilter(method="by_tag", help_text=_("A tag, in upper or lower case."))
    # A plain choice, as the library's own takes what is neither for no filter.
    overdue = django_filters.ChoiceFilter(
        method="by_deadline",
        choices=[("true", "true"), ("false", "false")],
        help_text=_("Whether the deadline has passed while something is still to happen."),
    )
    modified_since = MomentFilter(
        field_name="listed_at", lookup_expr="gte", help_text=_("Only what changed then or later (ISO 8601).")
    )
    ordering = django_filters.OrderingFilter(fields=["number", "created_at"])

    class Meta:
        model = Ticket
        fields: list[str] = []

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(data, *args, **kwargs)
        for name, found in property_filters(data or ()).items():
            found.parent, found.model = self, Ticket
            self.filters[name] = found

    def by_status(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        """The fixed status that is read so."""
        return tickets.filter(status=next(status for status in TicketStatus if str(status.label) == value))

    def by_tag(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        """Two spellings are one tag."""
        return tickets.filter(pk__in=Ticket.tags.through.objects.filter(tag__name__iexact=value).values("ticket"))

    def by_deadline(self, tickets: QuerySet[Ticket], name: str, value: str) -> QuerySet[Ticket]:
        """Overdue, or all others."""
        late = overdue(Ticket.objects.all()).values("pk")
        return tickets.filter(pk__in=late) if value == "true" else tickets.exclude(pk__in=late)


class ExchangeFilters(django_filters.FilterSet):
    """Of the caller's own exchanges."""

    direction = django_filters.ChoiceFilter(field_name="way", choices=Way.choices)
    outcome = django_filters.ChoiceFilter(choices=Outcome.choices)
    operation = django_filters.CharFilter()
    task = django_filters.CharFilter(field_name="task__number", help_text=_("Our task's number."))
    message_id = django_filters.CharFilter()
    since = MomentFilter(field_name="started_at", lookup_expr="gte", help_text=_("Started then or later (ISO 8601)."))
    ordering = django_filters.OrderingFilter(fields=["id", "started_at"])

    class Meta:
        model = Exchange
        fields: list[str] = []


class ContactFilters(django_filters.FilterSet):
    """Of the people whom the caller may read."""

    email = django_filters.CharFilter(lookup_expr="iexact", help_text=_("An e-mail address, whole."))
    login = django_filters.CharFilter(lookup_expr="iexact", help_text=_("A directory login, whole."))
    external_id = django_filters.CharFilter(method="by_external_id", help_text=_("Your own number of the person."))
    search = django_filters.CharFilter(method="by_word", help_text=_("A part of the name, address or login."))
    ordering = django_filters.OrderingFilter(fields=["id", "name", "email"])

    class Meta:
        model = Contact
        fields: list[str] = []

    def by_external_id(self, contacts: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        """The caller's own number, never another system's."""
        system = self.request.user.system
        return contacts.filter(Q(external_references__system=system, external_references__value=value))

    def by_word(self, contacts: QuerySet[Contact], name: str, value: str) -> QuerySet[Contact]:
        """In one of three fields."""
        return contacts.filter(Q(name__icontains=value) | Q(email__icontains=value) | Q(login__icontains=value))


class NoFilters(django_filters.FilterSet):
    """For lists with paging alone."""
