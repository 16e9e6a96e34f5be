"""Who takes part in the demo."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Group, Permission, User

from tickets.models import AssignmentGroup, Category, Contact, Organisation, Priority, Queue

# Sign-ins of a demo that listens on this machine only; `make run` prints them.
SIGN_INS: Final = {
    "admin": {"user": "admin", "password": "demo-admin"},
    "agent": {"user": "agent", "password": "demo-agent"},
    "end_user": {"user": "emma", "password": "demo-emma"},
}
PRIORITIES: Final = (("urgent", "Urgent"), ("high", "High"), ("normal", "Normal"), ("low", "Low"))
CATEGORIES: Final = (("hardware", "Hardware"), ("software", "Software"), ("network", "Network"))


@dataclass
class People:
    """The cast of the demo."""

    agent: User
    end_user: User
    contact: Contact
    service_desk: AssignmentGroup


def load_people() -> People:
    """Users, contacts, catalogue and the service desk's own group."""
    admin = _user("admin", "Ada", "Admin", is_staff=True, is_superuser=True)
    agent = _user("agent", "Arthur", "Agent", is_staff=True)
    end_user = _user("end_user", "Emma", "Example")
    agents = agents_group()
    agent.groups.add(agents)
    organisation, _created = Organisation.objects.get_or_create(name="Example Works")
    contact, _created = Contact.objects.get_or_create(
        email="emma@example-works.test",
        defaults={
            "name": "Emma Example",
            "user": end_user,
            "organisation": organisation,
            "phone": "+44 20 5550 0101",
        },
    )
    Contact.objects.get_or_create(
        email="oscar@example-works.test", defaults={"name": "Oscar Other", "organisation": organisation}
    )
    for rank, (code, name) in enumerate(PRIORITIES, start=1):
        Priority.objects.get_or_create(
            code=code, defaults={"name": name, "rank": rank, "is_default": code == "normal"}
        )
    for code, name in CATEGORIES:
        Category.objects.get_or_create(code=code, defaults={"name": name})
    Queue.objects.get_or_create(code="support", defaults={"name": "Support"})
    service_desk, created = AssignmentGroup.objects.get_or_create(
        code="service-desk", defaults={"name": "Service desk"}
    )
    if created:
        service_desk.members.add(admin, agent)
    return People(agent=agent, end_user=end_user, contact=contact, service_desk=service_desk)


def agents_group() -> Group:
    """What an agent may do: everything on the desk, see what is exchanged, ask other desks
    about people, decide about runs and unclear mail."""
    group, _created = Group.objects.get_or_create(name="Agents")
    desk = Permission.objects.filter(content_type__app_label="tickets").exclude(codename__startswith="delete_")
    exchange = Permission.objects.filter(
        content_type__app_label="integrations",
        codename__in=[
            "view_exchange",
            "view_processrun",
            "change_processrun",
            "view_steprun",
            "view_externalreference",
            "view_contactreference",
            "change_contactreference",
            "view_incomingmail",
            "change_incomingmail",
        ],
    )
    group.permissions.add(*desk, *exchange)
    return group


def _user(role: str, first_name: str, last_name: str, *, is_staff: bool = False, is_superuser: bool = False) -> User:
    sign_in = SIGN_INS[role]
    user, created = User.objects.get_or_create(
        username=sign_in["user"],
        defaults={
            "first_name": first_name,
            "last_name": last_name,
            "email": f"{sign_in['user']}@example-works.test",
            "is_staff": is_staff,
            "is_superuser": is_superuser,
        },
    )
    if created:
        user.set_password(sign_in["password"])
        user.save(update_fields=["password"])
    return user
