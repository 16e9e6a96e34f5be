"""Who takes part in a case, as another desk would have it: what differs from what there is, and writing it."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from integrations.inbound.messages import MemberValue
from integrations.inbound.problems import Invalid
from integrations.models import ExternalSystem
from integrations.visibility import tickets_visible_to
from tickets import actions
from tickets.actors import Actor
from tickets.models import Contact, Member, MemberRole, Ticket


@dataclass
class MemberChanges:
    """Who begins and who ends. The contact is a field of the ticket, too: `actions.change_ticket` writes it."""

    started: list[MemberValue] = field(default_factory=list)
    ended: list[Member] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.started or self.ended)

    @property
    def contact_changes(self) -> bool:
        """Whether there is another contact, or none any more."""
        return any(change.role == MemberRole.CONTACT for change in self.ended) or self.contact is not None

    @property
    def contact(self) -> int | None:
        """The new one."""
        return next((value["contact"] for value in self.started if value["role"] == MemberRole.CONTACT), None)


def member_changes(ticket: Ticket, given: list[MemberValue]) -> MemberChanges:
    """What differs: an entry that names its row and says nothing new is what was read before. `Invalid` for a row of
    another case or of somebody else, and for a second one where only one is active at a time."""
    changes = MemberChanges()
    if not given:
        return changes
    for role in (MemberRole.ASSIGNED, MemberRole.CONTACT):
        if len([value for value in given if value["role"] == role and not value["ended"]]) > 1:
            raise _wrong(_("Only one member with the role %(role)d is active: end the other.") % {"role": role})
    rows = list(Member.objects.filter(ticket=ticket))
    for value in given:
        row = _row(rows, value)
        if value["member"] is not None and row is None:
            raise _wrong(_("This case has no member %(id)d with this role.") % {"id": value["member"]})
        if row is not None and (row.user_id, row.contact_id) != (value["user"], value["contact"]):
            text = _("The member %(id)d is somebody else: end it, and add an entry without an id.")
            raise _wrong(text % {"id": row.pk})
        if row is None and not value["ended"]:
            changes.started.append(value)
        elif row is not None and row.is_active and value["ended"]:
            changes.ended.append(row)
    return changes


def check_people(system: ExternalSystem, contact: int | None, members: list[MemberValue]) -> None:
    """`Invalid` for people whom the desk has no business to know: numbers would be guessed, and names read back.

    It may name who takes part in tickets that it sees, or anybody where the administrator says so.
    """
    if system.may_name_anybody:
        return
    seen = Member.objects.filter(ticket__in=tickets_visible_to(system))
    contacts = {contact, *(value["contact"] for value in members)} - {None}
    users = {value["user"] for value in members} - {None}
    for name, wanted in (("contact", contacts), ("user", users)):
        known = set(seen.filter(**{f"{name}__in": wanted}).values_list(name, flat=True))
        if wanted - known:
            raise _wrong(
                _("You may name only people of cases that you see. Ask the administrator of this portal for more."),
                name="contact" if contact in wanted - known else "members",
            )


def write_members(actor: Actor, ticket: Ticket, changes: MemberChanges) -> None:
    """Assigned user and followers; ending one and starting the next keeps the history."""
    for row in changes.ended:
        if row.role == MemberRole.FOLLOWER:
            actions.end_follower(actor=actor, ticket=ticket, member=row)
        elif row.role == MemberRole.ASSIGNED:
            actions.set_assigned_user(actor=actor, ticket=ticket, user=None)
    for value in changes.started:
        user = User.objects.filter(pk=value["user"]).first() if value["user"] else None
        contact = Contact.objects.filter(pk=value["contact"]).first() if value["contact"] else None
        if value["role"] == MemberRole.ASSIGNED:
            actions.set_assigned_user(actor=actor, ticket=ticket, user=user)
        elif value["role"] == MemberRole.FOLLOWER:
            actions.add_follower(actor=actor, ticket=ticket, user=user, contact=contact)


def _row(rows: list[Member], value: MemberValue) -> Member | None:
    """The row that is meant: the named one, else the active one of this person."""
    of_role = [row for row in rows if row.role == value["role"]]
    if value["member"] is not None:
        return next((row for row in of_role if row.pk == value["member"]), None)
    person = (value["user"], value["contact"])
    return next((row for row in of_role if row.is_active and (row.user_id, row.contact_id) == person), None)


def _wrong(text: Any, *, name: str = "members") -> Invalid:
    return Invalid(text, fields={name: [text]})
