"""Changes on both sides, and changes that cross: afterwards both sides say the same, and the history why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.engine.decisions import cancel_run
from integrations.inbound import operations
from integrations.models import ConflictRule, ExternalSystem, OperationTemplate, Polling, ProcessRun, ValueMapping
from integrations.polling import looks
from integrations.polling.worker import poll
from tests.integrations.synchronising.conftest import (
    exchanged,
    look,
    ours,
    remarks,
    said,
    send_all,
    set_priority,
    taken,
)
from tickets import actions
from tickets.models import AssignmentGroup, Category, Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def moves(partner, tells):
    """The partner is told by its status that a task is closed or opened again."""
    for template in (partner.close, partner.reopen):
        template.method, template.path = "PATCH", "/api/tickets/{{ task.external_id }}"
        template.body = '{"status": "{{ theirs.status }}"}'
        template.save()


@pytest.fixture
def hardware(partner):
    """A category that both sides have."""
    ValueMapping.objects.create(system=partner.system, kind="category", ours="hw", theirs="Hardware")
    return Category.objects.create(code="hw", name="Hardware")


@pytest.fixture
def solved(polling, theirs, task):
    """The task, solved there, and so in review here."""
    theirs.change("T-1", status="solved", solution="Ink")
    look(polling, times=2)
    theirs.wait(60)
    task.refresh_from_db()
    return task


def decided_by(rule):
    """The administrator's choice."""
    ExternalSystem.objects.filter(code="acme").update(conflict_rule=rule)


def settle(polling, theirs):
    """All that is on its way arrives, and is looked at."""
    for _ in range(3):
        send_all()
        theirs.wait(5)
        look(polling)


def conflicts(task):
    """What the history says of changes on both sides."""
    return [remark for remark in remarks(task) if "both sides" in remark]


def test_a_value_that_was_null_before_is_taken_over(polling, theirs, desk, partner, priorities, hardware):
    task = exchanged(desk, partner, theirs, "T-9")
    theirs.change("T-9", category=None, priority=None)
    look(polling, times=2)
    theirs.wait(60)
    theirs.change("T-9", category="Hardware", priority="1 very high")
    look(polling, times=2)
    task.refresh_from_db()
    assert (task.ticket.category, task.ticket.priority.code) == (hardware, "p1")


def test_a_list_that_says_less_than_the_ticket_hides_no_change(polling, theirs, task, hardware):
    theirs.change("T-1", category="")
    look(polling, times=2)
    listing = OperationTemplate.objects.get(name="fetch_modified_since")
    listing.reads = "reference = item.number\nmodified = item.modified\nstatus = item.status"
    listing.save()
    theirs.wait(60)
    theirs.change("T-1", category="Hardware")
    look(polling, times=2)
    task.refresh_from_db()
    assert task.ticket.category == hardware


def test_blanks_around_a_code_do_not_matter(polling, theirs, task):
    theirs.change("T-1", status=" solved ", solution="Ink\n")
    look(polling, times=2)
    assert ours(task)[0] == "review"


def test_what_was_on_its_way_does_not_undo_what_they_have_set(polling, theirs, task, desk, tells, hardware):
    """A change of ours, pinned with the old priority, arrives after theirs was taken over."""
    task.ticket = actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, category=hardware)
    theirs.wait(5)
    theirs.change("T-1", priority="1 very high")
    look(polling)
    settle(polling, theirs)
    assert (ours(task)[1], theirs.tickets["T-1"]["priority"]) == ("p1", "1 very high")


def test_a_value_that_they_have_refused_and_set_later_is_theirs(polling, theirs, task, desk, priorities, tells):
    theirs.faults = [lambda request: said({"error": "no"}, 400)]
    set_priority(desk, task, priorities["p1"])
    send_all()
    run = ProcessRun.objects.get(operation="update")
    assert run.state == "attention"
    cancel_run(run, by=desk.by_agent)
    set_priority(desk, task, priorities["p3"])
    send_all()
    theirs.wait(5)
    look(polling, times=2)
    theirs.wait(60)
    theirs.change("T-1", priority="1 very high")
    look(polling, times=2)
    assert ours(task)[1] == "p1"


@pytest.mark.parametrize(("rule", "expected"), [(ConflictRule.THEIRS, "Theirs"), (ConflictRule.OURS, "Ours")])
def test_two_solutions_of_a_task_that_is_worked_on(polling, theirs, task, desk, rule, expected):
    decided_by(rule)
    task = actions.change_task(actor=desk.by_agent, task=task, solution="Ours")
    theirs.wait(5)
    theirs.change("T-1", solution="Theirs")
    look(polling, times=2)
    task.refresh_from_db()
    assert task.solution == expected
    assert len(conflicts(task)) == 1
    assert all(words in conflicts(task)[0] for words in ('"Theirs"', '"Ours"', str(ConflictRule(rule).label)))


@pytest.mark.parametrize(("rule", "expected"), [(ConflictRule.THEIRS, "Theirs"), (ConflictRule.OURS, "Ours")])
def test_two_solutions_of_a_solved_task(polling, theirs, solved, desk, rule, expected):
    decided_by(rule)
    task = actions.change_task(actor=desk.by_agent, task=solved, solution="Ours")
    theirs.wait(5)
    theirs.change("T-1", solution="Theirs")
    look(polling, times=2)
    task.refresh_from_db()
    assert (task.solution, len(conflicts(task))) == (expected, 1)


def test_our_solution_in_their_markup_is_no_solution_of_theirs(polling, theirs, task, desk):
    task = actions.change_task(actor=desk.by_agent, task=task, solution="New ink & paper")
    theirs.wait(5)
    theirs.change("T-1", solution="<p>New ink &amp; paper</p>\r\n")
    look(polling, times=2)
    task.refresh_from_db()
    assert (task.solution, conflicts(task), taken()) == ("New ink & paper", [], [])


@pytest.mark.parametrize("rule", ConflictRule.values)
def test_solved_again_after_it_was_declined_is_an_answer_and_no_conflict(polling, theirs, solved, desk, moves, rule):
    decided_by(rule)
    task = actions.decline_solution(actor=desk.by_end_user, task=solved, reason="Still no ink")
    send_all()
    theirs.wait(60)
    theirs.change("T-1", status="solved", solution="New printer")
    look(polling, times=2)
    task.refresh_from_db()
    assert (task.phase, task.solution, conflicts(task)) == ("review", "New printer", [])


def test_a_status_that_is_only_shown_hides_no_reopening(polling, theirs, solved):
    for status in ("pending", "open"):
        theirs.wait(5)
        theirs.change("T-1", status=status)
        look(polling, times=2)
    assert taken() == [("resolve", "succeeded"), ("reopen", "succeeded")]


def test_nor_is_one_a_reopening_of_what_was_closed_here_meanwhile(polling, theirs, task, desk):
    theirs.change("T-1", status="pending")
    look(polling, times=2)
    theirs.wait(60)
    task.refresh_from_db()
    actions.close_task(actor=desk.by_agent, task=task, solution="Done")
    theirs.change("T-1", status="open")
    look(polling, times=2)
    assert (ours(task)[0], taken()) == ("close", [])


def test_reopened_there_after_it_was_accepted_here_where_ours_counts(polling, theirs, solved, desk, moves):
    decided_by(ConflictRule.OURS)
    actions.accept_solution(actor=desk.by_end_user, task=solved)
    send_all()
    theirs.wait(60)
    theirs.change("T-1", status="open")
    look(polling)
    settle(polling, theirs)
    assert (ours(solved)[0], theirs.tickets["T-1"]["status"]) == ("close", "closed")
    assert len(conflicts(solved)) == 1


@pytest.mark.parametrize(
    ("rule", "expected"),
    [(ConflictRule.THEIRS, ("close", "closed")), (ConflictRule.OURS, ("initial_support", "new"))],
)
def test_declined_here_and_closed_there_before_that_arrives(polling, theirs, solved, desk, moves, rule, expected):
    decided_by(rule)
    actions.decline_solution(actor=desk.by_end_user, task=solved, reason="Still no ink")
    theirs.change("T-1", status="closed")
    look(polling)
    settle(polling, theirs)
    assert (ours(solved)[0], theirs.tickets["T-1"]["status"]) == expected
    assert len(conflicts(solved)) == 1


def test_the_history_calls_both_by_their_names(polling, theirs, task, desk, partner):
    ValueMapping.objects.create(system=partner.system, kind="group", ours="third", theirs="7", label="Third line")
    AssignmentGroup.objects.create(code="third", name="Third")
    fourth = AssignmentGroup.objects.create(code="fourth", name="Our fourth line")
    actions.assign_task(actor=desk.by_agent, task=task, group=fourth)
    theirs.change("T-1", group="7")
    look(polling, times=2)
    task.refresh_from_db()
    assert task.group.code == "third"
    assert '"Third line" at Partner acme, "Our fourth line" here' in conflicts(task)[0]


@pytest.mark.parametrize(("when", "ours_then"), [("before", "p2"), ("after", "p3")])
def test_changed_here_while_theirs_is_being_taken_over(
    polling, theirs, task, desk, priorities, tells, monkeypatch, when, ours_then
):
    real, done = looks.deliver, []

    def deliver(system, message, *, url):
        receipt = real(system, message, url=url) if when == "after" else None
        if not done:
            done.append(message)
            task.ticket.refresh_from_db()
            set_priority(desk, task, priorities[ours_then])
        return receipt or real(system, message, url=url)

    monkeypatch.setattr(looks, "deliver", deliver)
    theirs.change("T-1", priority="1 very high")
    look(polling)
    settle(polling, theirs)
    assert (ours(task)[1], theirs.tickets["T-1"]["priority"]) in (("p1", "1 very high"), ("p3", "3 normal"))


@pytest.mark.parametrize(
    ("level", "expected"), [("full", "p1"), ("status_sync", "p1"), ("log_only", "p3"), ("", "p3")]
)
def test_another_value_that_a_call_names_is_looked_at_before_the_next_poll(
    polling, theirs, task, partner, level, expected
):
    ExternalSystem.objects.update(level=level)
    partner.system.refresh_from_db()
    Polling.objects.update(due_at=timezone.now() + timedelta(hours=1))
    theirs.change("T-1", priority="1 very high")
    operations.update(system=partner.system, task=task, priority="p1")
    poll(polling.pk)
    assert ours(task)[1] == expected


def test_the_same_value_is_not_looked_at(task, partner, desk):
    ExternalSystem.objects.update(level="full")
    partner.system.refresh_from_db()
    operations.update(system=partner.system, task=task, priority=desk.priority.code)
    assert Polling.objects.get().asked_at is None


@pytest.fixture
def asked(polling, theirs, task, partner, moves):
    """A desk at level full that calls as soon as something happens there."""
    ExternalSystem.objects.update(level="full")
    partner.system.refresh_from_db()
    theirs.change("T-1", status="solved", solution="Ink")
    operations.resolve(system=partner.system, task=task, solution="Ink")
    look(polling, times=2)
    theirs.wait(60)
    task.refresh_from_db()
    return task


def test_a_corrected_solution_that_crosses_a_decline_is_told_once_more(asked, polling, theirs, partner, desk):
    """Our request to go on working is still on its way when the corrected solution comes."""
    actions.decline_solution(actor=desk.by_end_user, task=asked, reason="It smokes")
    theirs.change("T-1", solution="Ink and a drum")
    operations.resolve(system=partner.system, task=asked, solution="Ink and a drum")
    runs = ProcessRun.objects.filter(finished_at=None).order_by("pk")
    assert [(run.operation, run.snapshot["task"]["solution"]) for run in runs] == [
        ("reopen", ""),
        ("resolve", "Ink and a drum"),
    ]
    assert ours(asked)[0] == "review"


def test_who_was_asked_for_the_work_leaves_the_telling_to_the_other(polling, partner, desk, theirs):
    """If both sides did so, they could go on for ever."""
    ExternalSystem.objects.update(level="full")
    partner.system.refresh_from_db()
    theirs.add("T-8")
    receipt = operations.create(system=partner.system, reference="T-8", title="It smokes", external_id="id-T-8")
    task = Task.objects.get(number=receipt.task)
    task = actions.propose_solution(actor=desk.by_agent, task=task, solution="Ink")
    operations.reopen(system=partner.system, task=task, reason="It smokes")
    assert list(ProcessRun.objects.order_by("pk").values_list("operation", flat=True)) == ["update", "resolve"]


def test_a_solution_that_was_on_its_way_when_they_were_asked_to_go_on_is_decided_by_a_look(
    asked, polling, theirs, partner, desk
):
    """They have opened it again, as we asked; then comes what they had written before."""
    actions.decline_solution(actor=desk.by_end_user, task=asked, reason="It smokes")
    send_all()
    look(polling, times=2)
    assert theirs.tickets["T-1"]["status"] == "new"
    operations.resolve(system=partner.system, task=asked, solution="Ink and a drum")
    poll(polling.pk)
    assert (ours(asked)[0], theirs.tickets["T-1"]["status"]) == ("initial_support", "new")
    assert conflicts(asked)


def test_without_requests_of_ours_a_call_is_believed_without_a_look(asked, polling, theirs, partner, desk):
    """The desk may show an older state for a while."""
    ProcessRun.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    Polling.objects.update(asked_at=None)
    operations.reopen(system=partner.system, task=asked, reason="It smokes")
    assert Polling.objects.get().asked_at is None
    assert ours(asked)[0] == "initial_support"


@pytest.mark.parametrize("late", [False, True])
def test_what_they_set_back_before_anybody_looked_is_seen_and_an_old_state_is_not_taken_for_it(
    polling, theirs, task, desk, tells, priorities, late
):
    Polling.objects.update(looks_after_sending=False)
    before = dict(theirs.tickets["T-1"])
    set_priority(desk, task, priorities["p1"])
    send_all()
    assert theirs.tickets["T-1"]["priority"] == "1 very high"
    theirs.wait(5)
    if late:
        theirs.tickets["T-1"].update(before)
    else:
        theirs.change("T-1", priority="3 normal")
    look(polling)
    assert ours(task)[1] == ("p1" if late else "p3")
    assert bool(conflicts(task)) is not late
