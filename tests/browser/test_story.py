"""The story in real browsers, from a portal where nothing is configured: once over REST, once over SOAP."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from integrations.demo.people import SIGN_INS, load_people
from integrations.engine.runner import work_off
from integrations.models import ExternalSystem, Stream
from tests.browser.administrator import Administrator, Partner, fill_in, sign_in
from tests.browser.story_configuration import CONDITIONS, OPERATIONS
from tests.practice_desk import PracticeDesk
from tickets.admin import ticket_page
from tickets.views import detail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TITLE = "The printer on floor 2 is on fire"
PHOTO = {"name": "tray.png", "mimeType": "image/png", "buffer": b"\x89PNG tray"}


@pytest.fixture
def people(transactional_db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes part; pages ask for news often."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(detail, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(ticket_page, "POLL_SECONDS", 0.3)
    load_people()
    assert not ExternalSystem.objects.exists()


@pytest.fixture
def windows(browser: Browser, live_server: Any, people: None) -> Iterator[dict[str, Page]]:
    """A window for each person, signed in as themselves; a script error or a breach of the content policy fails."""
    complaints: list[str] = []
    pages: dict[str, Page] = {}
    for who, start in (("admin", "/admin/"), ("agent", "/admin/"), ("end_user", "/tickets/"), ("partner", "")):
        context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(10_000)
        page = pages[who] = context.new_page()
        watch(page, complaints)
        if start:
            sign_in(page, **SIGN_INS[who], start=start)
    yield pages
    for page in pages.values():
        page.goto("about:blank")  # a page that still asks for news would reach a database that is being emptied
        page.context.close()
    assert complaints == []


def watch(page: Page, complaints: list[str]) -> None:
    """Keep what the browser complains about, with the page on which it did."""
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None)


def work() -> None:
    """What the workers would do now."""
    for stream in Stream.objects.order_by("pk"):
        assert work_off(stream.pk)


@pytest.mark.parametrize("channel", ["REST", "SOAP"])
def test_configured_in_the_browser_a_ticket_goes_there_and_comes_back_solved(
    channel: str, windows: dict[str, Page], practice_desk: PracticeDesk, live_server: Any
) -> None:
    emma, agent, admin = windows["end_user"], windows["agent"], Administrator(windows["admin"])
    partner = Partner(windows["partner"], practice_desk.url)
    number = raise_a_ticket(emma)
    start_a_task(agent, number)
    partner.connect(live_server.url, "northwind", configure(admin, practice_desk, channel, number))
    assign(agent, number)
    work()

    there = partner.open(TITLE)
    partner.send("Acknowledgement", channel)
    partner.send("Message", channel, {"Text": "Which tray?", "Author": "Nils"}, PHOTO)
    expect(emma.get_by_text("Which tray?")).to_be_visible()
    expect(emma.get_by_role("link", name="tray.png")).to_be_visible()
    expect(emma.get_by_text(there)).to_be_visible()
    answer(emma, "Your message", "Tray 3, the lower one", "Send")
    work()
    partner.send("Solution", channel, {"Solution": "New fuser", "Author": "Nora"})
    expect(emma.get_by_role("heading", name="Is it solved?")).to_be_visible()
    emma.get_by_text("No, something is still wrong").click()
    answer(emma, "What is still wrong?", "It smells of smoke", "Decline the solution")
    work()
    partner.send("Solution", channel, {"Solution": "Cleaned tray 3", "Author": "Nora"})
    emma.get_by_role("button", name="Yes, accept the solution").click()
    expect(emma.locator(".status").get_by_text("Closed", exact=True).first).to_be_visible()
    work()

    assert_it_is_known_there(windows["partner"])
    assert_the_agent_sees_the_picture(agent, number)
    assert_the_log_can_be_read(windows["admin"], channel)


def raise_a_ticket(page: Page) -> str:
    """Emma raises it and stays on its page; its number."""
    page.get_by_role("main").get_by_role("link", name="Raise a ticket").click()
    fill_in(page, {"What is it about?": TITLE, "Description": "Smoke from tray 3"})
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your ticket was raised.")).to_be_visible()
    return page.locator("h1 .number").inner_text()


def answer(page: Page, label: str, text: str, button: str) -> None:
    """Write into a form of the ticket's page and send it."""
    fill_in(page, {label: text})
    page.get_by_role("button", name=button).click()
    expect(page.locator(".timeline").get_by_text(text)).to_be_visible()


def start_a_task(page: Page, number: str) -> None:
    """The agent makes a task for the service desk."""
    page.goto("/admin/tickets/ticket/")
    page.get_by_role("link", name=number, exact=True).click()
    page.get_by_role("link", name="Add a task").click()
    fill_in(page, {"Give it to": "Service desk"})
    page.get_by_role("button", name="Add the task").click()
    expect(page.get_by_role("article", name=f"Task {number}-1")).to_contain_text("Service desk")


def assign(page: Page, number: str, group: str = "Northwind") -> None:
    """The agent gives the task to the partner's group."""
    task = page.get_by_role("article", name=f"Task {number}-1")
    task.get_by_role("link", name="Assign").click()
    fill_in(task, {"Group": group})
    task.get_by_role("button", name="Assign").click()
    expect(page.get_by_text(f"{number}-1 is now with {group}.")).to_be_visible()


def configure(admin: Administrator, desk: PracticeDesk, channel: str, number: str) -> str:
    """From nothing to an integrated group; the key for the partner."""
    admin.sync_app_fields()
    system = admin.system(
        {
            "Name": "Northwind",
            "Code": "northwind",
            "Address": desk.url,
            "May be in our own network": True,
            "Authentication": "User and password (HTTP Basic)",
            "User": desk.user,
            "Password, token or key": desk.password,
        }
    )
    key = admin.key(system, "story")
    if channel == "SOAP":
        admin.wsdl("Northwind", "Tickets", f"{desk.url}/soap?wsdl")
    for name, operation in OPERATIONS[channel].items():
        admin.operation("Northwind", name, operation.fields, operation.arguments)
    admin.process(
        "Exchange with Northwind",
        [
            {"Name": name, "Kind": "Call an operation", "Only when": condition, "Operation": f"Northwind: {name}"}
            for name, condition in CONDITIONS.items()
        ],
    )
    steps = admin.preview({"Task": f"{number}-1", "Event": "Submit Request (assign, Out)"})
    expect(steps).to_have_count(len(CONDITIONS))
    expect(steps.nth(0)).to_contain_text("Would run")
    expect(steps.nth(0)).to_contain_text("Smoke from tray 3 (Submit Request)")
    expect(steps.nth(1)).to_contain_text("Would not run")
    assert desk.calls(operation="create") == []
    process = "Exchange with Northwind"
    admin.group(
        {
            "Name": "Northwind",
            "Code": "northwind",
            "Task assigned to this group triggers integration": True,
            "External system": "Northwind",
            "New assignment process": process,
            "Update message process": process,
            "Closure process": process,
        }
    )
    return key


def assert_it_is_known_there(page: Page) -> None:
    page.reload()
    expect(page.locator(".tag-closed")).to_be_visible()
    notes = page.locator("article.note")
    expect(notes.locator(".text")).to_have_text(
        ["Which tray?", "Tray 3, the lower one", "New fuser", "It smells of smoke", "Cleaned tray 3"]
    )


def assert_the_agent_sees_the_picture(page: Page, number: str) -> None:
    page.goto("/admin/tickets/ticket/")
    page.get_by_role("link", name=number, exact=True).click()
    page.get_by_role("navigation", name="Views of the ticket").get_by_role("link", name="Exchanges").click()
    picture = page.get_by_role("group", name=f"Exchanges of ticket {number} in order of time")
    here_there, there_here = "Deskbridge to Northwind", "Northwind to Deskbridge"
    expect(picture.get_by_role("link")).to_have_count(8)
    for position, words in enumerate(
        [
            f"{here_there}: create_ticket. Succeeded",
            f"{there_here}: acknowledge. Succeeded",
            f"{there_here}: update. Succeeded",
            f"{here_there}: add_note. Succeeded",
            f"{there_here}: reassign. Succeeded",
            f"{here_there}: reopen_ticket. Succeeded",
            f"{there_here}: reassign. Succeeded",
            f"{here_there}: close_ticket. Succeeded",
        ]
    ):
        expect(picture.get_by_role("link").nth(position)).to_have_accessible_name(re.compile(words))


def assert_the_log_can_be_read(page: Page, channel: str) -> None:
    page.goto("/admin/integrations/exchange/")
    page.get_by_role("link", name="create_ticket").click()
    expect(page.get_by_label("Request", exact=True)).to_contain_text("Smoke from tray 3 (Submit Request)")
    page.goto("/admin/")
    expect(page.get_by_role("region", name="Is anything stuck?")).to_contain_text("Nothing is stuck")
    northwind = page.get_by_role("region", name="Northwind")
    # The fetched WSDL is a message out, too.
    expect(northwind.get_by_role("link", name="Succeeded")).to_have_text(
        ["4 Succeeded" if channel == "REST" else "5 Succeeded", "4 Succeeded"]
    )
