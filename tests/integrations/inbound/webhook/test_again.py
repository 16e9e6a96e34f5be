"""Calls that had no effect are mapped again after the rules were mended; once, under the keys of their delivery."""

import pytest

from integrations.inbound.replay import apply_anyway, replay_inbound, why_not
from integrations.models import Exchange, HookOperation, Outcome
from tests.integrations.inbound.conftest import AGENT
from tests.integrations.inbound.webhook.conftest import COMMENT, Caller, comment
from tickets.errors import ActionRefused
from tickets.models import Note, Task


@pytest.mark.parametrize("delivery", ["d1", ""])
def test_a_call_without_a_rule_is_mapped_when_there_is_one(caller: Caller, ours: Task, delivery: str):
    caller.hook.rules.all().delete()
    caller.send(comment(), delivery=delivery)
    lost = Exchange.objects.get()
    assert replay_inbound(lost, by=AGENT).outcome == Outcome.NO_RULE
    caller.rule(HookOperation.UPDATE, fields=COMMENT)
    again = replay_inbound(lost, by=AGENT)
    assert (again.outcome, again.operation, again.task, again.error) == (Outcome.SUCCEEDED, "update", ours, "")
    assert caller.send(comment(), delivery=delivery).headers["Idempotency-Replayed"] == "true"
    assert Note.objects.count() == 1
    with pytest.raises(ActionRefused):
        replay_inbound(lost, by=AGENT)


def test_a_call_that_was_only_recorded_is_taken_over(caller: Caller, ours: Task):
    caller.change(recording_only=True)
    caller.send(comment())
    assert replay_inbound(Exchange.objects.get(), by=AGENT).outcome == Outcome.SUCCEEDED
    assert Note.objects.get().body == "Which tray?"


def test_a_refused_call_and_its_file_are_taken_over_when_the_rule_is_mended(caller: Caller, ours: Task):
    caller.hook.rules.update(fields="reference = body.issue.key\nattachments = body.file\nattachment.name = item.x")
    caller.send({**comment(), "file": [{"name": "a.txt", "content_base64": "aGVsbG8="}]})
    refused = Exchange.objects.get()
    assert refused.outcome == Outcome.REFUSED
    caller.hook.rules.update(fields="reference = body.issue.key\nattachments = body.file")
    assert replay_inbound(refused, by=AGENT).outcome == Outcome.SUCCEEDED
    assert ours.ticket.attachments.get().name == "a.txt"


def test_an_echo_can_be_applied_anyway(caller: Caller, ours: Task):
    from integrations import echo

    echo.remember(task=ours, system=caller.hook.system, text="Which tray?")
    caller.send(comment())
    held = Exchange.objects.get()
    assert held.outcome == Outcome.HELD_BACK
    assert why_not(held, [Outcome.HELD_BACK]) == ""
    assert apply_anyway(held, by=AGENT).outcome == Outcome.SUCCEEDED
    assert Note.objects.count() == 1


def test_without_a_hook_there_are_no_rules_to_map_by(caller: Caller, ours: Task):
    caller.change(recording_only=True)
    caller.send(comment())
    caller.hook.delete()
    assert replay_inbound(Exchange.objects.get(), by=AGENT).outcome == Outcome.REFUSED
