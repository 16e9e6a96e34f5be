"""The whole story, over REST and over SOAP: from the end user's ticket to its closing at the partner's desk."""

import pytest

from integrations.models import RunState
from tests.journeys.conftest import (
    World,
    assert_every_exchange_can_be_read_and_tells_no_secret,
    file,
    history,
    log,
    sha256,
)
from tickets import actions
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import Task, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

SMOKE, FORM, PLAN = b"\x89PNG smoke \x00\xff", b"%PDF form", b"\x89PNG plan"
DESCRIPTION = "Smoke & <flames>\nfrom tray „3“"
QUESTION, ANSWER = "Which floor?\n\nA plan & a form would help.", "Floor 2; see „plan“ & <here>"
SECRET, WHISPER = "They owe us money", "He sounds upset"
STILL = "It still burns, a little"
CREATED = {"rest": 202, "soap": 200}


def tell(world: World, channel: str) -> tuple[str, Task]:
    """Everything from the first word to the last; in between, only what cannot be seen any more at the end."""
    there, emma = world.there, world.emma
    there.configure(reference_later=True, channel=channel)

    number = emma.raise_ticket("The printer is on fire", DESCRIPTION, **{"smoke.png": SMOKE})
    ticket = Ticket.objects.get(number=number)
    actions.add_note(actor=world.arthur, ticket=ticket, body=SECRET, visibility="internal")
    task = world.give(ticket, channel)
    assert world.work() == [RunState.AWAITING]  # the file: it needs the number, which nobody here knows yet
    [taken] = there.state()
    assert (taken["number_withheld"], taken["state"], taken["attachments"]) == (True, "new", [])

    there.send(taken["number"], "acknowledgement")
    assert world.reference(task) == taken["number"]
    assert world.work() == []
    question = {"text": QUESTION, "author": "Nils", "attachments": [file("form.pdf", FORM, "application/pdf")]}
    there.send(taken["number"], "message", **question)
    there.send(taken["number"], "message", text=WHISPER, visibility="internal", author="Nils")
    assert "With our partner" in emma.read(f"/tickets/{number}/")
    assert emma.download(number, "form.pdf") == FORM
    emma.respond(number, "note", body=ANSWER, files={"plan ü.png": PLAN})
    assert world.work() == []

    there.send(taken["number"], "solution", solution="New toner", completion_code="fulfilled", author="Nora")
    task.refresh_from_db()
    assert (task.phase, task.solution, task.group) == (Phase.REVIEW, "New toner", world.people.service_desk)
    emma.respond(number, "decline", reason=STILL)
    assert world.work() == []
    task.refresh_from_db()
    assert (task.phase, task.solution, task.group.code) == (Phase.INITIAL_SUPPORT, "", f"northwind-{channel}")
    assert there.state()[0]["state"] == "open"

    there.send(taken["number"], "solution", solution="Water", author="Nora")
    emma.respond(number, "accept")
    assert world.work() == []
    task.refresh_from_db()
    return number, task


@pytest.mark.parametrize("channel", ["rest", "soap"])
def test_a_ticket_is_solved_declined_solved_again_and_closed_on_both_sides(world: World, channel: str) -> None:
    number, task = tell(world, channel)
    assert_the_partner_has_everything(world, task)
    assert_we_have_everything(world, task)
    assert_the_end_user_reads_what_is_public(world, number)
    assert_each_message_is_in_the_log_once(task, channel)
    assert_every_exchange_can_be_read_and_tells_no_secret(world)


def assert_the_partner_has_everything(world: World, task: Task) -> None:
    [there] = world.there.state()
    expected = {
        "number": world.reference(task),
        "number_withheld": False,
        "caller_reference": task.number,
        "title": "The printer is on fire",
        "description": DESCRIPTION,
        "priority": "normal",
        "contact": {"name": "Emma Example", "email": "emma@example-works.test"},
        "requested_by": "Arthur Agent",
        "state": "closed",
        "solution": "Water",
        "completion_code": "fulfilled",
    }
    assert {name: there[name] for name in expected} == expected
    assert [(note["author"], note["text"], note["public"]) for note in there["notes"]] == [
        ("Nils", QUESTION, True),
        ("Nils", WHISPER, False),
        ("Emma Example", ANSWER, True),
        ("Nora", "New toner", True),
        ("", STILL, True),
        ("Nora", "Water", True),
    ]
    files = [(kept["name"], kept["content_type"], kept["sha256"]) for kept in there["attachments"]]
    assert files == [("smoke.png", "image/png", sha256(SMOKE)), ("plan ü.png", "image/png", sha256(PLAN))]
    assert [(message["kind"], message["state"]) for message in there["outgoing"]] == [
        ("acknowledgement", "sent"),
        ("message", "sent"),
        ("message", "sent"),
        ("solution", "sent"),
        ("solution", "sent"),
    ]


def assert_we_have_everything(world: World, task: Task) -> None:
    ticket = task.ticket
    ticket.refresh_from_db()
    assert ticket.status == TicketStatus.CLOSED
    assert (task.phase, task.solution, task.completion_code) == (Phase.CLOSE, "Water", "fulfilled")
    assert list(ticket.notes.values_list("author_name", "body", "visibility")) == [
        ("Arthur Agent", SECRET, "internal"),
        ("Nils", QUESTION, "public"),
        ("Nils", WHISPER, "internal"),
        ("Emma Example", ANSWER, "public"),
    ]
    assert list(ticket.attachments.values_list("author_name", "name", "sha256")) == [
        ("Emma Example", "smoke.png", sha256(SMOKE)),
        ("Nils", "form.pdf", sha256(FORM)),
        ("Emma Example", "plan ü.png", sha256(PLAN)),
    ]
    assert history(ticket) == [
        ("Emma Example", "ticket_created"),
        ("Emma Example", "attachment_added"),
        ("Arthur Agent", "note_added"),
        ("Arthur Agent", "task_created"),
        ("Arthur Agent", "task_assigned"),
        ("Northwind Support", "remark"),
        ("Nils", "note_added"),
        ("Nils", "attachment_added"),
        ("Nils", "note_added"),
        ("Emma Example", "note_added"),
        ("Emma Example", "attachment_added"),
        ("Nora", "solution_proposed"),
        ("Nora", "status_changed"),
        ("Emma Example", "solution_declined"),
        ("Emma Example", "status_changed"),
        ("Nora", "solution_proposed"),
        ("Nora", "status_changed"),
        ("Emma Example", "solution_accepted"),
        ("Emma Example", "ticket_closed"),
    ]


def assert_the_end_user_reads_what_is_public(world: World, number: str) -> None:
    page = world.emma.read(f"/tickets/{number}/")
    at = [page.index(" ".join(text.split())) for text in (DESCRIPTION, QUESTION, ANSWER, "New toner", STILL, "Water")]
    assert at == sorted(at)
    assert "Closed" in page
    assert SECRET not in page
    assert WHISPER not in page
    assert world.reference(Task.objects.get()) in page


def assert_each_message_is_in_the_log_once(task: Task, channel: str) -> None:
    prefix, created = ("soap_", 200) if channel == "soap" else ("", 201)
    noted = 200 if channel == "soap" else 201
    assert log(task) == [
        ("out", f"{prefix}create_ticket", "succeeded", CREATED[channel]),
        ("in", "acknowledge", "succeeded", 200),
        ("out", f"{prefix}upload_attachment", "succeeded", created),
        ("in", "update", "succeeded", noted),
        ("in", "update", "succeeded", noted),
        ("out", f"{prefix}add_note", "succeeded", created),
        ("out", f"{prefix}upload_attachment", "succeeded", created),
        ("in", "reassign", "succeeded", 200),
        ("out", f"{prefix}reopen_ticket", "succeeded", 200),
        ("in", "reassign", "succeeded", 200),
        ("out", f"{prefix}close_ticket", "succeeded", 200),
    ]
