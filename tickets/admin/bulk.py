"""One thing done to many tickets, after a page that says what it will do to each of them."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin, helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tickets.actions import change_tags, change_ticket, close_ticket, set_assigned_user, set_status
from tickets.actors import Actor
from tickets.admin.desk_form import PersonField, Words, choice_of, completion_code, text_area
from tickets.admin.label_forms import TagsField, tag_names
from tickets.admin.status_forms import StatusFields, tasks_follow
from tickets.errors import ActionRefused
from tickets.lifecycle import STATUS_TRANSITIONS, TicketStatus
from tickets.models import Priority, Queue, Ticket

TEMPLATE = "admin/tickets/ticket/bulk.html"


class BulkForm(forms.Form):
    """What is to be done to each ticket."""

    title: ClassVar[Words]
    explanation: ClassVar[Words]
    submit: ClassVar[Words]
    destructive: ClassVar[bool] = False

    def plan(self, ticket: Ticket) -> Words:
        """What will happen to this ticket; empty for nothing."""
        raise NotImplementedError

    def depends(self, ticket: Ticket) -> list[tuple[str, Words]]:
        """What else will happen, depending on the status that is chosen: (fixed statuses, words)."""
        return []

    def act(self, actor: Actor, ticket: Ticket, version: int | None) -> None:
        """Do it to one ticket; `ActionRefused` if the action refuses."""
        raise NotImplementedError


class CloseManyForm(BulkForm):
    """Close tickets with all their tasks."""

    title = _("Close tickets")
    explanation = _("Closing tells the contacts, and the desks that work on a task. Nothing has been done yet.")
    submit = _("Close these tickets")
    destructive = True

    solution = text_area(_("Solution"), rows=3, required=False)
    completion_code = completion_code()

    def plan(self, ticket: Ticket) -> Words:
        """How many tasks are closed with it."""
        if ticket.is_closed or TicketStatus.CLOSED not in STATUS_TRANSITIONS[ticket.status]:
            return ""
        numbers = [task.number for task in ticket.tasks.all() if not task.is_closed]
        if not numbers:
            return _t("closes")
        return _t("closes, with %(tasks)s") % {"tasks": ", ".join(numbers)}

    def act(self, actor: Actor, ticket: Ticket, version: int | None) -> None:
        """Close."""
        data = self.cleaned_data
        close_ticket(
            actor=actor,
            ticket=ticket,
            solution=data["solution"],
            completion_code=data["completion_code"],
            expected_version=version,
        )


class SortManyForm(BulkForm):
    """Move tickets to another queue or priority."""

    title = _("Change queue or priority")
    explanation = _("What is left empty stays as it is in each ticket. Nothing has been done yet.")
    submit = _("Change these tickets")

    queue = choice_of(Queue.objects.all(), _("Queue"), empty=_("As it is"), required=False)
    priority = choice_of(Priority.objects.all(), _("Priority"), empty=_("As it is"), required=False)

    def plan(self, ticket: Ticket) -> Words:
        """What the ticket has now."""
        return _t("now %(priority)s, queue: %(queue)s") % {
            "priority": ticket.priority.name,
            "queue": ticket.queue or _t("none"),
        }

    def clean(self) -> dict[str, Any]:
        """Something has to be chosen."""
        data = super().clean() or {}
        if not self.errors and not (data["queue"] or data["priority"]):
            raise forms.ValidationError(_t("Choose a queue or a priority."))
        return data

    def act(self, actor: Actor, ticket: Ticket, version: int | None) -> None:
        """Change what was chosen."""
        values = {name: value for name, value in self.cleaned_data.items() if value}
        change_ticket(actor=actor, ticket=ticket, expected_version=version, **values)


class StatusManyForm(BulkForm, StatusFields):
    """Set the status of tickets."""

    title = _("Set status")
    explanation = _("Each ticket is set as if on its own page. Nothing has been done yet.")
    submit = _("Set the status of these tickets")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        by_hand = [status for status in TicketStatus if status != TicketStatus.MERGED]
        self.status_field.offer(by_hand, nothing=_t("Choose a status"))
        self.arrange_status(closes=True)

    def plan(self, ticket: Ticket) -> Words:
        """What the ticket has now; nothing happens to a merged one."""
        if ticket.status == TicketStatus.MERGED:
            return ""
        return _t("now %(status)s") % {"status": ticket.own_status.name}

    def depends(self, ticket: Ticket) -> list[tuple[str, Words]]:
        """What becomes of its tasks, and which statuses it will refuse."""
        allowed = STATUS_TRANSITIONS[ticket.status]
        follows = [(status, tasks_follow(ticket, status)) for status in allowed]
        told: list[tuple[str, Words]] = [
            (str(int(status)), f"{status.label}: {words}") for status, words in follows if words
        ]
        refused = [str(int(status)) for status in TicketStatus if status not in allowed]
        names = ", ".join(
            str(status.label) for status in TicketStatus if status not in (*allowed, TicketStatus.MERGED)
        )
        if names:
            told.append((" ".join(refused), _t("Will be refused: %(statuses)s.") % {"statuses": names}))
        return told

    def act(self, actor: Actor, ticket: Ticket, version: int | None) -> None:
        """Set it."""
        set_status(actor=actor, ticket=ticket, expected_version=version, **self.values())


class AssignManyForm(BulkForm):
    """Say who looks after tickets."""

    title = _("Assign")
    explanation = _(
        "Who looks after the tickets as a whole. Their tasks stay with their groups. Nothing is done yet."
    )
    submit = _("Assign these tickets")

    user = PersonField(label=_("Looks after them"), required=False, empty_label=_("Nobody"))

    def plan(self, ticket: Ticket) -> Words:
        """Who does now."""
        if ticket.status == TicketStatus.MERGED:
            return ""
        assigned = ticket.assigned_here  # type: ignore[attr-defined]  # prefetched
        return _t("now %(person)s") % {"person": assigned[0].person if assigned else _t("nobody")}

    def act(self, actor: Actor, ticket: Ticket, version: int | None) -> None:
        """Assign."""
        set_assigned_user(actor=actor, ticket=ticket, user=self.cleaned_data["user"], expected_version=version)


class TagManyForm(BulkForm):
    """Put tags on tickets."""

    title = _("Add tags")
    explanation = _("The tags are added to those that each ticket has. Nothing has been done yet.")
    submit = _("Tag these tickets")

    tags = TagsField()

    def plan(self, ticket: Ticket) -> Words:
        """Which it has."""
        if ticket.status == TicketStatus.MERGED:
            return ""
        names = ", ".join(tag.name for tag in ticket.tags.all())
        return _t("now %(tags)s") % {"tags": names} if names else _t("no tags yet")

    def act(self, actor: Actor, ticket: Ticket, version: int | None) -> None:
        """Add them, whatever else was changed meanwhile."""
        change_tags(actor=actor, ticket=ticket, add=tag_names(self.cleaned_data["tags"]))


def bulk_page(
    model_admin: ModelAdmin, request: HttpRequest, tickets: QuerySet[Ticket], form_class: type[BulkForm]
) -> HttpResponse | None:
    """Say what will happen; once that is confirmed, do it and go back to the list."""
    chosen = list(tickets)
    confirmed = "confirmed" in request.POST
    form = form_class(request.POST) if confirmed else form_class()
    if confirmed and form.is_valid():
        _do(request, form, chosen)
        return None
    plans = [(ticket, form.plan(ticket)) for ticket in chosen]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": form.title,
        "form": form,
        "plans": [(ticket, plan, form.depends(ticket)) for ticket, plan in plans if plan],
        "untouched": [ticket for ticket, plan in plans if not plan],
        "action": request.POST["action"],
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
        "media": model_admin.media,
    }
    return TemplateResponse(request, TEMPLATE, context)


def _do(request: HttpRequest, form: BulkForm, tickets: list[Ticket]) -> None:
    """Each ticket by itself: one that is refused does not hold back the others, and the person is told why."""
    actor = Actor.of_request(request)
    done = 0
    for ticket in tickets:
        if not form.plan(ticket):
            continue
        version = request.POST.get(f"version-{ticket.pk}", "")
        if not version.isdecimal():
            # It came into the selection after the page that said what will happen was shown.
            continue
        try:
            form.act(actor, ticket, int(version))
        except ActionRefused as refusal:
            messages.error(request, f"{ticket.number}: {refusal}")
        else:
            done += 1
    if done:
        text = ngettext("%(count)d ticket is done.", "%(count)d tickets are done.", done) % {"count": done}
        messages.success(request, text)
