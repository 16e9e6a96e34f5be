"""Files that entries name: fetched first, attached once, and never lost."""

import json

import pytest

from integrations.inbound.replay import replay_inbound
from integrations.models import Exchange, Outcome, Way
from tests.integrations.polling.conftest import FILES, START, incoming, named, notes, poll_now
from tickets.models import Attachment

pytestmark = pytest.mark.django_db(transaction=True)


def attached() -> dict[str, bytes]:
    """Every attachment with its content."""
    found = {}
    for attachment in Attachment.objects.all():
        with attachment.file.open("rb") as file:
            found[attachment.name] = file.read()
    return found


def test_a_file_is_there_before_its_entry_is_taken_over(polling, feed, task):
    feed.files = {"f-1": b"first", "f-2": b"second"}
    feed.say("see the files", time=START, IncidentAttachments=named("f-1", "f-2"))
    feed.say("and again", time=START + 1, IncidentAttachments=named("f-1", "f-2"))
    poll_now(polling)
    assert notes() == ["see the files", "and again"]
    assert attached() == {"f-1.txt": b"first", "f-2.txt": b"second"}
    assert Attachment.objects.count() == 2
    assert feed.fetched == ["f-1", "f-2"]
    download = Exchange.objects.filter(operation="download").first()
    assert download.url.endswith(f"{FILES}/f-2")
    assert download.response_body == "[a file, 6 bytes]"


def test_a_file_that_cannot_be_fetched_stops_the_page_and_comes_with_the_next_poll(polling, feed, task):
    feed.say("before", time=START)
    feed.say("with a file", time=START + 1, IncidentAttachments=named("f-1"))
    poll_now(polling)
    poll_now(polling)
    assert notes() == ["before"]
    assert incoming() == ["succeeded"]
    assert "503" in polling.last_error
    feed.files = {"f-1": b"here it is"}
    poll_now(polling)
    assert notes() == ["before", "with a file"]
    assert attached() == {"f-1.txt": b"here it is"}


def test_a_file_that_is_too_large_or_gone_refuses_its_entry_alone(polling, feed, task, settings, desk):
    settings.MAX_ATTACHMENT_BYTES = 10
    feed.files = {"f-1": b"x" * 11}
    feed.say("large", time=START, IncidentAttachments=named("f-1"))
    feed.say("gone", time=START + 1, IncidentAttachments=named("f-404"))
    feed.say("after", time=START + 2)
    feed.server.expect_request(FILES + "/f-404").respond_with_data("no", status=404)
    poll_now(polling)
    assert notes() == ["after"]
    assert incoming() == ["refused", "refused", "succeeded"]
    settings.MAX_ATTACHMENT_BYTES = 20
    new = replay_inbound(Exchange.objects.filter(way=Way.IN).earliest("pk"), by=desk.by_agent)
    assert new.outcome == Outcome.SUCCEEDED, new.error
    assert Attachment.objects.get().size == 11


@pytest.mark.parametrize(
    "value",
    [
        "no JSON",
        "{}",
        '{"complexTypeProperties": [{"properties": {"id": 5}}]}',
        ["x"],
        named(".."),
        named("half \ud800"),
    ],
)
def test_a_list_of_files_that_cannot_be_read_refuses_its_entry_alone(polling, feed, task, value):
    feed.say("with nonsense", time=START, IncidentAttachments=value)
    feed.say("after", time=START + 1)
    poll_now(polling)
    assert notes() == ["after"]
    assert incoming() == ["refused", "succeeded"]


@pytest.mark.parametrize(
    "values", [{"mime_type": "half \ud800"}, {"mime_type": "none \0"}, {"file_name": "\ud800\0"}]
)
def test_what_no_database_takes_does_not_stop_the_feed(polling, feed, task, values):
    feed.files = {"f-1": b"first"}
    file = {"properties": {"id": "f-1", **values}}
    feed.say("see the file", time=START, IncidentAttachments=json.dumps({"complexTypeProperties": [file]}))
    poll_now(polling)
    assert (notes(), polling.last_error) == (["see the file"], "")
    assert Attachment.objects.count() == 1
