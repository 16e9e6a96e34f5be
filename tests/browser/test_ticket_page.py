"""An agent's page of a ticket in a real browser: by keyboard, on a phone, without scripts, with news by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect

from tests.tickets.admin.conftest import may
from tests.tickets.views.cast import PASSWORD, Cast, make_cast
from tickets import actions
from tickets.actors import Actor
from tickets.admin import ticket_page
from tickets.lifecycle import Phase
from tickets.models import Note, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cast(transactional_db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """Everybody; the agent may do everything, and pages ask for news often."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(ticket_page, "POLL_SECONDS", 0.3)
    cast = make_cast()
    cast.group.members.add(may(cast.agent, "view", "add", "change"))
    return cast


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def page(browser_page: Page, cast: Cast, complaints: list[str]) -> Iterator[Page]:
    """The agent, signed in; a script error or a breach of the content policy fails the test."""
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    sign_in(browser_page, cast.agent)
    yield browser_page
    # A page that still asks for news would reach a database that is being emptied.
    browser_page.goto("about:blank")
    assert complaints == []


def sign_in(page: Page, user: User) -> None:
    """As a person does."""
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(user.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def address(ticket: Ticket) -> str:
    """Where its page is."""
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def test_a_ticket_is_solved_by_keyboard_alone(page: Page, cast: Cast) -> None:
    page.goto(address(cast.ticket))
    page.get_by_role("link", name="Propose a solution").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Solution")).to_be_focused()
    page.keyboard.type("Turned it off.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is proposed")).to_be_visible()
    expect(page.locator("#ticket-head")).to_contain_text("please check the solution")
    cast.task.refresh_from_db()
    assert (cast.task.phase, cast.task.solution) == (Phase.REVIEW, "Turned it off.")


def test_news_appear_by_themselves_and_disturb_nothing_that_is_being_typed(page: Page, cast: Cast) -> None:
    page.goto(address(cast.ticket) + f"?do=propose&task={cast.task.number}")
    solution = page.get_by_role("textbox", name="Solution")
    solution.fill("Half a sen")
    other_desk = Actor.external(key="system:1", name="Other desk")
    actions.add_note(actor=other_desk, ticket=cast.ticket, body="News from afar")
    actions.change_ticket(actor=other_desk, ticket=cast.ticket, title="A better title")
    expect(page.locator("#conversation").get_by_text("News from afar")).to_be_visible()
    expect(page.get_by_role("heading", name="A better title")).to_be_visible()
    expect(solution).to_have_value("Half a sen")


def test_tasks_follow_the_news_while_no_form_is_open(page: Page, cast: Cast) -> None:
    page.goto(address(cast.ticket))
    actions.escalate_task(actor=cast.desk, task=cast.task)
    expect(page.locator(f"#task-{cast.task.number}")).to_contain_text("Escalate")
    expect(page.locator(f"#task-{cast.task.number}").get_by_text("Escalate", exact=True)).to_have_count(1)


def test_what_people_wrote_runs_no_script(page: Page, cast: Cast) -> None:
    evil = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    actions.add_note(actor=Actor.external(key="s", name=evil), ticket=cast.ticket, body=evil)
    page.goto(address(cast.ticket))
    expect(page.locator("#conversation")).to_contain_text("<script>")
    assert page.title() != "owned"


def test_a_new_ticket_for_a_contact_found_by_typing(page: Page, cast: Cast) -> None:
    page.goto("/admin/tickets/ticket/add/")
    page.get_by_label("Title").fill("No power")
    page.locator(".db-field-contact .select2-selection").click()
    page.keyboard.type("olga")
    page.get_by_role("option", name="Olga").click()
    page.get_by_label("Give it to").select_option(label="Printers")
    page.get_by_role("button", name="Create the ticket").click()
    expect(page.get_by_role("heading", name="No power", exact=True)).to_be_visible()
    expect(page.get_by_role("article")).to_contain_text("Printers")


def test_the_page_works_without_scripts(browser: Browser, live_server: Any, cast: Cast) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/admin/login/")
    context.add_cookies([{"name": "sessionid", "value": _session(cast.agent), "url": live_server.url}])
    page.goto(address(cast.ticket))
    page.get_by_label("Text").fill("Written without scripts")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#conversation").get_by_text("Written without scripts")).to_be_visible()
    assert Note.objects.filter(body="Written without scripts").count() == 1
    context.close()


def _session(user: User) -> str:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.mark.appearance
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_has_no_barriers_and_fits(page: Page, cast: Cast, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    for query in ("", "?tab=history", "?do=edit", f"?do=decline&task={cast.task.number}"):
        page.goto(address(cast.ticket) + query)
        expect(page.locator(".db-page")).to_be_visible()
        # Only what is ours: the frame around it is Unfold's.
        found = Axe().run(page, context=".db-page").response["violations"]
        assert [(rule["id"], [node["html"][:160] for node in rule["nodes"]]) for rule in found] == [], query
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{query} is wider than the screen"
