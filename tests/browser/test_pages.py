"""The end users' pages in a real browser: what happens by itself, by keyboard, and without scripts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.tickets.views.cast import PASSWORD, Cast, make_cast, raise_ticket
from tickets import actions
from tickets.models import Note, Submission, Ticket
from tickets.views import detail

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cast(transactional_db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Everybody, and pages that ask for news often."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(detail, "POLL_SECONDS", 0.2)
    return make_cast()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def page(browser_page: Page, cast: Cast, complaints: list[str]) -> Iterator[Page]:
    """The ticket's contact, signed in by hand; a script error or a breach of the content policy fails the test."""
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(browser_page)
    yield browser_page
    # A page that still asks for news would reach a database that is being emptied.
    browser_page.goto("about:blank")
    assert complaints == []


def sign_in(page: Page) -> None:
    """As a person does."""
    page.goto("/")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My tickets")).to_be_visible()


def test_a_new_note_appears_and_disturbs_nothing_that_is_being_typed(page: Page, cast: Cast) -> None:
    page.goto(f"/tickets/{cast.ticket.number}/")
    message = page.get_by_label("Your message")
    message.fill("I am still wri")
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body="News from the desk")
    expect(page.get_by_text("News from the desk")).to_be_visible()
    expect(page.locator("#announcement")).to_contain_text("New: Agnes wrote")
    expect(message).to_be_focused()
    page.keyboard.type("ting")
    expect(message).to_have_value("I am still writing")


def test_a_link_that_has_the_focus_keeps_it_when_the_conversation_grows(page: Page, cast: Cast) -> None:
    page.goto(f"/tickets/{cast.ticket.number}/")
    link = page.get_by_role("link", name="page.html")
    link.focus()
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body="News from the desk")
    expect(page.get_by_text("News from the desk")).to_be_visible()
    expect(page.get_by_role("link", name="page.html")).to_be_focused()


def test_a_solution_appears_and_is_accepted_by_keyboard(page: Page, cast: Cast) -> None:
    page.goto(f"/tickets/{cast.ticket.number}/")
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    accept = page.get_by_role("button", name="Yes, accept the solution")
    expect(accept).to_be_visible()
    accept.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You accepted the solution")).to_be_visible()
    expect(page.get_by_role("heading", name="Open it again")).to_be_visible()


def test_a_reason_that_is_being_typed_survives_a_ticket_that_moves_on(page: Page, cast: Cast) -> None:
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    page.goto(f"/tickets/{cast.ticket.number}/")
    page.get_by_text("No, something is still wrong").click()
    page.get_by_label("What is still wrong?").fill("It beeps louder")
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Bought another one.")
    expect(page.locator(".timeline").get_by_text("Bought another one.")).to_be_visible()
    expect(page.get_by_label("What is still wrong?")).to_have_value("It beeps louder")


def test_a_hidden_page_asks_for_nothing_and_catches_up_when_it_is_seen(page: Page, cast: Cast) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/updates/" in request.url else None)
    page.goto(f"/tickets/{cast.ticket.number}/")
    with page.expect_request("**/updates/**"):
        pass
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.wait_for_timeout(300)
    before = len(asked)
    page.wait_for_timeout(1000)
    assert len(asked) == before
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body="News from the desk")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: false, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    expect(page.get_by_text("News from the desk")).to_be_visible()


def test_a_page_whose_session_ended_says_so_and_keeps_the_text(page: Page, cast: Cast, complaints: list[str]) -> None:
    page.goto(f"/tickets/{cast.ticket.number}/")
    page.get_by_label("Your message").fill("Do not lose this")
    page.context.clear_cookies()
    expect(page.get_by_text("You were signed out")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("Do not lose this")
    assert all("401" in complaint for complaint in complaints)
    complaints.clear()


def test_a_double_click_adds_one_note(page: Page, cast: Cast) -> None:
    page.goto(f"/tickets/{cast.ticket.number}/")
    page.get_by_label("Your message").fill("Only once")
    page.get_by_role("button", name="Send").dblclick()
    expect(page.get_by_text("Your message was added.")).to_be_visible()
    assert Note.objects.filter(body="Only once").count() == 1


def test_two_forms_sent_past_the_script_add_one_note(page: Page, cast: Cast) -> None:
    page.goto(f"/tickets/{cast.ticket.number}/")
    page.get_by_label("Your message").fill("Only once")
    statuses = page.evaluate(
        """async () => {
            const form = document.querySelector("form[action$='/note/']");
            const send = () => fetch(form.action, {method: "POST", body: new FormData(form)});
            return (await Promise.all([send(), send(), send()])).map((answer) => answer.status);
        }"""
    )
    assert statuses == [200, 200, 200]
    assert Note.objects.filter(body="Only once").count() == 1
    assert Submission.objects.count() == 1


def test_the_list_is_searched_while_typing_and_the_address_follows(page: Page, cast: Cast) -> None:
    raise_ticket(cast.owner, "A new chair")
    page.goto("/tickets/")
    expect(page.locator("#count")).to_have_text("2 tickets")
    page.get_by_label("Search").press_sequentially("chair")
    expect(page.locator("#count")).to_have_text("1 ticket")
    expect(page.get_by_label("Search")).to_be_focused()
    expect(page.get_by_role("link", name="The printer beeps")).to_have_count(0)
    assert "search=chair" in page.url
    page.go_back()
    expect(page.locator("#count")).to_have_text("2 tickets")


def test_the_keyboard_reaches_the_content_first(page: Page) -> None:
    page.goto("/tickets/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("link", name="Raise a ticket")).to_be_focused()


def test_everything_works_without_scripts(browser: Browser, live_server: Any, cast: Cast) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.get_by_role("main").get_by_role("link", name="Raise a ticket").click()
    page.get_by_label("What is it about?").fill("No scripts here")
    page.get_by_label("Description").fill("Still works")
    page.get_by_label("Files").set_input_files(
        [
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"},
            {"name": "b.txt", "mimeType": "", "buffer": b"b"},
        ]
    )
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Your ticket was raised.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="b.txt").click()
    assert Path(download.value.path()).read_bytes() == b"b"
    page.get_by_text("Close this ticket").click()
    page.get_by_label("I no longer need it").check()
    page.get_by_role("button", name="Close the ticket").click()
    expect(page.get_by_text("You closed the ticket.")).to_be_visible()
    assert Ticket.objects.get(title="No scripts here").is_closed
    page.get_by_role("navigation", name="Main").get_by_role("link", name="My tickets").click()
    page.get_by_label("Status").select_option("Closed")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#count")).to_have_text("1 ticket")
    context.close()
