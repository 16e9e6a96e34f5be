"""Fetching a file: through redirects, with credentials for the desk alone, and piece by piece."""

import hashlib
import tracemalloc

import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Response

from integrations.models import Exchange, OperationTemplate, TheirTicket
from tests.integrations.synchronising.conftest import look, remarks
from tickets.models import Attachment

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTE = 1024 * 1024


@pytest.fixture
def store():
    """Another server, where the files are; on an address of its own, as another port is another place."""
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def secretive(polling):
    """The desk wants a key in a header, and one more that its template names."""
    system = polling.system
    system.allowed_hosts = "127.0.0.1"
    system.auth_kind, system.auth_name, system.auth_secret = "key_header", "X-Api-Key", "top-secret-key"
    system.save()
    OperationTemplate.objects.filter(name="download_attachment").update(headers="Accept: */*\nX-Tenant: acme")
    return system


def leads(theirs, *locations, status=302):
    """Each request for a file is answered with where it is."""
    places = list(locations)

    def moved(request):
        if "/api/files/" in request.path and places:
            return Response(status=status, headers={"Location": places.pop(0)})
        return None

    theirs.faults = [moved] * 50


def attached():
    """Name and checksum of every file."""
    return list(Attachment.objects.order_by("pk").values_list("name", "sha256"))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_an_allowed_host_is_followed_without_credentials(
    theirs, polling, task, secretive, store, status
):
    store.expect_ordered_request("/a b").respond_with_data(b"content")
    theirs.attach("T-1", "a.txt", b"")
    leads(theirs, store.url_for("/a%20b?signature=abcdef"), status=status)
    look(polling)
    assert attached() == [("a.txt", hashlib.sha256(b"content").hexdigest())]
    ((request, _response),) = store.log
    assert dict(request.args) == {"signature": "abcdef"}
    assert not {"X-Api-Key", "X-Tenant", "Authorization", "Cookie"} & set(request.headers.keys())
    assert not Exchange.objects.filter(url__contains="abcdef").exists()
    assert "abcdef" not in str(list(Exchange.objects.values_list("response_headers", flat=True)))


def test_within_the_desk_itself_the_credentials_go_along(theirs, polling, task, secretive):
    their_id = theirs.attach("T-1", "a.txt", b"content")
    leads(theirs, f"/api/files/{their_id}?again=1")
    seen = []
    theirs.faults = [
        lambda request, then=fault: seen.append(dict(request.headers)) or then(request) for fault in theirs.faults
    ]
    look(polling)
    assert len(attached()) == 1
    assert [headers.get("X-Api-Key") for headers in seen] == ["top-secret-key"] * len(seen)


def test_whoever_keeps_the_files_cannot_send_our_credentials_anywhere(theirs, polling, task, secretive, store):
    their_id = theirs.attach("T-1", "a.txt", b"content")
    seen = []
    back = f"{polling.system.base_url.rstrip('/')}/api/files/{their_id}?back=1"
    store.expect_request("/away").respond_with_response(Response(status=302, headers={"Location": back}))
    leads(theirs, store.url_for("/away"))
    theirs.faults = [
        lambda request, then=fault: (
            seen.append((request.full_path, request.headers.get("X-Api-Key"))) or then(request)
        )
        for fault in theirs.faults
    ]
    look(polling)
    assert [key for path, key in seen if "back=1" in path] == [None]


def test_to_any_other_host_it_is_refused_and_told_and_nothing_else_waits(theirs, polling, task, secretive):
    theirs.say("T-1", "see the file")
    theirs.attach("T-1", "a.txt", b"content")
    theirs.attach("T-1", "b.txt", b"content")
    leads(theirs, "http://elsewhere.example/a.txt")
    look(polling)
    assert polling.failures == 0
    assert [name for name, _sha in attached()] == ["b.txt"]
    (told,) = [remark for remark in remarks(task) if "a.txt" in remark]
    assert "elsewhere.example is not among this system's allowed hosts" in told


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("ftp://127.0.0.1/a.txt", "no address of the web"),
        ("http://elsewhere.example/?key=top-secret-key", "credentials"),
        ("http://elsewhere.example/?key=top%2Dsecret%2Dkey", "credentials"),
        ("file:///etc/passwd", "no address of the web"),
    ],
)
def test_what_is_not_followed_says_why(theirs, polling, task, secretive, location, says):
    theirs.attach("T-1", "a.txt", b"content")
    leads(theirs, location)
    look(polling)
    (told,) = [remark for remark in remarks(task) if "a.txt" in remark]
    assert says in told
    assert "top-secret-key" not in told
    assert attached() == []


def test_a_circle_of_redirects_ends(theirs, polling, task, secretive):
    their_id = theirs.attach("T-1", "a.txt", b"content")
    leads(theirs, *[f"/api/files/{their_id}"] * 40)
    look(polling)
    assert any("more than 5 redirects" in remark for remark in remarks(task))
    assert len([asked for asked in theirs.asked if "/files/f-" in asked]) == 6


def pieces(size, *, said=None):
    """A body of so many bytes, in pieces; without its length (chunked) where none is said."""
    headers = {} if said is None else {"Content-Length": str(said)}
    return Response(
        (b"x" * 4096 for _ in range(size // 4096)), headers=headers, content_type="application/octet-stream"
    )


def memory_for(theirs, polling, size):
    """The most memory that was in use while a file of this size was fetched and attached, in bytes."""
    theirs.attach("T-1", f"{size}.bin", b"", size=size)
    theirs.faults = [lambda request: pieces(size) if "/api/files/" in request.path else None] * 8
    tracemalloc.start()
    try:
        look(polling)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        theirs.wait()


def test_a_large_file_is_never_whole_in_memory(theirs, polling, task):
    memory_for(theirs, polling, 4096)
    small, large = memory_for(theirs, polling, 8192), memory_for(theirs, polling, 16 * MEGABYTE)
    assert attached()[-1] == (f"{16 * MEGABYTE}.bin", hashlib.sha256(b"x" * 16 * MEGABYTE).hexdigest())
    assert large - small < MEGABYTE


@pytest.mark.parametrize("said", [None, 8192 * 50])
def test_what_is_too_large_is_cut_off_while_it_is_read(theirs, polling, task, settings, said):
    settings.MAX_ATTACHMENT_BYTES = 100_000
    theirs.attach("T-1", "endless.bin", b"", size=5)
    theirs.faults = [lambda request: pieces(8192 * 50, said=said) if "/api/files/" in request.path else None] * 6
    look(polling, times=2)
    assert attached() == []
    assert any("larger than" in remark for remark in remarks(task))
    assert len([asked for asked in theirs.asked if "/files/f-" in asked]) == 1


def test_a_file_that_ends_before_its_length_is_not_attached_half(theirs, polling, task):
    their_id = theirs.attach("T-1", "a.txt", b"whole content")
    half = [
        lambda request: (
            Response(iter([b"whole"]), headers={"Content-Length": "13"})
            if f"/files/{their_id}" in request.path
            else None
        )
    ]
    theirs.faults = half * 4
    look(polling)
    assert (attached(), "a.txt" in str(remarks(task))) == ([], False)
    theirs.faults = []
    TheirTicket.objects.update(wanted_at=timezone.now())
    look(polling)
    assert attached() == [("a.txt", hashlib.sha256(b"whole content").hexdigest())]
