"""How a ticket looks at other desks: on its page, and on the page of the desk that is polled by operations."""

from typing import Any

import pytest
from django.utils import timezone

from integrations.engine.references import store_reference
from integrations.models import (
    ExternalReference,
    ExternalSystem,
    OperationTemplate,
    Polling,
    TheirTicket,
    TheirValues,
    ValueMapping,
)
from integrations.polling.looks import GONE
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser, address, errors, form_values, messages_of
from tickets.models import Task


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    OperationTemplate.objects.create(system=partner.system, name="fetch_ticket", method="GET", path="/t")
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    return task


@pytest.fixture
def seen(task: Task) -> TheirTicket:
    values = {"status": "4", "status_label": "In <work>", "priority": "3 normal", "assignee": "Lena"}
    return TheirTicket.objects.create(
        reference=ExternalReference.objects.get(task=task),
        values=values,
        untranslated={"priority": {"theirs": "7 never", "base": ""}},
        seen_at=timezone.now(),
    )


@pytest.fixture
def polling(partner: Partner) -> Polling:
    return Polling.objects.create(system=partner.system, kind="operations")


def panel(admin: Browser, task: Task) -> str:
    answer = admin.client.get(f"/admin/tickets/ticket/{task.ticket_id}/change/?tab=their_tickets")
    return str(answer.content.decode())


def test_the_ticket_shows_what_it_says_there(admin: Browser, task: Task, seen: TheirTicket) -> None:
    shown = panel(admin, task)
    assert "<dt>Status there</dt><dd>In &lt;work&gt;</dd>" in shown
    assert "<dt>Priority</dt><dd>3 normal</dd>" in shown
    assert "<dt>Works on it</dt><dd>Lena</dd>" in shown
    assert "Without a translation: Priority “7 never”" in shown
    assert "Look now" in shown
    assert "db-page-wide" not in shown


def test_the_ticket_says_what_their_values_are_called_and_mean_here(
    admin: Browser, task: Task, seen: TheirTicket, partner: Partner
) -> None:
    maps = ValueMapping.objects
    maps.create(system=partner.system, kind="status", theirs="4", ours="escalate")
    maps.create(system=partner.system, kind="priority", theirs="3 normal", ours="p3")
    maps.create(system=partner.system, kind="category", theirs="hw", ours="", way="in")
    TheirValues.objects.create(system=partner.system, kind="category", values=[["hw", "Hardware"]])
    TheirTicket.objects.update(values={**seen.values, "category": "hw"})
    shown = panel(admin, task)
    assert "<dd>In &lt;work&gt; (here: Escalate)</dd>" in shown
    assert "<dd>3 normal (here: Normal)</dd>" in shown
    assert "<dd>Hardware</dd>" in shown


def test_a_ticket_that_is_gone_over_there_is_told_in_words(admin: Browser, task: Task, seen: TheirTicket) -> None:
    TheirTicket.objects.update(untranslated={GONE: {"theirs": "A-1", "base": ""}})
    shown = panel(admin, task)
    assert "does not know it any more" in shown and "Without a translation" not in shown


def test_a_ticket_at_which_nobody_has_looked_says_so(admin: Browser, task: Task) -> None:
    assert "<dt>Last look</dt><dd>not yet</dd>" in panel(admin, task)


def test_a_desk_that_only_lists_changes_is_shown_too(admin: Browser, task: Task, seen: TheirTicket) -> None:
    OperationTemplate.objects.filter(name="fetch_ticket").update(name="fetch_modified_since")
    assert "3 normal" in panel(admin, task)


def test_a_desk_that_cannot_be_asked_is_named_as_the_reason(admin: Browser, task: Task) -> None:
    OperationTemplate.objects.filter(name="fetch_ticket").delete()
    shown = panel(admin, task)
    assert "no operation fetches it" in shown
    assert "<dt>Number there</dt><dd>A-1</dd>" in shown and "Partner acme" in shown
    assert "Look now" not in shown


def test_the_button_marks_the_ticket_and_leaves_the_network_to_a_worker(
    admin: Browser, task: Task, seen: TheirTicket, partner: Partner, httpserver: Any
) -> None:
    answer = admin.post(f"externalsystem/{partner.system.pk}/look/{seen.reference_id}/")
    assert answer.status_code == 302
    assert "as soon as a worker is free" in messages_of(answer)[0]
    seen.refresh_from_db()
    assert seen.wanted_at is not None
    assert Polling.objects.get().active is False
    assert httpserver.log == []
    assert answer.url.endswith(f"?tab=their_tickets&awaited=6#there-{seen.reference_id}")
    assert "data-awaited" in panel(admin, task)
    TheirTicket.objects.update(wanted_at=None)
    assert "data-awaited" not in panel(admin, task)


def test_a_desk_that_is_switched_off_is_asked_nothing(
    admin: Browser, task: Task, seen: TheirTicket, partner: Partner
) -> None:
    ExternalSystem.objects.update(active=False)
    assert "Look now" not in panel(admin, task)
    answer = admin.post(f"externalsystem/{partner.system.pk}/look/{seen.reference_id}/")
    assert messages_of(answer) == ["Partner acme is switched off, and is asked nothing."]
    assert not Polling.objects.exists()


def test_the_button_needs_a_post_the_permission_and_a_ticket_of_that_desk(
    admin: Browser, browser_for: Any, task: Task, seen: TheirTicket, partner: Partner, other_partner: Partner
) -> None:
    button = f"externalsystem/{partner.system.pk}/look/{seen.reference_id}/"
    assert admin.get(button).status_code == 405
    assert admin.post(f"externalsystem/{other_partner.system.pk}/look/{seen.reference_id}/").status_code == 404
    assert browser_for("view_externalsystem").post(button).status_code == 403


def test_the_page_of_the_desk_says_what_was_seen_last_and_what_has_no_translation(
    admin: Browser, partner: Partner, polling: Polling, seen: TheirTicket
) -> None:
    shown = admin.get(f"externalsystem/{partner.system.pk}/change/").content.decode()
    assert "A-1" in shown
    assert "In &lt;work&gt; · 3 normal · Lena" in shown
    assert "priority: 7 never" in shown


def test_polling_by_operations_needs_one_to_ask_with(admin: Browser, partner: Partner) -> None:
    page = f"externalsystem/{partner.system.pk}/change/"

    def add() -> Any:
        fine = {"active": "on", "kind": "operations", "path": "", "our_name": "", "layout": "", "cursor": "0"}
        fine |= {"interval_seconds": "60", "page_size": "50", "overlap_ms": "120000", "looks_after_sending": "on"}
        data = form_values(admin.get(page)) | {f"polling-0-{name}": value for name, value in fine.items()}
        return admin.client.post(address(page), data | {"polling-TOTAL_FORMS": "1", "_save": "1"})

    assert "neither fetch_modified_since nor fetch_ticket" in errors(add())["polling-0-kind"][0]
    OperationTemplate.objects.create(system=partner.system, name="fetch_ticket", method="GET", path="/t")
    assert add().status_code == 302
    assert Polling.objects.get().kind == "operations"
