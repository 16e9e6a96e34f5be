"""A ticket's page: its conversation, its tasks, what may be done, and what other packages know about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tickets.actors import Actor
from tickets.admin import task_forms, ticket_forms
from tickets.admin.changes import Change, Vocabulary
from tickets.admin.desk_form import DeskForm
from tickets.admin.tasks import PHASE_COLOURS
from tickets.admin.ticket_facts import ticket_facts
from tickets.admin.ticket_list import STANDING_COLOURS
from tickets.errors import ActionRefused, Conflict
from tickets.events import EventName
from tickets.lifecycle import OPEN_STATUSES, Phase
from tickets.models import History, Task, Ticket, Visibility
from tickets.panels import Badge, TicketPanel, badges_of, ticket_panels
from tickets.selectors import completion_codes, last_change, standing
from tickets.timeline import TimelineEntry, of_history, timeline
from tickets.views.once import once

TEMPLATE = "admin/tickets/ticket/page.html"
HISTORY_PER_PAGE = 100
# How often an open page asks for news; it is answered with nothing while nothing happened.
POLL_SECONDS: float = 8
# Notes and files stand in the conversation themselves.
CONVERSATION_EVENTS = [name for name in EventName if name not in (EventName.NOTE_ADDED, EventName.ATTACHMENT_ADDED)]


@dataclass
class TaskCard:
    """A task as the page shows it."""

    task: Task
    badges: list[Badge]
    phase_colour: str
    outcome: str
    forms: list[type[DeskForm]]
    opened: DeskForm | None


@dataclass
class Spoken:
    """An entry of the conversation or the history, with what changed in words."""

    entry: TimelineEntry
    changes: list[Change]


def ticket_page(model_admin: ModelAdmin, request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Show the page; a POST does the one thing that its form is about and comes back."""
    address = reverse("admin:tickets_ticket_change", args=[ticket.pk])
    seen = request.GET.get("seen")
    latest = last_change(ticket)
    if request.method == "GET" and seen == str(latest):
        return HttpResponse(status=204)
    opened = _opened(request, ticket)
    if request.method == "POST":
        if opened is None:
            raise PermissionDenied
        if opened.is_valid() and (told_to := carried_out(request, opened, lambda: f"{address}#{opened.anchor}")):
            return HttpResponseRedirect(told_to)
    context = _context(model_admin, request, ticket, opened) | {"latest": latest, "address": address}
    context["poll_seconds"] = POLL_SECONDS
    status = 422 if opened is not None and opened.errors else 200
    return TemplateResponse(request, TEMPLATE, context, status=status)


def _opened(request: HttpRequest, ticket: Ticket) -> DeskForm | None:
    """The form that was asked for; None for one that is unknown or that the agent may not use."""
    asked = request.POST if request.method == "POST" else request.GET
    name, number = asked.get("do", ""), asked.get("task", "")
    if not name:
        return None
    task = next((task for task in ticket.tasks.all() if task.number == number), None)
    form_class: type[DeskForm] | None = ticket_forms.TICKET_FORMS.get(name)
    if form_class is None and task is not None:
        form_class = task_forms.TASK_FORMS.get(name)
    if form_class is None or not form_class.allowed(request):
        return None
    # A move that the phase no longer allows is refused by the action, which says what is allowed now.
    if request.method == "POST":
        return form_class(request.POST, request.FILES, request=request, ticket=ticket, task=task)
    if name in ticket_forms.TICKET_FORMS and not ticket_forms.may_be_opened(ticket, form_class):
        return None
    if name not in ticket_forms.TICKET_FORMS and task is not None and form_class not in task_forms.forms_for(task):
        return None
    return form_class(request=request, ticket=ticket, task=task)


def carried_out(request: HttpRequest, form: DeskForm, where: Callable[[], str]) -> str:
    """Carry the form out once; then the address to go to, asked of `where` when it is done. Empty if the action
    refused, with the reason in the form."""
    said: list[str] = []

    def act() -> str:
        said.append(str(form.act(Actor.of_request(request))))
        return where()

    try:
        target, is_first = once(request, act)
    except ActionRefused as refusal:
        form.add_error(None, str(refusal))
        form.is_stale = isinstance(refusal, Conflict)
        return ""
    if is_first:
        messages.success(request, said[0])
    return target


def _context(
    model_admin: ModelAdmin, request: HttpRequest, ticket: Ticket, opened: DeskForm | None
) -> dict[str, Any]:
    tasks = list(ticket.tasks.all())
    badges = badges_of(tasks)
    found = standing(ticket, tasks)
    note = opened if opened is not None and opened.name == "note" else None
    may_write = ticket_forms.may_be_opened(ticket, ticket_forms.NoteForm)
    if note is None and may_write and ticket_forms.NoteForm.allowed(request):
        note = ticket_forms.NoteForm(request=request, ticket=ticket)
    tab, panel = _tab(request)
    codes = dict(completion_codes())
    facts = ticket_facts(request, ticket)
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": ticket,
        "title": str(ticket),
        "ticket": ticket,
        "standing": found.label,
        "standing_colour": STANDING_COLOURS[found],
        "facts": facts,
        "may_merge": ticket.status in OPEN_STATUSES and request.user.has_perm("tickets.change_ticket"),
        "cards": [_card(request, task, badges[task.pk], opened, codes) for task in tasks],
        "forms": _allowed(request, ticket_forms.forms_for(ticket)),
        "opened": opened if opened is not None and opened.task is None and opened.name != "note" else None,
        "note": note,
        "tab": tab,
        "tabs": _tabs(),
        "panel": panel.render(request, ticket) if panel else "",
        "is_wide": panel is not None and panel.wide,
        "conversation": _conversation(ticket) if tab == "conversation" else [],
        "history": _history(request, ticket) if tab == "history" else None,
        "media": model_admin.media
        + (opened.media if opened is not None else note.media if note else model_admin.media),
    }


def _card(
    request: HttpRequest, task: Task, badges: list[Badge], opened: DeskForm | None, codes: dict[str, str]
) -> TaskCard:
    mine = opened is not None and opened.name != "note" and opened.task is not None and opened.task.pk == task.pk
    return TaskCard(
        task=task,
        badges=badges,
        phase_colour=PHASE_COLOURS[Phase(task.phase)],
        outcome=codes.get(task.completion_code, task.completion_code),
        forms=_allowed(request, task_forms.forms_for(task)),
        opened=opened if mine else None,
    )


def _allowed(request: HttpRequest, forms: Iterable[type[DeskForm]]) -> list[type[DeskForm]]:
    return [form for form in forms if form.allowed(request)]


def _tabs() -> list[tuple[str, str | Promise]]:
    panels = [(panel.name, panel.title) for panel in ticket_panels()]
    return [("conversation", _("Conversation")), *panels, ("history", _("History"))]


def _tab(request: HttpRequest) -> tuple[str, TicketPanel | None]:
    """The chosen tab, and the panel that it shows if it is another package's."""
    name = request.GET.get("tab", "conversation")
    panel = next((panel for panel in ticket_panels() if panel.name == name), None)
    return (name, panel) if panel or name == "history" else ("conversation", None)


def _conversation(ticket: Ticket) -> list[Spoken]:
    entries = timeline(ticket, visibilities=Visibility.values, events=CONVERSATION_EVENTS)
    words = Vocabulary.load()
    return [Spoken(entry, words.told(entry.changes)) for entry in entries]


def _history(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """A page of the history, latest first."""
    rows = History.objects.filter(ticket=ticket).select_related("task").order_by("-id")
    page = Paginator(rows, HISTORY_PER_PAGE).get_page(request.GET.get("page"))
    entries = reversed(of_history(reversed(list(page))))
    words = Vocabulary.load()
    return {
        "page": page,
        "entries": [Spoken(entry, [words.of(row) for row in entry.changes if row.field]) for entry in entries],
    }


def ticket_or_404(model_admin: ModelAdmin, request: HttpRequest, object_id: str) -> Ticket:
    """The ticket with all that its page says, for an agent who may see it."""
    ticket = get_object_or_404(model_admin.get_queryset(request), pk=object_id)
    if not model_admin.has_view_or_change_permission(request, ticket):
        raise PermissionDenied
    return ticket
