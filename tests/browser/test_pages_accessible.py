"""Every end users' page, light and dark, wide and at phone width: no barrier that axe can find, nothing cut off."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.test_pages import sign_in
from tests.tickets.views.cast import Cast, make_cast, raise_ticket
from tickets import actions
from tickets.actions import FileContent

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Supercalifragilisticexpialidocious-" * 6


@pytest.fixture
def cast(transactional_db: None, settings: Any, tmp_path: Path) -> Cast:
    """Everybody, a solution that waits, a closed ticket, and words that are too long."""
    settings.MEDIA_ROOT = tmp_path
    cast = make_cast()
    files = [FileContent(f"{LONG}.pdf", b"x")]
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body=f"{LONG} https://example.org/{LONG}", files=files)
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    raise_ticket(cast.owner, LONG)
    actions.close_ticket(actor=cast.desk, ticket=raise_ticket(cast.owner, "Closed"))
    return cast


def send_empty(page: Page, button: str) -> None:
    """Send a form without what it needs, past the browser's own check."""
    page.evaluate("for (const form of document.forms) form.noValidate = true")
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_load_state()


def visits(cast: Cast) -> Iterator[tuple[str, Callable[[Page], Any]]]:
    """Each page, and how to get there."""
    ticket, closed = cast.ticket.number, str(int(cast.ticket.number) + 2)

    def wrong(page: Page) -> None:
        page.goto("/tickets/new/")
        send_empty(page, "Send")

    def declined(page: Page) -> None:
        page.goto(f"/tickets/{ticket}/")
        page.get_by_text("No, something is still wrong").click()
        page.get_by_text("Close this ticket").click()
        send_empty(page, "Decline the solution")

    yield "list", lambda page: page.goto("/tickets/")
    yield "no match", lambda page: page.goto("/tickets/?search=zebra")
    yield "new", lambda page: page.goto("/tickets/new/")
    yield "new, with errors", wrong
    yield "ticket", lambda page: page.goto(f"/tickets/{ticket}/")
    yield "ticket, with errors", declined
    yield "closed ticket", lambda page: page.goto(f"/tickets/{closed}/")
    yield "not found", lambda page: page.goto("/tickets/999999/")


def barriers(page: Page, name: str) -> list[str]:
    """What axe finds, and whether anything sticks out to the side."""
    results = Axe().run(page)
    assert len(results.response["passes"]) > 10, "axe did not look at the page"
    found = [f"{name}: {violation['id']}: {violation['help']}" for violation in results.response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{name}: wider than the window")
    return found


@pytest.mark.appearance
@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390), ("light", 320)]
)
def test_no_page_has_barriers(scheme: str, width: int, cast: Cast, browser: Browser, live_server: Any) -> None:
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        # axe is run in the page, which the content policy of the pages would forbid.
        bypass_csp=True,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto("/accounts/login/?next=/tickets/")
    found = barriers(page, "sign in")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    found += barriers(page, "sign in, refused")
    sign_in(page)
    for name, visit in visits(cast):
        visit(page)
        found += barriers(page, name)
    page.goto("about:blank")
    context.close()
    assert found == []
