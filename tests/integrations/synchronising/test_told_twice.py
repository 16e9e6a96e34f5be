"""One note that a call tells of and a poll lists is one note, whichever comes first, and with whichever ids."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.inbound import operations
from integrations.inbound.messages import Comment
from integrations.models import Hook, HookAuthentication, HookOperation, HookRule, TheirMessage
from integrations.polling import their_files
from integrations.their_messages import FILE
from tests.integrations.synchronising.conftest import look, notes, send_all
from tickets import actions
from tickets.actions import FileContent
from tickets.models import Attachment, Note

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = """reference = body.ticket
text = body.text
message_id = body.delivery"""


@pytest.fixture
def now(theirs, task):
    """Their clock is ours."""
    theirs.now = timezone.now().replace(microsecond=0)


@pytest.fixture
def call(partner):
    """Their webhook, which tells a note without the id by which it is listed."""
    hook = Hook.objects.create(
        system=partner.system, authentication=HookAuthentication.KEY_HEADER, header="X-Key", secret="a key"
    )
    rule = HookRule.objects.create(hook=hook, name="notes", operation=HookOperation.UPDATE, fields=FIELDS)

    def send(text, delivery, **values):
        if values:
            rule.fields = FIELDS + "".join(f"\n{name} = body.{name}" for name in values)
            rule.save()
        body = {"ticket": "T-1", "text": text, "delivery": delivery, **values}
        answer = Client().post(
            f"/hooks/{partner.system.code}/", json.dumps(body), "application/json", headers={"X-Key": "a key"}
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    return send


@pytest.fixture
def rest(partner, task):
    """Our REST, called by them."""

    def send(text, message_id, **values):
        answer = Client().post(
            f"/api/v1/tasks/{task.number}/updates/",
            json.dumps({"text": text, "message_id": message_id, **values}),
            "application/json",
            headers={"Authorization": f"Api-Key {partner.key()}"},
        )
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    return send


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("way", ["call", "rest"])
@pytest.mark.parametrize("first", ["told", "listed"])
@pytest.mark.parametrize("same_id", [True, False])
def test_told_and_listed_is_one(polling, theirs, task, request, way, first, same_id):
    tell = request.getfixturevalue(way)
    their_id = theirs.say("T-1", "The toner\nis empty")
    steps = [lambda: tell("The toner is empty", their_id if same_id else "delivery-1"), lambda: look(polling)]
    for step in steps if first == "told" else reversed(steps):
        step()
    look(polling, times=2)
    assert len(notes()) == 1


@pytest.mark.usefixtures("now")
def test_the_same_word_is_there_as_often_as_they_wrote_it(polling, theirs, task, rest):
    """Told before the poll, after it, only told, only listed."""

    def say():
        theirs.wait()
        theirs.say("T-1", "ok")

    say()
    rest("ok", "m-1")
    look(polling)
    assert notes() == ["ok"]
    for _ in range(2):
        say()
    look(polling)
    assert notes() == ["ok"] * 3
    rest("ok", "m-2")
    rest("ok", "m-3")
    assert notes() == ["ok"] * 3
    rest("ok", "m-4")
    assert notes() == ["ok"] * 4
    say()
    look(polling)
    assert notes() == ["ok"] * 4
    say()
    look(polling, times=2)
    assert notes() == ["ok"] * 5


@pytest.mark.usefixtures("now")
def test_ours_is_not_taken_for_theirs_that_was_told(polling, theirs, task, desk, rest):
    rest("ok", "m-1")
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="ok")
    send_all()
    theirs.say("T-1", "ok")
    look(polling, times=2)
    assert sorted(Note.objects.values_list("body", "author_name")) == [("ok", "Ada"), ("ok", "Partner acme")]


def test_a_call_that_comes_days_late_tells_nothing_new(polling, theirs, task, rest):
    theirs.now = timezone.now() - timedelta(days=2)
    theirs.say("T-1", "Ink is on its way")
    look(polling)
    rest("Ink is on its way", "m-1")
    assert notes() == ["Ink is on its way"]


def test_the_same_words_of_another_time_are_another_note(polling, theirs, task, rest):
    theirs.now = timezone.now() - timedelta(days=2)
    theirs.say("T-1", "ok")
    look(polling)
    rest("ok", "m-1", written_at=timezone.now().isoformat())
    assert notes() == ["ok", "ok"]
    theirs.now = timezone.now()
    theirs.say("T-1", "ok")
    look(polling)
    assert notes() == ["ok", "ok"]


@pytest.mark.usefixtures("now")
def test_markup_does_not_make_it_another(polling, theirs, task, rest):
    rest("Tom & Jerry\nsay hello", "m-1")
    theirs.say("T-1", "<p>Tom &amp; Jerry<br>say <b>hello</b></p>")
    look(polling)
    assert notes() == ["Tom & Jerry\nsay hello"]


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("told_id", [True, False])
def test_a_comment_with_their_solution_is_one_too(polling, theirs, task, partner, told_id):
    their_id = theirs.say("T-1", "The drum was changed")
    comment = Comment(text="The drum was changed", note_id=their_id if told_id else "")
    operations.converse(system=partner.system, task=task, comments=[comment])
    look(polling)
    operations.converse(system=partner.system, task=task, comments=[comment])
    assert notes() == ["The drum was changed"]


@pytest.mark.usefixtures("now")
def test_what_comes_with_a_known_note_is_not_lost_and_not_doubled(polling, theirs, task, call):
    """The poll was faster: it has fetched the note and one of its files; the other it cannot list."""
    their_id = theirs.say("T-1", "see the files")
    theirs.attach("T-1", "listed.txt", b"a")
    look(polling)
    files = [{"name": f"{name}.txt", "content_base64": "YQ=="} for name in ("listed", "inline")]
    for delivery in ("d-1", "d-2"):
        call("see the files", delivery, note_id=their_id, attachments=files)
        look(polling)
    assert notes() == ["see the files"]
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["inline.txt", "listed.txt"]


@pytest.mark.usefixtures("now")
@pytest.mark.parametrize("first", ["call", "poll"])
def test_a_file_that_a_call_brings_while_a_poll_takes_it_over_is_attached_once(
    polling, theirs, task, partner, monkeypatch, first
):
    """The poll has fetched it and found that it is not here: then the call comes, before or after it is attached."""
    their_id = theirs.attach("T-1", "photo.jpg", b"JPEG")
    really = their_files.deliver

    def deliver(*args, **kwargs):
        steps = [
            lambda: operations.attach(system=partner.system, task=task, files=(FileContent("photo.jpg", b"JPEG"),)),
            lambda: really(*args, **kwargs),
        ]
        return [step() for step in (steps if first == "call" else reversed(steps))][1 if first == "call" else 0]

    monkeypatch.setattr(their_files, "deliver", deliver)
    look(polling, times=2)
    attached = Attachment.objects.get()
    known = TheirMessage.objects.get(task=task, kind=FILE, their_id=their_id)
    assert (attached.name, known.attachment, known.origin) == ("photo.jpg", attached, "theirs")
