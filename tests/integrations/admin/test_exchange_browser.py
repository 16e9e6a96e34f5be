"""The screens of the exchange in a real browser: no barriers, nothing cut off, nothing that the policy forbids."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from integrations.models import Exchange, ExternalReference, Outcome, ProcessRun, RunState, StepState, Way
from tests.cast import Desk, make_partner
from tickets import actions
from tickets.models import Task

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The frame around them is Unfold's; the lists are Unfold's tables with our cells.
OUR_PARTS = [".xl-page", ".db-form", ".db-main", "#ticket-tasks", ".data-row"]
BODY = '{"text": "Hello", "words": "' + "Supercalifragilistic" * 12 + '"}'


@pytest.fixture
def task(desk: Desk) -> Task:
    """A task whose exchange is stuck, with messages of every outcome."""
    partner = make_partner("acme", "https://acme.test")
    task = desk.task(partner.group)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hurry")
    ExternalReference.objects.create(task=task, system=partner.system, value="ACME-7")
    run = ProcessRun.objects.earliest("pk")
    ProcessRun.objects.filter(pk=run.pk).update(state=RunState.ATTENTION, reason="It said: " + "no" * 90)
    step = run.steps.create(
        index=0,
        name="create_ticket",
        kind="operation",
        state=StepState.UNKNOWN,
        attempts=2,
        request={
            "method": "POST",
            "url": "https://acme.test/tickets",
            "headers": {"Content-Type": "application/json"},
        },
        request_body=BODY.encode(),
        captures={"reference": "ACME-7"},
    )
    for number, outcome in enumerate(Outcome):
        Exchange.objects.create(
            way=Way.OUT if number % 2 else Way.IN,
            system=partner.system,
            task=task,
            run=run,
            step=step,
            dialect="rest",
            operation="create_ticket",
            outcome=outcome,
            attempt=number + 1,
            method="POST",
            url="https://acme.test/tickets",
            request_headers={"Content-Type": "application/json"},
            request_body=BODY,
            status=201,
            error="It said no" if number % 2 else "",
        )
    return task


@pytest.fixture
def page(browser: Any, live_server: Any, task: Task) -> Iterator[Any]:
    """A page of an administrator that collects what the browser complains about."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    context = browser.new_context(base_url=live_server.url, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(15_000)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    page.goto("about:blank")
    context.close()


def addresses(task: Task) -> list[str]:
    """Every screen."""
    run = ProcessRun.objects.earliest("pk").pk
    held = Exchange.objects.get(outcome=Outcome.HELD_BACK).pk
    failed = Exchange.objects.get(outcome=Outcome.PERMANENT).pk
    return [
        "/admin/",
        "/admin/integrations/exchange/",
        f"/admin/integrations/exchange/{failed}/change/",
        f"/admin/integrations/exchange/replay/apply-anyway/?ids={held}",
        "/admin/integrations/processrun/",
        f"/admin/integrations/processrun/{run}/change/",
        f"/admin/integrations/processrun/decide/cancel/?ids={run}",
        f"/admin/integrations/processrun/decide/arrived/?ids={run}",
        "/admin/integrations/stream/",
        f"/admin/tickets/ticket/{task.ticket_id}/change/?tab=exchanges",
    ]


@pytest.mark.appearance
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_screen_is_accessible_and_fits(page: Any, task: Task, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for path in addresses(task):
        assert page.goto(path).status == 200, path
        present = [part for part in OUR_PARTS if page.locator(part).count()]
        assert present, path
        found = Axe().run(page, context={"include": [[part] for part in present]})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(too_wide) <= 0, path
    assert page.complaints == []


def test_an_arrow_of_the_picture_leads_to_its_message_by_keyboard(page: Any, task: Task) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"/admin/tickets/ticket/{task.ticket_id}/change/?tab=exchanges")
    first = page.locator("svg.xl-picture a").first
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/exchange/{Exchange.objects.earliest('pk').pk}/change/")


def test_a_body_is_copied(page: Any, task: Task) -> None:
    page.goto(f"/admin/integrations/exchange/{Exchange.objects.earliest('pk').pk}/change/")
    page.locator("[data-copies=request-body]").click()
    page.wait_for_selector("text=Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith('{\n  "text": "Hello"')


def test_the_overview_refreshes_itself_and_keeps_the_focus(page: Any, task: Task) -> None:
    page.goto("/admin/")
    page.wait_for_selector("text=1 process run needs a person")
    page.locator("#attention").focus()
    ProcessRun.objects.update(state=RunState.ATTENTION)
    page.evaluate("htmx.ajax('GET', '/admin/overview/', {target: '#overview', swap: 'innerHTML'})")
    page.wait_for_selector("text=2 process runs need a person")
    assert page.evaluate("document.activeElement.id") == "attention"
    assert page.complaints == []
