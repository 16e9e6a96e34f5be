"""What each incoming operation does to a task, in every phase."""

from typing import Any

import pytest

from integrations.inbound import operations
from integrations.models import Direction, ExternalReference, ExternalSystem, GroupBinding, Process, ProcessRun
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets import actions
from tickets.errors import Conflict, InvalidInput
from tickets.lifecycle import Phase
from tickets.models import Contact, Note, Priority, Task, Visibility

PHASES = list(Phase)


def in_phase(desk: Desk, phase: str) -> Task:
    """A task of the desk, acknowledged, and brought to that phase by our own people or the desk."""
    task = make_task(desk, reference="INC-1")
    if phase == Phase.ESCALATE:
        return actions.escalate_task(actor=AGENT, task=task)
    if phase == Phase.REVIEW:
        operations.reassign(system=desk.system, task=task, solution="Replaced the toner")
    if phase == Phase.CLOSE:
        actions.close_task(actor=AGENT, task=task, solution="We did it ourselves")
    return Task.objects.get(pk=task.pk)


# operation, phase before -> (phase, group) after; what is not listed stays as it was. A task that we closed stays
# closed, but for a reopening.
MOVES: dict[tuple[str, str], tuple[str, str]] = {
    **{
        (name, phase): (after, "first-line")
        for name, after in (
            ("ready", Phase.REVIEW),
            ("rejected", Phase.INITIAL_SUPPORT),
            ("resolve", Phase.REVIEW),
            ("cancel", Phase.REVIEW),
            ("reject", Phase.INITIAL_SUPPORT),
        )
        for phase in (Phase.INITIAL_SUPPORT, Phase.ESCALATE, Phase.REVIEW)
    },
    ("close", Phase.INITIAL_SUPPORT): (Phase.CLOSE, "northwind-support"),
    ("close", Phase.ESCALATE): (Phase.CLOSE, "northwind-support"),
    ("close", Phase.REVIEW): (Phase.CLOSE, "first-line"),
    ("reopen", Phase.ESCALATE): (Phase.INITIAL_SUPPORT, "northwind-support"),
    ("reopen", Phase.REVIEW): (Phase.INITIAL_SUPPORT, "northwind-support"),
    ("reopen", Phase.CLOSE): (Phase.INITIAL_SUPPORT, "northwind-support"),
    ("assign", Phase.ESCALATE): (Phase.INITIAL_SUPPORT, "northwind-support"),
    ("assign", Phase.REVIEW): (Phase.INITIAL_SUPPORT, "northwind-support"),
}
CALLS: dict[str, tuple[Any, dict[str, Any]]] = {
    "acknowledge": (operations.acknowledge, {"reference": "INC-1"}),
    "update": (operations.update, {"text": "We look into it"}),
    "attach": (operations.attach, {"files": (actions.FileContent("a.txt", b"x"),)}),
    "ready": (operations.reassign, {"solution": "New toner", "status": "ready"}),
    "rejected": (operations.reassign, {"solution": "Not ours", "status": "rejected"}),
    "resolve": (operations.resolve, {"solution": "New toner"}),
    "close": (operations.close, {}),
    "reopen": (operations.reopen, {}),
    "assign": (operations.assign, {}),
    "reject": (operations.reject, {}),
    "cancel": (operations.cancel, {}),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("name", CALLS)
def test_every_operation_is_accepted_in_every_phase_and_moves_the_task_as_the_table_says(
    northwind: Desk, name: str, phase: str
):
    task = in_phase(northwind, phase)
    before = (task.phase, task.group.code)
    call, arguments = CALLS[name]
    call(system=northwind.system, task=task, **arguments)
    task = Task.objects.select_related("group").get(pk=task.pk)
    assert (task.phase, task.group.code) == MOVES.get((name, phase), before)


def test_an_acknowledgement_repeated_is_a_no_op_and_another_number_is_refused_by_name(northwind: Desk, task: Task):
    first = operations.acknowledge(system=northwind.system, task=task, reference=" INC-1 ")
    again = operations.acknowledge(system=northwind.system, task=task, reference="INC-1")
    assert (first.changed, first.external_reference) == (True, "INC-1")
    assert again.changed is False
    with pytest.raises(Conflict, match="INC-1"):
        operations.acknowledge(system=northwind.system, task=task, reference="INC-2")
    assert ExternalReference.objects.get(task=task).value == "INC-1"


def test_a_number_of_another_task_is_refused(northwind: Desk, task: Task):
    other = make_task(northwind, reference="INC-1")
    with pytest.raises(Conflict, match="another task"):
        operations.acknowledge(system=northwind.system, task=task, reference="INC-1")
    assert other.external_references.count() == 1
    assert task.external_references.count() == 0


def test_an_acknowledgement_is_in_the_history_with_the_other_desk_as_its_author(northwind: Desk, task: Task):
    operations.acknowledge(system=northwind.system, task=task, reference="INC-1")
    entry = task.history.last()
    assert "INC-1" in entry.text
    assert (entry.author_name, entry.actor_key) == ("Northwind", northwind.system.actor_key)


def test_an_update_is_a_note_on_the_task_by_the_author_that_was_named(northwind: Desk, task: Task):
    receipt = operations.update(
        system=northwind.system,
        task=task,
        text="We look into it",
        visibility=Visibility.INTERNAL,
        author="Nora",
        files=(actions.FileContent("log.txt", b"text"),),
    )
    note = Note.objects.get(pk=receipt.note)
    assert (note.task, note.body, note.visibility, note.author_name) == (task, "We look into it", "internal", "Nora")
    assert [file.pk for file in note.attachments.all()] == list(receipt.attachments)
    assert note.attachments.get().visibility == Visibility.INTERNAL


def test_an_update_of_nothing_is_refused(northwind: Desk, task: Task):
    with pytest.raises(operations.Invalid, match="needs a text"):
        operations.update(system=northwind.system, task=task, text="  ")


def test_a_solution_that_is_known_changes_nothing(northwind: Desk):
    task = in_phase(northwind, Phase.REVIEW)
    receipt = operations.reassign(system=northwind.system, task=task, solution="Replaced the toner")
    assert receipt.changed is False


def test_a_solution_for_a_closed_task_becomes_a_note_and_does_not_open_the_ticket(northwind: Desk):
    task = in_phase(northwind, Phase.CLOSE)
    receipt = operations.reassign(system=northwind.system, task=task, solution="New toner")
    task = Task.objects.select_related("ticket").get(pk=task.pk)
    assert "closed" in receipt.message
    assert task.solution == "We did it ourselves"
    assert task.ticket.is_closed
    assert "New toner" in task.notes.get().body


def test_a_solution_without_words_gets_the_words_of_the_table(northwind: Desk, task: Task):
    operations.reassign(system=northwind.system, task=task)
    task = Task.objects.get(pk=task.pk)
    assert (task.solution, task.completion_code) == ("Resolved by external system", "fulfilled")


def test_an_unknown_completion_code_is_refused_and_changes_nothing(northwind: Desk, task: Task):
    with pytest.raises(InvalidInput, match="not a completion code"):
        operations.reassign(system=northwind.system, task=task, solution="x", completion_code="maybe")
    assert Task.objects.get(pk=task.pk).phase == Phase.INITIAL_SUPPORT


def test_a_rejection_takes_the_reference_away_and_says_why(northwind: Desk):
    task = make_task(northwind, reference="INC-1")
    operations.reassign(system=northwind.system, task=task, solution="Not ours", status="rejected")
    assert not ExternalReference.objects.filter(task=task).exists()
    assert task.notes.get().body == "Incident was rejected by the external fulfillment system: Not ours"


def test_a_ticket_that_the_desk_raises_is_theirs_by_its_reference(northwind: Desk):
    make_task(northwind)
    values = {"reference": "INC-9", "title": "No delivery", "contact_email": "ADA@example.com"}
    receipt = operations.create(system=northwind.system, **values)
    task = Task.objects.select_related("ticket__contact").get(number=receipt.task)
    assert (task.group, task.phase) == (None, Phase.INITIAL_SUPPORT)
    assert task.ticket.contact.name == "Ada Byron"
    again = operations.create(system=northwind.system, **values)
    assert (again.task, again.changed) == (receipt.task, False)


@pytest.mark.parametrize("words", ["Ada Byron", "a" * 300 + "@example.com"])
def test_what_is_no_address_makes_no_contact(northwind: Desk, task: Task, words: str):
    before = Contact.objects.count()
    with pytest.raises(InvalidInput, match="email"):
        operations.create(system=northwind.system, reference="INC-9", title="No delivery", contact_email=words)
    assert Contact.objects.count() == before


def test_two_desks_may_use_the_same_number(northwind: Desk, outsider: Desk):
    make_task(northwind)
    for desk in (northwind, outsider):
        operations.create(system=desk.system, reference="1", title="x", contact_email="ada@example.com")
    assert set(ExternalReference.objects.values_list("system", "value")) == {
        (system.pk, "1") for system in ExternalSystem.objects.all()
    }


def test_an_unknown_priority_names_those_that_there_are(northwind: Desk, task: Task):
    with pytest.raises(operations.Invalid, match=r"Known: normal"):
        operations.create(
            system=northwind.system, reference="1", title="x", contact_email="a@example.com", priority="urgent"
        )


@pytest.mark.parametrize(
    ("name", "request_type", "operation"),
    [
        ("acknowledge", "Acknowledgement", "acknowledge"),
        ("update", "Update", "update"),
        ("attach", "Update", "update"),
        ("ready", "Reassigned", "reassign"),
        ("rejected", "Reassigned", "reject"),
    ],
)
def test_what_arrives_starts_the_incoming_process_of_the_group_and_nothing_goes_out(
    northwind: Desk, name: str, request_type: str, operation: str
):
    task = make_task(northwind, reference="" if name == "acknowledge" else "INC-1")
    process = Process.objects.create(name="Everything")
    bound = dict.fromkeys(("assignment_process", "update_process", "closure_process"), process)
    GroupBinding.objects.update(incoming_process=process, **bound)
    call, arguments = CALLS[name]
    call(system=northwind.system, task=task, **arguments)
    run = ProcessRun.objects.get()
    assert (run.direction, run.request_type, run.operation) == (Direction.IN, request_type, operation)


@pytest.mark.parametrize(("said", "wakes"), [({"text": "It smokes again"}, True), ({"priority": "high"}, False)])
def test_what_needs_an_answer_wakes_a_closed_ticket_and_another_priority_does_not(
    northwind: Desk, said: dict[str, str], wakes: bool
):
    normal = Priority.objects.create(code="normal", name="Normal", rank=3, is_default=True)
    high = Priority.objects.create(code="high", name="High", rank=1)
    receipt = operations.create(system=northwind.system, reference="INC-7", title="It smokes")
    task = Task.objects.get(number=receipt.task)
    actions.close_task(actor=AGENT, task=task)
    operations.update(system=northwind.system, task=task, **said)
    task = Task.objects.select_related("ticket__priority").get(pk=task.pk)
    assert task.ticket.is_closed is not wakes
    assert task.ticket.priority == (high if "priority" in said else normal)
