"""Polling on the page of its external system: settings, how it goes, and the button that asks at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Polling
from tests.cast import Partner
from tests.integrations.admin.conftest import Browser, address, errors, form_values, messages_of

ROW = "polling-0-"


@pytest.fixture
def page(partner: Partner) -> str:
    return f"externalsystem/{partner.system.pk}/change/"


@pytest.fixture
def polling(partner: Partner) -> Polling:
    return Polling.objects.create(system=partner.system, path="/rest/acme/ces", our_name="deskbridge")


def add(admin: Browser, page: str, **values: Any) -> Any:
    """The form with a first polling, as the browser's script adds it."""
    fine = {"active": "on", "path": "/rest/acme/ces", "our_name": "us", "interval_seconds": "60", "page_size": "50"}
    fine |= {"overlap_ms": "0", "cursor": "0", "layout": "", "kind": "case_exchange", **values}
    answer = admin.get(page)
    data = form_values(answer) | {ROW + name: value for name, value in fine.items()}
    data |= {"polling-TOTAL_FORMS": "1", "_save": "1"}
    return admin.client.post(address(page), data)


def test_polling_is_added_on_the_page_of_its_system(admin: Browser, page: str) -> None:
    assert add(admin, page, interval_seconds="5", cursor="17").status_code == 302
    polling = Polling.objects.get()
    assert (polling.path, polling.interval_seconds, polling.cursor) == ("/rest/acme/ces", 5, 17)
    assert polling.history.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("path", "rest/acme/ces", "Begin with a slash and end with /ces"),
        ("path", "/rest/acme/ces?layout=Id", "Begin with a slash and end with /ces"),
        ("path", "/rest/acme", "Begin with a slash and end with /ces"),
        ("interval_seconds", "4", "greater than or equal to 5"),
        ("page_size", "201", "less than or equal to 200"),
        ("our_name", "", "This field is required"),
        ("cursor", "-1", "greater than or equal to 0"),
    ],
)
def test_what_cannot_work_is_said_at_its_field(
    admin: Browser, page: str, field: str, value: str, message: str
) -> None:
    found = errors(add(admin, page, **{field: value}))
    assert message in found[ROW + field][0]
    assert not Polling.objects.exists()


def test_the_page_says_how_it_goes(admin: Browser, page: str, polling: Polling) -> None:
    assert "Not polled yet" in admin.get(page).content.decode()
    now = timezone.now()
    Polling.objects.update(failures=2, failing_since=now, last_error="The <desk> is busy.", cursor=1_700_000_000_000)
    shown = admin.get(page).content.decode()
    assert "The &lt;desk&gt; is busy." in shown
    assert "2 times" in shown
    assert "14 Nov 2023, 22:13:20" in shown
    Polling.objects.update(lease_until=now + timedelta(minutes=1))
    assert "Is being polled" in admin.get(page).content.decode()


def test_saving_the_page_leaves_the_cursor_alone_unless_it_was_changed_there(
    admin: Browser, page: str, polling: Polling
) -> None:
    Polling.objects.update(cursor=500, token=3)
    assert admin.send(page, **{ROW + "interval_seconds": "30"}).status_code == 302
    polling.refresh_from_db()
    assert (polling.interval_seconds, polling.cursor, polling.token) == (30, 500, 3)
    assert admin.send(page, **{ROW + "cursor": "0"}).status_code == 302
    polling.refresh_from_db()
    assert (polling.cursor, polling.token) == (0, 4)


def test_a_poll_that_moves_the_cursor_while_the_page_is_open_is_not_undone_by_saving(
    admin: Browser, page: str, polling: Polling
) -> None:
    opened = form_values(admin.get(page))
    Polling.objects.update(cursor=500)
    assert admin.client.post(address(page), {**opened, "_save": "1"}).status_code == 302
    polling.refresh_from_db()
    assert (polling.cursor, polling.token) == (500, 0)


def test_the_button_asks_at_once_and_the_network_is_left_to_a_worker(
    admin: Browser, partner: Partner, polling: Polling, httpserver: Any
) -> None:
    Polling.objects.update(due_at=timezone.now() + timedelta(hours=1))
    answer = admin.post(f"externalsystem/{partner.system.pk}/poll-now/")
    assert answer.status_code == 302
    assert "as soon as a worker is free" in messages_of(answer)[0]
    polling.refresh_from_db()
    assert polling.due_at is not None
    assert polling.due_at <= timezone.now()
    assert httpserver.log == []
    assert answer.url.endswith("/change/?awaited=6#polling-group")
    shown = admin.client.get(answer.url).content.decode()
    assert "is polled as soon as a worker is free" in shown and "data-awaited" in shown
    Polling.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert "data-awaited" not in admin.client.get(answer.url).content.decode()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"active": False}, "switched off"),
        ({"lease_until": timezone.now() + timedelta(hours=1)}, "being polled at this moment"),
    ],
)
def test_the_button_says_why_it_does_nothing(
    admin: Browser, partner: Partner, polling: Polling, values: dict[str, Any], message: str
) -> None:
    Polling.objects.update(**values)
    answer = admin.post(f"externalsystem/{partner.system.pk}/poll-now/")
    assert message in messages_of(answer)[0]
    polling.refresh_from_db()
    assert polling.due_at is None


def test_the_button_needs_a_post_and_the_permission(admin: Browser, browser_for: Any, partner: Partner) -> None:
    button = f"externalsystem/{partner.system.pk}/poll-now/"
    assert admin.get(button).status_code == 405
    assert admin.post(button).status_code == 404
    assert browser_for("view_externalsystem").post(button).status_code == 403


def test_only_who_may_use_the_button_sees_it(admin: Browser, browser_for: Any, page: str, polling: Polling) -> None:
    assert "Poll now" in admin.get(page).content.decode()
    reader = browser_for("view_externalsystem", "view_polling").get(page).content.decode()
    assert "/rest/acme/ces" in reader
    assert "Poll now" not in reader
