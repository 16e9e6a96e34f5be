"""Tickets of the release before the life cycle: with their statuses, their contacts and their place in the lists."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from tickets import actions
from tickets.actors import Actor
from tickets.lifecycle import TicketStatus
from tickets.models import Member, MemberRole, OwnStatus, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

CHANGED = dt.datetime(2025, 5, 4, 12, tzinfo=dt.UTC)


def migrate(*targets: tuple[str, str]) -> Any:
    """Bring the database there; returns the models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return MigrationExecutor(connection).loader.project_state(list(targets)).apps


def newest() -> list[tuple[str, str]]:
    """The last migration of every app."""
    return list(MigrationExecutor(connection).loader.graph.leaf_nodes())


@pytest.fixture
def before(transactional_db: None, settings: Any) -> Iterator[Any]:
    """The models of the release before, in a database of their own, which takes the place of the tests' own meanwhile.
    That one was made from the models, as that is quicker than by their migrations."""
    settings.MIGRATION_MODULES = {}
    usual, old = connections["default"], connections.create_connection("default")
    old.settings_dict = {**old.settings_dict, "NAME": f"{usual.settings_dict['NAME']}_before"}
    with new_database(old):
        connections["default"] = old
        try:
            yield migrate(("tickets", "0001_initial"))
        finally:
            connections["default"] = usual


@contextmanager
def new_database(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """The database that it names, empty; removed afterwards."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        yield
        connection.close()
        Path(name).unlink()
        return
    quoted = connection.ops.quote_name(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted}")
    try:
        yield
    finally:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quoted}")


def test_statuses_members_and_places_in_lists_are_filled(before: Any) -> None:
    old = {name: before.get_model("tickets", name) for name in ("Contact", "Priority", "Ticket", "Task")}
    contact = old["Contact"].objects.create(name="Emil", email="emil@customer.test")
    priority = old["Priority"].objects.create(code="p3", name="Normal", rank=3)
    for number, status in enumerate(TicketStatus.values, start=1001):
        ticket = old["Ticket"].objects.create(
            number=str(number), title="Old", contact=contact, priority=priority, status=status
        )
        old["Task"].objects.create(number=f"{number}-1", ticket=ticket, title="Old", completion_code="fulfilled")
    old["Ticket"].objects.update(updated_at=CHANGED)

    migrate(*newest())

    tickets = list(Ticket.objects.select_related("own_status", "last_open_status").order_by("pk"))
    assert [ticket.status for ticket in tickets] == TicketStatus.values
    for ticket in tickets:
        assert ticket.own_status == OwnStatus.default_of(ticket.status)
        assert ticket.last_open_status == OwnStatus.default_of(TicketStatus.OPEN)
        assert ticket.listed_at == ticket.status_changed_at == ticket.updated_at == CHANGED
        member = Member.objects.get(ticket=ticket)
        assert (member.role, member.contact_id, member.started_at) == (
            MemberRole.CONTACT,
            contact.pk,
            ticket.created_at,
        )
        assert member.is_active
    assert OwnStatus.objects.count() == len(TicketStatus)
    for task in (ticket.tasks.get() for ticket in tickets):
        assert (task.phase, task.completion_code) == ("initial_support", "fulfilled")
    # They live on by the new tables.
    reopened = actions.set_status(actor=Actor.system(), ticket=tickets[1], status=TicketStatus.OPEN)
    assert reopened.own_status.code == "open"


def test_an_installation_without_tickets_gets_the_statuses(before: Any) -> None:
    migrate(*newest())
    assert set(OwnStatus.objects.filter(is_default=True).values_list("status", flat=True)) == set(TicketStatus.values)
