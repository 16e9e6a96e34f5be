"""What an agent may do on a ticket's page: one form for each, which calls one action."""

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from django import forms
from django.contrib.admin.sites import site
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from tickets.actors import Actor
from tickets.forms import ManyFilesField, OnceForm, files_field
from tickets.lifecycle import CompletionCode
from tickets.models import Contact, Link, Task, Ticket
from tickets.selectors import completion_codes

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Words: TypeAlias = "str | _StrPromise"


class DeskForm(OnceForm):
    """One thing to do. `act` calls the action; what the action refuses is shown in the form, with what was typed.

    `name` is the form's name in the address (`?do=close`), `permission` what the agent needs for it.
    """

    title: ClassVar[Words]
    submit: Words
    explanation: ClassVar[Words] = ""
    permission: ClassVar[str]
    destructive: ClassVar[bool] = False
    # The part of the page in which the form opens.
    place: ClassVar[str] = "head"
    # Templates show buttons for form classes; without this Django would call the class to get a value.
    do_not_call_in_templates: ClassVar[bool] = True

    # Whether somebody else changed the record since it was read: then only reloading helps.
    is_stale = False

    # The version that the agent has read: what moved on since is not overwritten.
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, request: HttpRequest, ticket: Ticket, task: Task | None = None, **kwargs: Any):
        self.request, self.ticket, self.task = request, ticket, task
        initial = {"version": (task or ticket).version, **self.starting_values(), **kwargs.pop("initial", {})}
        super().__init__(*args, initial=initial, **kwargs)
        visible = self.visible_fields()
        if visible and not visible[0].field.widget.attrs.get("data-ajax--url"):
            visible[0].field.widget.attrs["autofocus"] = True

    def starting_values(self) -> dict[str, Any]:
        """What the fields hold before anything is typed."""
        return {}

    @property
    def anchor(self) -> str:
        """Where on the page the result is seen."""
        return f"task-{self.task.number}" if self.task else "ticket"

    @property
    def the_task(self) -> Task:
        """The task that the form is about, for forms that always have one."""
        if self.task is None:
            raise TypeError(f"{self.name} is done on a task")
        return self.task

    def act(self, actor: Actor) -> Words:
        """Do it and tell what was done; `ActionRefused` if the action refuses."""
        raise NotImplementedError

    @classmethod
    def allowed(cls, request: HttpRequest) -> bool:
        """Whether the signed-in agent may do it."""
        return request.user.has_perm(cls.permission)


def text_line(label: Words, **kwargs: Any) -> forms.CharField:
    """One line of text."""
    return forms.CharField(label=label, widget=UnfoldAdminTextInputWidget(), max_length=250, **kwargs)


def text_area(label: Words, *, rows: int = 5, **kwargs: Any) -> forms.CharField:
    """Several lines of text, kept exactly as they were typed."""
    return forms.CharField(label=label, widget=UnfoldAdminTextareaWidget({"rows": rows}), strip=False, **kwargs)


def choice_of(queryset: Any, label: Words, *, empty: Words, **kwargs: Any) -> forms.ModelChoiceField:
    """One record of a short list."""
    return forms.ModelChoiceField(
        queryset, label=label, empty_label=str(empty), widget=UnfoldAdminSelectWidget(), **kwargs
    )


def ticket_field(label: Words, **kwargs: Any) -> forms.ModelChoiceField:
    """Another ticket, found by its number or by words of its title."""
    widget = AutocompleteSelect(
        Link._meta.get_field("other"),
        site,
        {"data-width": "100%"},
    )
    kwargs.setdefault("help_text", _("Type its number, or words of its title."))
    return forms.ModelChoiceField(Ticket.objects.all(), label=label, widget=widget, **kwargs)


def contact_field(**kwargs: Any) -> forms.ModelChoiceField:
    """One contact of perhaps thousands: found by typing."""
    widget = AutocompleteSelect(
        Ticket._meta.get_field("contact"),
        site,
        {"data-width": "100%", "data-placeholder": _("Type a name or e-mail address")},
    )
    return forms.ModelChoiceField(Contact.objects.all(), label=_("Contact"), widget=widget, **kwargs)


def completion_code() -> forms.ChoiceField:
    """Why the work ended."""
    return forms.ChoiceField(
        label=_("Completion code"),
        choices=completion_codes,
        initial=CompletionCode.FULFILLED,
        widget=UnfoldAdminSelectWidget(),
    )


def moment(label: Words, **kwargs: Any) -> forms.DateTimeField:
    """A date and time, in the portal's time zone."""
    widget = forms.DateTimeInput({"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}, "%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, widget=widget, required=False, **kwargs)


def files() -> ManyFilesField:
    """Any number of files, as on the end users' pages."""
    field = files_field()
    field.widget.attrs["class"] = " ".join(INPUT_CLASSES)
    return field


class PersonField(forms.ModelChoiceField):
    """An active agent."""

    def __init__(self, **kwargs: Any):
        agents = User.objects.filter(is_active=True, is_staff=True)
        super().__init__(
            agents.order_by("first_name", "last_name", "username"), widget=UnfoldAdminSelectWidget(), **kwargs
        )

    def label_from_instance(self, person: User) -> str:
        """Ada Admin."""
        return person.get_full_name() or person.get_username()


class MemberField(forms.ModelChoiceField):
    """An agent, shown with the groups that they belong to."""

    def __init__(self, **kwargs: Any):
        people = User.objects.filter(is_active=True, assignment_groups__isnull=False).distinct()
        super().__init__(
            people.prefetch_related("assignment_groups").order_by("first_name", "last_name", "username"),
            widget=UnfoldAdminSelectWidget(),
            required=False,
            **kwargs,
        )

    def label_from_instance(self, person: User) -> str:
        """Ada Admin (Network, Service desk)."""
        groups = ", ".join(str(group) for group in person.assignment_groups.all())
        return f"{person.get_full_name() or person.get_username()} ({groups})"
