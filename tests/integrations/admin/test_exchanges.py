"""The exchange log: found, filtered, read; never edited, and harmless whatever another desk has sent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from django.utils import timezone

from integrations.models import Exchange, ExternalReference, Outcome, Way
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser
from tickets.models import Task

HOSTILE = '</pre><script>alert("x")</script><img src=x onerror=alert(1)>'


def exchange(partner: Partner, **values: Any) -> Exchange:
    """A message to the partner that went well, unless said otherwise."""
    usual = {
        "way": Way.OUT,
        "system": partner.system,
        "dialect": "http",
        "operation": "add_note",
        "outcome": Outcome.SUCCEEDED,
        "method": "POST",
        "url": "https://acme.test/tickets/A-1/notes",
        "status": 201,
        "duration_ms": 84,
    }
    return Exchange.objects.create(**{**usual, **values})


def listed(page: Any) -> list[int]:
    """The exchanges that a list shows."""
    assert page.status_code == 200
    return [row.pk for row in page.context["cl"].result_list]


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    task = desk.task(partner.group)
    ExternalReference.objects.create(task=task, system=partner.system, value="ACME-77")
    return task


def test_the_list_says_everything_in_words(admin: Browser, partner: Partner, task: Task) -> None:
    exchange(partner, task=task, attempt=2, outcome=Outcome.UNKNOWN, status=None, duration_ms=12_345)
    page = lxml.html.fromstring(admin.get("exchange/").content.decode())
    words = " ".join(page.xpath("//tr[contains(@class,'data-row')]")[0].text_content().split())
    for expected in ("Out", "Partner acme", task.number, "add_note, try 2", "Outcome unknown", "12.3 s"):
        assert expected in words
    assert page.xpath(f"//a[@href='/admin/tickets/ticket/{task.ticket_id}/change/#task-{task.number}']")


@pytest.mark.parametrize("outcome", ["retryable", "permanent", "misconfigured", "unknown"])
def test_of_what_no_run_has_sent_nothing_is_promised_that_only_runs_do(
    admin: Browser, partner: Partner, outcome: str
) -> None:
    made = exchange(partner, operation="test_connection", outcome=outcome)
    page = admin.get(f"exchange/{made.pk}/change/").content.decode()
    for shown in (page, admin.get("exchange/").content.decode()):
        [chip] = lxml.html.fromstring(shown).xpath("//span[contains(@class, 'xl-chip')]")
        assert "tried again" not in chip.text_content()
    for promise in ("sent again by themselves", "its run waits", "retry the run", "the operation says what follows"):
        assert promise not in " ".join(page.split()), promise


def test_an_empty_list_says_why_and_what_to_do(admin: Browser, partner: Partner) -> None:
    nothing = admin.get("mailbox/").content.decode()
    assert "Nothing here yet" in nothing and "Add mailbox" in nothing and "Show all" not in nothing
    exchange(partner)
    nowhere = admin.get("exchange/", q="zebra").content.decode()
    assert "Nothing fits" in nowhere and 'href="?"' in nowhere
    assert "Nothing fits" in admin.get("exchange/", way="in").content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"way": "in"}, {"refused"}),
        ({"outcome": "refused"}, {"refused"}),
        ({"outcome": "failed"}, {"refused", "unknown"}),
        ({"dialect": "rest"}, {"refused"}),
        ({"since": "24h"}, {"refused", "unknown"}),
        ({"ticket": "TICKET"}, {"unknown"}),
        ({"ticket": "TASK"}, {"unknown"}),
        ({"ticket": "9999"}, set()),
        ({"outcome": "nonsense", "way": "up", "since": "ever"}, {"refused", "unknown", "old"}),
    ],
)
def test_the_list_is_filtered(
    admin: Browser, partner: Partner, task: Task, query: dict[str, str], found: set[str]
) -> None:
    rows = {
        "refused": exchange(partner, way=Way.IN, dialect="rest", outcome=Outcome.REFUSED),
        "unknown": exchange(partner, outcome=Outcome.UNKNOWN, task=task),
        "old": exchange(partner),
    }
    Exchange.objects.filter(pk=rows["old"].pk).update(started_at=timezone.now() - timedelta(days=3))
    names = {"TICKET": task.ticket.number, "TASK": task.number}
    page = admin.get("exchange/", **{name: names.get(value, value) for name, value in query.items()})
    assert set(listed(page)) == {rows[name].pk for name in found}


def test_the_list_is_filtered_by_system(admin: Browser, partner: Partner, other_partner: Partner) -> None:
    exchange(partner)
    theirs = exchange(other_partner)
    assert listed(admin.get("exchange/", system__id__exact=other_partner.system.pk)) == [theirs.pk]


@pytest.mark.parametrize(
    "words", ["TASK", "TICKET", "acme-77", "M-9", "A-1/notes", "too busy", "add_no", "TASK busy M-9"]
)
def test_a_message_is_found_by_its_numbers_and_words(
    admin: Browser, partner: Partner, task: Task, words: str
) -> None:
    wanted = exchange(partner, task=task, message_id="M-9", error="The desk is too busy")
    exchange(partner, url="https://acme.test/", operation="other")
    words = words.replace("TASK", task.number).replace("TICKET", task.ticket.number)
    assert listed(admin.get("exchange/", q=words)) == [wanted.pk]


def test_a_search_that_nothing_fits_finds_nothing(admin: Browser, partner: Partner, task: Task) -> None:
    exchange(partner, task=task)
    assert listed(admin.get("exchange/", q=f"{task.number} zebra")) == []


def test_the_page_says_what_it_means_and_where_it_belongs(admin: Browser, partner: Partner, task: Task) -> None:
    row = exchange(
        partner,
        task=task,
        outcome=Outcome.PERMANENT,
        status=404,
        error="There is no such ticket.",
        request_headers={"Content-Type": "application/json"},
        request_body='{"text":"Hello","n":1.10}',
        response_body="<fault><text>gone</text></fault>",
    )
    text = admin.get(f"exchange/{row.pk}/change/").content.decode()
    for expected in (
        "Partner acme refused this (404).",
        "There is no such ticket.",
        "{\n  &quot;text&quot;: &quot;Hello&quot;,\n  &quot;n&quot;: 1.10\n}",
        "&lt;fault&gt;\n  &lt;text&gt;gone&lt;/text&gt;\n&lt;/fault&gt;",
        f"/admin/tickets/ticket/{task.ticket_id}/change/#task-{task.number}",
        f"/admin/integrations/externalsystem/{partner.system.pk}/change/",
    ):
        assert expected in text, expected


def test_hostile_texts_are_shown_and_do_nothing(admin: Browser, partner: Partner) -> None:
    row = exchange(
        partner,
        operation=HOSTILE[:80],
        dialect=HOSTILE[:30],
        method="<b>",
        url=f"javascript:{HOSTILE}",
        request_headers={HOSTILE: HOSTILE},
        request_body=HOSTILE,
        response_headers={"X": HOSTILE},
        response_body=HOSTILE,
        error=HOSTILE,
        message_id=HOSTILE,
    )
    for path in (f"exchange/{row.pk}/change/", "exchange/"):
        page = admin.get(path)
        assert b"alert(" in page.content or path == "exchange/"
        tree = lxml.html.fromstring(page.content.decode())
        assert not tree.xpath("//img[@src='x'] | //*[@onerror] | //a[starts-with(@href,'javascript')]")
        assert not [script for script in tree.xpath("//script/text()") if "alert(" in script]


def test_a_body_is_downloaded_as_a_file_that_no_browser_makes_a_page_of(admin: Browser, partner: Partner) -> None:
    row = exchange(partner, request_body=HOSTILE, response_body="ü")
    answer = admin.get(f"exchange/{row.pk}/raw/request/")
    assert answer.content.decode() == HOSTILE
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert admin.get(f"exchange/{row.pk}/raw/response/").content.decode() == "ü"
    assert admin.get(f"exchange/{row.pk}/raw/everything/").status_code == 404


def test_the_tries_of_a_step_lead_to_each_other(admin: Browser, partner: Partner, task: Task) -> None:
    run = partner.system.streams.get().runs.get()
    step = run.steps.create(index=0, name="create_ticket", kind="operation")
    first, second, third = (exchange(partner, run=run, step=step, attempt=number) for number in (1, 2, 3))
    page = lxml.html.fromstring(admin.get(f"exchange/{second.pk}/change/").content.decode())
    links = {link.get("rel"): link.get("href") for link in page.xpath("//a[@rel='prev' or @rel='next']")}
    assert links == {
        "prev": f"/admin/integrations/exchange/{first.pk}/change/",
        "next": f"/admin/integrations/exchange/{third.pk}/change/",
    }
    assert page.xpath(f"//a[@href='/admin/integrations/processrun/{run.pk}/change/']")


def test_nobody_edits_adds_or_deletes_what_has_happened(admin: Browser, partner: Partner) -> None:
    row = exchange(partner)
    assert admin.post(f"exchange/{row.pk}/change/", operation="x").status_code == 403
    assert admin.get("exchange/add/").status_code == 403
    assert admin.post(f"exchange/{row.pk}/delete/", post="yes").status_code == 403
    answer = admin.post("exchange/", action="delete_selected", _selected_action=str(row.pk), post="yes")
    assert answer.status_code in (200, 302)
    assert Exchange.objects.get(pk=row.pk).operation == "add_note"


def test_without_permission_the_log_is_closed(browser_for: Callable[..., Browser], partner: Partner) -> None:
    row = exchange(partner)
    nobody = browser_for("view_externalsystem")
    for path in ("exchange/", f"exchange/{row.pk}/change/", f"exchange/{row.pk}/raw/request/"):
        assert nobody.get(path).status_code == 403
