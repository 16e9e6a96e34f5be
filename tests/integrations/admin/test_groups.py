"""The integration of an assignment group, on the group's page."""

from typing import Any

import pytest

from integrations.models import GroupBinding
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser, errors

MARKER = "Task assigned to this group triggers integration"


@pytest.fixture
def page(desk: Desk) -> str:
    return f"/admin/tickets/assignmentgroup/{desk.service_desk.pk}/change/"


def test_the_marker_has_the_words_of_the_document(admin: Browser, page: str) -> None:
    text = admin.get(page).content.decode()
    for words in (MARKER, "New assignment process", "Update message process", "Closure process"):
        assert words in text


def test_a_group_that_is_marked_says_what_is_missing_at_each_field(admin: Browser, page: str) -> None:
    answer = admin.send(page, **{"binding-0-integrated": "on"})
    assert errors(answer) == {
        "binding-0-system": ["Choose the external system that this group stands for."],
        "binding-0-assignment_process": ["Choose the process that runs when a task is assigned to this group."],
        "binding-0-update_process": ["Choose the process that sends update messages."],
        "binding-0-closure_process": ["Choose the process that runs when a task is closed."],
    }
    assert not GroupBinding.objects.exists()


def test_one_process_may_serve_all(admin: Browser, page: str, partner: Partner, desk: Desk) -> None:
    process = str(partner.process.pk)
    names = ("assignment_process", "update_process", "closure_process", "rejection_process", "incoming_process")
    changes: dict[str, Any] = {f"binding-0-{name}": process for name in names}
    answer = admin.send(page, **{"binding-0-integrated": "on", "binding-0-system": str(partner.system.pk)}, **changes)
    assert answer.status_code == 302
    binding = GroupBinding.objects.get(group=desk.service_desk)
    assert {getattr(binding, name) for name in names} == {partner.process}


def test_a_group_without_the_marker_needs_nothing(admin: Browser, page: str) -> None:
    assert admin.send(page, name="Renamed").status_code == 302
    assert not GroupBinding.objects.exists()


def test_the_history_of_the_integration_is_a_click_away(admin: Browser, partner: Partner) -> None:
    group = f"/admin/tickets/assignmentgroup/{partner.group.pk}/change/"
    assert admin.send(group, **{"binding-0-relay": "on"}).status_code == 302
    history = f"groupbinding/{partner.binding.pk}/history/"
    assert f"/admin/integrations/{history}" in admin.get(group).content.decode()
    assert "<strong>Relay</strong>" in admin.get(history).content.decode()


def test_bindings_have_no_list_of_their_own(admin: Browser) -> None:
    assert "groupbinding" not in admin.get("/admin/").content.decode()
