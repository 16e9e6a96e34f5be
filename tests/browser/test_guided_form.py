"""A desk that the catalogue does not know is connected in the browser alone, and its state and words come back."""

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from integrations.demo.people import SIGN_INS, load_people
from integrations.engine.runner import work_off
from integrations.models import Exchange, ExternalSystem, Outcome, Setup, Stream
from integrations.polling.worker import poll
from tests.browser.administrator import sign_in
from tests.browser.guided_form import GuidedForm
from tests.browser.test_story import assign, watch
from tests.browser.unlike_configuration import OPERATIONS, REMOVED
from tests.unlike_desk import KEY, UnlikeDesk, unlike_desk
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Contact, Task

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

__all__ = ["unlike_desk"]


@pytest.fixture
def page(browser: Browser, live_server: Any, transactional_db: None) -> Iterator[Page]:
    """The administrator's window; a script error or a breach of the content policy fails."""
    load_people()
    complaints: list[str] = []
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    watch(page, complaints)
    sign_in(page, **SIGN_INS["admin"], start="/admin/")
    yield page
    page.goto("about:blank")
    context.close()
    assert complaints == []


@pytest.fixture
def task(page: Page) -> Task:
    """A real task to try the configuration on, still with our own desk."""
    by_us = Actor.of_user(User.objects.get(username="agent"))
    ours = AssignmentGroup.objects.get(code="service-desk")
    contact = Contact.objects.get(email="emma@example-works.test")
    ticket = actions.create_ticket(actor=by_us, title="The lift is stuck", description="On floor 3", contact=contact)
    return actions.create_task(actor=by_us, ticket=ticket, group=ours, owning_group=ours)


def test_a_desk_unlike_the_others_is_connected_by_clicking_and_typing(
    page: Page, task: Task, unlike_desk: UnlikeDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    connect(GuidedForm(page), unlike_desk, task)
    connected = time.monotonic()
    system = ExternalSystem.objects.get()
    assert (system.active, Setup.objects.exists()) == (True, False)

    page.goto(f"/admin/tickets/ticket/{task.ticket_id}/change/")
    assign(page, task.ticket.number, "Kontor")
    for stream in Stream.objects.all():
        assert work_off(stream.pk)
    (case,) = unlike_desk.cases
    assert (case["kopf"]["betreff"], case["kopf"]["dringlichkeit"]) == ("The lift is stuck", 3)
    assert case["melder"]["nr"] == unlike_desk.people[0]["person"]["nr"]

    unlike_desk.writes(case["kopf"]["nummer"], "We come at noon")
    unlike_desk.solves(case["kopf"]["nummer"], "The lift was freed")
    page.goto(f"/admin/integrations/externalsystem/{system.pk}/change/")
    page.get_by_role("button", name="Poll now").click()
    expect(page.get_by_text("It is polled as soon as a worker is free.")).to_be_visible()
    assert poll(system.polling.pk)
    page.goto(f"/admin/tickets/ticket/{task.ticket_id}/change/")
    expect(page.get_by_text("We come at noon").first).to_be_visible()
    expect(page.get_by_text("The lift was freed").first).to_be_visible()
    task.refresh_from_db()
    assert (task.phase, task.solution) == ("review", "The lift was freed")

    assert unlike_desk.refused == []
    assert set(Exchange.objects.values_list("outcome", flat=True)) == {Outcome.SUCCEEDED}
    with capsys.disabled():
        took, after = connected - began, time.monotonic() - connected
        said = f"connected in {took:.0f} s, there and back in {after:.0f} s more"
        sys.stdout.write(f"\nA desk unknown to the catalogue: {said}.\n")


def connect(form: GuidedForm, desk: UnlikeDesk, task: Task) -> None:
    """From the catalogue to an active system with a group."""
    form.choose("rest api", "Any desk with a REST API")
    form.fill(
        {
            "Name": "Kontor",
            "Code": "kontor",
            "Address": desk.url,
            "May be in our own network": True,
            "Authentication": "API key in a header",
            "Password, token or key": KEY,
            "Header or parameter": "X-Kontor-Schluessel",
        }
    )
    form.go_on("Level and operations")
    form.page.get_by_label("No level: what its processes do").check()
    form.page.get_by_role("button", name="Show what it needs").click()
    for name, fields in OPERATIONS.items():
        form.operation(name, fields)
    for name in REMOVED:
        form.remove_operation(name)
    form.go_on("Test connection")
    form.fill({"Call": "fetch_statuses (GET /stammdaten/zustaende)"})
    form.page.get_by_role("button", name="Test connection").click()
    expect(form.page.get_by_text("The other desk answered.")).to_be_visible()
    form.go_on("Value maps", button="Go on")
    form.fetch("Priority")
    form.fetch("Status")
    form.translate("Priority", {"urgent": "1", "high": "2", "normal": "3", "low": "4"})
    form.translate(
        "Status",
        {"open": "10", "in_progress": "20", "waiting": "", "new": "", "resolved": "30", "solved": "", "closed": "40"},
    )
    form.go_on("Group")
    form.fill({"Assignment group": "a new one:", "Name of the new group": "Kontor"})
    form.go_on("Preview")
    form.fill({"Task": task.number, "Event": "Submit Request (assign, Out)"})
    form.page.get_by_role("button", name="Show", exact=True).click()
    create = form.page.locator("li.config-card").filter(has_text="3. create")
    expect(create).to_contain_text("Would run")
    expect(create).to_contain_text('"betreff": "The lift is stuck"')
    assert desk.cases == []
    form.go_on("Activate", button="Go on")
    form.page.get_by_role("button", name="Activate", exact=True).click()
    expect(form.page.get_by_text("Kontor is active.")).to_be_visible()
