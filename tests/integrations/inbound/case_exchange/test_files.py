"""Files: uploaded, named in a message, attached once, fetched back."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from integrations.inbound.exchanged_files import forget_uploads, offer
from integrations.models import ExchangedFile, Outcome
from tests.integrations.inbound.case_exchange.conftest import (
    FILES,
    NEW,
    CaseDesk,
    comment,
    last_exchange,
    named,
    problem,
)
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets import actions
from tickets.models import Attachment, Note, Task, Ticket


def fetch(cases: CaseDesk, guid: str) -> Any:
    """Ask for a file."""
    return cases.client.get(f"{FILES}/{guid}")


def downloaded(cases: CaseDesk, guid: str) -> bytes:
    """What a file holds."""
    return b"".join(fetch(cases, guid).streaming_content)


def contents() -> list[bytes]:
    """What the attachments hold."""
    found = []
    for attachment in Attachment.objects.order_by("pk"):
        with attachment.file.open("rb") as file:
            found.append(file.read())
    return found


def test_an_upload_is_answered_with_its_guid_and_fetched_by_it(cases: CaseDesk):
    response = cases.client.generic(
        "POST", FILES, b"\x00\xffhello", content_type="image/png", headers={"fs-filename": "a.png"}
    )
    assert response.json() | {"guid": ""} == {"guid": "", "name": "a.png", "size": 7, "contentType": "image/png"}
    fetched = fetch(cases, response.json()["guid"])
    assert b"".join(fetched.streaming_content) == b"\x00\xffhello"
    assert fetched["Content-Type"] == "application/octet-stream"
    assert 'filename="a.png"' in fetched["Content-Disposition"]


def test_an_upload_is_in_the_log_without_its_bytes(cases: CaseDesk):
    cases.upload(b"hello")
    exchange = last_exchange()
    assert (exchange.operation, exchange.request_body, exchange.outcome) == ("upload", "[5 bytes]", Outcome.SUCCEEDED)


@pytest.mark.parametrize("header", [quote("Größe 日本.txt"), "Größe 日本.txt".encode().decode("latin-1")])
def test_a_name_may_be_percent_encoded_or_plain(cases: CaseDesk, header: str):
    cases.client.generic("POST", FILES, b"x", content_type="text/plain", HTTP_FS_FILENAME=header)
    assert ExchangedFile.objects.get().name == "Größe 日本.txt"


def test_a_name_is_no_path(cases: CaseDesk):
    cases.upload(b"x", quote("../../etc/passwd\x00"))
    assert ExchangedFile.objects.get().name == "passwd"


def test_the_same_file_again_is_the_same_file(cases: CaseDesk):
    guid = cases.upload(b"hello", "a.txt")
    assert cases.upload(b"hello", "a.txt") == guid
    assert last_exchange().outcome == Outcome.REPEATED
    assert cases.upload(b"hello", "b.txt") != guid
    assert cases.upload(b"Hello", "a.txt") != guid


@pytest.mark.parametrize("operation", ["Update", "Resolve", "Close", "Reopen", "Assign", "Cancel"])
def test_a_named_file_is_attached_with_every_operation(cases: CaseDesk, known: Task, operation: str):
    guid = cases.upload(b"hello", "a.txt", "text/x-log")
    assert cases.send(operation, IncidentAttachments=named(guid)).status_code == 200
    attachment = Attachment.objects.get()
    assert (attachment.name, attachment.content_type, attachment.size) == ("a.txt", "text/x-log", 5)
    assert (attachment.task, contents()) == (known, [b"hello"])


def test_a_file_without_a_name_gets_that_of_the_message(cases: CaseDesk, known: Task):
    guid = cases.upload(b"hello")
    cases.send("Update", IncidentAttachments=named(guid, file_name="b.txt", size=5, mime_type="text/plain"))
    assert Attachment.objects.get().name == "b.txt"


def test_a_guid_that_is_named_again_is_attached_once(cases: CaseDesk, known: Task):
    guid = cases.upload(b"hello", "a.txt")
    cases.send("Update", IncidentAttachments=named(guid, guid))
    again = cases.send("Update", IncidentAttachments=named(guid.upper()))
    assert (again.status_code, again.json()["entities"][0]["changed"]) == (200, False)
    assert Attachment.objects.count() == 1


def test_a_file_may_be_named_for_two_incidents(cases: CaseDesk, northwind: Desk, known: Task):
    make_task(northwind, reference="INC-2")
    guid = cases.upload(b"hello", "a.txt")
    for reference in ("INC-1", "INC-2"):
        cases.send("Update", reference=reference, IncidentAttachments=named(guid))
    assert contents() == [b"hello", b"hello"]


def test_a_new_ticket_takes_its_files_along(cases: CaseDesk, known: Task):
    guid = cases.upload(b"hello", "a.txt")
    for _again in range(2):
        cases.send("Create", reference="INC-2", IncidentAttachments=named(guid), **NEW)
    assert contents() == [b"hello"]


def test_a_message_with_a_file_may_be_repeated_under_its_key(cases: CaseDesk, known: Task):
    guid = cases.upload(b"hello", "a.txt")
    first, again = (cases.send("Update", IncidentAttachments=named(guid), key="k-1") for _ in range(2))
    assert (again.status_code, again.get("Idempotency-Replayed")) == (200, "true")
    assert again.json()["entities"][0]["changed"] is first.json()["entities"][0]["changed"] is True
    other = cases.send("Update", IncidentAttachments=named(cases.upload(b"other", "a.txt")), key="k-1")
    assert problem(other) == (422, "repeated_with_other_content")


def test_what_is_new_in_a_repeated_create_is_taken_over(cases: CaseDesk, known: Task):
    cases.send("Create", reference="INC-2", **NEW)
    parts = {"IncidentAttachments": named(cases.upload(b"hello", "a.txt")), "comments": [comment("Any news?")]}
    for changed in (True, False):
        response = cases.send("Create", reference="INC-2", **parts, **NEW)
        assert (response.status_code, response.json()["entities"][0]["changed"]) == (200, changed)
    assert contents() == [b"hello"]
    assert list(Note.objects.values_list("body", flat=True)) == ["Any news?"]
    assert Ticket.objects.count() == 2


def test_a_file_that_we_offered_is_not_sent_back_to_us(cases: CaseDesk, northwind: Desk, known: Task):
    content = actions.FileContent("ours.txt", b"ours")
    attachment = actions.attach(actor=AGENT, ticket=known.ticket, content=content)
    guid = str(offer(system=northwind.system, attachment=attachment).guid)
    assert downloaded(cases, guid) == b"ours"
    cases.send("Update", IncidentAttachments=named(guid))
    assert Attachment.objects.count() == 1


def test_many_known_files_may_be_named_with_a_new_one(cases: CaseDesk, known: Task):
    guids = []
    for number in range(25):
        guids.append(cases.upload(f"{number}".encode(), f"{number}.txt"))
        assert cases.send("Update", IncidentAttachments=named(*guids)).status_code == 200
    assert Attachment.objects.count() == 25


def test_too_many_new_files_at_once_are_refused(cases: CaseDesk, known: Task):
    guids = [cases.upload(f"{number}".encode()) for number in range(21)]
    assert problem(cases.send("Update", IncidentAttachments=named(*guids))) == (400, "invalid")


def test_a_guid_that_is_unknown_or_another_desks_is_refused(cases: CaseDesk, outsider: Desk, known: Task):
    other = CaseDesk(outsider)
    other.sign_in()
    guid = other.upload(b"secret")
    for named_guid in (guid, "9f3c0000-0000-4000-8000-000000000000", "x", "1; --"):
        assert problem(cases.send("Update", IncidentAttachments=named(named_guid))) == (400, "invalid")
        assert problem(fetch(cases, quote(named_guid))) == (404, "not_found")
    assert last_exchange().operation == "read"


def test_an_oversized_file_is_413(cases: CaseDesk, settings: Any):
    settings.MAX_ATTACHMENT_BYTES = 4
    response = cases.client.generic("POST", FILES, b"hello", content_type="text/plain")
    assert problem(response) == (413, "too_large")
    assert not ExchangedFile.objects.exists()


def test_an_empty_file_is_a_file(cases: CaseDesk, known: Task):
    cases.send("Update", IncidentAttachments=named(cases.upload(b"", "empty.txt")))
    assert Attachment.objects.get().size == 0


def test_uploads_that_no_message_named_are_forgotten_and_copies_too(
    cases: CaseDesk, known: Task, django_capture_on_commit_callbacks: Any
):
    kept, lost = cases.upload(b"kept", "a.txt"), cases.upload(b"lost", "b.txt")
    cases.send("Update", IncidentAttachments=named(kept))
    paths = list(ExchangedFile.objects.order_by("pk").values_list("file", flat=True))
    assert forget_uploads() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        with django_capture_on_commit_callbacks(execute=True):
            assert forget_uploads() == 2
        assert forget_uploads() == 0
        assert [default_storage.exists(path) for path in paths] == [False, False]
    assert fetch(cases, lost).status_code == 404
    assert downloaded(cases, kept) == b"kept"
    assert cases.upload(b"kept", "a.txt") == kept
    assert cases.upload(b"lost", "b.txt") != lost
