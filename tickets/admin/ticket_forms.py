"""What an agent may do with a ticket."""

from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from tickets.actions import (
    add_note,
    attach,
    change_ticket,
    close_ticket,
    create_task,
    create_ticket,
    reopen_ticket,
)
from tickets.actors import Actor
from tickets.admin.desk_form import (
    DeskForm,
    Words,
    choice_of,
    completion_code,
    contact_field,
    files,
    moment,
    text_area,
    text_line,
)
from tickets.admin.label_forms import PropertiesForm, TagsForm
from tickets.admin.link_forms import LinkForm, UnlinkForm
from tickets.admin.member_forms import AddFollowerForm, AssignUserForm, EndFollowerForm, FollowForm
from tickets.admin.status_forms import SetStatusForm
from tickets.errors import InvalidInput
from tickets.forms import OnceForm
from tickets.lifecycle import SHELVED, TicketStatus
from tickets.models import AssignmentGroup, Category, Priority, Queue, Task, Ticket, Visibility
from tickets.selectors import own_group


class TicketFields(OnceForm):
    """The fields of a ticket."""

    title_text = text_line(_("Title"))
    description = text_area(_("Description"), required=False)
    contact = contact_field()
    queue = choice_of(Queue.objects.all(), _("Queue"), empty=_("None"), required=False)
    category = choice_of(Category.objects.all(), _("Category"), empty=_("None"), required=False)

    def values(self) -> dict[str, Any]:
        """What was typed, by the names that the actions use."""
        data = self.cleaned_data
        names = ("description", "contact", "queue", "category", "priority")
        return {"title": data["title_text"], **{name: data[name] for name in names}}


class CreateTicketForm(TicketFields):
    """A new ticket, with a first task where a group is to work on it."""

    name = "new"

    priority = choice_of(Priority.objects.all(), _("Priority"), empty=_("The default"), required=False)
    group = choice_of(
        AssignmentGroup.objects.all(),
        _("Give it to"),
        empty=_("Nobody yet"),
        required=False,
        help_text=_(
            "Creates the first task and assigns it to this group; an integrated group passes it on at once. Once it "
            "is reported ready, your own group has it again."
        ),
    )
    files = files()  # type: ignore[assignment]  # the form's own `files` are the uploaded ones

    def create(self, actor: Actor) -> Ticket:
        """The ticket, its files, then its first task, so that the files go along: all of it or nothing."""
        with transaction.atomic():
            ticket = create_ticket(actor=actor, **self.values())
            for content in self.file_contents():
                attach(actor=actor, ticket=ticket, content=content)
            group = self.cleaned_data["group"]
            if group:
                owner = own_group(actor, other_than=group)
                create_task(actor=actor, ticket=ticket, group=group, owning_group=owner)
        return ticket


class EditTicketForm(DeskForm, TicketFields):
    """Change the ticket's fields."""

    name = "edit"
    title = _("Edit")
    submit = _("Save the ticket")
    permission = "tickets.change_ticket"

    # What another desk raised may have none.
    contact = contact_field(required=False)
    priority = choice_of(Priority.objects.all(), _("Priority"), empty=_("Choose a priority"))
    deadline_at = moment(_("Deadline"))

    def starting_values(self) -> dict[str, Any]:
        """The ticket as it is."""
        ticket = self.ticket
        return {
            "title_text": ticket.title,
            "description": ticket.description,
            "contact": ticket.contact_id,
            "queue": ticket.queue_id,
            "category": ticket.category_id,
            "priority": ticket.priority_id,
            # The browser's field knows minutes only: what was not touched must not look touched.
            "deadline_at": ticket.deadline_at.replace(second=0, microsecond=0) if ticket.deadline_at else None,
        }

    def act(self, actor: Actor) -> Words:
        """Change what differs."""
        data = self.cleaned_data
        deadline = {"deadline_at": data["deadline_at"]} if "deadline_at" in self.changed_data else {}
        values = {**self.values(), **deadline}
        change_ticket(actor=actor, ticket=self.ticket, expected_version=data["version"], **values)
        return _t("The ticket is saved.")


class CloseTicketForm(DeskForm):
    """Close the ticket with all its tasks."""

    name = "close_ticket"
    title = _("Close ticket")
    submit = _("Close the ticket")
    explanation = _("Closes every task that is still open, which also tells the desks that work on them.")
    permission = "tickets.change_ticket"
    destructive = True

    solution = text_area(_("Solution"), rows=3, required=False)
    completion_code = completion_code()

    def act(self, actor: Actor) -> Words:
        """Close."""
        data = self.cleaned_data
        close_ticket(
            actor=actor,
            ticket=self.ticket,
            solution=data["solution"],
            completion_code=data["completion_code"],
            expected_version=data["version"],
        )
        return _t("The ticket is closed.")


class ReopenTicketForm(DeskForm):
    """Open a closed ticket again."""

    name = "reopen_ticket"
    title = _("Reopen ticket")
    submit = _("Reopen the ticket")
    explanation = _("Also reopens the task that was closed last, so that somebody works on it.")
    permission = "tickets.change_ticket"

    reason = text_area(_("Why?"), rows=3, required=False)

    def act(self, actor: Actor) -> Words:
        """Reopen."""
        data = self.cleaned_data
        reopen_ticket(actor=actor, ticket=self.ticket, reason=data["reason"], expected_version=data["version"])
        return _t("The ticket is open again.")


class AddTaskForm(DeskForm):
    """A further piece of work, perhaps for another group."""

    name = "add_task"
    title = _("Add a task")
    submit = _("Add the task")
    permission = "tickets.add_task"

    title_text = text_line(_("Title"), required=False, help_text=_("Empty: the ticket's title."))
    description = text_area(_("Description"), rows=3, required=False, help_text=_("Empty: the ticket's description."))
    group = choice_of(AssignmentGroup.objects.all(), _("Give it to"), empty=_("Nobody yet"), required=False)
    owning_group = choice_of(
        AssignmentGroup.objects.all(),
        _("Give it back to"),
        empty=_("My own group"),
        required=False,
        help_text=_("The group that has the task again once it is reported ready."),
    )

    def act(self, actor: Actor) -> Words:
        """Add the task and assign it."""
        data = self.cleaned_data
        task = create_task(
            actor=actor,
            ticket=self.ticket,
            title=data["title_text"],
            description=data["description"],
            group=data["group"],
            owning_group=data["owning_group"] or own_group(actor, other_than=data["group"]),
        )
        return _t("Task %(task)s is added.") % {"task": task.number}


class NoteForm(DeskForm):
    """Write, on the ticket or on one of its tasks; attach files, with or without a text."""

    name = "note"
    title = _("Write a note")
    submit = _("Add the note")
    permission = "tickets.add_note"

    body = text_area(_("Text"), rows=4, required=False)
    visibility = forms.ChoiceField(
        label=_("Who reads it"), choices=Visibility.choices, widget=UnfoldAdminRadioSelectWidget()
    )
    about = forms.CharField(
        label=_("About"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text=_(
            "Public words on the whole ticket go to every desk that works on it, words on a task to its desk."
        ),
    )
    files = files()  # type: ignore[assignment]  # the form's own `files` are the uploaded ones

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["body"].widget.attrs.pop("autofocus", None)
        self.fields["about"].widget.choices = [
            ("", _("The whole ticket")),
            *((task.number, str(task)) for task in self.ticket.tasks.all()),
        ]
        if self.task is not None:
            self.initial["about"] = self.task.number

    @property
    def anchor(self) -> str:
        """The end of the conversation, where the note is."""
        return "write"

    def starting_values(self) -> dict[str, Any]:
        """Public unless it is chosen otherwise."""
        return {"visibility": Visibility.PUBLIC}

    def clean_about(self) -> Task | None:
        """The task that the words are about; None for the whole ticket."""
        number = self.cleaned_data["about"]
        task = next((task for task in self.ticket.tasks.all() if task.number == number), None)
        if number and task is None:
            raise forms.ValidationError(_t("Choose the ticket or one of its tasks."))
        return task

    def act(self, actor: Actor) -> Words:
        """A note with its files, or files alone."""
        data = self.cleaned_data
        task = data["about"]
        if data["body"].strip():
            add_note(
                actor=actor,
                ticket=self.ticket,
                task=task,
                body=data["body"],
                visibility=data["visibility"],
                files=self.file_contents(),
            )
            return _t("The note is added.")
        if not data["files"]:
            raise InvalidInput(_t("Write a text or choose a file."))
        with transaction.atomic():
            for content in self.file_contents():
                attach(actor=actor, ticket=self.ticket, task=task, content=content, visibility=data["visibility"])
        return _t("The files are attached.")


# Forms that stand in a part of the page of their own, by `DeskForm.place`.
FORMS_IN_PLACE: dict[str, list[type[DeskForm]]] = {
    "people": [AssignUserForm, AddFollowerForm],
    "labels": [TagsForm, PropertiesForm],
    "links": [LinkForm],
}
# Buttons: done with one click, never opened.
ONE_CLICK: list[type[DeskForm]] = [FollowForm, EndFollowerForm, UnlinkForm]

ALL_FORMS: list[type[DeskForm]] = [
    EditTicketForm,
    SetStatusForm,
    AddTaskForm,
    CloseTicketForm,
    ReopenTicketForm,
    NoteForm,
    *(form for forms_here in FORMS_IN_PLACE.values() for form in forms_here),
    *ONE_CLICK,
]
TICKET_FORMS: dict[str, type[DeskForm]] = {form.name: form for form in ALL_FORMS}


def forms_for(ticket: Ticket) -> list[type[DeskForm]]:
    """What may be done with the ticket now, beside writing; nothing with a merged one."""
    if ticket.status == TicketStatus.MERGED:
        return []
    if ticket.status in SHELVED:
        return [SetStatusForm, EditTicketForm]
    if ticket.is_closed:
        return [EditTicketForm, SetStatusForm, ReopenTicketForm]
    return [EditTicketForm, SetStatusForm, AddTaskForm, CloseTicketForm]


def forms_in(ticket: Ticket, place: str) -> list[type[DeskForm]]:
    """What may be done in a part of the page."""
    return [] if ticket.status == TicketStatus.MERGED else FORMS_IN_PLACE[place]


def may_be_opened(ticket: Ticket, form: type[DeskForm]) -> bool:
    """Whether the page shows this form now."""
    if form is NoteForm:
        return ticket.status != TicketStatus.MERGED
    offered = forms_for(ticket) if form.place == "head" else forms_in(ticket, form.place)
    return form in offered
