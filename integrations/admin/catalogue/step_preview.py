"""A step of the guided form: what would be sent for a real ticket, request by request. Nothing is sent."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from integrations.admin.catalogue.step import SetupPage
from integrations.admin.preview import PreviewForm
from integrations.models import ExternalSystem, GroupBinding, Process
from integrations.preview import SAMPLE_NUMBER, Occurrence, StepPreview, preview
from integrations.trial_values import NOBODY
from integrations.triggers import CLOSED, REJECTION, SUBMIT, UPDATE
from tickets import actions
from tickets.actors import Actor
from tickets.errors import ActionRefused
from tickets.models import Contact, Task

_ = gettext_lazy
# Which process an event starts; what has none of its own is an update.
STARTS: Final[Mapping[str, str]] = {
    SUBMIT: "assignment_process",
    UPDATE: "update_process",
    REJECTION: "rejection_process",
    CLOSED: "closure_process",
}
EVERY: Final = "every"
TEXT: Final = _("A message, as it would be written here.")


@dataclass(frozen=True)
class EventPreview:
    """One event in words, and the steps that it starts."""

    words: str
    steps: list[StepPreview]


class TicketPreviewForm(PreviewForm):
    """The form of the preview, for the processes of one group."""

    def __init__(self, data: Any, *, binding: GroupBinding, process: Process, **kwargs: Any) -> None:
        super().__init__(data, process=process, **kwargs)
        self.binding = binding
        del self.fields["system"]
        event: Any = self.fields["event"]
        self.events = [(value, words) for value, words in event.choices if value.split("|")[0] == "Out"]
        event.choices = [(EVERY, gettext("each that goes there, one after the other")), *self.events]

    def _system_of(self, task: Any) -> ExternalSystem | None:
        return self.binding.system

    def occurrences(self) -> list[tuple[str, Occurrence]]:
        """The events to show, with their words: the chosen one as entered, or each, with what it lacks made up."""
        file = self.cleaned_data["task"].ticket.attachments.order_by("-pk").first()
        if self.cleaned_data["event"] != EVERY:
            return [(dict(self.events)[self.cleaned_data["event"]], self.occurrence())]
        found = []
        for value, _words in self.events:
            way, request_type, operation = value.split("|")
            words = f"{request_type} ({operation})"
            if operation == "assign":  # the others are about a ticket that is there
                reference = self.cleaned_data["reference"]
                found.append((words, Occurrence(request_type, operation, way, reference=reference)))
                continue
            reference = self.cleaned_data["reference"] or SAMPLE_NUMBER
            said = self.cleaned_data["text"] or str(TEXT)
            for told, text, attached in (
                ("", "", None),
                (_("with a message"), said, None),
                (_("with a file"), "", file),
            ):
                if told and not text and attached is None:
                    continue
                occurrence = Occurrence(request_type, operation, way, text, reference, attached)
                found.append((f"{words}, {told}" if told else words, occurrence))
        return found

    def previews(self, task: Task, actor: Actor) -> list[EventPreview]:
        """What each event would do. Where every event is shown, only the steps that would run, or that cannot."""
        found, told = [], set()
        for words, occurrence in self.occurrences():
            name = STARTS.get(occurrence.request_type, "update_process")
            process: Process | None = getattr(self.binding, name) or self.binding.update_process
            if process is None or self.binding.system is None:
                continue
            system = self.binding.system
            steps = preview(process, task=task, system=system, occurrence=occurrence, actor=actor)
            if self.cleaned_data["event"] == EVERY:
                steps = [step for step in steps if step.runs or step.problems]
                # Several events often lead to the same request: once is enough to read.
                sent = str([(step.name, step.request_line, step.body, step.problems) for step in steps])
                if not steps or sent in told:
                    continue
                told.add(sent)
            found.append(EventPreview(words, steps))
        return found


class Preview(SetupPage):
    """What would be sent for a real ticket; nothing is."""

    template = "preview.html"
    problem = ""

    def context(self) -> dict[str, Any]:
        binding, may_see = self._binding(), self._may_see()
        if binding is None or binding.assignment_process is None or not may_see:
            return {"binding": binding, "may_see": may_see}
        actor = Actor.of_request(self.request)
        newest = Task.objects.order_by("-pk").first()
        query = self.request.GET
        if newest is None:
            return {"may_see": True, "made_up": True, **self._made_up(binding, binding.assignment_process, actor)}
        data = query if "task" in query else {"task": str(newest), "event": EVERY}
        form = TicketPreviewForm(data, binding=binding, process=binding.assignment_process)
        shown = None
        if form.is_valid():
            shown = form.previews(form.cleaned_data["task"], actor)
        return {
            "binding": binding,
            "may_see": True,
            "form": form,
            "events": shown,
            "every": form.cleaned_data.get("event") == EVERY,
            "task": form.cleaned_data.get("task") if shown else None,
            "problem": self.problem,
        }

    def post(self) -> str | None:
        """Go on, if a real ticket was looked at; where there is none, or nothing to look at, at once."""
        binding = self._binding()
        nothing = binding is None or binding.assignment_process is None or not self._may_see()
        if nothing or not Task.objects.exists():
            return ""
        if Task.objects.filter(number=self.request.POST.get("task", "")).exists():
            return ""
        self.problem = gettext("Choose a ticket first, and look at what would be sent for it.")
        return self.refused()

    def _binding(self) -> GroupBinding | None:
        return GroupBinding.objects.filter(group=self.setup.group_id).first() if self.setup.group_id else None

    def _may_see(self) -> bool:
        return self.request.user.has_perms(["tickets.view_task", "tickets.view_ticket"])

    def _made_up(self, binding: GroupBinding, process: Process, actor: Actor) -> dict[str, Any]:
        """What would be sent for a ticket that nobody has: the first of a new portal is still to come."""
        try:
            with _ticket_of_nobody(binding) as task:
                form = TicketPreviewForm({"task": task.number, "event": EVERY}, binding=binding, process=process)
                return {"events": form.previews(task, actor) if form.is_valid() else [], "every": True}
        except ActionRefused as refusal:
            # Without a single priority there cannot be a ticket.
            return {"problem": str(refusal)}


@contextmanager
def _ticket_of_nobody(binding: GroupBinding) -> Iterator[Task]:
    """A ticket with a task, made as people make them, and gone again before anybody sees it."""
    with transaction.atomic():
        known = Contact.objects.filter(email=NOBODY["email"]).first()
        person = {name: NOBODY[name] for name in ("name", "email", "login", "phone")}
        by_us = Actor.system()
        ticket = actions.create_ticket(
            actor=by_us,
            title=gettext("A made-up ticket"),
            description=gettext("What a person would have described."),
            contact=known or actions.create_contact(**person),
        )
        yield actions.create_task(actor=by_us, ticket=ticket, owning_group=binding.group)
        transaction.set_rollback(True)
