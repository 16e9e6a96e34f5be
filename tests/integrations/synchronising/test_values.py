"""Status, priority, assignment and solution, both ways: only changes count, and never our own value as theirs."""

from datetime import timedelta

import pytest

from integrations.models import (
    ConflictRule,
    GroupBinding,
    OperationTemplate,
    ProcessRun,
    TheirTicket,
    ValueMapping,
)
from tests.integrations.synchronising.conftest import (
    exchanged,
    look,
    notes,
    ours,
    remarks,
    send_all,
    set_priority,
    taken,
)
from tickets import actions
from tickets.models import AssignmentGroup, Category, History, Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("status", "operation", "phase", "code"),
    [
        ("solved", "resolve", "review", "fulfilled"),
        ("closed", "close", "close", "fulfilled"),
        ("cancelled", "cancel", "review", "abandoned_by_user"),
        ("refused", "reject", "initial_support", ""),
    ],
)
def test_each_status_is_its_operation(polling, theirs, task, status, operation, phase, code):
    theirs.change("T-1", status=status, solution="Ink" if status in ("solved", "closed") else "")
    look(polling, times=3)
    assert polling.last_error == ""
    assert taken() == [(operation, "succeeded")]
    task.refresh_from_db()
    assert (task.phase, task.completion_code) == (phase, code)


def test_open_statuses_change_nothing_and_a_shown_one_is_shown(polling, theirs, task):
    for status in ("open", "pending", "new", "open"):
        theirs.wait(5)
        theirs.change("T-1", status=status)
        look(polling)
    assert taken() == []
    assert TheirTicket.objects.get().values["status"] == "open"


def test_solved_opened_again_there_and_solved_with_another_solution(polling, theirs, task):
    for status, solution in (("solved", "Ink"), ("open", "Ink"), ("solved", "New printer")):
        theirs.wait(5)
        theirs.change("T-1", status=status, solution=solution)
        look(polling, times=2)
    assert taken() == [("resolve", "succeeded"), ("reopen", "succeeded"), ("resolve", "succeeded")]
    task.refresh_from_db()
    assert (task.phase, task.solution) == ("review", "New printer")


def test_another_solution_of_a_solved_ticket(polling, theirs, task):
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling)
    theirs.wait(5)
    theirs.change("T-1", solution="Ink and paper")
    look(polling)
    task.refresh_from_db()
    assert task.solution == "Ink and paper"


def test_declined_here_and_solved_again_there_between_two_looks(polling, theirs, task, desk, partner, tells):
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling)
    task.refresh_from_db()
    partner.reopen.method, partner.reopen.path = "PATCH", "/api/tickets/{{ task.external_id }}"
    partner.reopen.body = '{"status": "{{ theirs.status }}"}'
    partner.reopen.save()
    task = actions.decline_solution(actor=desk.by_end_user, task=task, reason="Still no ink")
    theirs.wait(5)
    send_all()
    assert theirs.tickets["T-1"]["status"] == "new"
    theirs.wait(5)
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling, times=2)
    assert ours(task)[0] == "review"


def test_accepted_here_and_closed_there_agree(polling, theirs, task, desk):
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling)
    task.refresh_from_db()
    actions.accept_solution(actor=desk.by_end_user, task=task)
    theirs.wait(5)
    theirs.change("T-1", status="closed")
    look(polling, times=2)
    assert taken() == [("resolve", "succeeded")]
    assert ours(task)[0] == "close"


def test_priority_and_category_are_set_here_when_they_change_there(polling, theirs, task, partner):
    Category.objects.create(code="hw", name="Hardware")
    ValueMapping.objects.create(system=partner.system, kind="category", ours="hw", theirs="Hardware")
    theirs.change("T-1", priority="1 very high", category="Hardware")
    look(polling, times=2)
    task.refresh_from_db()
    assert (task.ticket.priority.code, task.ticket.category.code) == ("p1", "hw")
    assert taken() == [("update", "succeeded")]
    # It goes back to nobody.
    assert not ProcessRun.objects.filter(operation="update").exists()


def test_what_we_have_sent_is_not_taken_for_theirs(polling, theirs, task, desk, priorities, tells):
    """Two of ours are one of theirs, which translated back would be the other one."""
    set_priority(desk, task, priorities["p2"])
    send_all()
    assert theirs.tickets["T-1"]["priority"] == "1 very high"
    look(polling, times=2)
    assert ours(task)[1] == "p2"
    assert taken() == []


def test_nor_where_ours_has_changed_again_before_the_look(polling, theirs, task, desk, priorities, tells):
    set_priority(desk, task, priorities["p2"])
    send_all()
    theirs.wait(5)
    set_priority(desk, task, priorities["p3"])
    look(polling)
    assert ours(task)[1] == "p3"
    send_all()
    look(polling, times=2)
    assert (ours(task)[1], theirs.tickets["T-1"]["priority"], remarks(task)[1:]) == ("p3", "3 normal", [])


@pytest.mark.parametrize(
    ("rule", "late", "expected"),
    [
        (ConflictRule.THEIRS, 0, ("p3", "3 normal")),
        (ConflictRule.OURS, 0, ("p2", "1 very high")),
        (ConflictRule.NEWER, 600, ("p3", "3 normal")),
        (ConflictRule.NEWER, -600, ("p2", "1 very high")),
    ],
)
def test_both_sides_have_changed_it(polling, theirs, task, desk, partner, priorities, tells, rule, late, expected):
    """Ours became P1 first; then, between two looks, they set it to normal and we to P2."""
    theirs.change("T-1", priority="1 very high")
    look(polling, times=2)
    partner.system.conflict_rule = rule
    partner.system.save()
    set_priority(desk, task, priorities["p2"])
    theirs.wait(60)
    theirs.change("T-1", priority="3 normal")
    History.objects.filter(field="priority").update(created_at=theirs.clock - timedelta(seconds=late))
    look(polling)
    for _ in range(3):
        send_all()
        theirs.wait(5)
        look(polling)
    assert (ours(task)[1], theirs.tickets["T-1"]["priority"]) == expected
    told = [remark for remark in remarks(task) if "both sides" in remark]
    assert len(told) == 1
    assert str(ConflictRule(rule).label) in told[0]


def test_they_reopen_what_was_accepted_here_meanwhile(polling, theirs, task, desk, partner):
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling, times=2)
    task.refresh_from_db()
    task = actions.accept_solution(actor=desk.by_end_user, task=task)
    partner.system.conflict_rule = ConflictRule.OURS
    partner.system.save()
    theirs.wait(5)
    theirs.change("T-1", status="open")
    look(polling, times=2)
    assert ours(task)[0] == "close"
    assert any("both sides" in remark for remark in remarks(task))


def test_a_value_without_a_translation_is_not_guessed_at(polling, theirs, task, partner):
    theirs.say("T-1", "Still read")
    theirs.change("T-1", priority="7 never", status="solved", solution="Ink")
    look(polling, times=3)
    assert notes() == ["Still read"]
    assert ours(task) == ("review", "p3")
    told = [remark for remark in remarks(task) if '"7 never"' in remark]
    assert len(told) == 1
    assert TheirTicket.objects.get().untranslated["priority"]["theirs"] == "7 never"
    # The map is mended: the next poll sets it.
    ValueMapping.objects.create(system=partner.system, kind="priority", ours="p1", theirs="7 never", way="in")
    look(polling, times=2)
    assert ours(task)[1] == "p1"
    assert TheirTicket.objects.get().untranslated == {}


def test_an_untranslated_status_moves_nothing(polling, theirs, task):
    theirs.change("T-1", status="in the clouds")
    look(polling, times=2)
    assert ours(task)[0] == "initial_support"
    assert [remark for remark in remarks(task) if '"in the clouds"' in remark]


def test_who_has_it_there_is_shown_and_noted_and_a_group_map_moves(polling, theirs, task, desk, partner):
    theirs.change("T-1", assignee="Lena")
    look(polling, times=2)
    assert taken() == [("assign", "succeeded")]
    assert TheirTicket.objects.get().values["assignee"] == "Lena"
    ValueMapping.objects.create(system=partner.system, kind="group", ours="service-desk", theirs="back to you")
    theirs.wait(5)
    theirs.change("T-1", group="back to you")
    look(polling, times=2)
    task.refresh_from_db()
    assert task.group == desk.service_desk


def test_the_first_look_takes_a_priority_only_where_the_create_had_sent_another(
    polling, theirs, desk, partner, priorities
):
    theirs.add("T-2", priority="1 very high")
    task = exchanged_with_priority(desk, partner, theirs, sends=False)
    look(polling, times=2)
    assert ours(task)[1] == "p3"


def exchanged_with_priority(desk, partner, theirs, *, sends):
    """A task of ours, their T-2, which they have made very urgent."""
    task = exchanged(desk, partner, theirs, "T-2")
    theirs.change("T-2", priority="1 very high")
    return task


def test_their_tickets_become_ours_where_the_administrator_wants_that(polling, theirs, task, partner):
    polling.creates_tickets = True
    polling.save()
    theirs.add("T-50", title="Raised over there", priority="3 normal")
    theirs.say("T-50", "It smokes")
    look(polling, times=3)
    new = Task.objects.exclude(pk=task.pk).get()
    assert (new.ticket.title, notes(new)) == ("Raised over there", ["It smokes"])
    reference = new.external_references.get()
    assert (reference.value, reference.external_id) == ("T-50", "id-T-50")
    assert taken() == [("create", "succeeded"), ("update", "succeeded")]


@pytest.mark.parametrize(("who", "contact"), [("vera@x.test", "vera@x.test"), ("Vera V.", None), ("v" * 300, None)])
def test_a_ticket_of_somebody_without_an_address_becomes_one_without_a_contact(polling, theirs, task, who, contact):
    polling.creates_tickets = True
    polling.save()
    listing = OperationTemplate.objects.get(name="fetch_modified_since")
    OperationTemplate.objects.filter(pk=listing.pk).update(reads=f"{listing.reads}\ncontact_email = item.who")
    theirs.add("T-50", title="Raised over there", who=who)
    look(polling, times=3)
    ticket = Task.objects.exclude(pk=task.pk).get().ticket
    assert (ticket.contact.email if ticket.contact else None) == contact


def test_a_ticket_that_is_gone_there_is_told_once_and_holds_up_nothing(polling, theirs, desk, partner, task):
    OperationTemplate.objects.filter(name="fetch_modified_since").delete()
    exchanged(desk, partner, theirs, "T-2")
    del theirs.tickets["T-1"]
    theirs.say("T-2", "still here")
    look(polling, times=4)
    assert (notes(), polling.failures) == (["still here"], 0)
    assert len([remark for remark in remarks(task) if "does not show T-1" in remark]) == 1


def test_after_something_was_sent_the_ticket_is_looked_at(polling, theirs, task, desk):
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hello")
    send_all()
    polling.refresh_from_db()
    assert polling.asked_at is not None
    assert TheirTicket.objects.get().wanted_at is not None
    polling.looks_after_sending = False
    polling.save()
    look(polling, times=2)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hello again")
    send_all()
    assert TheirTicket.objects.get().wanted_at is None


def test_another_desk_that_has_the_task_by_now_keeps_its_values(polling, theirs, task, desk, other_partner):
    task = actions.assign_task(actor=desk.by_agent, task=task, group=other_partner.group)
    theirs.change("T-1", priority="1 very high", status="solved", solution="Ink")
    look(polling, times=2)
    assert ours(task) == ("initial_support", "p3")
    assert GroupBinding.objects.filter(group=AssignmentGroup.objects.get(pk=task.group_id)).exists()


def test_what_is_not_ours_any_more_keeps_nothing_else_from_being_taken_over(polling, theirs, task, partner):
    ValueMapping.objects.filter(kind="priority", ours="p1").update(ours="deleted")
    for kind, value in (("completion_code", "own code"), ("group", "second line")):
        ValueMapping.objects.create(system=partner.system, kind=kind, theirs=value, ours="deleted", way="in")
    for name in ("fetch_modified_since", "fetch_ticket"):
        operation = OperationTemplate.objects.get(name=name)
        item = "item" if operation.items else "response.json"
        operation.reads += f'\ncompletion_code = {item}.code | default("")'
        operation.save()
    look(polling, times=2)
    theirs.wait(60)
    theirs.change(
        "T-1", priority="1 very high", status="solved", solution="Ink", code="own code", group="second line"
    )
    look(polling, times=2)
    task.refresh_from_db()
    assert (task.phase, task.solution, task.completion_code, task.ticket.priority.code) == (
        "review",
        "Ink",
        "fulfilled",
        "p3",
    )
    told = [remark for remark in remarks(task) if "not ours any more" in remark]
    assert len(told) == 3
