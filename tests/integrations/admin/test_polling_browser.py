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
