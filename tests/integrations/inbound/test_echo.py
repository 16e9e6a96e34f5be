"""Our own text sent back is held back once, listed, and can be applied anyway."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations import echo
from integrations.inbound.replay import apply_anyway
from integrations.models import Exchange, Outcome
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets.errors import ActionRefused
from tickets.models import Note, Task


def is_echo(desk: Desk, task: Task, text: str, message_id: str = "") -> bool:
    """Whether this text from the desk is one of ours."""
    return echo.is_echo(task=task, system=desk.system, text=text, their_message_id=message_id)


def test_blanks_and_line_ends_do_not_matter_and_words_do():
    assert echo.fingerprint("Dear Nora,\r\n\tit  works. ") == echo.fingerprint("Dear Nora, it works.")
    assert echo.fingerprint("it works") != echo.fingerprint("it Works")


def test_a_match_uses_the_fingerprint_up(northwind: Desk, task: Task):
    echo.remember(task=task, system=northwind.system, text="It works again")
    assert is_echo(northwind, task, "It works  again\n")
    assert not is_echo(northwind, task, "It works again")


def test_a_text_sent_twice_matches_twice(northwind: Desk, task: Task):
    for _ in range(2):
        echo.remember(task=task, system=northwind.system, text="ok")
    assert [is_echo(northwind, task, "ok") for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(("minutes", "expected"), [(9, True), (11, False)])
def test_after_ten_minutes_the_words_are_somebodys_own(northwind: Desk, task: Task, minutes: int, expected: bool):
    echo.remember(task=task, system=northwind.system, text="ok")
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        assert is_echo(northwind, task, "ok") is expected


def test_another_task_or_another_desk_is_no_match(northwind: Desk, outsider: Desk, task: Task):
    echo.remember(task=task, system=northwind.system, text="ok")
    assert not is_echo(northwind, make_task(northwind), "ok")
    assert not is_echo(outsider, task, "ok")


@pytest.mark.parametrize(
    ("known", "given", "expected"),
    [("", "", True), ("", "n7", True), ("n7", "", True), ("n7", "n7", True), ("n7", "n8", False)],
)
def test_a_message_with_another_id_of_theirs_is_another_message(
    northwind: Desk, task: Task, known: str, given: str, expected: bool
):
    echo.remember(task=task, system=northwind.system, text="ok", their_message_id=known)
    assert is_echo(northwind, task, "ok", given) is expected


def test_the_id_that_they_gave_in_their_answer_counts(northwind: Desk, task: Task):
    echo.remember(task=task, system=northwind.system, text="ok")
    echo.name_sent(task=task, system=northwind.system, text="ok", their_message_id="n7")
    assert not is_echo(northwind, task, "ok", "n8")
    assert is_echo(northwind, task, "ok", "n7")


def test_an_echo_is_held_back_answered_as_success_and_listed(northwind: Desk, task: Task):
    echo.remember(task=task, system=northwind.system, text="It works again")
    response = northwind.post(f"tasks/{task.number}/updates/", {"text": "It works again", "message_id": "n7"})
    assert (response.status_code, response.json()["held_back"]) == (200, True)
    assert not Note.objects.exists()
    assert Exchange.objects.get().outcome == Outcome.HELD_BACK
    again = northwind.post(f"tasks/{task.number}/updates/", {"text": "It works again", "message_id": "n7"})
    assert again.content == response.content
    assert not Note.objects.exists()


def test_what_was_held_back_can_be_applied_anyway_once(northwind: Desk, task: Task):
    echo.remember(task=task, system=northwind.system, text="It works again")
    file = {"name": "a.txt", "content_type": "text/plain", "content": "aGVsbG8="}
    body = {"text": "It works again", "message_id": "n7", "author": "Nora", "attachments": [file]}
    northwind.post(f"tasks/{task.number}/updates/", body)
    held = Exchange.objects.get()
    applied = apply_anyway(held, by=AGENT)
    assert (applied.outcome, applied.replay_of, applied.task) == (Outcome.SUCCEEDED, held, task)
    note = Note.objects.get()
    assert (note.body, note.author_name, note.attachments.count()) == ("It works again", "Nora", 1)
    with pytest.raises(ActionRefused, match="already"):
        apply_anyway(held, by=AGENT)
    assert Note.objects.count() == 1


def test_a_desk_that_never_sends_our_texts_back_may_say_the_same(northwind: Desk, task: Task):
    northwind.system.sends_back = False
    northwind.system.save()
    echo.remember(task=task, system=northwind.system, text="ok")
    assert not is_echo(northwind, task, "ok")
