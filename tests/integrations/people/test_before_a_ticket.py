"""Before a ticket is created at another desk its contact is looked up there, and made once if nobody is found."""

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from integrations.engine import accounts, decisions
from integrations.engine.claim import ClaimLost
from integrations.engine.runner import work_off
from integrations.engine.steps import request as requests
from integrations.models import AccountUnderWay, ContactReference, ProcessRun, Repeat, RunState, StepState, Stream
from integrations.people import create, forget, look_up
from tests.integrations.engine.conftest import in_threads, pass_time, run_states, work_everything
from tickets import actions
from tickets.models import Contact

pytestmark = pytest.mark.django_db(transaction=True)


def number_of(contact):
    return ContactReference.objects.get(contact=contact).value


@pytest.mark.parametrize("values", [{"login": "emil.e"}, {"email": "emil@customer.test"}])
def test_a_contact_is_found_by_login_or_by_email(desk, partner, people, values):
    Contact.objects.filter(pk=desk.contact.pk).update(login="emil.e")
    people.add(name="Somebody", login="else", email="else@customer.test")
    number = people.add(name="E. Ende", **values)
    desk.task(partner.group)
    work_everything()
    assert number_of(desk.contact) == number
    assert [ticket["contact"] for ticket in people.tickets] == [number]
    assert len(people.rows) == 2


@pytest.mark.parametrize(("user", "number"), [(False, "u2"), (True, "u1")])
def test_a_login_that_a_third_desk_has_given_finds_nobody(desk, partner, other_partner, people, user, number):
    """Otherwise it had tickets raised, and an account changed, in the name of anybody there."""
    Contact.objects.filter(pk=desk.contact.pk).update(login="boss", **({} if user else {"user": None}))
    ContactReference.objects.create(contact=desk.contact, system=other_partner.system, made_by_them=True)
    people.add(name="The boss", login="boss", email="boss@acme.test")
    desk.task(partner.group)
    work_everything()
    known = ContactReference.objects.get(contact=desk.contact, system=partner.system)
    assert (known.value, people.rows[0]["email"]) == (number, "boss@acme.test")
    assert create(Contact.objects.get(pk=desk.contact.pk), partner.system).number == number


def test_a_desk_may_answer_404_for_nobody(desk, partner, people):
    people.status = 404
    partner.system.operations.filter(name="find_contact").update(
        success="response.status in (200, 404)",
        captures='contact = response.json.people[0].id if response.status == 200 else ""',
    )
    desk.task(partner.group)
    work_everything()
    assert (run_states(), number_of(desk.contact)) == ([RunState.DONE], "u1")


def test_who_is_not_found_is_made_once(desk, partner, people):
    desk.task(partner.group)
    desk.task(partner.group)
    work_everything()
    assert [row["email"] for row in people.rows] == ["emil@customer.test"]
    assert [ticket["contact"] for ticket in people.tickets] == ["u1", "u1"]
    assert run_states() == [RunState.DONE, RunState.DONE]


def test_the_worker_dies_in_the_middle_and_nobody_is_made_twice(desk, partner, people, monkeypatch):
    """The desk has made the account, but nobody has heard its answer: it is looked for before it is made again."""
    record = requests.record_try

    def die(execution, request, system, came):
        if request["operation"] == "create_contact":
            raise ClaimLost
        record(execution, request, system, came)

    monkeypatch.setattr(requests, "record_try", die)
    desk.task(partner.group)
    work_everything()
    assert (len(people.rows), ContactReference.objects.count()) == (1, 0)
    monkeypatch.undo()
    Stream.objects.update(lease_until=None)
    for _again in range(3):
        pass_time()
    assert len(people.rows) == 1
    assert number_of(desk.contact) == "u1"
    assert run_states() == [RunState.DONE]
    assert [ticket["contact"] for ticket in people.tickets] == ["u1"]


def test_two_tickets_of_a_new_contact_at_once_make_one_account(desk, partner, people, monkeypatch):
    """The second finds nobody, too, as the account is just being made: it waits for it."""
    first, second = desk.task(partner.group), desk.task(partner.group)
    arrived, go_on = threading.Event(), threading.Event()
    real = requests.attempt

    def hold_the_first(occasion, *rest):
        if occasion.operation == "create_contact" and not arrived.is_set():
            arrived.set()
            assert go_on.wait(20)
        return real(occasion, *rest)

    def work_second():
        assert arrived.wait(20)
        try:
            work_off(second.streams.get().pk)
            return list(ProcessRun.objects.filter(stream__task=second).values_list("state", "reason"))
        finally:
            go_on.set()

    monkeypatch.setattr(requests, "attempt", hold_the_first)
    _done, [(state, reason)] = in_threads(lambda: work_off(first.streams.get().pk), work_second)
    assert state == RunState.RETRYING
    assert f"run {ProcessRun.objects.get(stream__task=first).pk}" in reason
    pass_time(timedelta(minutes=1))
    assert run_states() == [RunState.DONE, RunState.DONE]
    assert len(people.rows) == 1
    assert [ticket["contact"] for ticket in people.tickets] == ["u1", "u1"]


def give_two_at_once(desk, partner):
    """The second has looked, and found nobody, before the first has made the account."""
    first, second = desk.task(partner.group), desk.task(partner.group)
    run = ProcessRun.objects.get(stream__task=second)
    run.steps.create(index=0, name="find_contact", kind="operation", state=StepState.DONE)
    ProcessRun.objects.filter(pk=run.pk).update(step_index=1)
    work_off(first.streams.get().pk)
    work_off(second.streams.get().pk)
    run.refresh_from_db()
    return run


def test_an_account_whose_number_nobody_knows_is_not_made_again(desk, partner, people):
    """The desk has made it, and has told no number."""
    partner.system.operations.filter(name="create_contact").update(captures="")
    run = give_two_at_once(desk, partner)
    assert (len(people.rows), run.state) == (1, RunState.ATTENTION)
    assert "look them up" in run.reason
    assert look_up(desk.contact, partner.system).number == "u1"
    decisions.retry_now(run, by=desk.by_agent)
    work_everything()
    assert (len(people.rows), people.tickets[-1]["contact"]) == (1, "u1")


def test_an_account_that_may_safely_be_made_again_needs_no_number(desk, partner, people):
    """Their create is one that finds, too."""
    partner.system.operations.filter(name="create_contact").update(captures="", repeat=Repeat.SAFE, probe=None)
    assert give_two_at_once(desk, partner).state == RunState.DONE


def test_an_account_that_was_removed_and_forgotten_is_made_again(desk, partner, people):
    desk.task(partner.group)
    work_everything()
    people.rows.clear()
    forget(desk.contact, partner.system)
    desk.task(partner.group)
    work_everything()
    assert (len(people.rows), run_states()) == (1, [RunState.DONE, RunState.DONE])


def test_who_is_refused_is_made_by_a_person_and_the_run_goes_on(desk, partner, people):
    """The run holds the address as it was when the ticket was given away."""
    people.refused = desk.contact.email
    desk.task(partner.group)
    work_everything()
    run = ProcessRun.objects.get()
    assert (run.state, "not this address" in run.reason) == (RunState.ATTENTION, True)
    desk.contact.email = "emil.ende@customer.test"
    desk.contact.save()
    assert create(desk.contact, partner.system).number == "u1"
    decisions.retry_now(run, by=desk.by_agent)
    work_everything()
    assert (run_states(), people.tickets[0]["contact"], len(people.rows)) == ([RunState.DONE], "u1", 1)
    people.rows.clear()
    forget(desk.contact, partner.system)
    desk.task(partner.group)
    work_everything()
    assert (run_states(), len(people.rows)) == ([RunState.DONE, RunState.DONE], 1)


def test_while_nobody_knows_whether_an_account_was_made_no_person_makes_another(desk, partner, people):
    desk.task(partner.group)
    run = ProcessRun.objects.get()
    step = run.steps.create(index=1, name="create_contact", kind="operation", state=StepState.UNKNOWN)
    ProcessRun.objects.update(state=RunState.ATTENTION)
    AccountUnderWay.objects.create(contact=desk.contact, system=partner.system, step=step)
    assert f"run {run.pk}" in create(desk.contact, partner.system).words
    assert people.rows == []


def test_whoever_went_ahead_and_was_cancelled_holds_nobody_back(desk, partner, people):
    first, second = desk.task(partner.group), desk.task(partner.group)
    run = ProcessRun.objects.get(stream__task=first)
    step = run.steps.create(index=1, name="create_contact", kind="operation")
    AccountUnderWay.objects.create(contact=desk.contact, system=partner.system, step=step)
    work_off(second.streams.get().pk)
    assert len(people.rows) == 0
    ProcessRun.objects.filter(pk=run.pk).update(state=RunState.CANCELLED)
    pass_time()
    assert (len(people.rows), len(people.tickets)) == (1, 1)


def test_the_number_is_kept_for_whom_the_event_names(desk, partner, people):
    """The ticket's contact is another by the time that the answer comes."""
    task = desk.task(partner.group)
    other = Contact.objects.get(email="otto@other.test")
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, contact=other)
    work_everything()
    assert list(ContactReference.objects.values_list("contact", "value")) == [(desk.contact.pk, "u1")]


def test_a_person_whose_request_took_too_long_ends_nobody_elses_turn(desk, partner):
    """Their turn has run out, and somebody else has it: that one's must not be let go."""
    with transaction.atomic():
        slow = accounts.take(desk.contact.pk, partner.system)
        AccountUnderWay.objects.update(until=timezone.now() - timedelta(seconds=1))
        accounts.take(desk.contact.pk, partner.system)
        accounts.let_go(desk.contact.pk, partner.system, slow)
        assert accounts.take(desk.contact.pk, partner.system).other is not None
