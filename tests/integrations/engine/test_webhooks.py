"""Outgoing webhooks, against a receiver on a socket that verifies each signature with the package of the standard."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import serializers
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_httpserver import HTTPServer

from integrations import webhooks
from integrations.engine.decisions import allowed_decisions, cancel_run, replay_step, retry_now
from integrations.models import (
    Exchange,
    ExternalSystem,
    Outcome,
    ProcessRun,
    RunState,
    StepRun,
    Stream,
    WebhookSubscription,
)
from tests.integrations.engine.conftest import pass_time, work_everything
from tests.integrations.engine.receiver import Receiver
from tickets import actions
from tickets.actors import Actor
from tickets.events import EventName
from tickets.models import AssignmentGroup, Task, Visibility

pytestmark = pytest.mark.django_db

ALL = [name.value for name in EventName]


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Any:
    """On another host (by name) than the desk itself."""
    elsewhere = "127.0.0.1" if httpserver.host == "localhost" else "localhost"
    with HTTPServer(host=elsewhere) as server:
        yield Receiver(server, webhooks.new_secret())
        server.check_handler_errors()


@pytest.fixture
def subscription(partner, receiver, friendly) -> WebhookSubscription:
    """The partner wants every event; its waits are so long that no try is due before the test says so."""
    ExternalSystem.objects.filter(pk=partner.system.pk).update(retry_schedule="10 min, 10 min, 10 min")
    partner.system.refresh_from_db()
    return WebhookSubscription.objects.create(
        system=partner.system,
        name="all",
        url=receiver.server.url_for("/hook"),
        events=ALL,
        secret=receiver.secret,
    )


def deliveries() -> Any:
    """The runs that are deliveries, in order."""
    return ProcessRun.objects.exclude(stream__subscription=None).order_by("pk")


def by(partner: Any) -> Actor:
    """The partner as who causes something."""
    return Actor.external(key=partner.system.actor_key, name=partner.system.name)


def test_what_happens_to_a_task_that_the_desk_may_see_is_delivered_signed(desk, partner, subscription, receiver):
    task = desk.task(partner.group)
    note = actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="It smokes. Grüße")
    work_everything()
    assert set(receiver.types) >= {"task_assigned", "note_added"}
    told = next(payload for payload in receiver.payloads if payload["type"] == "note_added")
    assert told["data"]["note"] | {"created_at": ""} == {
        "id": note.pk,
        "text": "It smokes. Grüße",
        "visibility": "public",
        "author": note.author_name,
        "created_at": "",
    }
    assert told["data"]["ticket"]["number"] == task.ticket.number
    assert [here["number"] for here in told["data"]["ticket"]["tasks"]] == [task.number]
    assert (told["data"]["task"], told["data"]["actor"]) == (None, desk.by_agent.name)
    assert set(deliveries().values_list("state", flat=True)) == {RunState.DONE}
    subscription.refresh_from_db()
    assert subscription.last_success_at is not None
    log = Exchange.objects.filter(dialect="webhook", operation="note_added").get()
    assert (log.outcome, log.task) == (Outcome.SUCCEEDED, task)
    assert log.request_headers["webhook-signature"] == "[removed]"


def test_an_attachment_is_told_of_without_its_content(desk, partner, subscription, receiver):
    task = desk.task(partner.group)
    content = actions.FileContent(name="größe.txt", data=b"abc", content_type="text/plain")
    attachment = actions.attach(actor=desk.by_agent, ticket=task.ticket, content=content)
    work_everything()
    told = next(payload for payload in receiver.payloads if payload["type"] == "attachment_added")
    assert told["data"]["attachment"]["id"] == attachment.pk
    assert (told["data"]["attachment"]["name"], told["data"]["attachment"]["size"]) == ("größe.txt", 3)


def test_only_the_events_that_were_asked_for_are_delivered(desk, partner, subscription, receiver):
    WebhookSubscription.objects.update(events=["note_added"])
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    work_everything()
    assert receiver.types == ["note_added"]


def test_nothing_is_told_of_what_the_desk_may_not_see(desk, partner, other_partner, subscription, receiver):
    elsewhere = desk.task(other_partner.group)
    actions.add_note(actor=desk.by_agent, ticket=elsewhere.ticket, body="not for you")
    ours = desk.task(desk.service_desk)
    actions.add_note(actor=desk.by_agent, ticket=ours.ticket, body="nor this")
    assert not deliveries().exists()
    theirs = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=theirs.ticket, body="secret", visibility=Visibility.INTERNAL)
    work_everything()
    assert "secret" not in json.dumps(receiver.payloads)
    assert "note_added" not in receiver.types


def test_internal_notes_of_the_task_are_told_where_the_administrator_says_so(desk, partner, subscription, receiver):
    partner.binding.send_internal = True
    partner.binding.save()
    task = desk.task(partner.group)
    actions.add_note(
        actor=desk.by_agent, ticket=task.ticket, task=task, body="for colleagues", visibility=Visibility.INTERNAL
    )
    work_everything()
    told = next(payload for payload in receiver.payloads if payload["type"] == "note_added")
    assert (told["data"]["note"]["text"], told["data"]["note"]["visibility"]) == ("for colleagues", "internal")


def test_another_groups_task_of_the_same_ticket_is_not_told_of(desk, partner, subscription, receiver):
    task = desk.task(partner.group)
    other = actions.create_task(actor=desk.by_agent, ticket=task.ticket, title="Not theirs", group=desk.service_desk)
    work_everything()
    told = json.dumps(receiver.payloads)
    assert other.number not in told and "Not theirs" not in told


def test_the_desk_that_caused_an_event_is_not_told_of_it(desk, partner, subscription, receiver):
    task = desk.task(partner.group)
    work_everything()
    before = len(receiver.sent)
    actions.add_note(actor=by(partner), ticket=task.ticket, task=task, body="from them")
    work_everything()
    assert len(receiver.sent) == before


def test_a_delivery_is_in_the_transaction_of_the_change(desk, partner, subscription):
    task = desk.task(partner.group)
    known = deliveries().count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="undone")
        assert deliveries().count() == known + 1
        raise ZeroDivisionError
    assert deliveries().count() == known


def test_a_webhook_that_fails_does_not_hold_up_the_exchange(desk, partner, subscription, receiver, friendly):
    receiver.status = 500
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    work_everything()
    assert friendly.paths == ["POST /tickets", "POST /tickets/A-1/notes"]
    streams = Stream.objects.filter(task=task)
    assert sorted(stream.subscription_id is None for stream in streams) == [False, True]
    assert deliveries().first().state == RunState.RETRYING
    subscription.refresh_from_db()
    assert (subscription.failures, subscription.is_active) == (1, True)
    assert "500" in subscription.last_error


def test_a_repeat_has_the_same_id_and_bytes_and_is_signed_anew(desk, partner, subscription, receiver):
    WebhookSubscription.objects.update(events=["note_added"])
    task = desk.task(partner.group)
    receiver.status = 503
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    work_everything()
    receiver.status = 200
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        work_everything()
    first, second = receiver.sent
    assert receiver.ids[0] == receiver.ids[1] and receiver.ids[0].startswith("msg_")
    assert receiver.bodies[0] == receiver.bodies[1]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) >= 1800
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert deliveries().get().state == RunState.DONE
    pinned = json.dumps(StepRun.objects.get(run=deliveries().get()).request)
    assert "webhook-timestamp" not in pinned and "signature" not in pinned


@pytest.mark.parametrize("status", [301, 401, 404, 500])
def test_whatever_is_not_a_success_is_tried_again_until_a_person_is_asked(
    desk, partner, subscription, receiver, status
):
    WebhookSubscription.objects.update(events=["note_added"])
    task = desk.task(partner.group)
    receiver.status = status
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    work_everything()
    assert deliveries().get().state == RunState.RETRYING
    assert Exchange.objects.filter(dialect="webhook").get().outcome == Outcome.RETRYABLE
    for _again in range(3):
        pass_time()
    run = deliveries().get()
    assert (run.state, len(receiver.sent)) == (RunState.ATTENTION, 4)
    assert "Tried 4 times" in run.reason
    assert set(allowed_decisions(run)) == {"retry", "skip", "hold", "cancel"}
    receiver.status = 200
    retry_now(run, by=desk.by_agent)
    work_everything()
    assert deliveries().get().state == RunState.DONE
    assert len(set(receiver.ids)) == 1


def test_a_receiver_that_is_down_is_tried_again(desk, partner, subscription, receiver):
    receiver.server.stop()
    desk.task(partner.group)
    work_everything()
    assert deliveries().first().state == RunState.RETRYING
    receiver.server.start()


def test_gone_ends_the_subscription_and_says_why(desk, partner, subscription, receiver):
    receiver.status = 410
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    work_everything()
    assert len(receiver.sent) == 1
    subscription.refresh_from_db()
    assert not subscription.is_active and "410" in subscription.ended_reason
    assert set(deliveries().values_list("state", flat=True)) == {RunState.CANCELLED}
    known = deliveries().count()
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="two")
    assert deliveries().count() == known


def test_both_secrets_sign_while_one_replaces_the_other(desk, partner, subscription, receiver):
    WebhookSubscription.objects.update(events=["note_added"])
    task = desk.task(partner.group)
    new = webhooks.rotate_secret(subscription, keep=timedelta(hours=1))
    old, receiver.secret = receiver.secret, new
    for secret in (new, old):
        receiver.secret = secret
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
        work_everything()
        assert deliveries().last().state == RunState.DONE
    assert len(receiver.sent[0].headers["webhook-signature"].split()) == 2
    WebhookSubscription.objects.update(previous_until=timezone.now())
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="two")
    work_everything()
    assert deliveries().last().state == RunState.RETRYING, "the old secret is over"
    assert len(receiver.sent[-1].headers["webhook-signature"].split()) == 1


def test_a_leaked_secret_is_replaced_at_once(subscription, receiver):
    new = webhooks.rotate_secret(subscription, keep=timedelta())
    subscription.refresh_from_db()
    assert subscription.secrets_at() == [new]
    assert subscription.previous_secret == ""


def test_no_secret_is_stored_in_clear(desk, partner, subscription, receiver):
    webhooks.rotate_secret(subscription, keep=timedelta(hours=1))
    desk.task(partner.group)
    work_everything()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM integrations_webhooksubscription")
        kept = str(cursor.fetchall())
        cursor.execute("SELECT * FROM integrations_historicalwebhooksubscription")
        kept += str(cursor.fetchall())
    kept += serializers.serialize("json", [*Exchange.objects.all(), *StepRun.objects.all(), *deliveries()])
    assert "whsec_" not in kept


def test_a_receiver_that_has_moved_gets_what_is_due_at_its_new_place(desk, partner, subscription, receiver):
    WebhookSubscription.objects.update(events=["note_added"], url=receiver.server.url_for("/gone"))
    receiver.answers("/moved", receiver.take)
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    work_everything()
    WebhookSubscription.objects.update(url=receiver.server.url_for("/moved"))
    pass_time()
    assert receiver.paths == ["POST /moved"]
    assert deliveries().get().state == RunState.DONE


def test_a_worker_that_died_while_it_sent_is_followed_by_one_that_sends_again(desk, partner, subscription, receiver):
    WebhookSubscription.objects.update(events=["note_added"])
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    run = deliveries().get()
    StepRun.objects.create(run=run, index=0, name="deliver", kind="webhook", state="sending", attempts=1)
    work_everything()
    assert (len(receiver.sent), deliveries().get().state) == (1, RunState.DONE)


def test_a_delivery_can_be_replayed_and_cancelled(desk, partner, subscription, receiver):
    WebhookSubscription.objects.update(events=["note_added"])
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    work_everything()
    step = StepRun.objects.get(run=deliveries().get())
    for same_bytes in (True, False):
        again = replay_step(step, by=desk.by_agent, same_bytes=same_bytes)
        assert again.stream.subscription == subscription
        work_everything()
    assert len(receiver.ids) == 3 and len(set(receiver.ids)) == 1
    receiver.status = 500
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="two")
    work_everything()
    cancel_run(deliveries().last(), by=desk.by_agent)
    assert deliveries().last().state == RunState.CANCELLED


def test_an_acknowledgement_belongs_to_the_exchange_and_not_to_a_webhook(desk, partner, subscription, receiver):
    """Both streams are of the same task and desk."""
    from integrations.inbound import operations

    task = desk.task(partner.group)
    operations.acknowledge(system=partner.system, task=task, reference="A-7")
    work_everything()
    assert task.external_references.get().value == "A-7"


def test_order_is_kept_for_each_task(desk, partner, subscription, receiver):
    WebhookSubscription.objects.update(events=["note_added"])
    task, other = desk.task(partner.group), desk.task(partner.group)
    receiver.status = 500
    for text in ("one", "two"):
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, body=text)
    work_everything()
    receiver.status = 200
    actions.add_note(actor=desk.by_agent, ticket=other.ticket, body="other")
    work_everything()
    pass_time()
    texts = [payload["data"]["note"]["text"] for payload in receiver.payloads]
    assert texts == ["one", "other", "one", "two"]


def test_several_webhooks_of_a_desk_are_independent_and_read_the_ticket_once(desk, partner, subscription, receiver):
    task = desk.task(partner.group)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
        return sum("tickets_propertyvalue" in query["sql"] for query in captured)

    alone = queries()
    WebhookSubscription.objects.create(
        system=partner.system, name="second", url="http://127.0.0.1:9/", events=ALL, secret=webhooks.new_secret()
    )
    assert queries() == alone
    assert set(deliveries().filter(note__body="one").values_list("stream__subscription__name", flat=True)) == {
        "all",
        "second",
    }


def test_a_task_without_an_integrated_group_is_no_business_of_a_webhook(desk, partner, subscription):
    task = desk.task(partner.group)
    known = deliveries().count()
    partner.binding.integrated = False
    partner.binding.save()
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="one")
    assert deliveries().count() == known
    assert isinstance(Task.objects.get(pk=task.pk).group, AssignmentGroup)


def test_the_sample_for_partners_verifies_what_is_sent_and_nothing_else(desk, partner, subscription, receiver):
    """The code is read from their document, so that what stands there was run."""
    page = (Path(__file__).parents[3] / "docs" / "partners.md").read_text()
    [code] = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "is_genuine" in block]
    sample: dict[str, Any] = {}
    exec(code, sample)  # noqa: S102 - our own document
    is_genuine = sample["is_genuine"]
    desk.task(partner.group)
    new = webhooks.rotate_secret(subscription, keep=timedelta(hours=1))
    work_everything()
    headers = {name.lower(): value for name, value in receiver.sent[0].headers.items()}
    body = receiver.bodies[0]
    assert is_genuine(headers, body, receiver.secret) and is_genuine(headers, body, new)
    assert not is_genuine(headers, body + b" ", new)
    assert not is_genuine(headers, body, webhooks.new_secret())
    assert not is_genuine({**headers, "webhook-id": "msg_other"}, body, new)
    assert not is_genuine({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 400)}, body, new)
