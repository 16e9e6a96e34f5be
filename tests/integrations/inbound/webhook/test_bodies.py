"""Bodies as other desks write them: JSON, XML, forms and files; and what cannot be read."""

import base64
import json
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from integrations.models import Exchange, Outcome
from tests.integrations.inbound.webhook.conftest import COMMENT, Caller, comment
from tickets.models import Attachment, Note, Task


@pytest.mark.parametrize("body", [b"{", b'{"a": NaN}', b"<a>", b"just text", b"\xff\xfe\xfa", b"[" * 5000])
def test_what_cannot_be_read_is_malformed_and_in_the_log(caller: Caller, body: bytes):
    answer = caller.send(body)
    assert (answer.status_code, answer.json()["code"], Exchange.objects.get().outcome) == (
        400,
        "malformed",
        Outcome.REFUSED,
    )


def test_an_error_is_problem_details_whose_status_is_a_number(caller: Caller):
    answer = caller.send(b"{")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["title"]) == (400, "Bad Request")


def test_an_element_with_very_many_attributes_is_read_in_no_time(caller: Caller):
    body = "<a " + " ".join(f'x{number}="1"' for number in range(60_000)) + "/>"
    started = time.monotonic()
    assert caller.send(body.encode(), content_type="text/xml").status_code == 202
    # One look-up for each, from the first on, took 20 s.
    assert time.monotonic() - started < 8


def test_json_that_is_nested_too_deeply_is_malformed(caller: Caller):
    body = b'{"a":' * 150 + b"1" + b"}" * 150
    assert caller.send(body).json()["code"] == "malformed"


def test_xml_with_a_document_type_is_refused(caller: Caller):
    body = b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'
    assert caller.send(body, content_type="application/xml").status_code == 400


XML = """<?xml version="1.0" encoding="iso-8859-1"?>
<n:Change xmlns:n="urn:x"><n:Ticket id="NW-1"/><n:Note by="Nora">Größe?</n:Note></n:Change>"""


def test_xml_in_its_own_character_set(caller: Caller, ours: Task):
    fields = "reference = body.Change.Ticket['@id']\ntext = body.Change.Note['#text']"
    caller.hook.rules.update(condition="body.Change is defined", fields=fields)
    answer = caller.send(XML.encode("iso-8859-1"), content_type="text/xml")
    assert answer.status_code == 200, answer.json()
    assert Note.objects.get().body == "Größe?"


def test_a_form_and_a_form_with_json_in_it(caller: Caller, ours: Task):
    caller.hook.rules.update(condition="", fields="reference = body.key\ntext = body.text")
    form = urlencode({"key": "NW-1", "text": "Größe & mehr"}).encode()
    assert caller.send(form, content_type="application/x-www-form-urlencoded").status_code == 200
    caller.hook.rules.update(condition="", fields="reference = body.payload.issue.key\ntext = body.payload.n[1]")
    form = urlencode({"payload": json.dumps({"issue": {"key": "NW-1"}, "n": [0, 42]})}).encode()
    assert caller.send(form, content_type="application/x-www-form-urlencoded").status_code == 200
    assert list(Note.objects.order_by("pk").values_list("body", flat=True)) == ["Größe & mehr", "42"]


def test_a_form_with_a_file(caller: Caller, ours: Task):
    caller.hook.rules.update(condition="", fields="reference = body.key\nattachments = body.upload")
    body = (
        b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nNW-1\r\n'
        b'--b\r\nContent-Disposition: form-data; name="upload"; filename="a.txt"\r\n\r\n\x00\x01\r\n--b--\r\n'
    )
    answer = caller.send(body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 200, answer.json()
    attachment = Attachment.objects.get()
    with attachment.file.open("rb") as stored:
        assert (attachment.name, stored.read()) == ("a.txt", b"\x00\x01")


def test_files_of_their_own_form(caller: Caller, ours: Task):
    caller.hook.rules.update(
        fields="reference = body.issue.key\nattachments = body.files\n"
        "attachment.name = item.title\nattachment.content_base64 = item.data"
    )
    files = [{"title": f"grö{n}.bin", "data": base64.b64encode(bytes([n])).decode()} for n in range(2)]
    assert caller.send({**comment(), "files": files}).status_code == 200
    assert list(Attachment.objects.order_by("pk").values_list("name", flat=True)) == ["grö0.bin", "grö1.bin"]
    files[0]["data"] = "no base64!"
    answer = caller.send({**comment(), "files": files}, delivery="d2")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["attachments.0.content"])


def test_values_in_the_query(caller: Caller, ours: Task):
    caller.hook.rules.update(condition="query.kind == 'c'", fields="reference = query.key\ntext = query.t[1]")
    answer = caller.send(b"", path=f"{caller.path}?kind=c&key=NW-1&t=one&t=two")
    assert answer.status_code == 200, answer.json()
    assert Note.objects.get().body == "two"


def test_when_it_was_written_there_is_kept(caller: Caller, ours: Task):
    caller.hook.rules.update(fields=f"{COMMENT}\nwritten_at = body.comment.at")
    body = comment()
    body["comment"]["at"] = "2026-01-31T09:30:00+01:00"
    assert caller.send(body).status_code == 200
    assert Note.objects.get().written_at == datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
    body["comment"]["at"] = "yesterday"
    assert caller.send(body, delivery="d2").json()["errors"].keys() == {"written_at"}
