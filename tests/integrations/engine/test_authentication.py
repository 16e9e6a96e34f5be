"""Credentials: on the wire as configured, and nowhere else."""

import base64
import hashlib
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.core import serializers
from lxml import etree

from integrations.models import (
    Exchange,
    ExternalSystem,
    OperationTemplate,
    Outcome,
    ProcessRun,
    Repeat,
    RunState,
    StepRun,
)
from tests.integrations.engine.conftest import only_run, only_steps, pass_time, respond, work_everything

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = 's3cr3t/+ "&<value>'
SESSION = "sid-9f8e7d6c5b4a"
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a>{{ task.number }}</a>'
    "</s:Body></s:Envelope>"
)


def configure(partner, kind, **values):
    ExternalSystem.objects.filter(pk=partner.system.pk).update(auth_kind=kind, auth_username="agent", **values)
    system = ExternalSystem.objects.get(pk=partner.system.pk)
    system.auth_secret = SECRET
    system.save()


def everything_stored() -> str:
    """All rows that keep something of a message, and each text in them a second time without JSON's escapes."""
    rows = [*Exchange.objects.all(), *StepRun.objects.all(), *ProcessRun.objects.all()]
    texts = [serializers.serialize("json", rows)]
    for row in rows:
        texts += [str(getattr(row, field.attname)) for field in row._meta.concrete_fields]
        if isinstance(row, StepRun):
            texts.append(bytes(row.request_body or b"").decode())
    return "\n".join(texts)


def test_basic(desk, partner, friendly):
    configure(partner, "basic")
    desk.task(partner.group)
    work_everything()
    sent = friendly.sent[0].authorization
    assert (sent.username, sent.password) == ("agent", SECRET)


def test_bearer(desk, partner, friendly):
    configure(partner, "bearer")
    desk.task(partner.group)
    work_everything()
    value = friendly.sent[0].headers["Authorization"].encode("latin-1").decode()
    assert value == f"Bearer {SECRET}"


def test_key_in_a_header(desk, partner, friendly):
    configure(partner, "key_header", auth_name="X-Desk")
    desk.task(partner.group)
    work_everything()
    assert friendly.sent[0].headers["X-Desk"].encode("latin-1").decode() == SECRET


@pytest.mark.parametrize("path", ["/tickets", "/tickets?a=1"])
def test_key_in_the_query(desk, partner, friendly, path):
    configure(partner, "key_query", auth_name="k")
    partner.create.path = path
    partner.create.save()
    desk.task(partner.group)
    work_everything()
    assert friendly.sent[0].args["k"] == SECRET


def test_user_and_password_in_a_soap_message(desk, partner, other_desk):
    configure(partner, "ws_security")
    other_desk.answers("/soap", (200, "<ok/>"))
    only_steps(partner, {"kind": "request", "protocol": "soap", "path": "/soap", "body": ENVELOPE})
    desk.task(partner.group)
    work_everything()
    texts = {etree.QName(e).localname: e.text for e in etree.fromstring(other_desk.bodies[0]).iter()}
    assert (texts["Username"], texts["Password"]) == ("agent", SECRET)
    assert only_run().state == RunState.DONE


def token_of(message: bytes) -> dict[str, str]:
    """What stands in the UsernameToken of a message, and of which type the password is."""
    elements = {etree.QName(e).localname: e for e in etree.fromstring(message).iter()}
    names = ("Username", "Password", "Nonce", "Created")
    return {name: elements[name].text for name in names} | {"Type": elements["Password"].get("Type")}


def test_a_password_digest_is_made_anew_for_each_sending_and_proves_the_password(desk, partner, other_desk):
    configure(partner, "ws_security_digest")
    seen = []

    def verify(request):
        token = token_of(request.get_data())
        age = datetime.now(UTC) - datetime.fromisoformat(token["Created"])
        plain = base64.b64decode(token["Nonce"]) + f"{token['Created']}{SECRET}".encode()
        proof = hashlib.sha1(plain, usedforsecurity=False).digest()
        assert token["Type"].endswith("#PasswordDigest")
        assert token["Password"] == base64.b64encode(proof).decode()
        assert timedelta() <= age < timedelta(minutes=5) and token["Nonce"] not in seen
        seen.append(token["Nonce"])
        return respond(503 if len(seen) == 1 else 200, "<ok/>")

    other_desk.answers("/soap", verify)
    only_steps(partner, {"kind": "request", "protocol": "soap", "path": "/soap", "body": ENVELOPE, "repeat": "safe"})
    desk.task(partner.group)
    work_everything()
    pass_time()
    assert (len(seen), only_run().state) == (2, RunState.DONE)
    assert b"UsernameToken" not in bytes(StepRun.objects.get().request_body)
    logged = Exchange.objects.latest("pk").request_body
    assert "agent" in logged and seen[1] not in logged and token_of(other_desk.bodies[1])["Password"] not in logged


@pytest.fixture
def login(partner, other_desk):
    """The partner wants a login first; its answer holds the session value under a harmless name."""
    template = OperationTemplate.objects.create(
        system=partner.system,
        name="sign_in",
        path="/login",
        body='{"user": "{{ auth.username }}", "word": "{{ auth.password }}"}',
        captures="session = response.json.sid",
        repeat=Repeat.SAFE,
    )
    configure(partner, "login", auth_name="X-Session", auth_login=template)
    other_desk.answers("/login", (200, {"sid": SESSION}))
    return template


def test_a_login_comes_first_and_its_session_is_used_again(desk, partner, login, other_desk):
    other_desk.answers("/tickets", (201, {"number": "A-1"}), (201, {"number": "A-2"}))
    desk.task(partner.group)
    desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /login", "POST /tickets", "POST /tickets"]
    assert json.loads(other_desk.bodies[0]) == {"user": "agent", "word": SECRET}
    assert [request.headers.get("X-Session") for request in other_desk.sent] == [None, SESSION, SESSION]
    assert Exchange.objects.filter(operation="login", outcome=Outcome.SUCCEEDED).count() == 1


def test_a_session_value_can_be_put_together_and_its_token_is_stored_nowhere(desk, partner, login, other_desk):
    token = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    login.captures = 'session = "LWSSO_COOKIE_KEY=" ~ response.text ~ "; TENANTID=practice"'
    login.save()
    partner.system.refresh_from_db()
    partner.system.auth_name = "Cookie"
    partner.system.save()
    other_desk.server.clear_all_handlers()
    other_desk.answers("/login", (200, token))
    other_desk.answers("/tickets", (201, {"number": "A-1", "hint": f"practice {token}"}))
    desk.task(partner.group)
    work_everything()
    assert other_desk.sent[-1].cookies.to_dict() == {"LWSSO_COOKIE_KEY": token, "TENANTID": "practice"}
    assert only_run().state == RunState.DONE
    assert token not in everything_stored()
    assert "practice" in everything_stored()


def test_a_session_that_ended_is_replaced_by_a_new_one_at_once(desk, partner, login, other_desk):
    other_desk.answers("/tickets", (201, {"number": "A-1"}), (401, ""), (201, {"number": "A-2"}))
    desk.task(partner.group)
    work_everything()
    other_desk.server.clear_all_handlers()
    other_desk.answers("/login", (200, {"sid": "second-session"}))
    other_desk.answers("/tickets", (401, ""), (201, {"number": "A-2"}))
    desk.task(partner.group)
    work_everything()
    assert other_desk.paths[2:] == ["POST /tickets", "POST /login", "POST /tickets"]
    assert other_desk.sent[-1].headers["X-Session"] == "second-session"
    assert set(ProcessRun.objects.values_list("state", flat=True)) == {RunState.DONE}


def test_a_fresh_session_that_is_not_taken_is_a_wrong_configuration_and_not_tried_for_ever(
    desk, partner, login, other_desk
):
    other_desk.answers("/tickets", (401, ""))
    desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /login", "POST /tickets", "POST /login", "POST /tickets"]
    assert only_run().state == RunState.ATTENTION


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((503, ""), RunState.RETRYING),
        ((504, {"sid": SESSION}), RunState.RETRYING),
        ((429, ""), RunState.RETRYING),
        ((401, ""), RunState.ATTENTION),
        ((400, ""), RunState.ATTENTION),
        ((200, {}), RunState.ATTENTION),
        ((200, {"sid": ""}), RunState.ATTENTION),
    ],
)
def test_a_login_that_fails_is_judged_like_every_other_answer(desk, partner, login, other_desk, answer, state):
    other_desk.server.clear_all_handlers()
    other_desk.answers("/login", answer)
    other_desk.answers("/tickets", (201, {"number": "A-1"}))
    desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /login"]
    # Whatever became of the login, the ticket was not asked for, so there is nothing to look for.
    assert (only_run().state, only_run().steps.get().state) == (state, "failed")


@pytest.mark.parametrize(
    "kind", ["basic", "bearer", "key_header", "key_query", "ws_security", "ws_security_digest", "login"]
)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_no_secret_is_stored_or_logged_even_if_the_other_desk_repeats_it(
    desk, partner, other_desk, kind, status, caplog, login
):
    login_values = {"auth_login": login} if kind == "login" else {}
    configure(partner, kind, auth_name="k", **login_values)

    def repeat_everything(request):
        told = [request.url, *map(str, request.headers.values()), request.get_data(as_text=True), SECRET, SESSION]
        return respond(
            status, {"you sent": told, "number": "A-1"}, {"X-Told": request.headers.get("Authorization", "")}
        )

    other_desk.answers("/soap", repeat_everything)
    only_steps(partner, {"kind": "request", "protocol": "soap", "path": "/soap", "body": ENVELOPE, "repeat": "safe"})
    with caplog.at_level(logging.DEBUG):
        desk.task(partner.group)
        pass_time()
    assert other_desk.count("POST /soap") >= 1
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    stored = "\n".join([everything_stored(), *ours])
    assert "s3cr3t" not in stored
    if kind == "login":
        assert SESSION not in stored


def test_a_secret_that_cannot_be_read_is_a_wrong_configuration_and_nothing_is_sent(desk, partner, friendly):
    from django.db import connection

    configure(partner, "basic")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE integrations_externalsystem SET auth_secret = 'gAAAAABnot-ours'")
    desk.task(partner.group)
    work_everything()
    assert friendly.paths == []
    assert only_run().state == RunState.ATTENTION
    assert "cannot be decrypted" in only_run().reason


def test_user_and_password_for_soap_cannot_be_put_into_anything_else(desk, partner, friendly):
    configure(partner, "ws_security")
    desk.task(partner.group)
    work_everything()
    assert (friendly.paths, only_run().state) == ([], RunState.ATTENTION)


def test_a_login_request_that_cannot_be_written_is_a_wrong_configuration(desk, partner, login, other_desk):
    login.body = "{{ nonsense }}"
    login.save()
    desk.task(partner.group)
    work_everything()
    assert (other_desk.paths, only_run().state) == ([], RunState.ATTENTION)
    assert Exchange.objects.get().outcome == Outcome.MISCONFIGURED
