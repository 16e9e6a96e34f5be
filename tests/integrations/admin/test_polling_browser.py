"""Polling in a real browser: added by the inline's own button, asked at once by a button outside of the form."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Polling
from tests.cast import Partner
from tests.integrations.admin.test_browser import page, partner  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_polling_is_added_saved_and_asked_at_once(page: Any, partner: Partner) -> None:  # noqa: F811 - a fixture
    url = f"/admin/integrations/externalsystem/{partner.system.pk}/change/"
    page.goto(url)
    page.click("#polling-group a:has-text('Add another')")
    page.fill("[name=polling-0-path]", "/rest/acme/ces")
    page.fill("[name=polling-0-our_name]", "deskbridge")
    page.click("button[name=_continue]")
    assert Polling.objects.get().path == "/rest/acme/ces"
    later = timezone.now() + timedelta(hours=1)
    Polling.objects.update(due_at=later, failures=2, failing_since=later, last_error="The desk is busy.")
    page.goto(url)
    page.click("text=Poll now")
    page.wait_for_selector("text=as soon as a worker is free")
    due_at = Polling.objects.get().due_at
    assert due_at is not None
    assert due_at < later


def test_who_has_asked_stays_there_and_sees_it_when_it_is_done(page: Any, partner: Partner) -> None:  # noqa: F811 - fixtures
    later = timezone.now() + timedelta(hours=1)
    Polling.objects.create(system=partner.system, path="/rest/acme/ces", our_name="us", due_at=later)
    page.goto(f"/admin/integrations/externalsystem/{partner.system.pk}/change/")
    page.click("text=Poll now")
    waits = page.locator("[data-awaited]")
    waits.wait_for(state="attached")
    assert page.url.endswith("#polling-group")
    Polling.objects.update(due_at=later, last_success_at=timezone.now())
    page.wait_for_selector("text=last success", timeout=8000)
    page.wait_for_url("**/change/#polling-group")
    waits.wait_for(state="detached")


def test_what_is_typed_meanwhile_is_not_lost(page: Any, partner: Partner) -> None:  # noqa: F811 - a fixture
    Polling.objects.create(system=partner.system, path="/rest/acme/ces", our_name="us", due_at=timezone.now())
    page.goto(f"/admin/integrations/externalsystem/{partner.system.pk}/change/?awaited=6#polling-group")
    page.fill("[name=name]", "A new name")
    page.wait_for_timeout(3500)
    assert page.input_value("[name=name]") == "A new name"
