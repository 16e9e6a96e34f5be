"""Notes and files."""

import hashlib
from typing import Any

import pytest

from tests.cast import Desk
from tickets import actions
from tickets.actions import FileContent
from tickets.actions.attachment import safe_name
from tickets.actions.note import MAX_NOTE_CHARACTERS
from tickets.errors import InvalidInput
from tickets.events import Event, EventName
from tickets.models import Attachment, History, Note, Visibility


def test_a_note_is_kept_as_written_and_told_before_its_files(desk: Desk, events: list[Event]) -> None:
    ticket = desk.ticket()
    events.clear()
    body = "  two lines\n<b>not bold</b> "

    note = actions.add_note(
        actor=desk.by_agent, ticket=ticket, body=body, files=[FileContent("a.txt", b"1"), FileContent("b.txt", b"2")]
    )

    assert note.body == body
    assert [event.name for event in events] == ["note_added", "attachment_added", "attachment_added"]
    assert events[0].text == body
    assert [event.note for event in events] == [note, note, note]
    assert [event.attachment.name for event in events[1:] if event.attachment] == ["a.txt", "b.txt"]


def test_a_note_names_its_author_and_raises_no_version(desk: Desk) -> None:
    ticket = desk.ticket()
    note = actions.add_note(actor=desk.by_end_user, ticket=ticket, body="Hello")

    assert (note.author_name, note.actor_kind, note.author_id) == ("Emil", "end_user", desk.end_user.pk)
    updated, ticket_version = ticket.updated_at, ticket.version
    ticket.refresh_from_db()
    assert ticket.version == ticket_version, "who edits the ticket is not disturbed by a note"
    assert ticket.updated_at == updated, "the ticket itself did not change"


def test_what_we_write_and_what_they_write_have_their_own_times(desk: Desk) -> None:
    ticket = desk.ticket()
    assert (ticket.internal_update_at, ticket.external_update_at) == (None, None)
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="Hello")
    ticket.refresh_from_db()
    ours = ticket.internal_update_at
    assert ours is not None and ticket.external_update_at is None
    actions.add_note(actor=desk.by_end_user, ticket=ticket, body="Hello yourself")
    ticket.refresh_from_db()
    assert ticket.internal_update_at == ours < ticket.external_update_at


def test_files_take_the_visibility_of_their_note(desk: Desk) -> None:
    actions.add_note(
        actor=desk.by_agent,
        ticket=desk.ticket(),
        body="Between us",
        visibility=Visibility.INTERNAL,
        files=[FileContent("a.txt", b"1")],
    )
    assert Attachment.objects.get().visibility == Visibility.INTERNAL


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"body": " \n "}, "needs a text"),
        ({"body": "x" * (MAX_NOTE_CHARACTERS + 1)}, "longer than"),
        ({"body": "x", "visibility": "secret"}, "public or internal"),
    ],
)
def test_a_bad_note_is_refused(desk: Desk, events: list[Event], values: dict[str, str], text: str) -> None:
    ticket = desk.ticket()
    events.clear()
    with pytest.raises(InvalidInput, match=text):
        actions.add_note(actor=desk.by_agent, ticket=ticket, **values)
    assert not Note.objects.exists()
    assert events == []


def test_a_note_or_file_cannot_be_put_on_another_tickets_task(desk: Desk) -> None:
    ticket, task = desk.ticket(), desk.task()
    with pytest.raises(InvalidInput, match="another ticket"):
        actions.add_note(actor=desk.by_agent, ticket=ticket, task=task, body="x")
    with pytest.raises(InvalidInput, match="another ticket"):
        actions.attach(actor=desk.by_agent, ticket=ticket, task=task, content=FileContent("a", b"1"))


def test_a_file_that_is_too_large_takes_its_note_with_it(desk: Desk, settings: Any) -> None:
    settings.MAX_ATTACHMENT_BYTES = 1024**2
    with pytest.raises(InvalidInput, match=r"big\.bin is larger than 1 MB"):
        actions.add_note(
            actor=desk.by_agent,
            ticket=desk.ticket(),
            body="see the file",
            files=[FileContent("big.bin", b"x" * (1024**2 + 1))],
        )
    assert not Note.objects.exists()
    assert not Attachment.objects.exists()


def test_a_file_is_kept_under_its_digest_not_under_its_name(desk: Desk, events: list[Event]) -> None:
    ticket, data = desk.ticket(), b"%PDF-"
    events.clear()
    content = FileContent("../../etc/passwd", data, "application/pdf")

    kept = actions.attach(actor=desk.by_agent, ticket=ticket, content=content)

    assert (kept.name, kept.size, kept.content_type) == ("passwd", 5, "application/pdf")
    assert kept.sha256 == hashlib.sha256(data).hexdigest()
    assert kept.file.name.startswith(f"attachments/{ticket.number}/{kept.sha256[:32]}")
    with kept.file.open("rb") as stored:
        assert stored.read() == data
    assert [event.name for event in events] == [EventName.ATTACHMENT_ADDED]
    assert History.objects.get(event="attachment_added").text == "passwd"


@pytest.mark.parametrize(
    ("stated", "kept"),
    [("", "text/plain"), ("text/html; charset=utf-8", "text/html"), ("nonsense\r\nX: y", "text/plain")],
)
def test_a_content_type_is_plain_or_guessed(desk: Desk, stated: str, kept: str) -> None:
    content = FileContent("a.txt", b"1", stated)
    assert actions.attach(actor=desk.by_agent, ticket=desk.ticket(), content=content).content_type == kept


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("..\\evil.exe", "evil.exe"),
        ("/etc/passwd", "passwd"),
        ("Rechnung Müller.pdf", "Rechnung Müller.pdf"),
        ("a\u202efdp.exe", "afdp.exe"),
        ("x\x00y\r\n.txt", "xy.txt"),
        ("..", "file"),
        ("", "file"),
        (f"{'n' * 300}.pdf", f"{'n' * 196}.pdf"),
    ],
)
def test_names_from_outside_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
