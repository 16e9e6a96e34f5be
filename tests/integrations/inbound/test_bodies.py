"""Bodies: in chunks, too large, in the right character set, with long files that slow nothing down."""

import base64
import io
import time
from typing import Any

import pytest
from django.test import RequestFactory

from integrations.inbound import bodies
from integrations.inbound.problems import Malformed, TooLarge


def chunked(content: bytes) -> Any:
    """A request without a length, as a server that decodes chunks hands it over."""
    return RequestFactory().generic(
        "POST",
        "/",
        b"",
        **{
            "CONTENT_LENGTH": "",
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": io.BytesIO(content),
            "wsgi.input_terminated": True,
        },
    )


def test_a_body_in_chunks_is_read_to_its_end():
    assert bodies.read_body(chunked(b"x" * 1000)) == b"x" * 1000


def test_chunks_beyond_the_limit_are_refused_after_reading_no_more_than_the_limit(settings: Any):
    settings.MAX_REQUEST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    request = chunked(b"x" * 1000)
    with pytest.raises(TooLarge):
        bodies.read_body(request)
    assert request.META["wsgi.input"].tell() <= 101


def test_a_length_beyond_the_limit_is_refused_without_reading(settings: Any):
    settings.MAX_REQUEST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    request = RequestFactory().generic("POST", "/", b"x" * 1000)
    with pytest.raises(TooLarge):
        bodies.read_body(request)
    assert len(request.META["wsgi.input"]) == 1000


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("ü".encode(), "", "ü"),
        ("ü".encode("latin-1"), "text/xml; charset=ISO-8859-1", "ü"),
        ("ü".encode("utf-16"), "text/xml; charset=utf-8", "ü"),
        (b"\xef\xbb\xbf\xc3\xbc", "", "ü"),
    ],
)
def test_the_character_set_is_found(body: bytes, content_type: str, text: str):
    assert bodies.decode(body, content_type) == text


def test_what_is_not_in_its_character_set_is_malformed_but_readable_for_the_log():
    with pytest.raises(Malformed, match="utf-8"):
        bodies.decode(b"\xff\x00", "")
    assert bodies.readable(b"a\xff\x00", "; charset=zip") == "a\ufffd\ufffd"


def test_redaction_looks_around_long_files_not_through_them():
    file = base64.encodebytes(bytes(range(256)) * 40_000).decode()
    text = f"<a><password>s3cret</password><content>{file}</content><pin>12345</pin></a>"
    started = time.monotonic()
    cleaned = bodies.redacted(text, "text/xml", ["pin"])
    assert time.monotonic() - started < 2
    assert file in cleaned
    assert "s3cret" not in cleaned
    assert "12345" not in cleaned


@pytest.mark.parametrize("text", ["word " * 400_000, ("w" * 59 + " ") * 30_000, "\\n" * 500_000])
def test_looking_for_files_takes_no_time_on_any_text(text: str):
    started = time.monotonic()
    assert bodies.without_files(text) == text
    assert time.monotonic() - started < 2


def test_a_long_file_in_lines_is_one_file():
    file = base64.encodebytes(b"x" * 200_000).decode()
    assert bodies.without_files(f'"{file}"') == f'"[{len(file)} characters]"'
    escaped = file.replace("\n", "\\n")
    assert bodies.without_files(f'"{escaped}"') == f'"[{len(escaped)} characters]"'
