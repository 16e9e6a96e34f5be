"""The search for cases: what a filter does not know is refused, so that a misspelt one never returns everything."""

from typing import Any, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from integrations.inbound.itx.incoming import Id, Moment, PropertyBody
from integrations.inbound.itx.mapping import properties_by_code
from integrations.inbound.itx.outgoing import PARTS
from integrations.inbound.rest.incoming import StrictSerializer, Text
from integrations.models import ExternalSystem
from integrations.visibility import tickets_visible_to
from tickets.actions.listing import list_changes
from tickets.lifecycle import TicketStatus
from tickets.models import PropertyDefinition, Ticket

PAGE: Final = 50
LARGEST_PAGE: Final = 200
LARGEST_OFFSET: Final = 10_000_000
MOST_VALUES: Final = 1000

# The filter -> what of the ticket it is compared with.
ANY_OF: Final = {
    "eactIds": "pk",
    "seqNos": "number",
    "statuses": "status",
    "emstIds": "own_status",
    "ctnoIds": "category",
    "emprIds": "priority",
    "ucquIds": "queue",
    "eeexIds": "contact",
}
SINCE: Final = {
    "createdFromTs": "created_at__gte",
    "createdToTs": "created_at__lt",
    "updatedFromTs": "updated_at__gte",
    "externalUpdatedFromTs": "external_update_at__gte",
    "changedFromTs": "listed_at__gte",
}
LISTS: Final = (*ANY_OF, "tags")


def ids() -> serializers.ListField:
    """Several; none at all would find everything."""
    return serializers.ListField(child=Id(), required=False, allow_empty=False, max_length=MOST_VALUES)


class SearchBody(StrictSerializer):
    """All filters narrow together; each is optional."""

    eactIds = ids()
    eactId = Id(required=False)
    seqNos = ids()
    seqNo = Id(required=False)
    statuses = serializers.ListField(
        child=serializers.ChoiceField(choices=TicketStatus.choices), required=False, allow_empty=False, max_length=20
    )
    emstIds = ids()
    ctnoIds = ids()
    emprIds = ids()
    ucquIds = ids()
    eeexIds = ids()
    text = Text(max_length=250, required=False)
    tags = serializers.ListField(child=Text(max_length=50), required=False, allow_empty=False, max_length=20)
    propValues = PropertyBody(many=True, required=False, allow_empty=False, max_length=20)  # type: ignore[call-arg]  # taken by `many`, which the stubs do not know
    createdFromTs = Moment(required=False)
    createdToTs = Moment(required=False)
    updatedFromTs = Moment(required=False)
    externalUpdatedFromTs = Moment(required=False)
    changedFromTs = Moment(required=False)
    changedFromEactId = Id(required=False)
    limitFrom = serializers.IntegerField(min_value=0, max_value=LARGEST_OFFSET, default=0)
    limitTo = serializers.IntegerField(min_value=1, max_value=LARGEST_OFFSET + LARGEST_PAGE, required=False)
    getMembers = serializers.BooleanField(default=False)
    getComments = serializers.BooleanField(default=False)
    getLinks = serializers.BooleanField(default=False)
    getLogs = serializers.BooleanField(default=False)
    getFiles = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The page must be one, and a place among changes needs its moment."""
        size = attrs.get("limitTo", attrs["limitFrom"] + PAGE) - attrs["limitFrom"]
        if not 1 <= size <= LARGEST_PAGE:
            text = _("From limitFrom (the first, counted from 0) to before limitTo: 1 to %(limit)d cases.")
            raise serializers.ValidationError({"limitTo": [text % {"limit": LARGEST_PAGE}]})
        if "changedFromEactId" in attrs and "changedFromTs" not in attrs:
            raise serializers.ValidationError({"changedFromEactId": [_("Give changedFromTs, too.")]})
        return attrs


def search(system: ExternalSystem, asked: dict[str, Any]) -> QuerySet[Ticket]:
    """One page of the caller's cases; `asked` are values of `SearchBody`. By their id; changes by their moment.

    Raises `ValidationError` for a property that there is not, or a value that it cannot have.
    """
    tickets = tickets_visible_to(system)
    for one, several in (("eactId", "eactIds"), ("seqNo", "seqNos")):
        if one in asked:
            tickets = tickets.filter(**{ANY_OF[several]: asked[one]})
    for name, field in ANY_OF.items():
        if name in asked:
            tickets = tickets.filter(**{f"{field}__in": asked[name]})
    for name, lookup in SINCE.items():
        if name in asked:
            tickets = tickets.filter(**{lookup: asked[name]})
    if "text" in asked:
        tickets = tickets.filter(title__icontains=asked["text"])
    for tag in asked.get("tags", []):
        tickets = tickets.filter(tags__name__iexact=tag)
    for code, value in properties_by_code(asked.get("propValues", [])).items():
        tickets = _with_property(tickets, code, value)
    if "changedFromTs" in asked:
        list_changes()
        if "changedFromEactId" in asked:
            # Those of the very moment that were seen before.
            tickets = tickets.exclude(listed_at=asked["changedFromTs"], pk__lte=asked["changedFromEactId"])
        tickets = tickets.order_by("listed_at", "pk")
    else:
        tickets = tickets.order_by("pk")
    begin = asked["limitFrom"]
    return tickets[begin : asked.get("limitTo", begin + PAGE)]


def parts(asked: dict[str, Any]) -> list[str]:
    """The attributes that were asked for."""
    return [attribute for flag, attribute in PARTS.items() if asked[flag]]


def _with_property(tickets: QuerySet[Ticket], code: str, value: Any) -> QuerySet[Ticket]:
    definition = PropertyDefinition.objects.get(code=code)
    try:
        canonical = definition.canonical(value)
    except ValueError as error:
        raise serializers.ValidationError({"propValues": [f"{code}: {error}"]}) from error
    held = Q(property_values__definition=definition)
    if not canonical:
        return tickets.exclude(pk__in=Ticket.objects.filter(held).values("pk"))
    return tickets.filter(held & Q(property_values__value=canonical))
