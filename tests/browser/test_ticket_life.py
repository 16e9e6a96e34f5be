"""A ticket's life in a real browser: its status by keyboard, merging it, following it; nothing in anybody's way."""

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.test_ticket_page import address, cast, complaints, page  # noqa: F401 - fixtures
from tests.tickets.views.cast import Cast, raise_ticket
from tickets import actions
from tickets.lifecycle import TicketStatus
from tickets.models import Member, MemberRole, OwnStatus, PropertyDefinition, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lived(cast: Cast) -> Ticket:  # noqa: F811 - a fixture
    """The ticket with something of everything, and every status there is."""
    for status in TicketStatus:
        OwnStatus.default_of(status)
    make = PropertyDefinition.objects.create
    make(code="floor", name="Floor", kind="number", for_contacts=True)
    make(code="site", name="Site", kind="choice", choices="Bern\nBasel", for_contacts=True)
    make(code="warranty", name="Warranty", kind="yes_no")
    make(code="since", name="Since", kind="date")
    make(code="remark", name="Remark", for_contacts=True)
    by, ticket = cast.desk, cast.ticket
    actions.set_tags(actor=by, ticket=ticket, names=["vip", "a tag that is as long as tags may ever become, 49"])
    values = {"floor": 2, "site": "Bern", "warranty": True, "since": "2026-01-31", "remark": "x" * 200}
    actions.set_properties(actor=by, ticket=ticket, values=values)
    actions.set_assigned_user(actor=by, ticket=ticket, user=cast.agent)
    actions.add_follower(actor=by, ticket=ticket, contact=cast.outsider.contact)
    other = raise_ticket(cast.outsider, "Smells of smoke")
    actions.link_tickets(actor=by, ticket=ticket, other=other, kind="related")
    contact = {"contact": cast.outsider.contact}
    ticket = actions.change_ticket(actor=by, ticket=Ticket.objects.get(pk=ticket.pk), **contact)
    late = timezone.now() - timedelta(hours=1)
    return actions.change_ticket(actor=by, ticket=ticket, contact=cast.owner.contact, deadline_at=late)


def test_a_ticket_is_put_on_hold_by_keyboard_and_only_then_asks_for_how_long(
    page: Page,  # noqa: F811 - a fixture
    lived: Ticket,
    complaints: list[str],  # noqa: F811 - a fixture
) -> None:
    page.goto(address(lived))
    page.get_by_role("link", name="Set status").focus()
    page.keyboard.press("Enter")
    status = page.get_by_role("combobox", name="Status")
    expect(status).to_be_focused()
    expect(page.get_by_label("What it waits for")).to_be_hidden()
    page.keyboard.type("Closed")
    expect(page.get_by_text("too, which tells the desks")).to_be_visible()
    expect(page.get_by_role("textbox", name="Solution")).to_be_visible()
    status.select_option(label="On hold")
    expect(page.get_by_role("textbox", name="Solution")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_label("On hold until")).to_be_focused()
    page.get_by_label("What it waits for").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Say what the ticket waits for.")).to_be_visible()
    assert len(complaints) == 1, "the browser tells that the form was refused"
    complaints.clear()
    page.get_by_label("What it waits for").fill("The fuser from the supplier")
    page.keyboard.press("Enter")
    expect(page.get_by_text('The status is now "On hold".')).to_be_visible()
    expect(page.locator("#ticket-facts")).to_contain_text("The fuser from the supplier")
    lived.refresh_from_db()
    assert lived.status == TicketStatus.ON_HOLD


def test_a_ticket_is_merged_after_reading_what_moves(page: Page, lived: Ticket, cast: Cast) -> None:  # noqa: F811 - a fixture
    target = raise_ticket(cast.owner, "The fire alarm rings")
    page.goto(address(lived))
    page.get_by_role("link", name="Merge…").click()
    page.locator(".select2-selection").click()
    page.keyboard.type(target.number)
    page.get_by_role("option", name="The fire alarm rings").click()
    page.get_by_role("button", name="Show what moves").click()
    expect(page.get_by_text("There is no way back. Nothing has been done yet.")).to_be_visible()
    expect(page.get_by_text(cast.task.number)).to_be_visible()
    page.get_by_role("button", name=f"Merge {lived.number} into {target.number}").click()
    expect(page.get_by_role("heading", name="The fire alarm rings", exact=True)).to_be_visible()
    expect(page.locator(f"#task-{cast.task.number}")).to_be_visible()
    page.locator("#links").get_by_role("link", name=lived.title).click()
    expect(page.get_by_text("Everything goes on in")).to_be_visible()
    expect(page.locator(".db-page").get_by_role("button")).to_have_count(0)
    page.locator(".db-banner").get_by_role("link").click()
    expect(page.get_by_role("heading", name="The fire alarm rings", exact=True)).to_be_visible()


def test_following_is_one_click_and_so_is_leaving(page: Page, lived: Ticket, cast: Cast) -> None:  # noqa: F811 - a fixture
    page.goto(address(lived))
    people = page.locator("#people")
    people.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_text("You follow the ticket now.")).to_be_visible()
    people.get_by_role("button", name="Remove a follower: Agnes").click()
    expect(page.get_by_text("You no longer follow the ticket.")).to_be_visible()
    assert not Member.objects.filter(role=MemberRole.FOLLOWER, user=cast.agent, ended_at=None).exists()


def test_facts_follow_the_news_but_not_while_a_form_is_open(page: Page, lived: Ticket, cast: Cast) -> None:  # noqa: F811 - a fixture
    page.goto(address(lived))
    actions.change_tags(actor=cast.desk, ticket=lived, add=["urgent-news"])
    expect(page.locator("#labels")).to_contain_text("urgent-news")
    page.goto(address(lived) + "?do=properties#labels")
    page.get_by_label("Floor").fill("3")
    actions.change_tags(actor=cast.desk, ticket=lived, add=["later-news"])
    expect(page.locator("#conversation")).to_contain_text("later-news")
    expect(page.get_by_label("Floor")).to_have_value("3")


@pytest.mark.appearance
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_of_a_tickets_life_have_no_barriers_and_fit(
    page: Page,  # noqa: F811 - a fixture
    lived: Ticket,
    cast: Cast,  # noqa: F811 - a fixture
    scheme: Any,
    width: int,
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 844})
    merged = raise_ticket(cast.outsider, "Merged")
    target = raise_ticket(cast.owner, "Goes on")
    actions.merge_tickets(actor=cast.desk, source=merged, target=target)
    here, merge = address(lived), address(lived).replace("change", "merge")
    forms = ("set_status", "assign_user", "add_follower", "tags", "properties", "link")
    pages = [here, *(f"{here}?do={name}" for name in forms), merge, f"{merge}?into={target.pk}", address(merged)]
    for visited in pages:
        page.goto(visited)
        expect(page.locator(".db-page")).to_be_visible()
        found = Axe().run(page, context=".db-page").response["violations"]
        assert [(rule["id"], [node["html"][:160] for node in rule["nodes"]]) for rule in found] == [], visited
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{visited} is wider than the screen"
