"""The page on which a process is tried on a real task, without sending anything."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from integrations.admin.base import Page
from integrations.models import Direction, ExternalSystem, Process
from integrations.preview import Occurrence, preview
from integrations.triggers import (
    ACCEPTED,
    ACKNOWLEDGEMENT,
    CLOSED,
    REASSIGNED,
    REJECTION,
    SUBMIT,
    TABLE,
    UPDATE,
)
from integrations.visibility import binding_for
from tickets.actors import Actor
from tickets.models import Task

_ = gettext_lazy
INCOMING = ((ACKNOWLEDGEMENT, "acknowledge"), (UPDATE, "update"), (REASSIGNED, "reassign"))
SUGGESTIONS = 20


def events() -> list[tuple[str, str]]:
    """Every event that a process can be started by: value and words, in the order in which a task meets them."""
    order = (SUBMIT, UPDATE, REJECTION, CLOSED)
    rows = sorted((*TABLE, ACCEPTED), key=lambda row: order.index(row.request_type))
    outgoing = dict.fromkeys((row.request_type, row.operation) for row in rows)
    events = [(Direction.OUT, *event) for event in outgoing] + [(Direction.IN, *event) for event in INCOMING]
    return [(f"{way}|{kind}|{operation}", f"{kind} ({operation}, {way})") for way, kind, operation in events]


class PreviewForm(forms.Form):
    """For which task and which event."""

    task = forms.CharField(
        label=_("Task"),
        help_text=_("Its number, for example 1001-1; or type a part of its title and choose."),
        widget=UnfoldAdminTextInputWidget(attrs={"list": "tasks", "autocomplete": "off", "data-suggest": "tasks"}),
    )
    event = forms.ChoiceField(label=_("Event"), widget=UnfoldAdminSelectWidget)
    system = forms.ModelChoiceField(
        label=_("External system"),
        queryset=ExternalSystem.objects.all(),
        required=False,
        empty_label=_("that of the task's group"),
        widget=UnfoldAdminSelectWidget,
    )
    text = forms.CharField(
        label=_("Message"),
        required=False,
        max_length=2000,
        help_text=_("A sample for the text of the message."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    reference = forms.CharField(
        label=_("External reference"),
        required=False,
        max_length=200,
        help_text=_("Assumed where the task has none yet."),
        widget=UnfoldAdminTextInputWidget,
    )
    with_file = forms.BooleanField(
        label=_("With the ticket's latest file"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, process: Process, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.process = process
        event: Any = self.fields["event"]
        event.choices = events()

    def clean_task(self) -> Task:
        """The task, from its number or from a suggestion (number and title)."""
        number = self.cleaned_data["task"].split(" ")[0]
        task = Task.objects.select_related(
            "ticket__contact__organisation",
            "ticket__priority",
            "ticket__category",
            "ticket__queue",
            "group",
            "assignee",
        ).filter(number=number)
        found = task.first()
        if found is None:
            raise forms.ValidationError(
                gettext('There is no task with the number "%(number)s". Type a number or choose from the list.')
                % {"number": number}
            )
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        task = cleaned.get("task")
        if task is not None and not cleaned.get("system"):
            cleaned["system"] = self._system_of(task)
            if cleaned["system"] is None:
                self.add_error("system", gettext("This task's group stands for no system. Choose one to assume."))
        if task is not None and cleaned.get("with_file"):
            cleaned["attachment"] = task.ticket.attachments.order_by("-pk").first()
            if cleaned["attachment"] is None:
                self.add_error("with_file", gettext("This ticket has no file."))
        return cleaned

    def _system_of(self, task: Task) -> ExternalSystem | None:
        """The desk of the task's group; else the only desk that the process calls."""
        binding = getattr(task.group, "binding", None) if task.group else None
        if binding is not None and binding.system is not None:
            return binding.system
        called = ExternalSystem.objects.filter(
            Q(operations__steps__process=self.process) | Q(pk__in=self.process.steps.values("system"))
        ).distinct()
        exchanged = [system for system in called if binding_for(task, system) is not None]
        candidates = exchanged or list(called)
        return candidates[0] if len(candidates) == 1 else None

    def occurrence(self) -> Occurrence:
        """The event in the words of the engine."""
        way, request_type, operation = self.cleaned_data["event"].split("|")
        return Occurrence(
            request_type=request_type,
            operation=operation,
            direction=way,
            text=self.cleaned_data["text"],
            reference=self.cleaned_data["reference"],
            attachment=self.cleaned_data.get("attachment"),
        )


def preview_page(model_admin: Page, request: HttpRequest, process: Process) -> HttpResponse:
    """Ask for task and event; show each step. A GET throughout: it changes nothing, and the page can be shared."""
    _require_tasks(request)
    form = PreviewForm(request.GET if "task" in request.GET else None, process=process)
    steps = None
    if form.is_bound and form.is_valid():
        steps = preview(
            process,
            task=form.cleaned_data["task"],
            system=form.cleaned_data["system"],
            occurrence=form.occurrence(),
            actor=Actor.of_request(request),
        )
    return model_admin.page(
        request,
        "preview.html",
        process,
        title=gettext("Preview"),
        process=process,
        form=form,
        steps=steps,
    )


def suggest_tasks(request: HttpRequest) -> JsonResponse:
    """Tasks whose number or title contains what was typed."""
    _require_tasks(request)
    typed = request.GET.get("q", "").strip()
    found = (
        Task.objects.filter(Q(number__icontains=typed) | Q(title__icontains=typed)) if typed else Task.objects.none()
    )
    return JsonResponse({"tasks": [str(task) for task in found.order_by("-pk")[:SUGGESTIONS]]})


def _require_tasks(request: HttpRequest) -> None:
    """A preview shows what is in a ticket, so it is for those who may read tickets."""
    if not (request.user.has_perm("tickets.view_task") and request.user.has_perm("tickets.view_ticket")):
        raise PermissionDenied
