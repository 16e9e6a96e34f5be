"""Notes: all of them, each once, in order, with author and time; and never our own."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from integrations.engine.steps import request as request_step
from integrations.inbound import operations
from integrations.inbound.replay import apply_anyway
from integrations.models import (
    Exchange,
    OperationTemplate,
    ProcessRun,
    Repeat,
    SentText,
    StepRun,
    TheirMessage,
    TheirTicket,
)
from tests.integrations.synchronising.conftest import look, notes, remarks, said, send_all, taken
from tickets import actions
from tickets.models import Note

pytestmark = pytest.mark.django_db(transaction=True)


def write(desk, task, text):
    """Our agent writes a note."""
    return actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=text)


def test_author_time_and_visibility_are_theirs(polling, theirs, task):
    theirs.say("T-1", "Ink is on its way", author="Lena Löwe", at="2026-07-01T12:00:00+02:00")
    theirs.say("T-1", "Only for us", visibility="internal")
    look(polling)
    public, internal = Note.objects.order_by("written_at")
    assert (public.author_name, public.visibility, public.task) == ("Lena Löwe", "public", task)
    assert public.written_at == datetime.fromisoformat("2026-07-01T10:00:00Z")
    assert internal.visibility == "internal"


def test_identical_short_texts_are_as_many_as_there_are(polling, theirs, task):
    for _ in range(3):
        theirs.say("T-1", "ok")
    look(polling, times=2)
    assert notes() == ["ok"] * 3


def test_identical_texts_without_ids_and_times_too(polling, theirs, task):
    OperationTemplate.objects.filter(name="fetch_notes").update(reads="text = item.text\nauthor = item.author")
    for _ in range(2):
        theirs.say("T-1", "ok")
    look(polling, times=2)
    theirs.wait()
    theirs.say("T-1", "ok")
    look(polling, times=2)
    assert notes() == ["ok"] * 3


def test_what_we_sent_is_known_by_the_id_that_it_got_there_for_good(polling, theirs, task, desk):
    write(desk, task, "ok")
    send_all()
    # Far longer than an echo is looked for.
    SentText.objects.update(sent_at=timezone.now() - timedelta(days=30), matched_at=timezone.now())
    theirs.wait(3600)
    theirs.say("T-1", "ok")
    look(polling, times=3)
    assert notes() == ["ok", "ok"]
    assert taken() == [("update", "succeeded")]
    assert set(TheirMessage.objects.values_list("their_id", "origin")) == {("n-1", "ours"), ("n-2", "theirs")}


def test_where_the_desk_tells_no_id_the_text_and_its_time_tell(polling, theirs, task, desk, partner):
    partner.note.captures = ""
    partner.note.save()
    write(desk, task, "ok")
    theirs.now = timezone.now().replace(microsecond=0)
    send_all()
    # They say the same two hours later, before anybody has looked.
    theirs.wait(7200)
    theirs.say("T-1", "ok", author="Lena")
    look(polling, times=2)
    assert [(note.body, note.author_name) for note in Note.objects.order_by("pk")] == [("ok", "Ada"), ("ok", "Lena")]
    assert taken() == [("update", "held_back"), ("update", "succeeded")]


def test_ours_may_be_told_by_the_template(polling, theirs, task):
    reads = OperationTemplate.objects.get(name="fetch_notes").reads
    OperationTemplate.objects.filter(name="fetch_notes").update(reads=f'{reads}\nours = item.author == "deskbridge"')
    theirs.say("T-1", "from us by another way", author="deskbridge")
    theirs.say("T-1", "from them")
    look(polling)
    assert notes() == ["from them"]


def test_a_poll_in_the_middle_of_a_send_neither_doubles_nor_swallows(polling, theirs, task, desk, monkeypatch):
    """They have just written the same word. The answer with the id of ours is still on its way: nobody can tell yet
    whose is whose."""
    theirs.say("T-1", "ok", author="Lena")
    real, seen = request_step.attempt, []

    def attempt(*arguments):
        came = real(*arguments)
        look(polling)
        seen.extend(notes())
        return came

    monkeypatch.setattr(request_step, "attempt", attempt)
    write(desk, task, "ok")
    send_all()
    assert seen == ["ok"]
    assert taken() == []
    look(polling, times=3)
    assert sorted(Note.objects.values_list("body", "author_name")) == [("ok", "Ada"), ("ok", "Lena")]
    assert taken() == [("update", "succeeded")]


def test_a_send_of_unknown_outcome_that_had_arrived_is_not_doubled(polling, theirs, task, desk, partner):
    partner.note.repeat = Repeat.ASK
    partner.note.save()

    def lost(request):
        if request.method == "POST":
            theirs.say("T-1", "did it arrive?", author="deskbridge")
            return said({"error": "broken"}, 504)
        return None

    theirs.now = timezone.now().replace(microsecond=0)
    theirs.faults = [lost]
    write(desk, task, "did it arrive?")
    send_all()
    run = ProcessRun.objects.order_by("-pk").first()
    assert run.state in ("attention", "retrying")
    look(polling, times=2)
    # As long as nobody knows, it is neither ours nor theirs.
    assert notes() == ["did it arrive?"]
    ProcessRun.objects.filter(pk=run.pk).update(state="done")
    StepRun.objects.filter(run=run).update(state="done", finished_at=timezone.now())
    TheirTicket.objects.update(wanted_at=timezone.now())
    look(polling)
    assert notes() == ["did it arrive?"]
    assert taken() == [("update", "held_back")]


def test_what_was_held_back_by_mistake_is_applied_by_a_person(polling, theirs, task, desk, partner):
    partner.note.captures = ""
    partner.note.save()
    theirs.now = timezone.now().replace(microsecond=0)
    write(desk, task, "ok")
    send_all()
    look(polling)
    apply_anyway(Exchange.objects.get(outcome="held_back"), by=desk.by_agent)
    look(polling, times=2)
    assert notes() == ["ok", "ok"]


def test_a_note_that_is_refused_holds_up_no_other_and_is_not_tried_at_each_poll(polling, theirs, task):
    theirs.say("T-1", "x" * 200_001)
    theirs.say("T-1", "short")
    look(polling, times=3)
    assert notes() == ["short"]
    assert taken() == [("update", "refused"), ("update", "succeeded")]


def test_a_webhook_and_a_poll_that_tell_the_same_note_make_one(polling, theirs, task, partner):
    their_id = theirs.say("T-1", "told twice")
    operations.update(system=partner.system, task=task, text="told twice", note_id=their_id)
    look(polling)
    assert notes() == ["told twice"]


def test_notes_are_read_page_by_page_and_in_order_of_their_time(polling, theirs, task):
    fetch = OperationTemplate.objects.get(name="fetch_notes")
    fetch.path += "?page={{ poll.page }}&size={{ poll.size }}"
    fetch.save()

    def newest_first(request):
        if not request.path.endswith("/notes"):
            return None
        rows = sorted(theirs.tickets["T-1"]["notes"], key=lambda each: each["at"], reverse=True)
        start = (int(request.args["page"]) - 1) * 2
        return said({"notes": rows[start : start + 2]})

    for number in range(5):
        theirs.wait()
        theirs.say("T-1", f"text {number}")
    theirs.faults = [newest_first] * 100
    look(polling)
    assert polling.last_error == ""
    assert notes() == [f"text {number}" for number in range(5)]
    assert list(Note.objects.order_by("pk").values_list("body", flat=True)) == notes()


def test_a_day_of_theirs_may_be_written_in_their_own_form(polling, theirs, task):
    reads = OperationTemplate.objects.get(name="fetch_notes").reads
    reads = reads.replace("at = item.at", 'at = item.at | moment("%d.%m.%Y %H:%M", "Europe/Berlin")')
    OperationTemplate.objects.filter(name="fetch_notes").update(reads=reads)
    theirs.say("T-1", "in summer", at="01.07.2026 12:00")
    look(polling)
    assert polling.last_error == ""
    assert Note.objects.get().written_at == datetime.fromisoformat("2026-07-01T10:00:00Z")


def test_a_note_that_is_made_public_later_reaches_its_reader_once(polling, theirs, task):
    theirs.say("T-1", "We need a new printer", visibility="agents")
    theirs.say("T-1", "Still for us", visibility="agents")
    look(polling, times=2)
    assert list(Note.objects.values_list("visibility", flat=True)) == ["internal", "internal"]
    theirs.wait(60)
    theirs.tickets["T-1"]["notes"][0]["visibility"] = "public"
    theirs.change("T-1")
    look(polling, times=3)
    assert list(Note.objects.filter(visibility="public").values_list("body", flat=True)) == ["We need a new printer"]
    assert Note.objects.filter(visibility="internal").count() == 2


def test_that_a_note_is_missing_is_said_in_the_ticket(polling, theirs, task):
    theirs.say("T-1", "much too long " * 20_000, author="Lena")
    theirs.say("T-1", "short")
    look(polling, times=3)
    assert notes() == ["short"]
    assert len([remark for remark in remarks(task) if "much too long" in remark]) == 1


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00", "9999-12-31T23:59:59Z", -62135596800])
def test_a_time_that_is_none_counts_as_now(polling, theirs, task, at):
    theirs.say("T-1", "No time", at=at)
    look(polling)
    assert abs(Note.objects.get().written_at - timezone.now()) < timedelta(minutes=1)
