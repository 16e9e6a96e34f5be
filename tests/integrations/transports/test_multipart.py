"""Forms with parts, as three readers that nobody here wrote understand them: Werkzeug, Django and the standard mail
parser."""

import hashlib
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes
from email.policy import HTTP
from functools import partial
from io import BytesIO

import pytest
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import QueryDict
from django.test import RequestFactory
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response as Answer

from integrations.transports.http import Policy, Request, SentFile, send
from integrations.transports.multipart import FilePart, Form, Part, is_multipart, multipart

NAMES = ["größe.txt", "報告書 1.pdf", "отчёт.docx", "تقرير.pdf", "plain.txt", "emoji 🎉.png", "semi;colon=.txt"]
CONTENT = b"abc\r\n--x\x00\xff"


def form(name: str) -> Form:
    """A text, a document and a file of this name."""
    parts = [Part("title", "Drück\r\nzwei".encode()), Part("manifest", b'{"a": 1}', "application/json")]
    return multipart(parts, FilePart("files[]", name, "text/plain", hashlib.sha256(CONTENT).hexdigest()))


@pytest.mark.parametrize("name", NAMES)
def test_a_server_reads_the_fields_the_file_and_its_name(httpserver: HTTPServer, policy: Policy, name: str) -> None:
    sent = form(name)

    def read(request: Received) -> Answer:
        upload = request.files["files[]"]
        with closing(request):
            return Answer(f"{request.form['title']}|{request.form['manifest']}|{upload.filename}|{upload.read()!r}")

    httpserver.expect_request("/").respond_with_handler(read)
    file = SentFile(len(CONTENT), partial(BytesIO, CONTENT), sent.after)
    headers = {"Content-Type": sent.content_type}
    response = send(Request("POST", httpserver.url_for("/"), headers, sent.before, file), policy)
    assert response.text == f'Drück\r\nzwei|{{"a": 1}}|{name}|{CONTENT!r}'


@pytest.mark.parametrize("name", NAMES)
def test_django_and_the_mail_parser_read_the_same(name: str) -> None:
    sent = form(name)
    body, content_type = sent.before + CONTENT + sent.after, sent.content_type
    request = RequestFactory().generic("POST", "/", body, content_type=content_type)
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    assert isinstance(request.POST, QueryDict)
    assert request.POST["title"] == "Drück\r\nzwei"
    upload = request.FILES["files[]"]
    assert (upload.name, upload.read()) == (name, CONTENT)
    parsed = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=HTTP)
    last = list(parsed.iter_parts())[-1]
    if name.isascii():
        assert last.get_filename() == name
    assert last.get_payload(decode=True) == CONTENT


def test_a_name_cannot_end_its_quotes_or_begin_a_header() -> None:
    sent = multipart([], FilePart('a"b', 'evil"\r\nX-Injected: 1.txt', "text/plain", "abc"))
    head = sent.before.split(b"\r\n\r\n")[0].split(b"\r\n")
    assert head[1:] == [
        b'Content-Disposition: form-data; name="a%22b"; filename="evil%22%0D%0AX-Injected: 1.txt"',
        b"Content-Type: text/plain",
    ]


def test_the_same_content_gives_the_same_bytes_and_other_content_another_boundary() -> None:
    assert form("a") == form("a")
    file = FilePart("file", "a.txt", "text/plain", "1" * 64)
    kinds = [[Part("a", b"bc")], [Part("ab", b"c")]]
    files = [None, file, replace(file, sha256="2" * 64), replace(file, file_name="b.txt")]
    assert len({multipart(parts, each).content_type for parts in kinds for each in files}) == 8


@pytest.mark.parametrize("kind", ["multipart/form-data", "Multipart/Form-Data; charset=utf-8"])
def test_a_form_is_told_by_its_type(kind: str) -> None:
    assert is_multipart(kind) and not is_multipart("application/json") and not is_multipart("")
