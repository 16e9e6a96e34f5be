"""Whole pages of the administration with Unfold's frame, light and dark, wide and at phone width: no barrier that axe
can find, nothing cut off, and the content a key away."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from integrations.catalogue import add, load
from integrations.models import Exchange, Hook, Mailbox, Outcome, Way, WebhookSubscription
from tests.browser.test_pages_accessible import barriers
from tests.cast import make_desk
from tickets.models import Contact

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pages(transactional_db: None) -> list[str]:
    """Something of everything; where it is shown."""
    ticket = make_desk().task().ticket
    system = add(load("generic-rest"), name="Acme", code="acme", base_url="https://desk.acme.test", secret="s3cret")
    person = Contact.objects.create(name="Zoë", email="zoe@example.com")
    hook = Hook.objects.get(system=system)
    call = Exchange.objects.create(
        way=Way.IN, system=system, dialect="webhook", outcome=Outcome.RECORDED, request_body='{"number": "A-1"}'
    )
    Exchange.objects.create(way=Way.OUT, system=system, dialect="http", outcome=Outcome.RETRYABLE, error="Silence.")
    told = WebhookSubscription.objects.create(
        system=system, name="all", url="https://acme.test", events=["note_added"]
    )
    mailbox = Mailbox.objects.create(name="Support", address="support@example.com")
    at_system = f"integrations/externalsystem/{system.pk}"
    return [
        "",
        *(f"{at_system}/{page}/" for page in ("change", "history", "people", "clone", "values/priority")),
        f"{at_system}/prove/create_ticket/",
        "integrations/externalsystem/",
        "integrations/exchange/",
        f"integrations/exchange/{call.pk}/change/",
        f"integrations/hook/{hook.pk}/change/",
        f"integrations/hook/{hook.pk}/calls/",
        f"integrations/hookrule/add/?hook={hook.pk}&call={call.pk}",
        "integrations/webhooksubscription/add/",
        f"integrations/webhooksubscription/{told.pk}/change/",
        f"integrations/webhooksubscription/{told.pk}/rotate/",
        f"integrations/mailbox/{mailbox.pk}/change/",
        "integrations/incomingmail/",
        "integrations/stream/",
        f"tickets/contact/{person.pk}/change/",
        *(f"integrations/contactreference/{person.pk}/{system.pk}/{verb}/" for verb in ("delete_contact", "forget")),
        f"tickets/ticket/{ticket.pk}/change/",
        f"tickets/ticket/{ticket.pk}/change/?tab=history",
    ]


@pytest.fixture
def page(browser: Any, live_server: Any, client: Any, pages: list[str], request: Any) -> Iterator[Page]:
    """A page of a signed-in administrator, in the scheme and width of the test."""
    scheme, width = getattr(request, "param", ("light", 1440))
    client.force_login(User.objects.create_superuser("admin"))
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        # axe is run in the page, which the content policy of the pages would forbid.
        bypass_csp=True,
        reduced_motion="reduce",
    )
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    context.add_cookies([cookie])
    yield context.new_page()
    context.close()


@pytest.mark.appearance
@pytest.mark.parametrize("page", [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)], indirect=True)
def test_no_page_has_barriers(page: Page, pages: list[str]) -> None:
    found: list[str] = []
    for path in pages:
        answer = page.goto(f"/admin/{path}")
        assert answer is not None and answer.ok, path
        found += barriers(page, path)
    assert found == []


@pytest.mark.parametrize("page", [("light", 1440), ("light", 390)], indirect=True)
def test_every_column_of_the_operations_is_in_view(page: Page) -> None:
    system = add(load("jira-service-management"), name="Jira", code="jira", base_url="https://jira.test", secret="s")
    inline, listed = "#operations-data", ".result-list"
    for path, table in ((f"externalsystem/{system.pk}/change/", inline), ("operationtemplate/", listed)):
        page.goto(f"/admin/integrations/{path}")
        page.locator(f"{table} tbody").first.wait_for()
        # The right edge of each value, and of what scrolls; and no text that is taller than its cell.
        beyond = """table => [...table.querySelectorAll('td')].filter(cell => {
            const space = table.parentElement.getBoundingClientRect(), own = cell.getBoundingClientRect();
            return own.width && (own.right > space.right + 1 || cell.scrollHeight > cell.clientHeight + 1);
        }).map(cell => cell.innerText)"""
        assert page.locator(table).evaluate(beyond) == [], path


def test_the_content_is_a_key_away(page: Page) -> None:
    page.goto("/admin/integrations/hook/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")


@pytest.mark.parametrize(
    ("page", "opener", "inside"),
    [
        (("light", 1440), "More", "Clone"),
        (("light", 1440), "Values and people", "Value maps"),
        (("light", 1440), "admin", "View site"),
        (("light", 390), "Menu", "Overview"),
    ],
    indirect=["page"],
)
def test_menus_open_and_close_by_keyboard(page: Page, pages: list[str], opener: str, inside: str) -> None:
    page.goto(f"/admin/{pages[1]}")
    menu = page.get_by_role("button", name=re.compile(opener)).locator("visible=true").last
    item = page.get_by_text(inside, exact=True).locator("visible=true")
    for key in ("Enter", " "):
        expect(item).to_have_count(0)
        menu.focus()
        page.keyboard.press(key)
        expect(item).to_be_visible()
        expect(menu).not_to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_focused()


def test_filters_are_reached_by_keyboard(page: Page) -> None:
    page.goto("/admin/integrations/exchange/")
    filters = page.get_by_role("button", name=re.compile("^Filters"))
    filters.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Apply Filters")).to_be_visible()
    expect(filters).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(filters).to_be_focused()
    expect(page.get_by_role("button", name="Apply Filters")).to_be_hidden()


def test_a_search_field_is_called_as_its_label(page: Page) -> None:
    page.goto(f"/admin/integrations/mailbox/{Mailbox.objects.get().pk}/change/")
    expect(page.get_by_role("combobox", name="Failover person")).to_be_visible()
