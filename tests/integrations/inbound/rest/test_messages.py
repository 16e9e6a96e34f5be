"""Messages by POST: forms and JSON, tolerant values, names that are not known, problems in one form."""

import hashlib
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from integrations.models import Exchange
from tests.integrations.inbound.conftest import Desk
from tickets.models import Attachment, Note, OwnCompletionCode, Task


def raw(desk: Desk, path: str, body: bytes, content_type: str) -> Any:
    """POST these bytes; the test client would encode them again."""
    headers = {"Authorization": f"Api-Key {desk.key}"}
    return Client().generic("POST", f"/api/v1/{path}", body, content_type=content_type, headers=headers)


def encode(desk: Desk, path: str, fields: dict[str, Any]) -> Any:
    """POST a form with files, as a browser encodes it."""
    return Client().post(f"/api/v1/{path}", fields, headers={"Authorization": f"bearer {desk.key}"})


def test_a_form_carries_text_and_several_files(northwind: Desk, task: Task):
    files = [
        SimpleUploadedFile("größe.bin", bytes(range(256)), "application/x-thing"),
        SimpleUploadedFile("b.txt", b"b", "text/plain"),
    ]
    response = encode(northwind, f"tasks/{task.number}/updates/", {"text": "Grüße", "attachments": files})
    assert response.status_code == 201, response.content
    note = Note.objects.get(pk=response.json()["note"])
    assert note.body == "Grüße"
    first, second = note.attachments.order_by("pk")
    assert (first.name, first.content_type, second.name) == ("größe.bin", "application/x-thing", "b.txt")
    with first.file.open("rb") as stored:
        assert stored.read() == bytes(range(256))
    assert '"text": "Grüße"' in Exchange.objects.get().request_body


def test_files_alone_are_added_by_form_and_by_json(northwind: Desk, task: Task):
    path = f"tasks/{task.number}/attachments/"
    assert encode(northwind, path, {"attachments": SimpleUploadedFile("a", b"one")}).status_code == 201
    file = {"name": "b", "content": "dHdv"}
    assert northwind.post(path, {"attachments": [file]}).status_code == 201
    assert list(Attachment.objects.order_by("pk").values_list("size", flat=True)) == [3, 3]
    assert not Note.objects.exists()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"text": "x", "file": io.BytesIO(b"x")}, "file"),
        ({"text": "x", "attachments": "no file"}, "attachments"),
        ({"text": "x", "colour": "red"}, "colour"),
    ],
)
def test_a_part_that_is_not_known_is_refused_by_name(northwind: Desk, task: Task, fields: Any, named: str):
    response = encode(northwind, f"tasks/{task.number}/updates/", fields)
    assert response.status_code == 400
    assert any(name.startswith(named) for name in response.json()["errors"])
    assert not Note.objects.exists()


def test_wrong_fields_are_named_each_with_its_place(northwind: Desk, task: Task):
    body = {
        "txt": "x",
        "visibility": "secret",
        "expected_resolution_at": "soon",
        "attachments": [{"name": "a", "content": "aGk="}, {"content": "%"}],
        "message_id": "m" * 201,
    }
    errors = northwind.post(f"tasks/{task.number}/updates/", {**body, "text": "x"}).json()["errors"]
    assert list(errors) == ["txt"]
    del body["txt"]
    errors = northwind.post(f"tasks/{task.number}/updates/", body).json()["errors"]
    assert set(errors) == {
        "visibility",
        "expected_resolution_at",
        "attachments.1.name",
        "attachments.1.content",
        "message_id",
    }


@pytest.mark.parametrize(
    ("file", "place", "says"),
    [
        ({"name": "setup.exe"}, "", "setup.exe is not taken over"),
        ({"name": "report.PDF.exe. "}, "", ".exe"),
        ({"name": "x", "content_type": "application/x-msdownload; a=b"}, "", "x-msdownload"),
        ({"name": "a.txt", "sha256": "0" * 64}, "attachments.0.sha256", "another SHA-256"),
    ],
)
def test_a_file_that_is_not_taken_over_is_refused_with_its_message(northwind: Desk, task: Task, file, place, says):
    body = {"text": "See there", "attachments": [{"content": "aGk=", **file}]}
    answer = northwind.post(f"tasks/{task.number}/updates/", body)
    assert answer.status_code in (400, 422)
    assert says in (answer.json()["errors"][place][0] if place else answer.json()["detail"])
    assert not Note.objects.exists()


@pytest.mark.parametrize("content", ["", " ", "\r\n\x85"])
def test_an_empty_file_is_a_file(northwind: Desk, task: Task, content):
    file = {"name": "empty.txt", "content": content, "sha256": hashlib.sha256(b"").hexdigest()}
    assert northwind.post(f"tasks/{task.number}/attachments/", {"attachments": [file]}).status_code == 201
    assert Attachment.objects.get().size == 0


def test_a_checksum_that_holds_is_fine(northwind: Desk, task: Task):
    file = {"name": "a.txt", "content": "aGk=", "sha256": hashlib.sha256(b"hi").hexdigest().upper()}
    assert northwind.post(f"tasks/{task.number}/attachments/", {"attachments": [file]}).status_code == 201


def test_an_empty_choice_is_the_default_and_an_empty_message_no_end_of_the_work(northwind: Desk, task: Task):
    empty = {"solution": " ", "completion_code": "", "status": ""}
    assert list(northwind.post(f"tasks/{task.number}/reassign/", empty).json()["errors"]) == ["solution"]
    assert northwind.post(f"tasks/{task.number}/reassign/", {**empty, "solution": "Done"}).status_code == 200
    assert Task.objects.get(pk=task.pk).completion_code == "fulfilled"


@pytest.mark.parametrize("code", ["withdrawn_by_user", "Withdrawn by user", "WITHDRAWN-BY-USER"])
def test_completion_codes_are_taken_as_people_write_them(northwind: Desk, task: Task, code: str):
    body = {"solution": "Not needed any more", "completion_code": code, "status": "Closed"}
    assert northwind.post(f"tasks/{task.number}/reassign/", body).status_code == 200
    assert Task.objects.get(pk=task.pk).completion_code == "withdrawn_by_user"


def test_the_expected_resolution_time_is_set_without_a_text(northwind: Desk, task: Task):
    body = {"expected_resolution_at": "2030-01-31T12:00:00+01:00"}
    assert northwind.post(f"tasks/{task.number}/updates/", body).status_code == 201
    assert Task.objects.get(pk=task.pk).expected_resolution_at.isoformat() == "2030-01-31T11:00:00+00:00"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("DELETE", "tasks/", 405, "method_not_allowed"),
        ("PUT", "tasks/1-1/updates/", 405, "method_not_allowed"),
        ("OPTIONS", "tasks/", 405, "method_not_allowed"),
        ("GET", "nothing/here", 404, "not_found"),
        ("POST", "", 404, "not_found"),
        ("GET", "tasks/%0D%0A/x", 404, "not_found"),
        ("GET", "tasks/a%00b/", 404, "not_found"),
        ("GET", "tasks/%F0%9F%92%A5/", 404, "not_found"),
        ("GET", f"tasks/{'9' * 500}/", 404, "not_found"),
    ],
)
def test_every_error_is_a_problem_detail(northwind: Desk, method: str, path: str, status: int, code: str):
    headers = {"Authorization": f"Api-Key {northwind.key}"}
    response = Client().generic(method, f"/api/v1/{path}", headers=headers)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert {"type", "title", "detail"} <= set(problem)


def test_what_is_not_offered_is_406_and_what_is_not_read_is_415(northwind: Desk, task: Task):
    headers = {"Authorization": f"Api-Key {northwind.key}", "Accept": "application/xml"}
    response = Client().get("/api/v1/tasks/", headers=headers)
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")
    response = northwind.post(f"tasks/{task.number}/updates/", "<x/>", content_type="application/xml")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1"])
def test_json_in_another_character_set_is_read_in_it(northwind: Desk, task: Task, charset: str):
    body = '{"text": "Grüße"}'.encode(charset)
    response = raw(northwind, f"tasks/{task.number}/updates/", body, f"application/json; charset={charset}")
    assert response.status_code == 201, response.content
    assert Note.objects.get().body == "Grüße"


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_a_charset_that_is_none_is_refused_for_reads_and_writes(northwind: Desk, task: Task, kind: str):
    content_type = f"{kind}; charset=zip"
    response = raw(northwind, f"tasks/{task.number}/updates/", b"{}", content_type)
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    headers = {"Authorization": f"Api-Key {northwind.key}"}
    read = Client().generic("GET", "/api/v1/tasks/", content_type=content_type, headers=headers, data=b"x")
    assert read.status_code == 400


@pytest.mark.parametrize("key", ["x" * 201, "a b", "ä", " "])
def test_an_idempotency_key_that_is_none_is_refused(northwind: Desk, task: Task, key: str):
    response = northwind.post(f"tasks/{task.number}/updates/", {"text": "x"}, key=key)
    assert response.status_code == 400
    assert not Note.objects.exists()


def test_a_form_of_too_many_fields_is_malformed(northwind: Desk, task: Task, settings: Any):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 5
    response = encode(northwind, f"tasks/{task.number}/updates/", {f"f{n}": "x" for n in range(10)})
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


def test_an_attachment_over_the_limit_is_refused_by_name(northwind: Desk, task: Task, settings: Any):
    settings.MAX_ATTACHMENT_BYTES = 10
    files = [{"name": "large.bin", "content": "eHh4eHh4eHh4eHh4"}]
    response = northwind.post(f"tasks/{task.number}/updates/", {"text": "x", "attachments": files})
    assert response.status_code == 400
    assert "large.bin" in response.json()["detail"]
    assert not Note.objects.exists()


def test_an_own_completion_code_is_taken_and_an_unknown_one_names_those_there_are(northwind: Desk, task: Task):
    OwnCompletionCode.objects.create(code="duplicate", name="Duplicate")
    refused = northwind.post(f"tasks/{task.number}/reassign/", {"solution": "x", "completion_code": "nonsense"})
    assert refused.status_code == 400
    assert "abandoned_by_user, duplicate" in refused.json()["errors"]["completion_code"][0]
    for address, body in (
        ("reassign", {"solution": "See the other one", "completion_code": "duplicate"}),
        ("operations", {"operation": "resolve", "solution": "Again", "completion_code": "Request rejected"}),
    ):
        assert northwind.post(f"tasks/{task.number}/{address}/", body).status_code == 200
    task.refresh_from_db()
    assert (task.solution, task.completion_code) == ("Again", "request_rejected")
