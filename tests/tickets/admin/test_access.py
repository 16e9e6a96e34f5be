"""Who may look, who may act, and that two agents do not overwrite each other."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.cast import Desk
from tests.tickets.admin.conftest import may, page_of
from tickets import actions
from tickets.actions import FileContent
from tickets.admin.task_forms import TASK_FORMS
from tickets.admin.ticket_forms import TICKET_FORMS
from tickets.events import Event
from tickets.models import Ticket, Visibility

LISTS = [
    "organisation",
    "contact",
    "queue",
    "category",
    "priority",
    "ownstatus",
    "owncompletioncode",
    "tag",
    "propertydefinition",
    "assignmentgroup",
    "ticket",
    "task",
]


def test_who_may_look_sees_the_page_without_a_single_form(desk: Desk, viewer: Client) -> None:
    task = desk.task(desk.service_desk)
    answer = viewer.get(page_of(task.ticket))
    assert answer.status_code == 200
    assert (answer.context["forms"], answer.context["note"], answer.context["cards"][0].forms) == ([], None, [])
    assert 'method="post" enctype' not in answer.content.decode()


@pytest.mark.parametrize("do", [*TICKET_FORMS, *TASK_FORMS])
def test_who_may_look_cannot_act(desk: Desk, viewer: Client, events: list[Event], do: str) -> None:
    task = desk.task(desk.service_desk)
    events.clear()
    values = {"do": do, "task": task.number, "version": task.version, "token": "0" * 32, "body": "x", "solution": "x"}

    assert viewer.post(page_of(task.ticket), values).status_code == 403

    assert events == []


def test_who_may_look_can_create_no_ticket_and_run_no_bulk_action(desk: Desk, viewer: Client) -> None:
    ticket = desk.ticket()
    assert viewer.get(reverse("admin:tickets_ticket_add")).status_code == 403
    viewer.post(
        reverse("admin:tickets_ticket_changelist"),
        {"action": "close_tickets", "_selected_action": ticket.pk, "confirmed": "yes", f"version-{ticket.pk}": "1"},
    )
    ticket.refresh_from_db()
    assert not ticket.is_closed


def test_staff_without_permission_and_strangers_see_nothing(desk: Desk) -> None:
    ticket = desk.ticket()
    staff = Client()
    staff.force_login(User.objects.create_user("sam", is_staff=True))
    assert staff.get(page_of(ticket)).status_code == 403
    assert staff.get(page_of(ticket), {"tab": "history"}).status_code == 403

    end_user = Client()
    end_user.force_login(desk.end_user)
    for client in (Client(), end_user):
        answer = client.get(page_of(ticket))
        assert answer.status_code == 302
        assert "/admin/login/" in answer["Location"]


def test_permissions_are_asked_for_each_kind_of_record(desk: Desk) -> None:
    writer = may(User.objects.create_user("wim", is_staff=True), "view")
    writer.user_permissions.add(*_permission("add_note"))
    client = Client()
    client.force_login(writer)
    task = desk.task(desk.service_desk)
    page = client.get(page_of(task.ticket))
    assert page.context["note"] is not None
    assert page.context["cards"][0].forms == []


def _permission(codename: str) -> Any:
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename=codename)


def test_a_missing_ticket_is_not_found(agent: Client) -> None:
    for page in ("admin:tickets_ticket_change", "admin:tickets_ticket_history"):
        assert agent.get(reverse(page, args=[4711])).status_code == 404


@pytest.mark.parametrize("model", ["ticket", "task"])
def test_nobody_deletes_tickets_or_tasks(desk: Desk, admin_client: Client, model: str) -> None:
    task = desk.task(desk.service_desk)
    pk = task.ticket_id if model == "ticket" else task.pk
    assert admin_client.post(reverse(f"admin:tickets_{model}_delete", args=[pk]), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in admin_client.get(reverse(f"admin:tickets_{model}_changelist")).content.decode()
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("model", LISTS)
def test_every_list_opens_and_searches(desk: Desk, agent: Client, model: str) -> None:
    desk.task(desk.service_desk)
    answer = agent.get(reverse(f"admin:tickets_{model}_changelist"), {"q": "e"})
    assert answer.status_code == 200


def test_two_agents_do_not_overwrite_each_other(
    desk: Desk, agent: Client, send: Callable[..., Any], events: list[Event]
) -> None:
    ticket = desk.ticket()
    form = agent.get(page_of(ticket), {"do": "edit"}).context["opened"]
    mine = {field.name: field.value() or "" for field in form} | {"do": "edit", "title_text": "Mine"}
    actions.change_ticket(actor=desk.by_agent, ticket=ticket, title="Theirs")
    events.clear()

    answer = agent.post(page_of(ticket), mine)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "was changed by somebody else" in page
    assert "Reload" in page
    assert 'value="Mine"' in page, "what was typed is kept"
    assert '<h2 class="db-title">Theirs</h2>' in page
    assert agent.post(page_of(ticket), mine).status_code == 422, "sending it again overwrites nothing either"
    ticket.refresh_from_db()
    assert ticket.title == "Theirs"
    assert events == []


def test_a_task_that_moved_on_is_not_moved_again(desk: Desk, agent: Client) -> None:
    task = desk.task(desk.service_desk)
    card = agent.get(page_of(task.ticket), {"do": "propose", "task": task.number}).context["cards"][0]
    values = {name: card.opened[name].value() for name in ("version", "token")}
    actions.escalate_task(actor=desk.by_agent, task=task)
    sent = {"do": "propose", "task": task.number, "solution": "Water", "completion_code": "fulfilled", **values}
    answer = agent.post(page_of(task.ticket), sent)
    assert answer.status_code == 422
    assert "Water</textarea>" in answer.content.decode()


def test_agents_download_internal_files_too_but_only_of_the_ticket_and_never_inline(
    desk: Desk, agent: Client, viewer: Client
) -> None:
    ticket, other = desk.ticket(), desk.ticket()
    file = actions.attach(
        actor=desk.by_agent,
        ticket=ticket,
        content=FileContent("x.html", b"<h1>", "text/html"),
        visibility=Visibility.INTERNAL,
    )
    answer = viewer.get(reverse("admin:tickets_ticket_file", args=[ticket.pk, file.pk]))
    assert b"".join(answer.streaming_content) == b"<h1>"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert agent.get(reverse("admin:tickets_ticket_file", args=[other.pk, file.pk])).status_code == 404

    staff = Client()
    staff.force_login(User.objects.create_user("sam", is_staff=True))
    assert staff.get(reverse("admin:tickets_ticket_file", args=[ticket.pk, file.pk])).status_code == 403
