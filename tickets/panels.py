"""Places on the desk's screens for what the desk does not know. Other packages register here when they are loaded.

`tickets` never imports `integrations`: references, exchanges and bindings reach its pages through these functions.
Registering the same name or the same function again replaces it, so that a module may be loaded twice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.contrib.admin.options import InlineModelAdmin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tickets.models import Contact, Task, Ticket

RenderPanel = Callable[[HttpRequest, Ticket], SafeString]
RenderContactPanel = Callable[[HttpRequest, Contact], SafeString]
PublicFacts = Callable[[Ticket], list[tuple[str, str]]]


@dataclass(frozen=True)
class TicketPanel:
    """A section of the ticket's page in the admin. An empty rendering shows no panel. One that is `wide` has what is
    beside it below itself."""

    name: str
    title: str
    render: RenderPanel
    order: int
    wide: bool = True


@dataclass(frozen=True)
class Badge:
    """A word or number beside a task. `kind` is info, success, warning, danger or empty; `url` makes it a link."""

    text: str
    kind: str = ""
    url: str = ""


@dataclass(frozen=True)
class ContactLimits:
    """What end users may not do with a ticket, because of who works on it: a sentence for them, empty where they may.

    Notes and files whose author has one of the keys `unread` are not shown to them.
    """

    write: str = ""
    close: str = ""
    unread: frozenset[str] = frozenset()


FindLimits = Callable[[Ticket], ContactLimits]
TaskBadges = Callable[[list[Task]], dict[int, list[Badge]]]

_ticket_panels: dict[str, TicketPanel] = {}
_contact_panels: list[RenderContactPanel] = []
_task_badges: list[TaskBadges] = []
_group_inlines: list[type[InlineModelAdmin]] = []
_searches: list[Callable[[str], Q]] = []
_public_facts: list[PublicFacts] = []
_contact_limits: list[FindLimits] = []
_partner_checks: dict[Callable[[Task], bool], tuple[str, ...]] = {}


def register_ticket_panel(name: str, title: str, render: RenderPanel, order: int = 100, *, wide: bool = True) -> None:
    """Show a section on the ticket's page in the admin; sections stand in order of `order`, then name."""
    _ticket_panels[name] = TicketPanel(name=name, title=title, render=render, order=order, wide=wide)


def ticket_panels() -> list[TicketPanel]:
    """The registered sections, in order."""
    return sorted(_ticket_panels.values(), key=lambda panel: (panel.order, panel.name))


def register_contact_panel(render: RenderContactPanel) -> None:
    """Show a section below the form on a contact's page in the admin. An empty rendering shows none."""
    if render not in _contact_panels:
        _contact_panels.append(render)


def contact_panels(request: HttpRequest, contact: Contact) -> list[SafeString]:
    """The sections of a contact's page."""
    return [render(request, contact) for render in _contact_panels]


def register_task_badge(badges: TaskBadges) -> None:
    """Show badges beside tasks. Called once a page with all its tasks, so that it can ask the database once."""
    if badges not in _task_badges:
        _task_badges.append(badges)


def badges_of(tasks: Sequence[Task]) -> dict[int, list[Badge]]:
    """All badges by task id."""
    found: dict[int, list[Badge]] = {task.pk: [] for task in tasks}
    if not found:
        return found
    for badges in _task_badges:
        for task_id, more in badges(list(tasks)).items():
            found[task_id].extend(more)
    return found


def register_group_inline(inline: type[InlineModelAdmin]) -> None:
    """Show an inline on the assignment group's page in the admin."""
    if inline not in _group_inlines:
        _group_inlines.append(inline)


def group_inlines() -> list[type[InlineModelAdmin]]:
    """The inlines of the assignment group's page."""
    return list(_group_inlines)


def register_search(condition: Callable[[str], Q]) -> None:
    """Find tickets by more than their own fields: `condition` turns one searched word into a condition on Ticket."""
    if condition not in _searches:
        _searches.append(condition)


def search_conditions(word: str) -> Iterable[Q]:
    """What else matches the word."""
    return [condition(word) for condition in _searches]


def register_public_facts(facts: PublicFacts) -> None:
    """Show facts (label, value) about a ticket to its contact, for example the number that a partner gave it."""
    if facts not in _public_facts:
        _public_facts.append(facts)


def public_facts(ticket: Ticket) -> list[tuple[str, str]]:
    """All facts for the ticket's contact. Labels and values are plain text."""
    return [fact for facts in _public_facts for fact in facts(ticket)]


def register_contact_limits(limits: FindLimits) -> None:
    """Say what end users may not do with a ticket; where several say something, each of it counts."""
    if limits not in _contact_limits:
        _contact_limits.append(limits)


def contact_limits(ticket: Ticket) -> ContactLimits:
    """What end users may not do with the ticket now."""
    found = [limits(ticket) for limits in _contact_limits]
    return ContactLimits(
        write=next((each.write for each in found if each.write), ""),
        close=next((each.close for each in found if each.close), ""),
        unread=frozenset[str]().union(*(each.unread for each in found)),
    )


def register_partner_check(check: Callable[[Task], bool], *, relations: tuple[str, ...] = ()) -> None:
    """Say whether a task is with a partner now. `relations` of the task are loaded with it, so that the check of a
    whole list needs no query of its own."""
    _partner_checks[check] = relations


def is_with_partner(task: Task) -> bool:
    """Whether anybody outside is working on the task."""
    return any(check(task) for check in _partner_checks)


def partner_relations() -> tuple[str, ...]:
    """What has to be loaded with tasks before asking `is_with_partner` about many of them."""
    return tuple(name for relations in _partner_checks.values() for name in relations)
