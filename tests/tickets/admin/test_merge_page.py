"""Merging: choose, read, confirm; and what is left of the merged ticket's page."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.cast import Desk
from tests.tickets.admin.conftest import page_of
from tickets import actions
from tickets.admin.ticket_forms import TICKET_FORMS
from tickets.events import Event
from tickets.lifecycle import TicketStatus
from tickets.models import Ticket


def merge_page(ticket: Ticket) -> str:
    return reverse("admin:tickets_ticket_merge", args=[ticket.pk])


def confirm(agent: Client, source: Ticket, target: Ticket, **values: Any) -> Any:
    """Open the preview and press its button."""
    form = agent.get(merge_page(source), {"into": target.pk}).context["form"]
    return agent.post(merge_page(source), {field.name: field.value() for field in form} | values, follow=True)


def test_the_preview_says_what_moves_and_does_nothing(desk: Desk, agent: Client, events: list[Event]) -> None:
    source, target = desk.ticket(title="Smoke"), desk.ticket(title="Fire")
    task = desk.task(desk.service_desk, source)
    actions.add_note(actor=desk.by_agent, ticket=source, body="Hello")
    events.clear()
    page = agent.get(merge_page(source), {"into": target.pk}).content.decode()
    assert task.number in page
    for words in ("1 task", "1 note", "0 files", f"Merge {source.number} into {target.number}"):
        assert words in page
    assert events == []


def test_after_the_merge_one_is_on_the_ticket_that_goes_on(desk: Desk, agent: Client) -> None:
    source, target = desk.ticket(), desk.ticket()
    desk.task(desk.service_desk, source)
    answer = confirm(agent, source, target)
    assert answer.redirect_chain[-1][0] == page_of(target)
    assert f"{source.number} is merged into this ticket." in answer.content.decode()
    assert target.tasks.count() == 1
    assert f"took over: {source.number}" in answer.content.decode()
    assert f"into: {target.number}" in agent.get(page_of(source)).content.decode()


def test_a_merged_tickets_page_leads_on_and_offers_nothing(desk: Desk, agent: Client) -> None:
    source, target = desk.ticket(), desk.ticket(title="Goes on")
    confirm(agent, source, target)
    answer = agent.get(page_of(source))
    page = answer.content.decode()
    assert f'Everything goes on in <a href="{page_of(target)}">{target.number} Goes on</a>' in page
    assert (answer.context["forms"], answer.context["note"], answer.context["may_merge"]) == ([], None, False)
    assert 'method="post" action="/admin/tickets' not in page
    assert all(not forms for forms in answer.context["facts"].forms.values())
    for name in TICKET_FORMS:
        assert agent.get(page_of(source), {"do": name}).context["opened"] is None
    assert f'Merged into this one</span> <a href="{page_of(source)}"' in agent.get(page_of(target)).content.decode()


def test_what_is_still_sent_to_a_merged_ticket_is_refused_with_the_one_to_use(desk: Desk, agent: Client) -> None:
    source, target = desk.ticket(), desk.ticket()
    note = agent.get(page_of(source)).context["note"]
    actions.merge_tickets(actor=desk.by_agent, source=source, target=target)
    values = {"do": "note", "body": "Too late", "visibility": "public"}
    values |= {name: note[name].value() for name in ("token", "version")}
    answer = agent.post(page_of(source), values)
    assert answer.status_code == 422
    assert f"was merged into {target.number}: use that one." in answer.content.decode()
    assert "Too late</textarea>" in answer.content.decode()


@pytest.mark.parametrize("which", ["source", "target"])
def test_only_open_tickets_are_merged(desk: Desk, agent: Client, which: str) -> None:
    tickets = {"source": desk.ticket(), "target": desk.ticket()}
    actions.set_status(actor=desk.by_agent, ticket=tickets[which], status=TicketStatus.SPAM)
    page = agent.get(merge_page(tickets["source"]), {"into": tickets["target"].pk}).content.decode()
    assert "only open tickets are merged" in page
    assert "There is no way back" not in page


def test_what_changed_since_the_preview_is_not_merged_unread(desk: Desk, agent: Client) -> None:
    source, target = desk.ticket(), desk.ticket()
    form = agent.get(merge_page(source), {"into": target.pk}).context["form"]
    actions.change_ticket(actor=desk.by_agent, ticket=source, title="Changed meanwhile")
    answer = agent.post(merge_page(source), {field.name: field.value() for field in form})
    assert answer.status_code == 422
    assert "somebody else" in answer.content.decode()
    assert Ticket.objects.get(pk=source.pk).status == TicketStatus.OPEN


def test_a_ticket_is_not_merged_into_itself_or_into_none(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket()
    assert "into itself" in agent.get(merge_page(ticket), {"into": ticket.pk}).content.decode()
    assert agent.get(merge_page(ticket), {"into": 4711}).context["plan"] is None
    assert agent.post(merge_page(ticket), {"into": 4711, "version": 1}).status_code == 422


def test_who_may_look_cannot_merge(desk: Desk, viewer: Client) -> None:
    source, target = desk.ticket(), desk.ticket()
    assert viewer.get(merge_page(source)).status_code == 403
    assert viewer.post(merge_page(source), {"into": target.pk, "version": 1}).status_code == 403
    assert viewer.get(page_of(source)).context["may_merge"] is False
    assert Ticket.objects.get(pk=source.pk).status == TicketStatus.OPEN


def test_the_preview_asks_as_often_for_much_as_for_little(desk: Desk, agent: Client) -> None:
    source, target = desk.ticket(), desk.ticket()

    def more() -> None:
        desk.task(desk.service_desk, source)
        other = desk.ticket()
        actions.link_tickets(actor=desk.by_agent, ticket=source, other=other, kind="related")
        actions.add_note(actor=desk.by_agent, ticket=source, body="Hello")
        actions.change_tags(actor=desk.by_agent, ticket=source, add=[other.number])

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert agent.get(merge_page(source), {"into": target.pk}).status_code == 200
        return len(captured)

    more()
    queries()
    little = queries()
    for _ in range(5):
        more()
    assert queries() == little
