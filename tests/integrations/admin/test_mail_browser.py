"""The screens of mail in a real browser: no barriers, nothing cut off, also with words that are too long."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from integrations.models import Mailbox
from tests.cast import Desk
from tests.integrations.inbound.mail.conftest import raw_mail, take

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OUR_PARTS = [".config-page", ".db-form", ".data-row"]
CUT_OFF = """
  [...document.querySelectorAll('#result_list .data-row > *')].some((cell) =>
    getComputedStyle(cell).overflowY !== 'visible' && cell.scrollHeight > cell.clientHeight + 1)
"""
LONG = "Supercalifragilistic" * 12


@pytest.mark.appearance
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_page_has_barriers(
    desk: Desk, browser: Any, live_server: Any, settings: Any, tmp_path: Any, scheme: str, width: int
) -> None:
    settings.MEDIA_ROOT = tmp_path
    box = Mailbox.objects.create(name="Support", address="support@portal.test", failures=3, last_error=LONG)
    row = take(raw_mail(From="s@nowhere.test", Subject=LONG, body=f"{LONG} https://example.org/{LONG}"), box)
    take(raw_mail(Precedence="bulk"), box)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    context = browser.new_context(
        base_url=live_server.url, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    context.add_cookies(
        [
            {
                "name": django_settings.SESSION_COOKIE_NAME,
                "value": client.cookies[django_settings.SESSION_COOKIE_NAME].value,
                "url": live_server.url,
            }
        ]
    )
    page = context.new_page()
    mail = f"/admin/integrations/incomingmail/{row.pk}/change/"
    decide = f"/admin/integrations/incomingmail/decide/assign/?ids={row.pk}"
    test = f"/admin/integrations/mailbox/{box.pk}/test_mailbox/"
    found = []
    for address in ("/admin/integrations/incomingmail/", "/admin/integrations/mailbox/", mail, decide, test):
        page.goto(address)
        parts = [part for part in OUR_PARTS if page.locator(part).count()]
        assert parts, address
        results = Axe().run(page, context={"include": [[part] for part in parts]})
        found += [
            f"{address}: {row['id']}: {row['nodes'][0]['html'][:120]}" for row in results.response["violations"]
        ]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{address}: wider than the window")
        if page.evaluate(CUT_OFF):
            found.append(f"{address}: a cell of the list is cut off")
    context.close()
    assert found == []


def test_a_mail_is_assigned_with_the_keyboard_alone(
    desk: Desk, browser_page: Any, live_server: Any, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    ticket = desk.ticket()
    row = take(raw_mail(From="s@nowhere.test"), None)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    name = django_settings.SESSION_COOKIE_NAME
    browser_page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    browser_page.goto(f"/admin/integrations/incomingmail/{row.pk}/change/")
    browser_page.locator("#decide-assign").focus()
    browser_page.keyboard.press("Enter")
    browser_page.locator("#answer").focus()
    browser_page.keyboard.type(ticket.number)
    browser_page.keyboard.press("Enter")
    browser_page.wait_for_url("**/change/")
    assert browser_page.get_by_text("Taken over").first.is_visible()
    assert ticket.notes.get().visibility == "internal"
