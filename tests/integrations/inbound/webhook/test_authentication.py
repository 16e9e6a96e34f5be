"""Who may call: each kind of proof, with two secrets while they are changed; and what is no proof."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from integrations.models import Exchange, Hook, HookAuthentication, Outcome, SystemKey
from tests.integrations.inbound.conftest import Desk
from tests.integrations.inbound.webhook.conftest import SIGNATURE, Caller, comment
from tickets.models import Note, Task

BODY = json.dumps(comment()).encode()
SECRETS = ("whsec_" + base64.b64encode(b"the first secret").decode(), base64.b64encode(b"the second one").decode())


def send(caller: Caller, headers: dict[str, str], *, query: str = "", body: bytes = BODY) -> int:
    """A call with just these headers; its status."""
    answer = caller.client.generic(
        "POST", f"{caller.path}{query}", body, content_type="application/json", headers=headers
    )
    return int(answer.status_code)


def standard(secret: str, *, at: datetime | None = None, name: str = "msg_1", body: bytes = BODY) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    moment = at or datetime.now(tz=UTC)
    signature = Webhook(secret).sign(name, moment, body.decode())
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_standard_webhooks_by_either_secret(caller: Caller, ours: Task):
    caller.change(authentication=HookAuthentication.STANDARD)
    Hook.objects.filter(pk=caller.hook.pk).update(secret=SECRETS[0], former_secret=SECRETS[1], message_id="")
    for number, secret in enumerate(SECRETS):
        assert send(caller, standard(secret, name=f"msg_{number}")) == 200
    assert send(caller, standard(base64.b64encode(b"another").decode())) == 401
    both = standard(SECRETS[1], name="msg_5")
    both["webhook-signature"] = "v2,abc v1,AAAA " + both["webhook-signature"]
    assert send(caller, both) == 200


def test_standard_webhooks_are_known_by_their_id(caller: Caller, ours: Task):
    caller.change(authentication=HookAuthentication.STANDARD, message_id="")
    Hook.objects.filter(pk=caller.hook.pk).update(secret=SECRETS[0])
    assert [send(caller, standard(SECRETS[0])) for _again in range(2)] == [200, 200]
    assert Exchange.objects.filter(outcome=Outcome.REPEATED).count() == 1
    assert Note.objects.count() == 1


def test_a_standard_webhook_is_verified_over_its_bytes_beside_signatures_that_are_none(caller: Caller, ours: Task):
    """In a character set of their own; and a part that is no signature does not keep another from counting."""
    caller.change(authentication=HookAuthentication.STANDARD, message_id="")
    Hook.objects.filter(pk=caller.hook.pk).update(secret=SECRETS[0])
    body = json.dumps(comment("Größe?"), ensure_ascii=False).encode("latin-1")
    headers = standard(SECRETS[0])
    signed = f"msg_1.{headers['webhook-timestamp']}.".encode() + body
    proof = base64.b64encode(hmac.new(b"the first secret", signed, hashlib.sha256).digest()).decode()
    headers["webhook-signature"] = f"v1 v1,%%% v1a,{proof} v1,{proof}"
    kind = "application/json; charset=iso-8859-1"
    answer = caller.client.generic("POST", caller.path, body, content_type=kind, headers=headers)
    assert answer.status_code == 200
    assert Note.objects.get().body == "Größe?"
    headers["webhook-signature"] = f"v1 v1a,{proof} v1,"
    assert caller.client.generic("POST", caller.path, body, content_type=kind, headers=headers).status_code == 401


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signed_call_of_another_time_is_refused(caller: Caller, ours: Task, minutes: int):
    caller.change(authentication=HookAuthentication.STANDARD)
    Hook.objects.filter(pk=caller.hook.pk).update(secret=SECRETS[0])
    headers = standard(SECRETS[0], at=datetime.now(tz=UTC) + timedelta(minutes=minutes))
    assert send(caller, headers) == 401
    assert Note.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,AAAA,BBBB"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "1" * 400},
        {"webhook-signature": ""},
    ],
)
def test_a_standard_signature_that_is_none(caller: Caller, ours: Task, change: dict[str, str]):
    caller.change(authentication=HookAuthentication.STANDARD)
    Hook.objects.filter(pk=caller.hook.pk).update(secret=SECRETS[0])
    assert send(caller, standard(SECRETS[0]) | change) == 401
    assert send(caller, standard(SECRETS[0]), body=BODY + b" ") == 401


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha="])
def test_hmac_as_it_is_set(caller: Caller, ours: Task, algorithm: str, encoding: str, prefix: str):
    caller.change(algorithm=algorithm, encoding=encoding, prefix=prefix)
    Hook.objects.filter(pk=caller.hook.pk).update(secret="new", former_secret="old")
    for secret in ("new", "old", "wrong"):
        digest = hmac.new(secret.encode(), BODY, algorithm)
        proof = digest.hexdigest() if encoding == "hex" else base64.b64encode(digest.digest()).decode()
        assert send(caller, {SIGNATURE: prefix + proof}) == (401 if secret == "wrong" else 200), secret


@pytest.mark.parametrize("header", ["", "sha256=", "sha256=xyz", "sha1=00", "sha256=" + "00" * 32, "sha256=é"])
def test_an_hmac_that_is_none(caller: Caller, ours: Task, header: str):
    assert send(caller, {SIGNATURE: header} if header else {}) == 401
    exchange = Exchange.objects.get()
    assert (exchange.system, exchange.outcome) == (None, Outcome.REFUSED)
    assert SIGNATURE in exchange.error
    assert SIGNATURE not in exchange.response_body


@pytest.mark.parametrize(
    ("seconds", "form", "expected"),
    [
        (0, "seconds", 200),
        (-299, "seconds", 200),
        (-310, "seconds", 401),
        (310, "milliseconds", 401),
        (0, "milliseconds", 200),
        (0, "iso", 200),
        (-310, "iso", 401),
        (0, "none", 401),
    ],
)
def test_a_signed_time_has_to_be_of_now(caller: Caller, ours: Task, seconds: int, form: str, expected: int):
    caller.change(timestamp_header="X-Time", signed="v0:{timestamp}:{body}")
    moment = timezone.now() + timedelta(seconds=seconds)
    written = {
        "seconds": str(int(moment.timestamp())),
        "milliseconds": str(int(moment.timestamp() * 1000)),
        "iso": moment.isoformat(),
        "none": "soon",
    }[form]
    digest = hmac.new(caller.hook.secret.encode(), f"v0:{written}:".encode() + BODY, hashlib.sha256).hexdigest()
    assert send(caller, {SIGNATURE: f"sha256={digest}", "X-Time": written}) == expected
    later = str(int(timezone.now().timestamp()) + 1)
    assert send(caller, {SIGNATURE: f"sha256={digest}", "X-Time": later}) == 401


def test_http_basic(caller: Caller, ours: Task):
    caller.change(authentication=HookAuthentication.BASIC, username="northwind")
    Hook.objects.filter(pk=caller.hook.pk).update(secret="new:1", former_secret="old")
    assert [send(caller, basic("northwind", word)) for word in ("new:1", "old", "x")] == [200, 200, 401]
    assert send(caller, basic("other", "old")) == 401
    assert send(caller, {"Authorization": "Basic é"}) == 401
    answer = caller.client.post(caller.path, BODY, content_type="application/json")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_key_in_a_header_or_in_the_query_is_in_no_log(caller: Caller, ours: Task):
    caller.change(authentication=HookAuthentication.KEY_HEADER, header="X-Own", prefix="Bearer")
    Hook.objects.filter(pk=caller.hook.pk).update(secret="s3cret-key")
    assert send(caller, {"X-Own": "Bearer s3cret-key"}) == 200
    assert send(caller, {"X-Own": "s3cret-key"}) == 401
    assert send(caller, {"X-Own": "Bearer s3cret-kez"}) == 401
    caller.change(authentication=HookAuthentication.KEY_QUERY, header="who", prefix="")
    assert send(caller, {}, query="?who=s3cret-key") == 200
    assert send(caller, {}, query="?who=s3cret-kez") == 401
    assert send(caller, {}) == 401
    for exchange in Exchange.objects.all():
        assert "s3cret" not in f"{exchange.url}{exchange.request_headers}{exchange.request_body}"


def test_one_of_our_own_keys(caller: Caller, northwind: Desk, outsider: Desk, ours: Task):
    caller.change(authentication=HookAuthentication.API_KEY)
    assert send(caller, {"Authorization": f"Api-Key {northwind.key}"}) == 200
    assert send(caller, {"X-Api-Key": northwind.key}) == 200
    assert send(caller, {"Authorization": northwind.basic()}) == 200
    assert send(caller, {"Authorization": f"Api-Key {outsider.key}"}) == 401
    assert send(caller, {"Authorization": "Basic !"}) == 401
    SystemKey.objects.filter(system=northwind.system).update(revoked=True)
    assert send(caller, {"Authorization": f"Api-Key {northwind.key}"}) == 401


@pytest.mark.parametrize("kind", [kind for kind in HookAuthentication if kind != HookAuthentication.API_KEY])
def test_without_a_stored_secret_nobody_is_let_in(caller: Caller, ours: Task, kind: str):
    caller.change(authentication=kind, username="", header="X-Own", prefix="")
    Hook.objects.filter(pk=caller.hook.pk).update(secret="", former_secret="")
    empty = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    headers = {"X-Own": empty, **basic("", "")}
    assert send(caller, headers, query="?X-Own=") == 401
    assert Note.objects.count() == 0


def test_a_system_that_is_switched_off_is_let_in_no_more(caller: Caller, northwind: Desk, ours: Task):
    northwind.system.active = False
    northwind.system.save()
    assert caller.send(comment()).status_code == 401


def test_secrets_are_encrypted(caller: Caller):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM integrations_hook")
        assert "a secret" not in cursor.fetchone()[0]
    assert not hasattr(Hook.history.model, "secret")


def test_a_secret_that_cannot_be_read_is_a_failure_of_ours(caller: Caller, settings: Any, caplog: Any):
    from cryptography.fernet import Fernet

    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert caller.send(comment()).status_code == 500
    assert Exchange.objects.get().outcome == Outcome.RETRYABLE


def test_a_handshake_is_answered_as_the_expression_says(caller: Caller, ours: Task):
    assert caller.client.get(f"{caller.path}?challenge=abc").json() == {"status": "ready"}
    caller.change(answer="query.challenge if query.challenge is defined else body.challenge")
    answer = caller.client.get(f"{caller.path}?challenge=<b>abc</b>")
    assert (answer.content, answer.headers["Content-Type"]) == (b"<b>abc</b>", "text/plain; charset=utf-8")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert caller.client.get(caller.path).json() == {"status": "ready"}
    assert caller.client.head(caller.path).status_code == 200
    assert not Exchange.objects.exists()
    unsigned = {"challenge": "xyz"}
    post = caller.client.post(caller.path, unsigned, content_type="application/json")
    assert post.status_code == 401
    assert caller.send(unsigned).content == b"xyz"
    assert Exchange.objects.latest("pk").outcome == Outcome.IGNORED
    caller.change(answers_strangers=True)
    assert caller.client.post(caller.path, unsigned, content_type="application/json").content == b"xyz"
    assert caller.send(comment()).json() == {"status": "accepted"}
