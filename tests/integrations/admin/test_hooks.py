"""Webhooks on screen: their secret, their rules, their recorded calls, and rules tried without effect."""

import base64
import json
from typing import Any

import lxml.html
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.models import Exchange, ExternalSystem, Hook, HookOperation, HookRule, Outcome, Way
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser, errors, messages_of
from tickets.models import Note

BODY = {"event": "comment", "issue": {"key": "AC-1"}, "comment": {"body": "Which tray?", "X-Odd key": 7}}


@pytest.fixture
def hook(partner: Partner) -> Hook:
    return Hook.objects.create(
        system=partner.system, authentication="hmac", header="X-Sig", secret="first", message_id=""
    )


@pytest.fixture
def rule(hook: Hook) -> HookRule:
    return HookRule.objects.create(
        hook=hook,
        name="comments",
        operation="update",
        condition="body.event == 'comment'",
        fields="reference = body.issue.key\ntext = body.comment.body",
    )


def recorded(hook: Hook, body: Any = BODY, **values: Any) -> Exchange:
    """A call as it stands in the log."""
    fine: dict[str, Any] = {
        "way": Way.IN,
        "system": hook.system,
        "dialect": "webhook",
        "method": "POST",
        "url": f"http://testserver/hooks/{hook.system.code}/?tenant=t1",
        "request_headers": {"Content-Type": "application/json", "X-Sig": "[removed]"},
        "request_body": json.dumps(body),
        "outcome": Outcome.NO_RULE,
        "status": 202,
    }
    return Exchange.objects.create(**{**fine, **values})


@pytest.mark.parametrize(
    ("values", "active", "said"),
    [
        ({}, True, "Active"),
        ({"recording_only": True}, True, "Only records"),
        ({"secret": ""}, True, "Refuses all: no secret"),
        ({"secret": "", "authentication": "api_key"}, True, "Active"),
        ({}, False, "Its system is switched off"),
        ({"active": False}, True, "Switched off"),
    ],
)
def test_the_list_says_what_becomes_of_calls(
    admin: Browser, hook: Hook, values: dict[str, Any], active: bool, said: str
) -> None:
    Hook.objects.update(**values)
    ExternalSystem.objects.update(active=active)
    page = lxml.html.fromstring(admin.get("hook/").content.decode())
    [cell] = page.xpath("//td[contains(@class, 'field-mode')]")
    assert cell.text_content().strip() == said


def test_a_webhook_is_begun_on_the_page_of_its_system(admin: Browser, partner: Partner) -> None:
    first = admin.get(f"externalsystem/{partner.system.pk}/open_hook/")
    assert first.headers["Location"].endswith(f"/hook/add/?system={partner.system.pk}")
    page = f"hook/add/?system={partner.system.pk}"
    assert admin.send(page, authentication="hmac", header="X-Sig", new_secret="s3cret").status_code == 302
    made = Hook.objects.get()
    assert (made.system, made.secret, made.history.count()) == (partner.system, "s3cret", 1)
    shown = admin.get(f"hook/{made.pk}/change/").content.decode()
    assert f"/hooks/{partner.system.code}/" in shown
    assert "s3cret" not in shown
    again = admin.get(f"externalsystem/{partner.system.pk}/open_hook/")
    assert again.headers["Location"].endswith(f"/hook/{made.pk}/change/")


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"authentication": "hmac", "new_secret": "x"}, "header", "Say which header"),
        ({"authentication": "hmac", "header": "a b", "new_secret": "x"}, "header", "not a name for a header"),
        ({"authentication": "hmac", "header": "X", "new_secret": "x", "signed": "{time}"}, "signed", "{body} once"),
        (
            {"authentication": "hmac", "header": "X", "new_secret": "x", "timestamp_header": "X-Time"},
            "signed",
            "only if it is signed",
        ),
        ({"authentication": "basic", "new_secret": "x"}, "username", "needs a user"),
        ({"authentication": "standard"}, "new_secret", "needs a secret"),
        ({"authentication": "standard", "new_secret": "no base64!"}, "new_secret", "base64"),
        ({"authentication": "api_key", "message_id": "headrs.x"}, "message_id", "headrs"),
        ({"authentication": "api_key", "answer": "{{ x }}"}, "answer", ""),
        ({"authentication": "api_key", "tolerance_seconds": "0"}, "tolerance_seconds", "greater than or equal"),
    ],
)
def test_what_cannot_work_is_said_at_its_field(
    admin: Browser, partner: Partner, values: dict[str, str], field: str, message: str
) -> None:
    found = errors(admin.send(f"hook/add/?system={partner.system.pk}", **values))
    assert message in found[field][0]
    assert not Hook.objects.exists()


def test_while_the_secret_is_changed_both_are_valid_and_then_the_former_is_forgotten(
    admin: Browser, hook: Hook
) -> None:
    page = f"hook/{hook.pk}/change/"
    assert admin.send(page, new_secret="second").status_code == 302
    hook.refresh_from_db()
    assert (hook.secret, hook.former_secret) == ("second", "first")
    assert admin.send(page, forget_former="on").status_code == 302
    hook.refresh_from_db()
    assert (hook.secret, hook.former_secret) == ("second", "")
    assert admin.send(page, new_secret="third", keep_former=None).status_code == 302
    hook.refresh_from_db()
    assert (hook.secret, hook.former_secret) == ("third", "")
    text = str(list(hook.history.values()))
    assert not any(f"'{word}'" in text for word in ("first", "second", "third"))


def test_a_stored_secret_that_does_not_fit_another_kind_is_asked_for_again(admin: Browser, hook: Hook) -> None:
    hook.secret = "no base64!"
    hook.save()
    assert "new_secret" in errors(admin.send(f"hook/{hook.pk}/change/", authentication="standard"))
    secret = base64.b64encode(b"x" * 24).decode()
    done = admin.send(f"hook/{hook.pk}/change/", authentication="standard", new_secret=f"whsec_{secret}")
    assert done.status_code == 302


def test_a_rule_is_saved_behind_the_others(admin: Browser, hook: Hook, rule: HookRule) -> None:
    page = f"hookrule/add/?hook={hook.pk}"
    done = admin.send(page, name="closed", operation="close", fields="reference = body.issue.key")
    assert done.status_code == 302
    made = HookRule.objects.get(name="closed")
    assert (made.hook, made.position) == (hook, 2)
    assert "closed" in admin.get(f"hook/{hook.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"operation": "update", "fields": "reference: body.x"}, "fields", "Line 1: write the field"),
        ({"operation": "update", "fields": "reference = body.x\nbody = body.y"}, "fields", "Line 2: this operation"),
        ({"operation": "update", "fields": "reference = body.x\nreference = 1"}, "fields", "given twice"),
        ({"operation": "update", "fields": "reference ="}, "fields", "behind the ="),
        ({"operation": "update", "fields": "reference = boddy.x"}, "fields", 'no field "boddy.x"'),
        ({"operation": "update", "fields": "text = body.x"}, "fields", "Say which ticket"),
        ({"operation": "create", "fields": "reference = body.x"}, "fields", '"title"'),
        ({"operation": "status", "fields": "reference = body.x"}, "fields", '"status"'),
        ({"operation": "acknowledge", "fields": "reference = body.x"}, "fields", '"task"'),
        ({"operation": "fetch", "fields": "reference = body.x\ntext = body.y"}, "fields", "takes no field"),
        (
            {"operation": "update", "fields": "reference = body.x\nattachment.name = item.n"},
            "fields",
            '"attachments"',
        ),
        ({"operation": "ignore", "condition": "body.x =="}, "condition", ""),
        ({"operation": "ignore", "condition": "item.x == 1"}, "condition", "item.x"),
    ],
)
def test_a_rule_that_cannot_work_is_not_saved(
    admin: Browser, hook: Hook, values: dict[str, str], field: str, message: str
) -> None:
    found = errors(admin.send(f"hookrule/add/?hook={hook.pk}", name="x", **values))
    assert message in " ".join(found[field])
    assert not HookRule.objects.exists()


def test_the_values_of_a_recorded_call_are_offered_with_their_expressions(admin: Browser, hook: Hook) -> None:
    old, new = recorded(hook, {"only": "here"}), recorded(hook)
    page = admin.get(f"hookrule/add/?hook={hook.pk}").content.decode()
    for path in ("body.comment.body", "body.comment[&#x27;X-Odd key&#x27;]", "query.tenant"):
        assert f'data-path="{path}"' in page, path
    assert f'data-call="{new.pk}"' in page
    older = admin.get(f"hookrule/add/?hook={hook.pk}&call={old.pk}").content.decode()
    assert 'data-path="body.only"' in older


def test_a_rule_is_tried_on_a_call_before_it_is_saved(
    admin: Browser, desk: Desk, partner: Partner, hook: Hook
) -> None:
    task = desk.task(partner.group)
    task.external_references.create(system=partner.system, value="AC-1")
    call = recorded(hook)
    before = Note.objects.count()
    values = {"call": str(call.pk), "operation": "update", "condition": "body.event == 'comment'"}
    fields = "reference = body.issue.key\r\ntext = body.comment.body\r\nauthor = body.comment.author"
    page = admin.post(f"hookrule/try/{hook.pk}/", **values, fields=fields).content.decode()
    assert "The condition holds" in page
    assert "Which tray?" in page
    assert "There is no value for" in page
    fields = fields.replace("\r\nauthor = body.comment.author", "")
    page = admin.post(f"hookrule/try/{hook.pk}/", **values, fields=fields).content.decode()
    assert f"Update: task {task.number}." in page
    page = admin.post(f"hookrule/try/{hook.pk}/", **values | {"condition": "body.x.y"}, fields=fields)
    assert "The condition does not hold" in page.content.decode()
    page = admin.post(f"hookrule/try/{hook.pk}/", **values, fields="reference = nobody.knows").content.decode()
    assert "nobody.knows" in page
    assert (Note.objects.count(), HookRule.objects.count(), Exchange.objects.count()) == (before, 0, 1)


def test_each_rule_is_shown_on_the_chosen_call_and_which_counts(
    admin: Browser, desk: Desk, partner: Partner, hook: Hook, rule: HookRule
) -> None:
    HookRule.objects.create(hook=hook, position=2, name="everything", operation="ignore")
    call = recorded(hook)
    page = admin.get(f"hook/{hook.pk}/calls/").content.decode()
    assert page.index("comments") < page.index("This rule counts") < page.index("An earlier rule counts")
    assert "There is no task" in page
    assert f"hookrule/add/?hook={hook.pk}&amp;call={call.pk}" in page
    assert f"map-again/?ids={call.pk}" in page


def test_calls_that_cannot_be_read_and_strangers_are_told(admin: Browser, hook: Hook, rule: HookRule) -> None:
    assert "Nothing has arrived yet" in admin.get(f"hook/{hook.pk}/calls/").content.decode()
    recorded(hook, request_body="{", outcome=Outcome.REFUSED)
    recorded(hook, system=None, outcome=Outcome.REFUSED, error="The header X-Sig is missing.")
    page = admin.get(f"hook/{hook.pk}/calls/").content.decode()
    assert "not readable JSON" in page
    assert "The header X-Sig is missing." in page


def test_the_list_says_how_many_calls_no_rule_fits(admin: Browser, hook: Hook) -> None:
    for outcome in (Outcome.NO_RULE, Outcome.NO_RULE, Outcome.SUCCEEDED):
        recorded(hook, outcome=outcome)
    page = admin.get("hook/").content.decode()
    assert f'/hook/{hook.pk}/calls/">2</a>' in page


def test_a_call_whose_file_is_no_longer_kept_can_still_be_tried(
    admin: Browser, desk: Desk, partner: Partner, hook: Hook, rule: HookRule
) -> None:
    desk.task(partner.group).external_references.create(system=partner.system, value="AC-1")
    rule.fields += "\nattachments = body.files"
    rule.save()
    recorded(hook, {**BODY, "files": [{"name": "a.bin", "content_base64": "[266668 characters]"}]})
    assert "Update: task" in admin.get(f"hook/{hook.pk}/calls/").content.decode()


def test_another_desks_calls_are_not_among_them(admin: Browser, hook: Hook, other_partner: Partner) -> None:
    other = recorded(hook, {"secret plan": "of another"}, system=other_partner.system)
    page = admin.get(f"hook/{hook.pk}/calls/?call={other.pk}").content.decode()
    assert "of another" not in page
    assert admin.post(f"hookrule/try/{hook.pk}/", call=str(other.pk), operation="ignore").status_code == 404


def test_calls_without_effect_are_mapped_again_from_their_page(
    admin: Browser, desk: Desk, partner: Partner, hook: Hook, rule: HookRule
) -> None:
    task = desk.task(partner.group)
    task.external_references.create(system=partner.system, value="AC-1")
    call = recorded(hook)
    answer = admin.send(f"exchange/replay/map-again/?ids={call.pk}")
    assert "worked now" in messages_of(answer)[0]
    assert Note.objects.filter(task=task).get().body == "Which tray?"
    again = recorded(hook)
    page = admin.get(f"hook/{hook.pk}/calls/").content.decode()
    assert "Map 1 without effect again" in page, "the one that worked is not offered once more"
    assert f"map-again/?ids={again.pk}" in page
    assert page.count(", mapped again") == 1


def test_no_rule_is_offered_for_a_call_that_cannot_be_read(admin: Browser, hook: Hook) -> None:
    call = recorded(hook)
    page = f"hook/{hook.pk}/calls/?call={call.pk}"
    assert "New rule from this call" in admin.get(page).content.decode()
    Exchange.objects.filter(pk=call.pk).update(request_body="{broken")
    assert "New rule from this call" not in admin.get(page).content.decode()


@pytest.mark.parametrize(
    ("permissions", "calls", "trial"),
    [
        (["view_hook", "view_hookrule"], 403, 403),
        (["view_hook", "view_hookrule", "view_exchange"], 200, 200),
        (["view_exchange"], 403, 403),
    ],
)
def test_recorded_calls_are_for_those_who_may_read_the_log(
    browser_for: Any, hook: Hook, permissions: list[str], calls: int, trial: int
) -> None:
    call = recorded(hook)
    person = browser_for(*permissions)
    assert person.get(f"hook/{hook.pk}/calls/").status_code == calls
    tried = person.post(f"hookrule/try/{hook.pk}/", call=str(call.pk), operation=HookOperation.IGNORE)
    assert tried.status_code == trial
    if "view_hookrule" in permissions:
        rule = HookRule.objects.create(hook=hook, name="x", operation="ignore")
        page = person.get(f"hookrule/{rule.pk}/change/").content.decode()
        assert ("Which tray?" in page) == (trial == 200)


def test_pages_cost_the_same_for_many_calls_and_rules(admin: Browser, hook: Hook, rule: HookRule) -> None:
    pages = ["hook/", f"hook/{hook.pk}/change/", f"hookrule/{rule.pk}/change/", "hookrule/"]
    pages.append(f"hook/{hook.pk}/calls/")

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(path).status_code == 200
        return len(captured)

    recorded(hook)
    few = {path: (count(path), count(path))[1] for path in pages}
    for number in range(5):
        recorded(hook)
        HookRule.objects.create(hook=hook, position=number, name=f"r{number}", operation="ignore")
    assert {path: count(path) for path in pages} == few


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"message_id": "body.id"}, ["No time is signed"]),
        ({"message_id": "headers['x-delivery']"}, ["No time is signed", "not signed: whoever"]),
        ({"message_id": "body.id", "timestamp_header": "X-Time", "signed": "{timestamp}.{body}"}, []),
        ({"authentication": "key_header", "message_id": "headers['x-delivery']"}, []),
    ],
)
def test_how_a_call_could_be_sent_again_is_said_when_it_is_saved(
    admin: Browser, hook: Hook, values: dict[str, str], said: list[str]
) -> None:
    saved = admin.send(f"hook/{hook.pk}/change/", **values)
    assert saved.status_code == 302
    shown = messages_of(saved)
    assert [any(words in message for message in shown) for words in said] == [True] * len(said)
    assert len([message for message in shown if "sent again" in message or "send it again" in message]) == len(said)
