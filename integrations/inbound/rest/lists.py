"""Lists: filters and paging that refuse what they do not know, so that a misspelt filter never returns everything."""

import datetime as dt
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
from tickets.lifecycle import Phase
from tickets.models import Task, Ticket

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
        known = {*self.get_filterset_class(view, queryset).base_filters, "limit", "offset"}
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


class TicketFilters(django_filters.FilterSet):
    """Of the tickets of these tasks."""

    modified_since = MomentFilter(
        field_name="listed_at", lookup_expr="gte", help_text=_("Only what changed then or later (ISO 8601).")
    )
    ordering = django_filters.OrderingFilter(fields=["number", "created_at"])

    class Meta:
        model = Ticket
        fields: list[str] = []


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


class NoFilters(django_filters.FilterSet):
    """For lists with paging alone."""
