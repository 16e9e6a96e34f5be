"""A few tickets to look at, exchanged as soon as the worker runs."""

from integrations.demo.people import People
from integrations.demo.story import TITLE as STORY
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Category, Priority, Ticket


def load_tickets(people: People) -> None:
    """Four tickets, if there are none yet: one at home, one given away over each of REST, SOAP and Case Exchange."""
    if Ticket.objects.exists():
        return
    emma, agent = Actor.of_user(people.end_user), Actor.of_user(people.agent)
    printer = _ticket(
        people, emma, "The printer on floor 2 is on fire", "Smoke comes from tray 3.", "urgent", "hardware"
    )
    actions.add_note(actor=emma, ticket=printer, body="We have unplugged it.")
    _give(people, agent, printer, "northwind-rest")
    actions.add_note(actor=agent, ticket=printer, body="Please send somebody today; floor 2 is closed.")
    vpn = _ticket(people, emma, "VPN drops every ten minutes", "Since Monday, from home only.", "high", "network")
    _give(people, agent, vpn, "northwind-soap")
    reader = _ticket(people, emma, STORY, "No light, no sound, since this morning.", "high", "hardware")
    _give(people, agent, reader, "southwind-ces")
    editor = _ticket(people, emma, "Which editor may I install?", "For our web pages.", "low", "software")
    actions.create_task(actor=agent, ticket=editor, group=people.service_desk)
    actions.add_note(actor=agent, ticket=editor, body="Ask legal about the licence first.", visibility="internal")
    actions.add_note(actor=agent, ticket=editor, body="We are looking into it and come back to you.")


def _ticket(people: People, actor: Actor, title: str, text: str, priority: str, category: str) -> Ticket:
    return actions.create_ticket(
        actor=actor,
        title=title,
        description=text,
        contact=people.contact,
        priority=Priority.objects.get(code=priority),
        category=Category.objects.get(code=category),
    )


def _give(people: People, agent: Actor, ticket: Ticket, code: str) -> None:
    group = AssignmentGroup.objects.get(code=code)
    actions.create_task(actor=agent, ticket=ticket, group=group, owning_group=people.service_desk)
