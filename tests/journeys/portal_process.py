"""A whole portal as a process of its own: database, HTTP, engine, and people who act at random when told.

Started by `test_two_portals`. Commands are lines of JSON on standard input, answers lines of JSON on standard output.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

COMMANDS: dict[str, Any] = {}
NOTED_DOWN = ("Incident was reopened", "Solution: ")
# What people write again and again, on both sides at once.
USUAL = ["ok", "Thanks", "Done?", "ok", "Grüße 🙂", "  two\n lines  "]


def main() -> None:
    """Start, then do what is told until the input ends."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    port = options.parse_args().port
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    threading.Thread(target=serve, args=(port,), daemon=True).start()
    for _number in range(2):
        threading.Thread(target=work, daemon=True).start()
    answer({"ready": True})
    for line in sys.stdin:
        command = json.loads(line)
        answer(COMMANDS[command.pop("do")](**command))


def answer(content: Any) -> None:
    """One line."""
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def serve(port: int) -> None:
    """The portal over HTTP, a thread for each call."""
    from werkzeug.serving import make_server

    from portal.wsgi import application

    make_server("127.0.0.1", port, application, threaded=True).serve_forever()


def work() -> None:
    """What workers and the sweeper do: whatever is due and nobody has."""
    from django.db import connection
    from django.db.models import Q
    from django.utils import timezone

    from integrations.engine.runner import work_off
    from integrations.models import Stream
    from integrations.polling import claim
    from integrations.polling.worker import poll

    while True:
        now = timezone.now()
        for polling in claim.due(now):
            poll(polling.pk)
        due = Stream.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), due_at__lte=now)
        found = list(due.order_by("due_at").values_list("pk", flat=True)[:20])
        random.shuffle(found)
        for stream in found:
            work_off(stream)
        if not found:
            connection.close()
            time.sleep(0.05)


def command(function: Any) -> Any:
    """Make it a command of this name."""
    COMMANDS[function.__name__] = function
    return function


@command
def prepare(other: str, url: str) -> dict[str, str]:
    """The other portal from the catalogue, with a group of its own; the key with which it may call."""
    from django.contrib.auth.models import User

    from integrations import catalogue
    from integrations.catalogue.building import process_name
    from integrations.models import GroupBinding, Process, SystemKey, ValueMapping
    from tickets.models import AssignmentGroup, Contact, Priority

    for rank in (1, 2, 3, 4):
        Priority.objects.create(code=f"P{rank}", name=f"Priority {rank}", rank=rank, is_default=rank == 3)
    agent = User.objects.create_user("agent", is_staff=True, first_name="Agent", last_name=f"opposite {other}")
    own = AssignmentGroup.objects.create(code="first-line", name="First line")
    own.members.add(agent)
    Contact.objects.create(
        name=f"Contact opposite {other}",
        email=f"contact@{other}.test",
        user=User.objects.create_user("contact"),
    )
    # Switched off until there is a key, so that nobody is asked in vain.
    system = catalogue.add(
        catalogue.load("deskbridge"),
        name=other,
        code=other,
        base_url=url,
        allow_private=True,
        # People here are faster than any.
        bounce_limit=30_000,
        active=False,
    )
    for rank in (1, 2, 3, 4):
        ValueMapping.objects.create(system=system, kind="priority", ours=f"P{rank}", theirs=f"P{rank}")
    process = Process.objects.get(name=process_name(system, "exchange"))
    group = AssignmentGroup.objects.create(code=other, name=f"{other} support")
    bound = {f"{name}_process": process for name in ("assignment", "update", "closure", "rejection")}
    GroupBinding.objects.create(group=group, integrated=True, system=system, **bound)
    _row, key = SystemKey.objects.create_key(name="peer", system=system)
    return {"key": key}


@command
def connect(key: str) -> dict[str, bool]:
    """The other's key."""
    from integrations.models import ExternalSystem

    system = ExternalSystem.objects.get()
    system.auth_secret = key
    system.active = True
    system.save()
    return {"connected": True}


@command
def raise_tickets(count: int) -> dict[str, int]:
    """Tickets of our contact, each with words of its own, given to the other's group."""
    from tickets import actions
    from tickets.models import AssignmentGroup, Contact

    group = AssignmentGroup.objects.exclude(code="first-line").get()
    for number in range(count):
        ticket = actions.create_ticket(
            actor=agent(),
            title=f"Ticket {number}",
            description="It smokes.",
            contact=Contact.objects.get(user__username="contact"),
        )
        actions.add_note(actor=end_user(), ticket=ticket, body="ok")
        actions.create_task(
            actor=agent(), ticket=ticket, group=group, owning_group=AssignmentGroup.objects.get(code="first-line")
        )
    return {"raised": count}


@command
def play(seed: int, changes: int) -> dict[str, int]:
    """So many changes by people, at random; what the life cycle does not allow is tried, and does not count.

    Now and then they look up from typing, so that what the others wrote arrives and they act on it.
    """
    from tickets.errors import ActionRefused
    from tickets.models import Ticket

    chance = random.Random(seed)
    done: dict[str, int] = {}
    numbers = list(Ticket.objects.values_list("pk", flat=True))
    while sum(done.values()) < changes:
        act = chance.choices(list(DEEDS), weights=[weight for _do, weight in DEEDS.values()])[0]
        try:
            happened = DEEDS[act][0](chance, Ticket.objects.get(pk=chance.choice(numbers)))
        except ActionRefused:
            continue
        if happened:
            done[act] = done.get(act, 0) + 1
            time.sleep(chance.choice([0, 0, 0.05, 0.5]))
    return done


@command
def look_around() -> dict[str, bool]:
    """The time of the next poll has come."""
    from django.utils import timezone

    from integrations.models import Polling

    Polling.objects.update(due_at=timezone.now())
    return {"asked": True}


@command
def unfinished() -> dict[str, Any]:
    """What is still to be sent, and what waits for a person."""
    from django.utils import timezone

    from integrations.models import ENDED, Polling, ProcessRun, RunState
    from integrations.polling import claim

    open_runs = ProcessRun.objects.exclude(state__in=ENDED)
    stuck = list(
        open_runs.filter(state__in=[RunState.ATTENTION, RunState.HELD]).values_list("operation", "reason")[:5]
    )
    stuck += Polling.objects.filter(failures__gt=0).values_list("kind", "last_error")
    looks = claim.due(timezone.now()).count()
    return {"open": open_runs.count() + looks, "stuck": stuck}


@command
def dump() -> dict[str, Any]:
    """Each exchanged ticket under the number of its raiser's task: what people wrote, in order, and the files."""
    from integrations.models import ExternalReference
    from integrations.triggers import ENDED
    from integrations.visibility import asked_for
    from tickets.actors import ActorKind
    from tickets.models import Visibility

    found: dict[str, Any] = {}
    for reference in ExternalReference.objects.select_related("task__ticket__contact", "system"):
        task = reference.task
        theirs = asked_for(task, reference.system)
        notes = task.ticket.notes.filter(visibility=Visibility.PUBLIC).exclude(actor_kind=ActorKind.SYSTEM)
        files = task.ticket.attachments.filter(visibility=Visibility.PUBLIC)
        found[f"{'theirs' if theirs else 'ours'} {reference.value if theirs else task.number}"] = {
            # What an operation notes down by itself is no word of a person.
            "notes": [[n.author_name, n.body] for n in notes if not n.body.startswith(NOTED_DOWN)],
            "files": sorted([file.name, file.sha256] for file in files),
            "priority": task.ticket.priority.code,
            "phase": task.phase,
            # A task that was taken back keeps the old one until there is another.
            "solution": task.solution if task.phase in ENDED else "",
            "contact": task.ticket.contact.email,
        }
    return found


@command
def log() -> dict[str, Any]:
    """How the exchange log counts."""
    from django.db.models import Count

    from integrations.models import Exchange

    rows = Exchange.objects.values_list("way", "operation", "outcome").annotate(n=Count("pk")).order_by()
    return {" ".join(row[:3]): row[3] for row in rows}


def agent() -> Any:
    """The agent as an actor."""
    from django.contrib.auth.models import User

    from tickets.actors import Actor

    return Actor.of_user(User.objects.get(username="agent"))


def end_user() -> Any:
    """The contact as an actor."""
    from django.contrib.auth.models import User

    from tickets.actors import Actor

    return Actor.of_user(User.objects.get(username="contact"))


def ours(ticket: Any) -> bool:
    """Whether our contact has raised it."""
    return bool(ticket.contact.user_id)


def words(chance: random.Random) -> str:
    """Often the same short ones."""
    return chance.choice([*USUAL, f"Something of {chance.random()}"])


def note(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    actions.add_note(actor=agent(), ticket=ticket, body=words(chance))
    return True


def contact_note(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    if not ours(ticket):
        return False
    actions.add_note(actor=end_user(), ticket=ticket, body=words(chance))
    return True


def internal_note(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    actions.add_note(actor=agent(), ticket=ticket, body="Not for others", visibility="internal")
    return True


def file(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    name = chance.choice(["photo.jpg", "Überblick.pdf", "図面.txt"])
    content = actions.FileContent(f"{chance.random()} {name}", chance.randbytes(chance.choice([0, 10, 3000])))
    actions.attach(actor=agent(), ticket=ticket, content=content)
    return True


def priority(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions
    from tickets.models import Priority

    others = Priority.objects.exclude(pk=ticket.priority_id).order_by("rank")
    actions.change_ticket(actor=agent(), ticket=ticket, priority=chance.choice(list(others)))
    return True


def solve(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    if ours(ticket):
        return False
    actions.propose_solution(
        actor=agent(),
        task=ticket.tasks.get(),
        solution=f"Solved {chance.random()}",
        completion_code="fulfilled",
    )
    return True


def decline(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    if not ours(ticket):
        return False
    actions.decline_solution(actor=end_user(), task=ticket.tasks.get(), reason=f"No {chance.random()}")
    return True


def accept(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    if not ours(ticket):
        return False
    actions.accept_solution(actor=end_user(), task=ticket.tasks.get())
    return True


def reopen(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions

    if not ours(ticket):
        return False
    actions.reopen_task(actor=agent(), task=ticket.tasks.get(), reason=f"Again {chance.random()}")
    return True


def take_back_and_give_again(chance: random.Random, ticket: Any) -> bool:
    from tickets import actions
    from tickets.models import AssignmentGroup

    if not ours(ticket):
        return False
    task = actions.assign_task(
        actor=agent(), task=ticket.tasks.get(), group=AssignmentGroup.objects.get(code="first-line")
    )
    actions.assign_task(actor=agent(), task=task, group=AssignmentGroup.objects.exclude(code="first-line").get())
    return True


# What people do, and how often.
DEEDS: dict[str, Any] = {
    "note": (note, 10),
    "contact's note": (contact_note, 6),
    "internal note": (internal_note, 2),
    "file": (file, 3),
    "new priority": (priority, 2),
    "solution": (solve, 3),
    "declined": (decline, 4),
    "accepted": (accept, 1),
    "reopened": (reopen, 2),
    "taken back and given again": (take_back_and_give_again, 1),
}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
