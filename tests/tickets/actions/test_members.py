"""Who takes part: one assigned user, one contact, several followers; what was stays."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.cast import Desk
from tickets import actions
from tickets.errors import InvalidInput, TransitionRefused
from tickets.models import Contact, Member, MemberRole, Ticket


@pytest.fixture
def bob(db: None) -> User:
    """A second agent."""
    return User.objects.create_user("bob", "bob@desk.test", "agent-password", is_staff=True)


def of(ticket: Ticket, role: MemberRole) -> list[tuple[str, bool]]:
    """Who had the role, and whether they have it still."""
    return [(member.person, member.is_active) for member in ticket.members.filter(role=role)]


def test_the_next_assigned_user_ends_the_one_before_and_both_stay_known(desk: Desk, bob: User) -> None:
    ticket = desk.ticket()
    for user in (desk.agent, bob, bob, None):
        actions.set_assigned_user(actor=desk.by_agent, ticket=ticket, user=user)
    assert of(ticket, MemberRole.ASSIGNED) == [("Ada", False), ("bob", False)]
    changes = ticket.history.filter(field="assigned_user").values_list("old", "new")
    assert list(changes) == [("", "Ada"), ("Ada", "bob"), ("bob", "")]


def test_the_next_contact_ends_the_one_before_beside_the_tickets_own_column(desk: Desk) -> None:
    ticket = desk.ticket()
    otto = Contact.objects.get(email="otto@other.test")
    ticket = actions.change_ticket(actor=desk.by_agent, ticket=ticket, contact=otto)
    assert of(ticket, MemberRole.CONTACT) == [("Emil Ende", False), ("Otto Other", True)]
    assert ticket.contact == otto
    ticket = actions.change_ticket(actor=desk.by_agent, ticket=ticket, contact=None)
    assert of(ticket, MemberRole.CONTACT) == [("Emil Ende", False), ("Otto Other", False)]


def test_several_follow_each_once_and_may_come_back(desk: Desk, bob: User) -> None:
    ticket = desk.ticket()
    first = actions.add_follower(actor=desk.by_agent, ticket=ticket, user=bob)
    assert actions.add_follower(actor=desk.by_agent, ticket=ticket, user=bob) == first
    actions.add_follower(actor=desk.by_agent, ticket=ticket, contact=desk.contact)
    actions.end_follower(actor=desk.by_agent, ticket=ticket, member=first)
    actions.add_follower(actor=desk.by_agent, ticket=ticket, user=bob)
    assert of(ticket, MemberRole.FOLLOWER) == [("bob", False), ("Emil Ende", True), ("bob", True)]


def test_who_is_no_active_agent_cannot_be_assigned(desk: Desk, bob: User) -> None:
    bob.is_active = False
    for user in (desk.end_user, bob):
        with pytest.raises(InvalidInput, match="not an active agent"):
            actions.set_assigned_user(actor=desk.by_agent, ticket=desk.ticket(), user=user)


def test_a_member_of_another_ticket_or_role_is_no_follower_here(desk: Desk) -> None:
    ticket = desk.ticket()
    for member in (
        actions.add_follower(actor=desk.by_agent, ticket=desk.ticket(), user=desk.agent),
        ticket.members.get(role=MemberRole.CONTACT),
    ):
        with pytest.raises(InvalidInput, match="no active follower"):
            actions.end_follower(actor=desk.by_agent, ticket=ticket, member=member)


@pytest.mark.parametrize(
    "values",
    [
        {"role": MemberRole.ASSIGNED, "user": "agent"},
        {"role": MemberRole.CONTACT, "contact": "contact"},
        {"role": MemberRole.FOLLOWER, "user": "agent"},
        {"role": MemberRole.FOLLOWER, "contact": "contact"},
    ],
)
def test_the_database_itself_refuses_a_second_active_one(desk: Desk, values: dict) -> None:
    ticket = desk.ticket()
    ticket.members.all().delete()
    row = {key: getattr(desk, value) if isinstance(value, str) else value for key, value in values.items()}
    Member.objects.create(ticket=ticket, **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.create(ticket=ticket, **row)
    Member.objects.create(ticket=ticket, **row, ended_at=timezone.now() + timedelta(hours=1))


@pytest.mark.parametrize(
    "values",
    [
        {"role": MemberRole.ASSIGNED, "contact": "contact"},
        {"role": MemberRole.CONTACT, "user": "agent"},
        {"role": MemberRole.FOLLOWER},
        {"role": MemberRole.FOLLOWER, "user": "agent", "contact": "contact"},
    ],
)
def test_the_database_itself_knows_who_may_have_which_role(desk: Desk, values: dict) -> None:
    ticket = desk.ticket()
    ticket.members.all().delete()
    row = {key: getattr(desk, value) if isinstance(value, str) else value for key, value in values.items()}
    with pytest.raises(IntegrityError):
        Member.objects.create(ticket=ticket, **row)


def test_the_database_itself_refuses_an_end_before_the_start(desk: Desk) -> None:
    member = desk.ticket().members.get()
    with pytest.raises(IntegrityError):
        Member.objects.filter(pk=member.pk).update(ended_at=member.started_at - timedelta(seconds=1))


def test_a_merged_ticket_takes_nobody_on(desk: Desk) -> None:
    ticket, target = desk.ticket(), desk.ticket()
    actions.merge_tickets(actor=desk.by_agent, source=ticket, target=target)
    with pytest.raises(TransitionRefused, match=f"merged into {target.number}"):
        actions.set_assigned_user(actor=desk.by_agent, ticket=ticket, user=desk.agent)
