"""What a call does, by the rule that counts; and what it is told when it is missing something, huge, or repeated."""

import json
from typing import Any

import pytest

from integrations import echo
from integrations.inbound.webhook import acting
from integrations.models import (
    Exchange,
    ExternalReference,
    HookOperation,
    Outcome,
    TheirMessageOrigin,
    TheirTicket,
    UnknownTickets,
    ValueMapping,
    ValueWay,
)
from integrations.their_messages import NOTE, remember
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tests.integrations.inbound.webhook.conftest import COMMENT, SECRET, Caller, comment
from tickets import actions
from tickets.lifecycle import Phase
from tickets.models import Note, Task, Ticket


def outcome() -> str:
    """That of the newest exchange."""
    return Exchange.objects.order_by("-pk").values_list("outcome", flat=True)[0]


def test_a_comment_of_theirs_becomes_a_note_by_its_author(caller: Caller, ours: Task):
    answer = caller.send(comment("Größe?"), delivery="d1")
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    note = Note.objects.get()
    assert (note.body, note.author_name, note.visibility, note.task) == ("Größe?", "Nora Lind", "public", ours)
    exchange = Exchange.objects.get()
    assert (exchange.dialect, exchange.operation, exchange.outcome) == ("webhook", "update", Outcome.SUCCEEDED)
    assert (exchange.system, exchange.task, exchange.message_id) == (caller.hook.system, ours, "7")
    assert SECRET not in str(exchange.request_headers)
    assert exchange.request_headers["X-Desk-Signature"] == "[removed]"


def test_the_address_answers_without_the_slash_and_sets_no_cookie(caller: Caller, ours: Task):
    answer = caller.send(comment(), path="/hooks/northwind")
    assert answer.status_code == 200
    assert not answer.cookies


def test_an_internal_comment_stays_internal(caller: Caller, ours: Task):
    caller.send(comment(public=False))
    assert Note.objects.get().visibility == "internal"


def test_a_delivery_that_is_repeated_changes_nothing(caller: Caller, ours: Task):
    for _again in range(3):
        assert caller.send(comment(), delivery="d1").status_code == 200
    assert Note.objects.count() == 1
    assert list(Exchange.objects.order_by("pk").values_list("outcome", flat=True)) == [
        Outcome.SUCCEEDED,
        Outcome.REPEATED,
        Outcome.REPEATED,
    ]
    assert caller.send(comment(), delivery="d1").headers["Idempotency-Replayed"] == "true"


def test_the_same_id_with_other_content_is_refused(caller: Caller, ours: Task):
    caller.send(comment("One"), delivery="d1")
    answer = caller.send(comment("Two", number=8), delivery="d1")
    assert (answer.status_code, answer.json()["code"]) == (422, "repeated_with_other_content")


def test_without_an_id_the_same_bytes_are_the_same_call_and_other_ones_are_not(caller: Caller, ours: Task):
    fields = "reference = body.issue.key\ntext = body.comment.body"
    caller.hook.rules.update(fields=fields)
    caller.change(message_id="")
    caller.send(comment("Done", number=1))
    caller.send(comment("Done", number=1))
    caller.send(comment("Done", number=2))
    assert Note.objects.count() == 2


def test_an_id_that_should_be_there_and_is_not_is_refused(caller: Caller, ours: Task):
    caller.change(message_id="headers['x-delivery']")
    answer = caller.send(comment())
    assert answer.status_code == 400
    assert "x-delivery" in answer.json()["detail"]
    assert Note.objects.count() == 0


def test_our_own_text_coming_back_is_held_back_and_a_rule_can_look_at_the_author(caller: Caller, ours: Task):
    echo.remember(task=ours, system=caller.hook.system, text="Please look again")
    assert caller.send(comment("Please  look again"), delivery="d1").status_code == 200
    assert outcome() == Outcome.HELD_BACK
    caller.hook.rules.update(condition="body.event == 'comment' and body.comment.author != 'Nora Lind'")
    assert caller.send(comment("Another"), delivery="d2").status_code == 202
    assert outcome() == Outcome.NO_RULE
    assert Note.objects.count() == 0


def test_calls_that_overtake_each_other_all_count(caller: Caller, ours: Task):
    for number in (3, 1, 2):
        caller.send(comment(f"Text {number}", number=number), delivery=f"d{number}")
    assert sorted(Note.objects.values_list("body", flat=True)) == ["Text 1", "Text 2", "Text 3"]


def test_a_call_before_we_know_their_number_is_refused_and_taken_when_it_is_sent_again(
    caller: Caller, northwind: Desk
):
    task = make_task(northwind)
    assert caller.send(comment(), delivery="d1").status_code == 404
    ExternalReference.objects.create(task=task, system=northwind.system, value="NW-1")
    assert caller.send(comment(), delivery="d1").status_code == 200
    assert Note.objects.get().task == task


def test_the_first_rule_that_holds_counts_and_a_rule_that_is_off_does_not(caller: Caller, ours: Task):
    caller.rule(HookOperation.CLOSE, fields="reference = body.issue.key")
    caller.send(comment())
    ours.refresh_from_db()
    assert ours.phase == Phase.INITIAL_SUPPORT
    caller.hook.rules.filter(name="comments").update(active=False)
    caller.send(comment(), delivery="d2")
    ours.refresh_from_db()
    assert ours.phase == Phase.CLOSE


def test_a_call_without_a_rule_is_accepted_kept_and_seen(caller: Caller, ours: Task):
    answer = caller.send({"event": "sla.breached", "issue": {"key": "NW-1"}})
    assert (answer.status_code, outcome()) == (202, Outcome.NO_RULE)
    assert "sla.breached" in Exchange.objects.get().request_body


def test_a_condition_that_misses_a_value_does_not_hold_one_that_fails_refuses(caller: Caller, ours: Task):
    assert caller.send({"issue": 1}).status_code == 202
    caller.hook.rules.update(condition="body.issue.key | int > 3")
    answer = caller.send(comment())
    assert (answer.status_code, answer.json()["code"]) == (422, "rule_failed")
    assert "comments" in answer.json()["detail"]


def test_a_field_without_a_value_is_told_and_nothing_is_changed(caller: Caller, ours: Task):
    body = comment()
    del body["comment"]["author"]
    answer = caller.send(body)
    assert (answer.status_code, answer.json()["code"]) == (422, "rule_failed")
    assert answer.json()["errors"].keys() == {"author"}
    assert Note.objects.count() == 0


@pytest.mark.parametrize("value", [{"a": 1}, ["x"], "x" * 250_000, "nul \0 here"])
def test_a_value_that_is_no_text_is_named(caller: Caller, ours: Task, value: Any):
    answer = caller.send(comment(value))
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"text"}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_somebody_elses_task_is_not_there(caller: Caller, outsider: Desk):
    make_task(outsider, reference="NW-1")
    theirs = make_task(outsider)
    assert caller.send(comment()).status_code == 404
    caller.hook.rules.update(fields=COMMENT.replace("reference =", "task ="))
    assert caller.send(comment(key=theirs.number)).status_code == 404
    assert Note.objects.count() == 0


def test_news_of_tickets_that_are_not_exchanged_may_be_accepted_without_effect(caller: Caller, ours: Task):
    caller.change(unknown_tickets=UnknownTickets.IGNORE)
    answer = caller.send(comment(key="NW-999"))
    assert (answer.status_code, outcome()) == (202, Outcome.IGNORED)
    assert "NW-999" in Exchange.objects.get().error


def test_known_and_without_effect(caller: Caller):
    caller.rule(HookOperation.IGNORE, condition="body.event == 'watched'")
    assert caller.send({"event": "watched"}).status_code == 202
    assert (outcome(), Exchange.objects.get().operation) == (Outcome.IGNORED, "ignore")


def test_while_it_only_records_a_call_has_no_effect(caller: Caller, ours: Task):
    caller.change(recording_only=True)
    answer = caller.send(comment())
    assert (answer.status_code, outcome(), Note.objects.count()) == (202, Outcome.RECORDED, 0)
    assert json.loads(Exchange.objects.get().request_body) == comment()


def test_a_call_over_the_limit_is_refused_unread(caller: Caller, settings: Any):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = caller.send(comment("x" * 2000))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert Note.objects.count() == 0


@pytest.mark.parametrize("path", ["/hooks/nobody/", "/hooks/fabrikam/"])
def test_an_address_that_is_none_is_not_found_and_leaves_no_trace(caller: Caller, outsider: Desk, path: str):
    answer = caller.send(comment(), path=path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Exchange.objects.exists()


def test_a_hook_that_is_switched_off_is_not_there(caller: Caller, ours: Task):
    caller.change(active=False)
    assert caller.send(comment()).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_refused(caller: Caller, method: str):
    answer = getattr(caller.client, method)(caller.path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_a_failure_of_ours_is_told_and_may_be_sent_again(
    caller: Caller, ours: Task, monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    def broken(*_arguments: Any, **_values: Any) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(acting, "values_of", broken)
        assert caller.send(comment(), delivery="d1").status_code == 500
    assert outcome() == Outcome.RETRYABLE
    assert caller.send(comment(), delivery="d1").status_code == 200


NEW = """reference = body.key
external_id = body.id
title = body.title
description = body.text
contact_email = body.who
priority = body.priority"""


def test_a_new_ticket_of_theirs_with_its_internal_id(caller: Caller, ours: Task):
    caller.rule(HookOperation.CREATE, condition="body.event == 'created'", fields=NEW)
    ValueMapping.objects.create(system=caller.hook.system, kind="priority", ours="normal", theirs="1")
    body = {"event": "created", "key": "NW-2", "id": 4711, "title": "Toner", "text": "Empty", "priority": 1}
    assert caller.send(body | {"who": "no address"}).status_code == 400
    answer = caller.send(body | {"who": "ada@example.com"}, delivery="d2")
    assert answer.status_code == 200, answer.json()
    reference = ExternalReference.objects.get(value="NW-2")
    assert (reference.external_id, reference.task.ticket.title) == ("4711", "Toner")
    assert reference.task.ticket.priority.code == "normal"
    caller.hook.rules.filter(name="comments").update(fields="external_id = body.issue.id\ntext = body.comment.body")
    assert caller.send({**comment(), "issue": {"id": 4711}}).status_code == 200
    assert Note.objects.get().task == reference.task
    unknown = caller.send(body | {"who": "ada@example.com", "key": "NW-3", "id": 5, "priority": 9}, delivery="d3")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "not_translated")
    assert Ticket.objects.count() == 2


def test_their_number_for_our_task(caller: Caller, northwind: Desk, task: Task):
    caller.rule(HookOperation.ACKNOWLEDGE, fields="task = body.caller\nreference = body.key\nexternal_id = body.id")
    assert caller.send({"caller": task.number, "key": "NW-5", "id": "x5"}).status_code == 200
    reference = ExternalReference.objects.get(task=task)
    assert (reference.value, reference.external_id) == ("NW-5", "x5")
    other = make_task(northwind)
    answer = caller.send({"caller": other.number, "key": "NW-6", "id": "x5"}, delivery="d2")
    assert answer.status_code == 409
    assert not ExternalReference.objects.filter(task=other).exists()


def statuses(caller: Caller) -> None:
    """What Northwind's statuses mean, and a rule for them."""
    rows = {"wip": Phase.INITIAL_SUPPORT, "solved": Phase.REVIEW, "closed": Phase.CLOSE, "void": "cancelled"}
    for theirs, ours in {**rows, "declined": "rejected"}.items():
        ValueMapping.objects.create(system=caller.hook.system, kind="status", ours=ours, theirs=theirs)
    ValueMapping.objects.create(system=caller.hook.system, kind="status", ours="", theirs="parked", way=ValueWay.IN)
    caller.rule(
        HookOperation.STATUS,
        condition="body.status is defined",
        fields="reference = body.key\nstatus = body.status\nsolution = body.solution | default('')",
    )


@pytest.mark.parametrize(
    ("status", "phase", "code"),
    [
        ("solved", Phase.REVIEW, "fulfilled"),
        ("closed", Phase.CLOSE, "fulfilled"),
        ("void", Phase.REVIEW, "abandoned_by_user"),
        ("declined", Phase.INITIAL_SUPPORT, ""),
    ],
)
def test_what_their_status_means_is_in_the_value_map(caller: Caller, ours: Task, status: str, phase: str, code: str):
    statuses(caller)
    answer = caller.send({"key": "NW-1", "status": status, "solution": "New fuser"})
    assert answer.status_code == 200, answer.json()
    ours.refresh_from_db()
    assert (ours.phase, ours.completion_code) == (phase, code)


def test_a_status_of_work_reopens_what_was_solved_and_else_changes_nothing(caller: Caller, ours: Task):
    statuses(caller)
    assert caller.send({"key": "NW-1", "status": "wip"}).status_code == 202
    assert caller.send({"key": "NW-1", "status": "parked"}, delivery="d1").status_code == 202
    assert outcome() == Outcome.IGNORED
    caller.send({"key": "NW-1", "status": "solved"}, delivery="d2")
    caller.send({"key": "NW-1", "status": "wip"}, delivery="d3")
    ours.refresh_from_db()
    assert ours.phase == Phase.INITIAL_SUPPORT
    unknown = caller.send({"key": "NW-1", "status": "new to us"}, delivery="d4")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "not_translated")


@pytest.mark.parametrize(
    ("operation", "fields", "phase"),
    [
        (HookOperation.RESOLVE, "solution = body.s\ntext = body.t", Phase.REVIEW),
        (HookOperation.CLOSE, "solution = body.s", Phase.CLOSE),
        (HookOperation.REASSIGN, "solution = body.s", Phase.REVIEW),
        (HookOperation.CANCEL, "text = body.t", Phase.REVIEW),
        (HookOperation.ASSIGN, "text = body.t", Phase.INITIAL_SUPPORT),
        (HookOperation.REJECT, "text = body.t", Phase.INITIAL_SUPPORT),
    ],
)
def test_every_operation(caller: Caller, ours: Task, operation: str, fields: str, phase: str):
    caller.rule(operation, condition="body.s is defined", fields=f"reference = body.key\n{fields}")
    answer = caller.send({"key": "NW-1", "s": "New fuser", "t": "See there"})
    assert answer.status_code == 200, answer.json()
    ours.refresh_from_db()
    assert ours.phase == phase
    assert Exchange.objects.get().operation == operation


def test_a_note_is_taken_over_once_by_the_id_that_it_has_there(caller: Caller, ours: Task):
    caller.hook.rules.update(fields=COMMENT.replace("message_id", "note_id"))
    assert caller.send(comment("One"), delivery="d1").status_code == 200
    assert caller.send({**comment("One, edited"), "again": 1}, delivery="d2").status_code == 200
    remember(ours, caller.hook.system, NOTE, "8", TheirMessageOrigin.OURS)
    assert caller.send(comment("Ours", number=8), delivery="d3").status_code == 200
    assert Note.objects.get().body == "One"


def test_files_for_agents_alone_come_with_an_update(caller: Caller, ours: Task):
    fields = "reference = body.key\nvisibility = 'internal'\nattachments = body.files"
    caller.rule(HookOperation.CLOSE, fields=fields)
    answer = caller.send({"key": "NW-1", "files": [{"name": "a.txt", "content": "aGVsbG8="}]})
    assert answer.status_code == 400
    caller.hook.rules.filter(operation=HookOperation.CLOSE).update(operation=HookOperation.UPDATE)
    assert caller.send({"key": "NW-1", "files": [{"name": "a.txt", "content": "aGVsbG8="}]}).status_code == 200
    assert ours.ticket.attachments.get().visibility == "internal"


def test_reopened_with_the_reason(caller: Caller, ours: Task):
    actions.propose_solution(actor=AGENT, task=ours, solution="Done")
    caller.rule(HookOperation.REOPEN, fields="reference = body.key\ntext = body.t")
    assert caller.send({"key": "NW-1", "t": "It smokes"}).status_code == 200
    ours.refresh_from_db()
    assert (ours.phase, ours.solution) == (Phase.INITIAL_SUPPORT, "")
    assert "It smokes" in Note.objects.latest("pk").body


def test_news_without_content_have_the_ticket_fetched(caller: Caller, ours: Task, monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []

    def fetch_soon(system: Any, **names: str) -> bool:
        asked.append((system, names))
        return names["external_id"] == "12"

    monkeypatch.setattr(acting, "fetch_soon", fetch_soon)
    caller.rule(HookOperation.FETCH, condition="body.TicketID is defined", fields="external_id = body.TicketID")
    assert caller.send({"TicketID": 12, "Event": "ArticleCreate"}).status_code == 200
    assert asked == [(caller.hook.system, {"reference": "", "external_id": "12"})]
    assert outcome() == Outcome.SUCCEEDED
    assert caller.send({"TicketID": 13}).status_code == 202
    assert outcome() == Outcome.IGNORED
    assert caller.send({"TicketID": ""}).status_code == 400


def test_what_is_to_be_fetched_is_marked_and_what_is_not_known_is_not(caller: Caller, ours: Task):
    ours.external_references.update(external_id="12")
    caller.rule(HookOperation.FETCH, condition="body.TicketID is defined", fields="external_id = body.TicketID")
    assert caller.send({"TicketID": 13}).status_code == 202
    assert not TheirTicket.objects.exists()
    assert caller.send({"TicketID": 12}).status_code == 200
    assert TheirTicket.objects.get().wanted_at is not None


def test_a_signed_body_that_is_sent_to_the_address_with_something_behind_it_is_a_repetition(
    caller: Caller, ours: Task
):
    """Whoever has seen a call can change what is not signed."""
    caller.change(message_id="")
    caller.rule(HookOperation.UPDATE, fields="reference = body.issue.key\ntext = body.comment.body")
    caller.hook.rules.filter(name="comments").delete()
    first = caller.send(comment())
    again = caller.send(comment(), path=f"{caller.path}?x=1")
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert Note.objects.count() == 1
