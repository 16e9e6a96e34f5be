"""Files: in any form and with names in any script, each once; what is too large or of a wrong kind is told once."""

import base64
import hashlib
import random

import pytest
from django.utils import timezone
from werkzeug import Request, Response

from integrations.models import Exchange, OperationTemplate, TheirMessage, TheirTicket
from tests.integrations.synchronising.conftest import look, remarks, said, taken
from tickets import actions
from tickets.models import Attachment

pytestmark = pytest.mark.django_db(transaction=True)


def files():
    """Name and content of every file, in order."""
    found = []
    for row in Attachment.objects.order_by("pk"):
        with row.file.open("rb") as opened:
            found.append((row.name, opened.read()))
    return found


def downloads(theirs):
    """How often a file was fetched."""
    return len([asked for asked in theirs.asked if "/api/files/" in asked or "/api/encoded/" in asked])


@pytest.mark.parametrize("name", ["Übersicht größer.txt", "отчёт.txt", "報告書.txt", "تقرير.txt", "a b+c&d.txt"])
def test_a_file_arrives_with_its_name_in_any_script(polling, theirs, task, name):
    theirs.attach("T-1", name, b"content")
    look(polling, times=3)
    assert files() == [(name, b"content")]
    assert downloads(theirs) == 1
    attachment = Attachment.objects.get()
    assert (attachment.task, attachment.actor_kind) == (task, "external")


def test_in_base64_from_an_operation_of_its_own_or_with_the_list(polling, theirs, task):
    download = OperationTemplate.objects.get(name="download_attachment")
    download.path, download.captures = "/api/encoded/{{ file.id }}", "content_base64 = response.json.content"
    download.save()
    theirs.attach("T-1", "one.bin", bytes(range(256)))
    look(polling)
    listing = OperationTemplate.objects.get(name="fetch_attachments")
    listing.reads += '\ncontent_base64 = item.inline | default("")'
    listing.save()
    theirs.wait()
    theirs.attach("T-1", "two.bin", b"", inline="YWJj\r\nZGVm", size=6)
    look(polling, times=2)
    assert files() == [("one.bin", bytes(range(256))), ("two.bin", b"abcdef")]
    assert downloads(theirs) == 1


def test_the_same_file_under_another_id_is_attached_once(polling, theirs, task):
    for _ in range(2):
        theirs.attach("T-1", "same.txt", b"content")
    look(polling, times=2)
    assert files() == [("same.txt", b"content")]


def test_what_we_have_sent_does_not_come_back(polling, theirs, task, desk):
    actions.attach(
        actor=desk.by_agent, ticket=task.ticket, task=task, content=actions.FileContent("ours.txt", b"from us")
    )
    theirs.attach("T-1", "ours.txt", b"from us")
    look(polling, times=2)
    assert files() == [("ours.txt", b"from us")]
    assert TheirMessage.objects.get(kind="file").origin == "ours"


@pytest.mark.parametrize(
    ("name", "kind", "size", "says"),
    [
        ("virus.exe", "text/plain", 5, ".exe"),
        ("virus.EXE.txt", "text/plain", 5, ".exe"),
        ("harmless.txt", "application/x-msdownload; x=y", 5, "x-msdownload"),
        ("large.bin", "", 10_000_000_000, "larger than"),
    ],
)
def test_what_is_not_taken_over_is_told_once_and_is_not_even_fetched(polling, theirs, task, name, kind, size, says):
    theirs.attach("T-1", name, b"MZ...", type=kind, size=size)
    theirs.attach("T-1", "fine.txt", b"fine")
    look(polling, times=3)
    assert files() == [("fine.txt", b"fine")]
    assert downloads(theirs) == 1
    assert taken() == [("attach", "refused"), ("attach", "succeeded")]
    assert says in Exchange.objects.get(outcome="refused").error
    assert [says in remark for remark in remarks(task) if name in remark] == [True]


def test_a_file_that_is_larger_than_it_says_is_cut_off(polling, theirs, task, settings):
    settings.MAX_ATTACHMENT_BYTES = 100
    theirs.attach("T-1", "liar.bin", b"x" * 1000, size=5)
    look(polling, times=2)
    assert files() == []
    assert taken() == [("attach", "refused")]
    assert downloads(theirs) == 1


def test_a_download_that_fails_is_tried_again_and_one_that_is_gone_is_told(polling, theirs, task):
    def busy(request):
        return said({"error": "busy"}, 503) if "/api/files/" in request.path else None

    theirs.attach("T-1", "late.txt", b"content")
    theirs.faults = [busy] * 6
    look(polling)
    assert (polling.failures, files()) == (0, [])
    theirs.faults = []
    TheirTicket.objects.update(wanted_at=timezone.now())
    look(polling)
    assert (polling.failures, files()) == (0, [("late.txt", b"content")])
    theirs.wait()
    theirs.attach("T-1", "gone.txt", b"content")
    theirs.faults = [lambda request: said({}, 404) if "/api/files/" in request.path else None] * 6
    look(polling, times=2)
    assert polling.failures == 0
    assert any("gone.txt" in remark for remark in remarks(task))


def test_what_is_not_base64_is_told(polling, theirs, task):
    listing = OperationTemplate.objects.get(name="fetch_attachments")
    listing.reads += '\ncontent_base64 = item.inline | default("")'
    listing.save()
    theirs.attach("T-1", "broken.bin", b"", inline="%%%", size=3)
    look(polling)
    assert taken() == [("attach", "refused")]


PAGE = b"<!DOCTYPE html><html><form>Sign in</form></html>"


def test_a_page_for_signing_in_is_not_the_file(polling, theirs, task):
    """It comes when the file does."""

    def sign_in(request: Request) -> Response | None:
        return Response(PAGE, content_type="text/html") if "/api/files/" in request.path else None

    theirs.attach("T-1", "invoice.pdf", b"%PDF-1.7", type="application/pdf")
    theirs.faults = [sign_in] * 20
    look(polling)
    assert files() == []
    assert any("page in HTML" in remark for remark in remarks(task))
    theirs.faults = []
    TheirTicket.objects.update(wanted_at=timezone.now())
    look(polling)
    assert files() == [("invoice.pdf", b"%PDF-1.7")]


@pytest.mark.parametrize(("name", "kind"), [("report.html", ""), ("file-2", "text/html; charset=utf-8")])
def test_a_page_that_is_the_file_is_taken_over(polling, theirs, task, name, kind):
    theirs.attach("T-1", name, PAGE, type=kind)
    theirs.faults = [lambda request: Response(PAGE, content_type="text/html") if "/files/f" in request.path else None]
    theirs.faults *= 20
    look(polling)
    assert files() == [(name, PAGE)]


def test_a_file_that_does_not_fit_its_checksum_is_fetched_again(polling, theirs, task):
    listing = OperationTemplate.objects.get(name="fetch_attachments")
    listing.reads += '\nchecksum = item.sha1 | default("")'
    listing.save()
    theirs.attach("T-1", "other.txt", b"other", sha1="no checksum")
    theirs.attach("T-1", "half.txt", b"whole", sha1=hashlib.sha1(b"whole", usedforsecurity=False).hexdigest().upper())

    def half(request: Request) -> Response | None:
        return Response(b"who") if "/files/f-2" in request.path else None

    theirs.faults = [half] * 20
    look(polling)
    assert files() == [("other.txt", b"other")]
    assert any("checksum" in remark for remark in remarks(task))
    theirs.faults = []
    TheirTicket.objects.update(wanted_at=timezone.now())
    look(polling)
    assert files() == [("other.txt", b"other"), ("half.txt", b"whole")]


@pytest.mark.parametrize("encoded", ["--__-_8", "++//+/8=", "data:application/x;charset=a;base64,++//\n+/8="])
def test_base64_in_any_of_its_forms(polling, theirs, task, encoded):
    listing = OperationTemplate.objects.get(name="fetch_attachments")
    listing.reads += "\ncontent_base64 = item.inline"
    listing.save()
    theirs.attach("T-1", "a.bin", b"", inline=encoded)
    look(polling)
    assert files() == [("a.bin", b"\xfb\xef\xff\xfb\xff")]


@pytest.mark.parametrize(
    ("listed", "here"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\Rechnung.pdf", "Rechnung.pdf"),
        ("..", "file"),
        ("re\u202efdp.txt", "refdp.txt"),
        ("nul\u0000l.txt", "nul\ufffdl.txt"),
        ("e\u0301te\u0301.txt", "été.txt"),
        ("👩\u200d🔧.png", "👩\u200d🔧.png"),
        ("می\u200cشود.pdf", "می\u200cشود.pdf"),
        ("\u200d.\u200c", "file"),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_awkward_names(polling, theirs, task, listed, here):
    theirs.attach("T-1", listed, b"content")
    theirs.attach("T-1", "empty.txt", b"")
    theirs.attach("T-1", "empty too.txt", b"")
    theirs.attach("T-1", "empty.txt", b"other bytes")
    look(polling, times=2)
    assert files() == [
        (here, b"content"),
        ("empty.txt", b""),
        ("empty too.txt", b""),
        ("empty.txt", b"other bytes"),
    ]


def in_base64(request, data):
    """As PHP writes it: with line breaks, and a backslash before each slash."""
    if "/api/encoded/" not in request.path:
        return None
    lines = base64.encodebytes(data).decode().replace("\n", "\\r\\n").replace("/", "\\/")
    return Response(f'{{"content": "{lines}"}}', content_type="application/json")


@pytest.mark.parametrize("size", [300_000, 300_001])
def test_a_file_in_base64_may_be_as_large_as_any_other(polling, theirs, task, settings, size):
    settings.MAX_ATTACHMENT_BYTES = 300_000
    download = OperationTemplate.objects.get(name="download_attachment")
    download.path, download.captures = "/api/encoded/{{ file.id }}", "content_base64 = response.json.content"
    download.save()
    data = random.Random(1).randbytes(size)
    theirs.attach("T-1", "large.bin", data, size="")
    theirs.faults = [lambda request: in_base64(request, data)] * 9
    look(polling)
    assert files() == ([("large.bin", data)] if size <= 300_000 else [])
    assert any("large.bin is larger than" in remark for remark in remarks(task)) == (size > 300_000)


def test_the_largest_file_there_may_be_in_base64(polling, theirs, task, settings):
    settings.MAX_ATTACHMENT_BYTES = 40 * 1024**2
    download = OperationTemplate.objects.get(name="download_attachment")
    download.path, download.captures = "/api/encoded/{{ file.id }}", "content_base64 = response.json.content"
    download.save()
    theirs.attach("T-1", "large.bin", b"\xff" * settings.MAX_ATTACHMENT_BYTES)
    look(polling)
    assert Attachment.objects.get().size == settings.MAX_ATTACHMENT_BYTES
