"""Statuses, completion codes, tags and properties: what may change, and what has to stay."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Desk
from tickets import actions
from tickets.lifecycle import TicketStatus
from tickets.models import OwnCompletionCode, OwnStatus, PropertyDefinition, PropertyKind, Tag, Ticket


def add(client: Client, model: str, **values: Any) -> Any:
    return client.post(reverse(f"admin:tickets_{model}_add"), values)


def change(client: Client, record: Any, **values: Any) -> Any:
    return client.post(reverse(f"admin:tickets_{record._meta.model_name}_change", args=[record.pk]), values)


def delete(client: Client, record: Any) -> str:
    """What the page says after the person confirmed."""
    address = reverse(f"admin:tickets_{record._meta.model_name}_delete", args=[record.pk])
    return client.post(address, {"post": "yes"}, follow=True).content.decode()


def defaults_of(status: int) -> list[str]:
    return list(OwnStatus.objects.filter(status=status, is_default=True).values_list("code", flat=True))


@pytest.mark.django_db
def test_marking_a_new_status_as_the_default_unmarks_the_one_before(admin_client: Client) -> None:
    before = OwnStatus.default_of(TicketStatus.OPEN)
    answer = add(admin_client, "ownstatus", name="New", code="new", status="1", is_default="on")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert defaults_of(TicketStatus.OPEN) == ["new"]
    change(admin_client, before, name="Open", is_default="on")
    assert defaults_of(TicketStatus.OPEN) == [before.code]


@pytest.mark.django_db
def test_a_fixed_status_keeps_a_default_that_can_neither_be_unmarked_nor_deleted(admin_client: Client) -> None:
    default = OwnStatus.default_of(TicketStatus.ON_HOLD)
    refused = change(admin_client, default, name="On hold")
    assert "mark another one as the default instead" in refused.content.decode()
    assert "Mark another status of it as the default" in delete(admin_client, default)
    assert defaults_of(TicketStatus.ON_HOLD) == [default.code]


@pytest.mark.django_db
def test_what_a_status_belongs_to_is_chosen_once(admin_client: Client) -> None:
    parts = OwnStatus.objects.create(name="Waiting for parts", code="parts", status=TicketStatus.AWAITING_EXTERNAL)
    change(admin_client, parts, name="Parts are late", code="other", status="1")
    parts.refresh_from_db()
    assert (parts.name, parts.code, parts.status) == ("Parts are late", "parts", TicketStatus.AWAITING_EXTERNAL)


def test_a_status_is_deleted_once_no_ticket_has_it_or_returns_to_it(desk: Desk, admin_client: Client) -> None:
    triage = OwnStatus.objects.create(name="Triage", code="triage", status=TicketStatus.OPEN)
    ticket = actions.set_status(actor=desk.by_agent, ticket=desk.ticket(), own_status=triage)
    actions.set_status(actor=desk.by_agent, ticket=ticket, status=TicketStatus.AWAITING_EXTERNAL)
    assert "1 ticket has this status or returns to it" in delete(admin_client, triage)
    actions.set_status(actor=desk.by_agent, ticket=ticket, own_status=OwnStatus.default_of(TicketStatus.OPEN))
    delete(admin_client, triage)
    assert not OwnStatus.objects.filter(code="triage").exists()


def test_a_completion_code_that_ended_a_task_stays(desk: Desk, admin_client: Client) -> None:
    add(admin_client, "owncompletioncode", name="Bought new", code="replaced", counts_as="fulfilled")
    code = OwnCompletionCode.objects.get()
    actions.close_task(actor=desk.by_agent, task=desk.task(), completion_code="replaced")
    assert "1 task was ended with this code" in delete(admin_client, code)
    assert OwnCompletionCode.objects.filter(pk=code.pk).exists()


@pytest.mark.django_db
def test_an_own_completion_code_is_none_of_the_fixed_ones(admin_client: Client) -> None:
    page = add(admin_client, "owncompletioncode", name="Done", code="fulfilled", counts_as="fulfilled")
    assert "one of the four fixed ones" in page.content.decode()


def test_a_property_in_use_keeps_its_code_and_kind_and_is_not_deleted(desk: Desk, admin_client: Client) -> None:
    add(admin_client, "propertydefinition", name="Floor", code="floor", kind="text", position="0", active="on")
    floor = PropertyDefinition.objects.get()
    change(admin_client, floor, name="Floor", code="floor", kind="number", position="0", active="on")
    floor.refresh_from_db()
    assert floor.kind == PropertyKind.NUMBER, "unused, its kind may change"

    actions.set_properties(actor=desk.by_agent, ticket=desk.ticket(), values={"floor": 2})
    change(admin_client, floor, name="Storey", code="storey", kind="text", position="0", active="on")
    floor.refresh_from_db()
    assert (floor.name, floor.code, floor.kind) == ("Storey", "floor", PropertyKind.NUMBER)
    assert "Switch it off instead" in delete(admin_client, floor)
    assert PropertyDefinition.objects.filter(pk=floor.pk).exists()


@pytest.mark.django_db
def test_one_of_several_needs_several(admin_client: Client) -> None:
    page = add(
        admin_client, "propertydefinition", name="Site", code="site", kind="choice", choices="Bern", position="0"
    )
    assert "Give at least two choices" in page.content.decode()


def test_a_tag_is_deleted_once_it_is_taken_off(desk: Desk, admin_client: Client) -> None:
    ticket = actions.set_tags(actor=desk.by_agent, ticket=desk.ticket(), names=["vip"])
    tag = Tag.objects.get()
    assert "1 ticket has this tag" in delete(admin_client, tag)
    actions.set_tags(actor=desk.by_agent, ticket=Ticket.objects.get(pk=ticket.pk), names=[])
    delete(admin_client, tag)
    assert not Tag.objects.exists()


@pytest.mark.parametrize("model", ["ownstatus", "owncompletioncode", "tag", "propertydefinition"])
def test_who_may_look_changes_nothing_in_the_catalogue(desk: Desk, viewer: Client, model: str) -> None:
    assert viewer.get(reverse(f"admin:tickets_{model}_changelist")).status_code == 200
    assert viewer.get(reverse(f"admin:tickets_{model}_add")).status_code == 403
    if model == "ownstatus":
        default = OwnStatus.default_of(TicketStatus.OPEN)
        address = reverse("admin:tickets_ownstatus_delete", args=[default.pk])
        assert viewer.post(address, {"post": "yes"}).status_code == 403
