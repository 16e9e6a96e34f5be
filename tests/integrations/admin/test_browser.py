"""Configuration by keyboard and mouse in a real browser: what the scripts add, and that none of it is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User

from integrations.app_fields import sync_app_fields
from integrations.models import ExternalSystem, WsdlDocument
from tests.cast import Desk, Partner, make_partner
from tickets.models import AssignmentGroup, Contact, Priority

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OUR_PARTS = [".config-page", ".field-picker", ".soap-arguments", ".config-keys", ".config-bar"]


@pytest.fixture
def partner(transactional_db: None) -> Partner:
    sync_app_fields()
    made = make_partner("acme", "http://127.0.0.1:9")
    wsdl = Path("integrations/simulator/soap/tickets.wsdl").read_text()
    url = "http://127.0.0.1:9/soap?wsdl"
    WsdlDocument.objects.create(system=made.system, name="Tickets", url=url, documents={url: wsdl})
    made.key()
    return made


@pytest.fixture
def page(browser_page: Any, live_server: Any, client: Any, partner: Partner) -> Iterator[Any]:
    """A page of a signed-in administrator; whatever the browser complains about fails the test."""
    complaints: list[str] = []
    browser_page.on("console", lambda entry: entry.type in ("error", "warning") and complaints.append(entry.text))
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    client.force_login(User.objects.create_superuser("admin"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    browser_page.context.add_cookies([cookie])
    yield browser_page
    assert complaints == []


def operation_page(system: ExternalSystem) -> str:
    return f"/admin/integrations/operationtemplate/add/?system={system.pk}"


def line_of(page: Any, name: str) -> Any:
    """The row of a form in which a field stands."""
    return page.locator(f"[name='{name}']").locator("xpath=ancestor::*[contains(@class, 'field-line')]")


def test_a_field_is_found_and_inserted_by_keyboard(page: Any, partner: Partner) -> None:
    page.goto(operation_page(partner.system))
    page.fill("[name=body]", '{"title": ""}')
    page.press("[name=body]", "ArrowLeft")
    page.press("[name=body]", "ArrowLeft")
    page.fill("#field-picker-search", "the ticket's title")
    page.press("#field-picker-search", "Enter")
    page.keyboard.press("Enter")
    assert page.input_value("[name=body]") == '{"title": "{{ ticket.title }}"}'


def test_expressions_get_bare_paths_and_the_old_spelling_can_be_chosen(page: Any, partner: Partner) -> None:
    page.goto(operation_page(partner.system))
    page.click("[name=success]")
    page.click("button[data-path='task.number']")
    assert page.input_value("[name=success]") == "task.number"
    page.click("[name=path]")
    page.check("[name=picker-spelling][value=legacy]")
    page.click("button[data-path='task.number']")
    assert page.input_value("[name=path]") == "#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_Number#"


def test_only_the_fields_of_the_chosen_protocol_are_shown(page: Any, partner: Partner) -> None:
    page.goto(operation_page(partner.system))
    assert line_of(page, "method").is_visible()
    assert not line_of(page, "wsdl").is_visible()
    page.select_option("[name=protocol]", "soap")
    assert not line_of(page, "method").is_visible()
    assert line_of(page, "body").is_visible()
    page.select_option("[name=wsdl]", label="Partner acme: Tickets")
    assert not line_of(page, "body").is_visible()
    page.select_option("[name=soap_operation]", "CreateTicket")
    page.fill("[name='soap_arguments:Title']", "kept")
    page.select_option("[name=soap_operation]", "UpdateTicket")
    page.wait_for_selector("[name='soap_arguments:Number']")
    assert page.input_value("[name='soap_arguments:Title']") == "kept"


def test_authentication_shows_what_its_kind_needs(page: Any, partner: Partner) -> None:
    page.goto(f"/admin/integrations/externalsystem/{partner.system.pk}/change/")
    assert not line_of(page, "auth_username").is_visible()
    page.select_option("[name=auth_kind]", "basic")
    assert line_of(page, "auth_username").is_visible()
    assert not line_of(page, "auth_name").is_visible()
    page.select_option("[name=auth_kind]", "login")
    assert line_of(page, "auth_login").is_visible()


def test_steps_are_opened_and_added_by_keyboard(page: Any, partner: Partner) -> None:
    page.goto(f"/admin/integrations/process/{partner.process.pk}/change/")
    heading = page.locator("h3.step-toggle").nth(1)
    heading.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h3.step-toggle[aria-expanded=true]")
    assert page.locator("[name=steps-1-condition]").is_visible()
    page.click(".add-row")
    page.select_option("[name=steps-4-kind]", "note")
    assert line_of(page, "steps-4-text").is_visible()
    assert not line_of(page, "steps-4-mail_to").is_visible()
    page.fill("[name=steps-4-name]", "remark")
    page.fill("[name=steps-4-text]", "Sent")
    page.select_option("[name=steps-4-visibility]", "internal")
    page.click("button[name=_continue]")
    page.wait_for_selector("text=was changed successfully")
    assert partner.process.steps.get(name="remark").position == 5


def test_the_preview_suggests_tasks(page: Any, partner: Partner) -> None:
    contact = Contact.objects.create(name="Emil", email="emil@customer.test")
    priority = Priority.objects.create(code="p3", name="Normal", rank=3, is_default=True)
    agent = User.objects.create_user("ada", is_staff=True)
    group = AssignmentGroup.objects.create(name="Service desk", code="service-desk")
    Desk(agent, agent, agent, contact, group, priority).task()
    page.goto(f"/admin/integrations/process/{partner.process.pk}/open_preview/")
    page.type("[name=task]", "fire")
    page.wait_for_selector("#tasks option", state="attached")
    page.fill("[name=task]", str(page.locator("#tasks option").first.get_attribute("value")))
    page.click("button:has-text('Show')")
    page.wait_for_selector("text=Would run")


@pytest.mark.appearance
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_our_parts_of_the_pages_are_accessible_and_fit(page: Any, partner: Partner, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    system = f"/admin/integrations/externalsystem/{partner.system.pk}"
    wsdl = WsdlDocument.objects.get()
    for path in (
        f"{system}/change/",
        f"{system}/test_connection/",
        f"{system}/keys/new/",
        f"{operation_page(partner.system)}&protocol=soap&wsdl={wsdl.pk}&soap_operation=CreateTicket",
        f"/admin/integrations/wsdldocument/{wsdl.pk}/change/",
        f"/admin/integrations/process/{partner.process.pk}/open_preview/",
        "/admin/integrations/appfield/",
    ):
        page.goto(path)
        present = [part for part in OUR_PARTS if page.locator(part).count()]
        assert present, path
        found = Axe().run(page, context={"include": [[part] for part in present]})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(too_wide) <= 0, path
