"""What an agent may do with a task."""

from typing import Any

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from tickets.actions import (
    accept_solution,
    assign_task,
    change_task,
    close_task,
    decline_solution,
    escalate_task,
    propose_solution,
    reopen_task,
)
from tickets.actors import Actor
from tickets.admin.desk_form import (
    DeskForm,
    MemberField,
    Words,
    choice_of,
    completion_code,
    moment,
    text_area,
    text_line,
)
from tickets.lifecycle import TaskMove, allowed_moves
from tickets.models import AssignmentGroup, Task


class TaskForm(DeskForm):
    """Something to do with one task."""

    permission = "tickets.change_task"


class AssignForm(TaskForm):
    """Give the task to a group."""

    name = TaskMove.ASSIGN
    title = _("Assign")
    submit = _("Assign")
    explanation = _(
        "A group that is integrated hands the task to its external system at once. Assigning it again to the same "
        "group sends it again."
    )

    group = choice_of(AssignmentGroup.objects.all(), _("Group"), empty=_("Choose a group"))
    assignee = MemberField(label=_("Assignee"), empty_label=_("Nobody in particular"))

    def act(self, actor: Actor) -> Words:
        """Assign."""
        data = self.cleaned_data
        assign_task(
            actor=actor,
            task=self.the_task,
            group=data["group"],
            assignee=data["assignee"],
            expected_version=data["version"],
        )
        return _t("%(task)s is now with %(group)s.") % {"task": self.the_task.number, "group": data["group"]}


class EscalateForm(TaskForm):
    """Raise the task to the next level."""

    name = TaskMove.ESCALATE
    title = _("Escalate")
    submit = _("Escalate")
    explanation = _("The task enters the phase Escalate and stays with its group.")

    def act(self, actor: Actor) -> Words:
        """Escalate."""
        escalate_task(actor=actor, task=self.the_task, expected_version=self.cleaned_data["version"])
        return _t("%(task)s is escalated.") % {"task": self.the_task.number}


class ProposeForm(TaskForm):
    """Say what the solution is."""

    name = TaskMove.PROPOSE
    title = _("Propose a solution")
    submit = _("Propose")
    explanation = _("The contact reads the solution and accepts or declines it.")

    solution = text_area(_("Solution"))
    completion_code = completion_code()

    def act(self, actor: Actor) -> Words:
        """Propose."""
        data = self.cleaned_data
        propose_solution(
            actor=actor,
            task=self.the_task,
            solution=data["solution"],
            completion_code=data["completion_code"],
            expected_version=data["version"],
        )
        return _t("The solution of %(task)s is proposed.") % {"task": self.the_task.number}


class AcceptForm(TaskForm):
    """Accept the proposed solution for the contact."""

    name = TaskMove.ACCEPT
    title = _("Accept")
    submit = _("Accept the solution")
    explanation = _("The task closes; with the last open task the ticket closes too.")

    def act(self, actor: Actor) -> Words:
        """Accept."""
        accept_solution(actor=actor, task=self.the_task, expected_version=self.cleaned_data["version"])
        return _t("The solution of %(task)s is accepted.") % {"task": self.the_task.number}


class DeclineForm(TaskForm):
    """Decline the proposed solution for the contact."""

    name = TaskMove.DECLINE
    title = _("Decline")
    submit = _("Decline the solution")
    explanation = _("The group that proposed it works on the task again and is told your reason.")

    reason = text_area(_("What is still wrong?"), rows=3)

    def act(self, actor: Actor) -> Words:
        """Decline."""
        data = self.cleaned_data
        decline_solution(actor=actor, task=self.the_task, reason=data["reason"], expected_version=data["version"])
        return _t("The solution of %(task)s is declined.") % {"task": self.the_task.number}


class CloseTaskForm(TaskForm):
    """End the work by hand."""

    name = TaskMove.CLOSE
    title = _("Close")
    submit = _("Close the task")
    explanation = _("The task closes without asking the contact; with the last open task the ticket closes too.")
    destructive = True

    solution = text_area(_("Solution"), rows=3, required=False)
    completion_code = completion_code()

    def starting_values(self) -> dict[str, Any]:
        """What was proposed stays unless it is replaced."""
        code = self.the_task.completion_code
        return {"solution": self.the_task.solution} | ({"completion_code": code} if code else {})

    def act(self, actor: Actor) -> Words:
        """Close."""
        data = self.cleaned_data
        close_task(
            actor=actor,
            task=self.the_task,
            solution=data["solution"],
            completion_code=data["completion_code"],
            expected_version=data["version"],
        )
        return _t("%(task)s is closed.") % {"task": self.the_task.number}


class ReopenTaskForm(TaskForm):
    """Work on it again."""

    name = TaskMove.REOPEN
    title = _("Reopen")
    submit = _("Reopen the task")
    explanation = _("The solution is removed and the group that it came back from has the task again.")

    reason = text_area(_("Why?"), rows=3, required=False)

    def act(self, actor: Actor) -> Words:
        """Reopen."""
        data = self.cleaned_data
        reopen_task(actor=actor, task=self.the_task, reason=data["reason"], expected_version=data["version"])
        return _t("%(task)s is open again.") % {"task": self.the_task.number}


class EditTaskForm(TaskForm):
    """Change what the task says."""

    name = "edit_task"
    title = _("Edit")
    submit = _("Save the task")

    title_text = text_line(_("Title"))
    description = text_area(_("Description"), required=False)
    assignee = MemberField(label=_("Assignee"), empty_label=_("Nobody in particular"))
    expected_resolution_at = moment(_("Expected resolution"))

    def starting_values(self) -> dict[str, Any]:
        """The task as it is."""
        task = self.the_task
        expected = task.expected_resolution_at
        return {
            "title_text": task.title,
            "description": task.description,
            "assignee": task.assignee_id,
            # The browser's field knows minutes only: what was not touched must not look touched.
            "expected_resolution_at": expected.replace(second=0, microsecond=0) if expected else None,
        }

    def act(self, actor: Actor) -> Words:
        """Change."""
        data = self.cleaned_data
        touched = set(self.changed_data) & {"description", "assignee", "expected_resolution_at"}
        values = {name: data[name] for name in touched}
        change_task(
            actor=actor,
            task=self.the_task,
            expected_version=data["version"],
            title=data["title_text"],
            **values,
        )
        return _t("%(task)s is saved.") % {"task": self.the_task.number}


TASK_FORMS: dict[str, type[TaskForm]] = {
    form.name: form
    for form in (
        AssignForm,
        EscalateForm,
        ProposeForm,
        AcceptForm,
        DeclineForm,
        CloseTaskForm,
        ReopenTaskForm,
        EditTaskForm,
    )
}


def forms_for(task: Task) -> list[type[TaskForm]]:
    """What may be done with the task now: exactly the moves that its phase allows; a closed one is not edited."""
    # What only another desk does has no form.
    moves = [TASK_FORMS[move] for move in allowed_moves(task.phase) if move in TASK_FORMS]
    return moves if task.is_closed else [*moves, EditTaskForm]
