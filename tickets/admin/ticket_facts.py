"""What stands beside a ticket's conversation: its status, people, labels and linked tickets."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tickets.admin.desk_form import DeskForm
from tickets.admin.link_forms import UnlinkForm
from tickets.admin.member_forms import EndFollowerForm, FollowForm
from tickets.admin.ticket_forms import FORMS_IN_PLACE, forms_in
from tickets.lifecycle import TicketStatus
from tickets.models import Link, LinkKind, Member, MemberRole, PropertyDefinition, Ticket
from tickets.property_fields import in_words
from tickets.selectors import is_overdue


@dataclass
class WithButton:
    """A person or a linked ticket, and the button that removes it; None where it may not be removed."""

    what: Any
    words: str | Promise
    remove: DeskForm | None


@dataclass
class TicketFacts:
    """All that the cards say. Loaded in a constant number of queries."""

    is_overdue: bool
    is_on_hold: bool
    own_differs: bool
    returns_to: str
    assigned: Member | None = None
    followers: list[WithButton] = field(default_factory=list)
    follow: DeskForm | None = None
    earlier: list[Member] = field(default_factory=list)
    properties: list[tuple[str, str]] = field(default_factory=list)
    links: list[WithButton] = field(default_factory=list)
    merged_from: list[Ticket] = field(default_factory=list)
    merged_into: Ticket | None = None
    forms: dict[str, list[type[DeskForm]]] = field(default_factory=dict)


def ticket_facts(request: HttpRequest, ticket: Ticket) -> TicketFacts:
    """For the page of this ticket, as the signed-in agent may see and change it."""
    own, last_open = ticket.own_status, ticket.last_open_status
    returns = own != last_open and ticket.status in (
        TicketStatus.ON_HOLD,
        TicketStatus.AWAITING_EXTERNAL,
        TicketStatus.CLOSED,
    )
    facts = TicketFacts(
        is_overdue=is_overdue(ticket),
        is_on_hold=ticket.status == TicketStatus.ON_HOLD,
        own_differs=own.name != ticket.get_status_display(),
        returns_to=last_open.name if returns else "",
        properties=[
            (value.definition.name, in_words(value)) for value in ticket.property_values.select_related("definition")
        ],
        forms={
            place: [form for form in forms_in(ticket, place) if form.allowed(request)] for place in FORMS_IN_PLACE
        },
    )
    if not facts.properties and not PropertyDefinition.objects.filter(active=True).exists():
        facts.forms["labels"] = [form for form in facts.forms["labels"] if form.name != "properties"]
    changes = ticket.status != TicketStatus.MERGED and FollowForm.allowed(request)
    _people(request, ticket, facts, changes)
    _links(request, ticket, facts, changes)
    return facts


def _people(request: HttpRequest, ticket: Ticket, facts: TicketFacts, changes: bool) -> None:
    follows = False
    for member in ticket.members.select_related("user", "contact"):
        if not member.is_active:
            facts.earlier.append(member)
        elif member.role == MemberRole.ASSIGNED:
            facts.assigned = member
        elif member.role == MemberRole.FOLLOWER:
            mine = member.user_id == request.user.pk and member.user_id is not None
            follows = follows or mine
            words = _("contact") if member.contact_id else _("you") if mine else ""
            button = _button(EndFollowerForm, request, ticket, member=member.pk) if changes else None
            if button is not None and mine:
                button.submit = _("Unfollow")
            facts.followers.append(WithButton(member, words, button))
    if changes and not follows:
        facts.follow = _button(FollowForm, request, ticket)


def _links(request: HttpRequest, ticket: Ticket, facts: TicketFacts, changes: bool) -> None:
    links = Link.objects.filter(Q(ticket=ticket) | Q(other=ticket)).select_related("ticket", "other")
    for link in links:
        here = link.ticket_id == ticket.pk
        other = link.other if here else link.ticket
        if link.kind == LinkKind.MERGED:
            if here:
                facts.merged_into = other
            else:
                facts.merged_from.append(other)
            continue
        words = {
            (LinkKind.SUB_CASE, True): _("Sub-case"),
            (LinkKind.SUB_CASE, False): _("Parent"),
        }.get((LinkKind(link.kind), here), _("Related"))
        button = _button(UnlinkForm, request, ticket, link=link.pk) if changes else None
        facts.links.append(WithButton(other, words, button))


def _button(form: type[DeskForm], request: HttpRequest, ticket: Ticket, **initial: int) -> DeskForm:
    # Several on a page: ids of their own.
    ids = "-".join([form.name, *map(str, initial.values()), "%s"])
    return form(request=request, ticket=ticket, initial=initial, auto_id=ids)
