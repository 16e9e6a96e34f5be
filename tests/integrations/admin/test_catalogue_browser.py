"""The catalogue's screens in a real browser: no barrier that axe can find, nothing cut off, wide and narrow."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import expect

from integrations.catalogue import add, load
from integrations.catalogue.originals import remember
from integrations.models import ExternalSystem, Setup, SetupStep
from tickets.models import Priority

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def system(transactional_db: None) -> ExternalSystem:
    """A system that is being set up, changed since, and lacks something."""
    Priority.objects.create(code="p1", name="High", rank=1)
    preset = load("znuny-rest")
    made = add(preset, name="Acme", code="acme", base_url="https://desk.acme.test/znuny", active=False)
    remember(made, preset)
    made.operations.filter(name="create_ticket").update(path="/changed")
    made.operations.filter(name="update_contact").delete()
    Setup.objects.create(system=made, reached=SetupStep.ACTIVATE)
    return made


@pytest.fixture
def page(browser_page: Any, live_server: Any, client: Any, system: ExternalSystem) -> Iterator[Any]:
    """A page of a signed-in administrator; whatever the browser complains about fails the test."""
    complaints: list[str] = []
    browser_page.on("console", lambda entry: entry.type in ("error", "warning") and complaints.append(entry.text))
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    client.force_login(User.objects.create_superuser("admin"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    browser_page.context.add_cookies([cookie])
    yield browser_page
    assert complaints == []


def test_who_waits_is_told_so_and_then_led_to_the_result(page: Any, system: ExternalSystem) -> None:
    systems = "/admin/integrations/externalsystem"
    page.goto(f"{systems}/{system.pk}/setup/test/")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ExternalSystem.objects.update(base_url=address, allow_private=True, read_timeout=2, auth_kind="none")
        # The driver looks at nothing while a page is on its way, so the page itself keeps what it says.
        page.evaluate(
            """() => new MutationObserver(() => sessionStorage.setItem("said", document.body.innerText))
                .observe(document.body, {subtree: true, childList: true})"""
        )
        page.get_by_role("button", name="Test connection").focus()
        page.keyboard.press("Enter")
        result = page.locator(".trial")
        expect(result).to_contain_text("There was no answer.")
    expect(result).to_be_focused()
    assert "Asking the other desk." in page.evaluate("sessionStorage.getItem('said')")


@pytest.mark.appearance
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_the_screens_are_accessible_and_fit(page: Any, system: ExternalSystem, scheme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    systems = "/admin/integrations/externalsystem"
    steps = [f"{systems}/{system.pk}/setup/{step}/" for step in SetupStep]
    others = ["catalogue/", "catalogue/znuny-rest/", "catalogue/email-only/add/", "import/"]
    for path in (*steps, *(f"{systems}/{other}" for other in others), f"{systems}/{system.pk}/compare/"):
        page.goto(path)
        found = Axe().run(page, context={"include": [[".config-page"]]})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(too_wide) <= 0, path
