"""The parts of a ticket's page that change by themselves: status, solution, conversation, answer.

Each part names the state that it shows. The page sends these names back every few seconds and gets only the parts
that have another name by now, so that what is being typed is left alone and an unchanged page costs an empty answer.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from tickets.forms import AcceptForm, CloseForm, DeclineForm, NoteForm, OnceForm, ReopenForm
from tickets.models import Task, Ticket
from tickets.panels import ContactLimits, contact_limits, public_facts
from tickets.property_fields import asked_properties
from tickets.selectors import Standing, continuing_ticket, is_contact, public_timeline, standing
from tickets.timeline import TimelineEntry
from tickets.views.access import person
from tickets.views.status import may_close, may_reopen, may_write, takes_messages, to_judge

LATEST = "j M Y, H:i"


@dataclass(frozen=True)
class Region:
    """One part. `seen` names the state that it shows, and is known without rendering it."""

    name: str
    seen: str
    request: HttpRequest
    context: dict[str, Any]

    @property
    def html(self) -> str:
        """What the page shows."""
        return render_to_string(f"tickets/regions/{self.name}.html", self.context, self.request)


@dataclass(frozen=True)
class TicketRegions:
    """All parts of a ticket's page, in reading order, one sentence about the latest entry, and the forms in them."""

    words: str
    latest: str
    all: list[Region]
    forms: frozenset[str]

    def changed(self, seen: dict[str, str]) -> list[Region]:
        """The parts that show another state than the page does."""
        return [region for region in self.all if seen.get(region.name) != region.seen]


def ticket_regions(request: HttpRequest, ticket: Ticket, *answered: OnceForm) -> TicketRegions:
    """All parts, in a constant number of queries. `answered` are forms to show again, with what was typed."""
    forms: dict[str, OnceForm] = {form.name: form for form in answered}
    tasks = list(ticket.tasks.all())
    now = standing(ticket, tasks)
    limits = contact_limits(ticket)
    entries = public_timeline(ticket, unread=limits.unread)
    return TicketRegions(
        words=str(now.label),
        latest=_latest(entries),
        all=[
            _status(request, ticket, tasks, now),
            _decision(request, ticket, forms),
            _timeline(request, ticket, entries),
            _answer(request, ticket, forms, limits),
        ],
        forms=frozenset(_forms_shown(request, ticket, limits)),
    )


def _forms_shown(request: HttpRequest, ticket: Ticket, limits: ContactLimits) -> list[str]:
    user = person(request)
    shown = ["accept", "decline"] if to_judge(user, ticket) else []
    shown += ["note"] if may_write(ticket, limits) else []
    shown += ["close"] if may_close(user, ticket, limits) else []
    return shown + (["reopen"] if may_reopen(user, ticket) else [])


def _digest(*said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _status(request: HttpRequest, ticket: Ticket, tasks: list[Task], now: Standing) -> Region:
    dates = [task.expected_resolution_at for task in tasks if task.expected_resolution_at and not task.is_closed]
    expected = max(dates, default=None)
    facts = [*public_facts(ticket), *asked_properties(ticket)]
    goes_on = continuing_ticket(person(request), ticket)
    shown = (ticket.priority_id, ticket.category_id, ticket.closed_at, ticket.on_hold_until, goes_on)
    seen = _digest(str(now), expected, facts, *shown)
    context = {"ticket": ticket, "standing": now, "expected": expected, "facts": facts, "goes_on": goes_on}
    context["follows"] = not is_contact(person(request), ticket)
    return Region(name="status", seen=seen, request=request, context=context)


def _timeline(request: HttpRequest, ticket: Ticket, entries: list[TimelineEntry]) -> Region:
    # Turning long conversations into HTML is what costs; what was written never changes.
    seen = _digest(*[(entry.key, entry.text, [file.pk for file in entry.files]) for entry in entries])
    return Region(name="timeline", seen=seen, request=request, context={"ticket": ticket, "entries": entries})


def _decision(request: HttpRequest, ticket: Ticket, forms: dict[str, OnceForm]) -> Region:
    task = to_judge(person(request), ticket)
    read = {"task": task.pk, "version": task.version} if task else {}
    context = {
        "ticket": ticket,
        "task": task,
        "accept": _renewed(forms.get("accept"), read) or AcceptForm(initial=read),
        "decline": _renewed(forms.get("decline"), read) or DeclineForm(initial=read),
    }
    seen = f"{task.pk}.{task.version}" if task else "none"
    return Region(name="decision", seen=seen, request=request, context=context)


def _renewed(form: OnceForm | None, read: dict[str, int]) -> OnceForm | None:
    """A form shown again beside another solution than the one it was written for: sent again, it means this one."""
    if form is not None and form.is_bound:
        form.put(**read)
    return form


def _answer(request: HttpRequest, ticket: Ticket, forms: dict[str, OnceForm], limits: ContactLimits) -> Region:
    said = limits if takes_messages(ticket) else ContactLimits()
    context = {
        "ticket": ticket,
        "may_write": may_write(ticket, limits),
        "may_close": may_close(person(request), ticket, limits),
        "not_write": said.write,
        "not_close": said.close if is_contact(person(request), ticket) else "",
        "may_reopen": may_reopen(person(request), ticket),
        "note": forms.get("note") or NoteForm(),
        "close": forms.get("close") or CloseForm(),
        "reopen": forms.get("reopen") or ReopenForm(),
    }
    seen = f"{context['may_write']:d}{context['may_close']:d}{context['may_reopen']:d}"
    if said.write or said.close:
        seen = _digest(seen, said)
    return Region(name="answer", seen=seen, request=request, context=context)


def _latest(entries: list[TimelineEntry]) -> str:
    if not entries:
        return ""
    last = entries[-1]
    return _("New: %(author)s %(did)s, %(when)s") % {
        "author": last.author,
        "did": last.sentence,
        "when": date_format(localtime(last.at), LATEST),
    }
