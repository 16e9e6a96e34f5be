"""The same few people and one ticket in every test of the pages."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from tickets import actions
from tickets.actions import FileContent
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Attachment, Contact, Priority, Task, Ticket, Visibility

PASSWORD = "correct horse battery staple"


@dataclass
class Cast:
    """`owner` raised `ticket`; `outsider` is a contact too; `agent` is staff without a contact."""

    owner: User
    outsider: User
    agent: User
    nobody: User
    group: AssignmentGroup
    ticket: Ticket
    task: Task
    file: Attachment
    internal_file: Attachment

    @property
    def desk(self) -> Actor:
        """The agent as the cause of a change."""
        return Actor.of_user(self.agent)


def person(name: str, *, contact: bool = True, is_staff: bool = False) -> User:
    """A user who can sign in with `PASSWORD`."""
    user = User.objects.create_user(name.lower(), f"{name.lower()}@example.org", PASSWORD, is_staff=is_staff)
    user.first_name = name
    user.save()
    if contact:
        Contact.objects.create(name=name, email=user.email, user=user)
    return user


def raise_ticket(owner: User, title: str, description: str = "It beeps.") -> Ticket:
    """A ticket as its contact raises it."""
    return actions.create_ticket(
        actor=Actor.of_user(owner), contact=owner.contact, title=title, description=description
    )


def make_cast() -> Cast:
    """Everybody, and a ticket with a task, a public and an internal note, a public and an internal file."""
    Priority.objects.get_or_create(code="P3", defaults={"name": "Normal", "rank": 3, "is_default": True})
    Priority.objects.get_or_create(code="P1", defaults={"name": "Urgent", "rank": 1})
    owner, outsider = person("Olga"), person("Otto")
    agent = person("Agnes", contact=False, is_staff=True)
    group = AssignmentGroup.objects.create(name="Printers", code="printers")
    ticket = raise_ticket(owner, "The printer beeps")
    desk = Actor.of_user(agent)
    task = actions.create_task(actor=desk, ticket=ticket, group=group)
    actions.add_note(actor=desk, ticket=ticket, body="We are looking into it.")
    actions.add_note(actor=desk, ticket=ticket, body="SECRET-NOTE", visibility=Visibility.INTERNAL)
    file = actions.attach(actor=desk, ticket=ticket, content=FileContent("page.html", b"<h1>hi</h1>", "text/html"))
    internal_file = actions.attach(
        actor=desk,
        ticket=ticket,
        content=FileContent("SECRET-FILE.txt", b"hidden", "text/plain"),
        visibility=Visibility.INTERNAL,
    )
    return Cast(
        owner=owner,
        outsider=outsider,
        agent=agent,
        nobody=person("Nora", contact=False),
        group=group,
        ticket=ticket,
        task=task,
        file=file,
        internal_file=internal_file,
    )
