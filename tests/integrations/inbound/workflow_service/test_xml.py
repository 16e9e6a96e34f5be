"""XML from outside: character sets, document types, entities, size, and what is no XML at all."""

import time
from typing import Any

import pytest

from integrations.inbound.workflow_service import envelope as envelopes
from integrations.models import Exchange
from tests.integrations.inbound.conftest import Desk
from tests.integrations.inbound.workflow_service.soap import UPDATE, envelope, problem_of, send
from tickets.models import Note, Task

WORDS = "Grüße: ½ Straße"


@pytest.mark.parametrize(
    ("codec", "declared", "content_type"),
    [
        ("utf-8", "utf-8", "text/xml; charset=utf-8"),
        ("utf-8", "", "text/xml"),
        ("utf-8-sig", "utf-8", "text/xml"),
        ("utf-16", "utf-16", "text/xml"),
        ("utf-16", "utf-16", "text/xml; charset=utf-16"),
        ("iso-8859-1", "iso-8859-1", "text/xml"),
        ("iso-8859-1", "", 'text/xml; charset="ISO-8859-1"'),
        ("cp1252", "windows-1252", "text/xml"),
        # The content type is nearer to the bytes than the declaration that a converter may have forgotten.
        ("iso-8859-1", "utf-8", "text/xml; charset=iso-8859-1"),
    ],
)
def test_the_character_set_of_the_caller_is_honoured(
    northwind: Desk, task: Task, codec: str, declared: str, content_type: str
):
    prolog = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = envelope(UPDATE, f"<taskNumber>{task.number}</taskNumber><text>{WORDS}</text>", prolog=prolog)
    response = send(northwind, text.encode(codec), content_type=content_type)
    assert response.status_code == 200, response.content
    assert Note.objects.get(task=task).body == WORDS
    assert WORDS in Exchange.objects.get().request_body


@pytest.mark.parametrize("charset", ["klingon", "zip", "rot13", "idna", "unicode_escape"])
def test_what_is_no_character_set_is_refused(northwind: Desk, charset: str):
    response = send(northwind, envelope(UPDATE, ""), content_type=f"text/xml; charset={charset}")
    assert (response.status_code, problem_of(response)["code"]) == (400, "malformed")


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "prolog",
    [
        ENTITIES,
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        f'<?xml version="1.0"?>\n<!-- harmless --> <?pi x?>\n{ENTITIES}',
        "<!doctype x>",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_before_anything_is_expanded(northwind: Desk, task: Task, prolog: str, codec: str):
    text = envelope(UPDATE, f"<taskNumber>{task.number}</taskNumber><text>&b;</text>", prolog=prolog)
    response = send(northwind, text.encode(codec), content_type="text/xml")
    assert (response.status_code, problem_of(response)["code"]) == (400, "malformed")
    assert "document type" in problem_of(response)["detail"] or "<!doctype" in prolog
    assert not Note.objects.exists()


def test_a_text_that_speaks_of_document_types_is_a_text(northwind: Desk, task: Task):
    words = "<!DOCTYPE html><p>Hello</p>"
    content = f"<taskNumber>{task.number}</taskNumber><text><![CDATA[{words}]]></text>"
    assert send(northwind, envelope(UPDATE, content)).status_code == 200
    assert Note.objects.get().body == words


@pytest.mark.parametrize("prolog", [" " * 300_000, "<!-- -->" * 50_000, "<!-- " * 50_000, "<?x ?>" * 50_000])
def test_looking_for_a_document_type_takes_no_time_on_hostile_prologs(prolog: str):
    started = time.monotonic()
    assert envelopes.DOCTYPE.match(prolog + "<a/>") is None
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<a>",
        b"\x00\x01",
        b"\xff\xfe<",
        b"<a/>",
        b'<Envelope xmlns="urn:other"/>',
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>',
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a/><b/></s:Body></s:Envelope>',
        envelope(UPDATE, "<text>&undefined;</text>").encode(),
        envelope(UPDATE, "<text>&#0;</text>").encode(),
        envelope(UPDATE, "<text>\x00</text>").encode(),
        ("<a>" * 5000 + "</a>" * 5000).encode(),
    ],
)
def test_what_is_no_envelope_is_malformed_and_in_the_log(northwind: Desk, body: bytes):
    response = send(northwind, body)
    assert (response.status_code, problem_of(response)["code"]) == (400, "malformed")
    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.system, exchange.status) == ("refused", northwind.system, 400)


def test_a_request_over_the_limit_is_refused_unread(northwind: Desk, settings: Any):
    settings.MAX_REQUEST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = send(northwind, envelope(UPDATE, "<text>" + "x" * 2000 + "</text>"))
    assert (response.status_code, problem_of(response)["code"]) == (413, "too_large")


def test_a_content_type_that_is_not_of_soap_is_refused(northwind: Desk):
    response = send(northwind, "{}", content_type="application/json")
    assert (response.status_code, problem_of(response)["code"]) == (415, "unsupported_media_type")
