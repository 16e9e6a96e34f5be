"""A webhook is set up in the browser: recorded first, a rule built from the recorded call, tried, switched on."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from tests.browser.administrator import fill_in, save, sign_in
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tests.integrations.inbound.webhook.conftest import comment
from tickets.models import Note

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def northwind(transactional_db: None) -> Desk:
    """A desk with a task that it knows as NW-1; nothing of its webhook is known."""
    User.objects.create_superuser("ada", "ada@desk.test", "agent-password")
    desk = make_desk("Northwind")
    make_task(desk, reference="NW-1")
    return desk


@pytest.fixture
def page(browser_page: Page, northwind: Desk) -> Iterator[Page]:
    """An administrator, signed in; a script error or a breach of the content policy fails the test."""
    complaints: list[str] = []
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    sign_in(browser_page, user="ada", password="agent-password", start="/admin/")
    yield browser_page
    browser_page.goto("about:blank")
    assert complaints == []


def desk_posts(body: Any) -> int:
    """As Northwind does."""
    raw = json.dumps(body).encode()
    digest = hmac.new(b"between us", raw, hashlib.sha256).hexdigest()
    headers = {"X-Sig": f"sha256={digest}"}
    answer = Client().post("/hooks/northwind/", raw, content_type="application/json", headers=headers)
    return int(answer.status_code)


def test_a_rule_is_built_from_a_recorded_call(page: Page, northwind: Desk) -> None:
    page.goto(f"/admin/integrations/externalsystem/{northwind.system.pk}/change/")
    page.get_by_role("button", name=re.compile("More")).locator("visible=true").last.click()
    page.get_by_role("link", name=re.compile("Webhook$")).locator("visible=true").click()
    fill_in(page, {"Only record": True, "Authentication": "HMAC over the body", "Header or parameter": "X-Sig"})
    fill_in(page, {"Prefix": "sha256=", "Secret, password or key": "between us"})
    save(page)
    expect(page.get_by_text("/hooks/northwind/")).to_be_visible()
    assert desk_posts(comment("Which tray?")) == 202

    page.get_by_role("link", name="Rules and recorded calls").click()
    expect(page.get_by_text("There are no rules yet")).to_be_visible()
    page.get_by_role("link", name="New rule from this call").click()
    fill_in(page, {"Name": "comments"})
    page.get_by_label("Condition").click()
    page.get_by_role("button", name=re.compile(r"^body\.event")).click()
    page.keyboard.type(" == 'comment'")
    fill_in(page, {"Operation": "Update: a note, files, the expected time"})
    page.get_by_label("Fields").click()
    for name, path in (("reference", r"body\.issue\.key"), ("text", r"body\.comment\.body")):
        page.keyboard.type(f"{name} = ")
        page.get_by_role("button", name=re.compile(f"^{path}")).click()
        page.keyboard.type("\n")
    page.get_by_role("button", name=re.compile("^Try on call")).click()
    expect(page.get_by_text("The condition holds")).to_be_visible()
    expect(page.locator(".hook-trial").get_by_text("Which tray?")).to_be_visible()
    assert not Note.objects.exists()
    save(page)

    page.goto(f"/admin/integrations/hook/{northwind.system.hook.pk}/calls/")
    expect(page.get_by_text("This rule counts")).to_be_visible()
    page.get_by_role("link", name=re.compile("Map again …$")).click()
    page.get_by_role("button", name="Map again").click()
    expect(page.get_by_text(re.compile("worked now"))).to_be_visible()
    assert Note.objects.get().body == "Which tray?"
    page.goto(f"/admin/integrations/hook/{northwind.system.hook.pk}/change/")
    fill_in(page, {"Only record": False})
    save(page)
    assert desk_posts(comment("Tray 3", number=8)) == 200
    assert Note.objects.count() == 2
