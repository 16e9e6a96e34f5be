"""Set a ticket's status, and say beforehand what that does to its tasks."""

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from tickets.actions import set_status
from tickets.actors import Actor
from tickets.admin.desk_form import DeskForm, Words, completion_code, moment, text_area, text_line
from tickets.lifecycle import OPEN_STATUSES, STATUS_TRANSITIONS, TASKS_FOLLOW, TasksThen, TicketStatus
from tickets.models import OwnStatus, Ticket


class StatusSelect(UnfoldAdminSelectWidget):
    """Says of each choice to which fixed status it belongs, so that the page shows only the fields it needs."""

    fixed: ClassVar[dict[str, int]] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """With the fixed status' number."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.fixed:
            option["attrs"]["data-status"] = self.fixed[str(value)]
        return option


class StatusField(forms.ChoiceField):
    """The administrators' statuses under the fixed ones that they belong to; cleans to one of them."""

    def __init__(self, **kwargs: Any):
        super().__init__(label=_("Status"), widget=StatusSelect(), **kwargs)
        self._known: dict[str, OwnStatus] = {}

    def offer(self, fixed: Iterable[int], *, nothing: str = "") -> None:
        """Only statuses of these fixed ones, in their order; first of all `nothing`, if it is a word."""
        allowed = [TicketStatus(status) for status in fixed]
        self._known = {str(own.pk): own for own in OwnStatus.objects.filter(status__in=allowed)}
        self.widget.fixed = {pk: own.status for pk, own in self._known.items()}
        groups = [
            (str(status.label), [(pk, own.name) for pk, own in self._known.items() if own.status == status])
            for status in allowed
        ]
        self.choices = [*([("", nothing)] if nothing else []), *groups]

    def clean(self, value: Any) -> OwnStatus | None:
        """The chosen status."""
        return self._known.get(super().clean(value))


def only_for(field: forms.Field, *statuses: int) -> None:
    """The field is shown while one of these fixed statuses is chosen, and sent with no other."""
    numbers = " ".join(str(int(status)) for status in statuses)
    field.only_for = numbers  # type: ignore[attr-defined]  # read by the template


class StatusFields(forms.Form):
    """The status and what goes with it, for one ticket or many."""

    status = StatusField()
    on_hold_until = moment(_("On hold until"), help_text=_("Empty: until somebody changes the status."))
    on_hold_comment = text_line(
        _("What it waits for"), required=False, help_text=_("For the colleagues; not shown to the contact.")
    )
    solution = text_area(_("Solution"), rows=3, required=False)
    completion_code = completion_code()

    @property
    def status_field(self) -> StatusField:
        """This form's own."""
        return cast("StatusField", self.fields["status"])

    def arrange_status(self, *, closes: bool) -> None:
        """Which field goes with which status. `closes`: whether closing closes tasks, which have a solution."""
        only_for(self.fields["on_hold_until"], TicketStatus.ON_HOLD)
        only_for(self.fields["on_hold_comment"], TicketStatus.ON_HOLD)
        # Not sent with another status.
        self.fields["completion_code"].required = False
        for name in ("solution", "completion_code"):
            if closes:
                only_for(self.fields[name], TicketStatus.CLOSED)
            else:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Whoever puts a ticket on hold says what it waits for."""
        data = super().clean() or {}
        own = data.get("status")
        if own is not None and own.status == TicketStatus.ON_HOLD and not data.get("on_hold_comment", "").strip():
            self.add_error("on_hold_comment", _t("Say what the ticket waits for."))
        return data

    def values(self) -> dict[str, Any]:
        """What `set_status` takes."""
        data = self.cleaned_data
        values = {"own_status": data["status"], "on_hold_until": data["on_hold_until"]}
        values["on_hold_comment"] = data["on_hold_comment"]
        given = {name: data[name] for name in ("solution", "completion_code", "reason") if data.get(name)}
        return values | given


class SetStatusForm(DeskForm, StatusFields):
    """Set the status by hand: what `STATUS_TRANSITIONS` allows from the one that the ticket has."""

    name = "set_status"
    title = _("Set status")
    submit = _("Set the status")
    permission = "tickets.change_ticket"

    reason = text_area(_("Why is it opened again?"), rows=2, required=False)

    def arrange(self) -> None:
        """What the ticket's status admits."""
        before = self.ticket.status
        self.status_field.offer(STATUS_TRANSITIONS[before])
        follows = {after: tasks_follow(self.ticket, after) for after in STATUS_TRANSITIONS[before]}
        self.arrange_status(closes=bool(follows.get(TicketStatus.CLOSED)) and not self.ticket.is_closed)
        if self.ticket.is_closed:
            only_for(self.fields["reason"], *OPEN_STATUSES)
        else:
            del self.fields["reason"]
        self.consequences = [(int(after), words) for after, words in follows.items() if words]

    def starting_values(self) -> dict[str, Any]:
        """As it is."""
        ticket = self.ticket
        until = ticket.on_hold_until
        return {
            "status": str(ticket.own_status_id),
            "on_hold_until": until.replace(second=0, microsecond=0) if until else None,
            "on_hold_comment": ticket.on_hold_comment,
        }

    def act(self, actor: Actor) -> Words:
        """Set it; the tasks follow."""
        data = self.cleaned_data
        set_status(actor=actor, ticket=self.ticket, expected_version=data["version"], **self.values())
        return _t('The status is now "%(status)s".') % {"status": data["status"].name}


def tasks_follow(ticket: Ticket, after: int) -> str:
    """What becomes of the ticket's tasks when it is set to this fixed status; empty for nothing."""
    tasks = list(ticket.tasks.all())
    still_open = ", ".join(task.number for task in tasks if not task.is_closed)
    match TASKS_FOLLOW.get((ticket.status, after)):
        case TasksThen.CLOSED if still_open:
            return _t("Closes %(tasks)s too, which tells the desks that work on it.") % {"tasks": still_open}
        case TasksThen.WITHDRAWN if still_open:
            return _t("Closes %(tasks)s as withdrawn by the user, which tells the desks that work on it.") % {
                "tasks": still_open
            }
        case TasksThen.LAST_REOPENED:
            closed = [task for task in tasks if task.closed_at is not None]
            if closed:
                last = max(closed, key=lambda task: (task.closed_at, task.pk))
                return _t("Reopens %(task)s, so that somebody works on it.") % {"task": last.number}
    return ""
