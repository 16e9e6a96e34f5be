"""The pages on which a person decides about mail: what will happen is said before it happens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from integrations.admin.confirm import Line, Plan, ask, chosen
from integrations.inbound.mail import deciding
from integrations.models import UNDECIDED, IncomingMail, MailState
from tickets.errors import ActionRefused


@dataclass(frozen=True)
class Decision:
    """One thing that can be decided. `asks` is what has to be entered for it."""

    act: Callable[..., IncomingMail]
    title: Promise
    explanation: Promise
    words: Promise
    icon: str
    destructive: bool = False
    asks: str | Promise = ""
    asks_help: str | Promise = ""


DECISIONS: Final[Mapping[str, Decision]] = {
    "assign": Decision(
        deciding.assign,
        gettext_lazy("Assign to a ticket or task"),
        gettext_lazy(
            "With the number of a task that is at the desk whose address the mail comes from, it is taken as that "
            "desk's message, its tags included: you vouch for it. Otherwise it becomes a note: public if it is from "
            "the ticket's own contact, else internal. Nothing has been done yet."
        ),
        gettext_lazy("The mail of %(sender)s is added to this ticket or task."),
        "link",
        asks=gettext_lazy("Number of the ticket or task"),
        asks_help=gettext_lazy("For example 1001, or 1001-1 for a task."),
    ),
    "ticket": Decision(
        deciding.make_ticket,
        gettext_lazy("Make a ticket"),
        gettext_lazy(
            "A new ticket with the text and the files: of its sender, if that is a contact, else of the mailbox's "
            "failover person. Nothing has been done yet."
        ),
        gettext_lazy("The mail of %(sender)s becomes a new ticket."),
        "confirmation_number",
    ),
    "again": Decision(
        deciding.try_again,
        gettext_lazy("Try again"),
        gettext_lazy(
            "Each is taken over as if it had come now, with the configuration of now. What was stopped as automatic "
            "or as a loop is let through. Nothing has been done yet."
        ),
        gettext_lazy("The mail of %(sender)s is taken over if it can be. What was in the way: %(reason)s"),
        "replay",
    ),
    "discard": Decision(
        deciding.discard,
        gettext_lazy("Discard"),
        gettext_lazy("Nothing becomes of them. The stored mails are deleted after some weeks."),
        gettext_lazy("Nothing becomes of the mail of %(sender)s."),
        "delete",
        destructive=True,
    ),
}


def decision_page(
    model_admin: ModelAdmin, request: HttpRequest, name: str, rows: QuerySet[IncomingMail]
) -> HttpResponse:
    """Say what will be done with the chosen mails; on POST do it, each by itself."""
    if (decision := DECISIONS.get(name)) is None:
        raise Http404
    mails = list(rows.filter(pk__in=chosen(request)).order_by("pk"))
    if not mails:
        raise Http404
    back = reverse("admin:integrations_incomingmail_changelist")
    if len(mails) == 1:
        back = _url(mails[0])
    plan = Plan(
        title=decision.title,
        explanation=decision.explanation,
        submit=decision.title,
        back=back,
        destructive=decision.destructive,
        asks=decision.asks,
        asks_help=decision.asks_help,
        answer=request.POST.get("answer", "").strip()[:50],
    )
    if request.method == "POST":
        if decision.asks and not plan.answer:
            plan.problem = _("Enter a number.")
        else:
            plan.problem = _do(request, decision, plan, mails)
            if not plan.problem:
                return HttpResponseRedirect(back)
    for mail in mails:
        mail.refresh_from_db()
        words = {"sender": mail.sender or "?", "reason": mail.reason or mail.get_state_display()}
        line = Line(mail.pk, f"{mail.pk} · {mail}", _url(mail), str(decision.words) % words)
        decided = Line(mail.pk, line.title, line.url, _("It was decided about already."))
        if mail.state in UNDECIDED:
            plan.lines.append(line)
        else:
            plan.left_out.append(decided)
    return ask(model_admin, request, plan)


def _do(request: HttpRequest, decision: Decision, plan: Plan, mails: list[IncomingMail]) -> str:
    """Carry it out. What to say on the same page where the answer was wrong; else the person is told on the next."""
    assert isinstance(request.user, User)  # noqa: S101 - the admin lets nobody else in
    for mail in mails:
        try:
            arguments = (plan.answer,) if decision.asks else ()
            done = decision.act(mail, *arguments, by=request.user)
        except ActionRefused as refusal:
            if decision.asks:
                return str(refusal)
            messages.error(request, f"{mail.pk}: {refusal}")
            continue
        words = {"mail": done.pk, "state": done.get_state_display(), "reason": done.reason}
        if done.state in (MailState.UNCLEAR, MailState.STOPPED):
            messages.error(request, _("Mail %(mail)d: %(state)s. %(reason)s") % words)
        else:
            messages.success(request, _("Mail %(mail)d: %(state)s. %(reason)s") % words)
    return ""


def _url(mail: IncomingMail) -> str:
    return reverse("admin:integrations_incomingmail_change", args=[mail.pk])
