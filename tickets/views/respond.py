"""What the contact does with a ticket: add information, judge a solution, close, open again."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from tickets import actions
from tickets.actors import Actor
from tickets.errors import ActionRefused, Conflict, TransitionRefused
from tickets.forms import AcceptForm, CloseForm, DeclineForm, JudgeForm, NoteForm, OnceForm, ReopenForm
from tickets.models import Task, Ticket
from tickets.panels import contact_limits
from tickets.selectors import is_contact
from tickets.views.access import View, contact_page, person, ticket_or_404
from tickets.views.detail import ticket_page
from tickets.views.once import once
from tickets.views.status import may_close, may_reopen, takes_messages, to_judge


def _post_only(view: View) -> View:
    """After a form was refused its address stands in the browser: opening that leads back to the ticket."""

    def posted(request: HttpRequest, number: str) -> HttpResponse:
        if request.method != "POST":
            return redirect("tickets:detail", number)
        return view(request, number)  # type: ignore[return-value]  # each view answers a response

    return require_http_methods(["GET", "HEAD", "POST"])(contact_page(posted))


def _respond(
    request: HttpRequest, number: str, form: OnceForm, act: Callable[[Actor, Ticket], str], anchor: str = ""
) -> HttpResponse:
    """Carry out a valid form, once; show it again with what was typed if it is not valid or was refused.

    `act` returns what to tell the person.
    """
    ticket = ticket_or_404(request, number)
    told: list[str] = []

    def carry_out() -> str:
        told.append(act(Actor.of_request(request), ticket))
        return reverse("tickets:detail", args=[ticket.number]) + anchor

    if form.is_valid():
        try:
            address, is_first = once(request, carry_out)
        except ActionRefused as refusal:
            return ticket_page(request, number, form, problem=str(refusal), status=422)
        else:
            if is_first:
                messages.success(request, told[0])
            return redirect(address)
    return ticket_page(request, number, form, status=422)


@_post_only
def add_note(request: HttpRequest, number: str) -> HttpResponse:
    """Add a public note, files, or both."""
    form = NoteForm(request.POST, request.FILES)
    ticket = ticket_or_404(request, number)
    if not takes_messages(ticket):
        return _too_late(request, ticket, form)

    def act(actor: Actor, ticket: Ticket) -> str:
        files = form.file_contents()
        if form.cleaned_data["body"].strip():
            actions.add_note(actor=actor, ticket=ticket, body=form.cleaned_data["body"], files=files)
        else:
            for content in files:
                actions.attach(actor=actor, ticket=ticket, content=content)
        return _("Your message was added.")

    return _respond(request, number, form, act, anchor="#conversation-end")


def _too_late(request: HttpRequest, ticket: Ticket, form: NoteForm) -> HttpResponse:
    """The ticket was closed while they wrote: what they wrote becomes the reason to open it again."""
    if not may_reopen(person(request), ticket):
        return ticket_page(
            request, ticket.number, problem=_("This ticket takes no more messages: raise a new one."), status=422
        )
    reopen = ReopenForm(initial={"reason": form["body"].value()})
    return ticket_page(
        request,
        ticket.number,
        reopen,
        problem=_("This ticket was closed while you wrote. Open it again to send your message: it is kept below."),
        status=422,
    )


def _refuse_followers(request: HttpRequest, ticket: Ticket) -> None:
    if not is_contact(person(request), ticket):
        raise TransitionRefused(_("You follow this ticket: only its contact can do this. You can write a message."))


def _judged(request: HttpRequest, form: JudgeForm, ticket: Ticket) -> Task:
    """The task whose solution was read, if it is still the one that waits."""
    _refuse_followers(request, ticket)
    task = to_judge(person(request), ticket)
    if task is None:
        raise Conflict(_("There is no solution to answer any more. Read the conversation to see what happened."))
    if task.pk != form.cleaned_data["task"] or task.version != form.cleaned_data["version"]:
        raise Conflict(_("The solution was changed in the meantime. Read it again, then answer."))
    return task


@_post_only
def accept(request: HttpRequest, number: str) -> HttpResponse:
    """The solution is good."""
    form = AcceptForm(request.POST)

    def act(actor: Actor, ticket: Ticket) -> str:
        task = _judged(request, form, ticket)
        actions.accept_solution(actor=actor, task=task, expected_version=form.cleaned_data["version"])
        return _("You accepted the solution. Thank you.")

    return _respond(request, number, form, act)


@_post_only
def decline(request: HttpRequest, number: str) -> HttpResponse:
    """The solution is not good, and why."""
    form = DeclineForm(request.POST)

    def act(actor: Actor, ticket: Ticket) -> str:
        task = _judged(request, form, ticket)
        actions.decline_solution(
            actor=actor,
            task=task,
            reason=form.cleaned_data["reason"],
            expected_version=form.cleaned_data["version"],
        )
        return _("You declined the solution. Your reason was passed on, and the work goes on.")

    return _respond(request, number, form, act)


@_post_only
def close(request: HttpRequest, number: str) -> HttpResponse:
    """A contact may close their own ticket as long as it is open, where their organisation permits it."""
    form = CloseForm(request.POST)

    def act(actor: Actor, ticket: Ticket) -> str:
        _refuse_followers(request, ticket)
        limits = contact_limits(ticket)
        if limits.close:
            raise TransitionRefused(limits.close)
        if not may_close(person(request), ticket, limits) and takes_messages(ticket):
            raise TransitionRefused(_("Your organisation has its tickets closed by our agents: write to us instead."))
        actions.close_ticket(actor=actor, ticket=ticket, completion_code=form.cleaned_data["why"])
        return _("You closed the ticket. You can open it again below.")

    return _respond(request, number, form, act)


@_post_only
def reopen(request: HttpRequest, number: str) -> HttpResponse:
    """A contact may open their own closed ticket again, and says why."""
    form = ReopenForm(request.POST)

    def act(actor: Actor, ticket: Ticket) -> str:
        _refuse_followers(request, ticket)
        actions.reopen_ticket(actor=actor, ticket=ticket, reason=form.cleaned_data["reason"])
        return _("The ticket is open again, and your reason was passed on.")

    return _respond(request, number, form, act)
