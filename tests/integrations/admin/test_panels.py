"""What the desk's pages show of the exchange."""

from collections.abc import Callable

import lxml.html
import pytest
from django.test import Client

from integrations.admin.panels import SHOWN
from integrations.models import (
    Exchange,
    ExternalReference,
    Outcome,
    ProcessRun,
    RunState,
    Stream,
    Way,
    WebhookSubscription,
)
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser
from tickets import actions
from tickets.filters import search_tickets
from tickets.models import Task, Ticket
from tickets.panels import badges_of, public_facts


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    task = desk.task(partner.group)
    ExternalReference.objects.create(task=task, system=partner.system, value="ACME-7")
    return task


def exchange(
    partner: Partner, task: Task | None, outcome: Outcome = Outcome.SUCCEEDED, way: Way = Way.OUT
) -> Exchange:
    return Exchange.objects.create(
        way=way, system=partner.system, task=task, dialect="http", operation="add_note", outcome=outcome, status=201
    )


def page_of(browser: Browser, ticket: Ticket) -> lxml.html.HtmlElement:
    answer = browser.get(f"/admin/tickets/ticket/{ticket.pk}/change/", tab="exchanges")
    assert answer.status_code == 200
    return lxml.html.fromstring(answer.content.decode())


def test_the_ticket_shows_its_exchanges_as_a_picture_and_as_a_list(
    admin: Browser, desk: Desk, partner: Partner, task: Task
) -> None:
    mine = [
        exchange(partner, task),
        exchange(partner, task, Outcome.PERMANENT),
        exchange(partner, task, Outcome.HELD_BACK, Way.IN),
    ]
    exchange(partner, desk.task(partner.group))
    page = page_of(admin, task.ticket)
    links = page.xpath("//*[local-name()='svg']//a")
    assert [link.get("href") for link in links] == [f"/admin/integrations/exchange/{row.pk}/change/" for row in mine]
    assert [link.get("class").split("-")[-1] for link in links] == ["good", "bad", "doubt"]
    assert "Refused by the other desk" in links[1].get("aria-label")
    listed = page.xpath("//*[@class='xl-phone']//li/a/@href")
    assert listed == [link.get("href") for link in links]
    assert "ACME-7" in page.xpath("string(//*[local-name()='svg'])")


def test_a_long_story_is_capped_and_leads_to_the_log(admin: Browser, partner: Partner, task: Task) -> None:
    for _ in range(SHOWN + 3):
        last = exchange(partner, task)
    page = page_of(admin, task.ticket)
    links = page.xpath("//*[local-name()='svg']//a/@href")
    assert len(links) == SHOWN
    assert links[-1] == f"/admin/integrations/exchange/{last.pk}/change/"
    assert page.xpath(f"//a[@href='/admin/integrations/exchange/?ticket={task.ticket.number}']")


def test_the_ticket_lists_its_runs(admin: Browser, task: Task) -> None:
    ProcessRun.objects.update(state=RunState.ATTENTION, reason="<u>They said no</u>")
    run = ProcessRun.objects.get()
    page = page_of(admin, task.ticket)
    line = page.xpath(f"//li[a/@href='/admin/integrations/processrun/{run.pk}/change/']")[0].text_content()
    for words in ("Needs attention", "Submit Request", "assign", "<u>They said no</u>"):
        assert words in line


def test_an_agent_without_the_permission_sees_no_exchanges(
    browser_for: Callable[..., Browser], partner: Partner, task: Task
) -> None:
    exchange(partner, task)
    page = page_of(browser_for("tickets.view_ticket", "tickets.view_task"), task.ticket)
    assert "add_note" not in page.text_content()
    assert not page.xpath("//*[@class='xl-picture']")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.ATTENTION, "Partner acme: needs attention"),
        (RunState.RETRYING, "Partner acme: waiting for the next try"),
        (RunState.AWAITING, "Partner acme: waiting for an acknowledgement"),
        (RunState.DONE, None),
        (RunState.RUNNING, None),
    ],
)
def test_badges_name_the_reference_and_what_holds_it_up(task: Task, state: RunState, words: str | None) -> None:
    ProcessRun.objects.update(state=state)
    badges = badges_of([task])[task.pk]
    assert [badge.text for badge in badges] == ["Partner acme: ACME-7", *([words] if words else [])]


def test_many_runs_that_wait_give_one_badge(desk: Desk, task: Task) -> None:
    for _ in range(4):
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hurry")
    ProcessRun.objects.filter(position=1).update(state=RunState.ATTENTION)
    assert [badge.text for badge in badges_of([task])[task.pk]] == [
        "Partner acme: ACME-7",
        "Partner acme: needs attention",
    ]


def test_the_contact_reads_the_reference_on_the_page(desk: Desk, task: Task) -> None:
    assert public_facts(task.ticket) == [("Reference at Partner acme", "ACME-7")]
    client = Client()
    client.force_login(desk.end_user)
    text = client.get(f"/tickets/{task.ticket.number}/").content.decode()
    assert "Reference at Partner acme" in text
    assert "ACME-7" in text


def test_a_ticket_is_found_by_the_other_desks_number(desk: Desk, task: Task) -> None:
    desk.ticket()
    assert list(search_tickets(Ticket.objects.all(), "acme-7")) == [task.ticket]


def test_a_webhook_that_fails_does_not_look_like_a_task_that_is_stuck(task: Task, partner: Partner) -> None:
    told = WebhookSubscription.objects.create(system=partner.system, name="all", url="https://a.test", events=["x"])
    Stream.objects.update(subscription=told)
    ProcessRun.objects.update(state=RunState.RETRYING)
    assert badges_of([task])[task.pk][-1].text == "Partner acme, webhook all: waiting for the next try"
