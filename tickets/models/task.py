"""One piece of work on a ticket: the unit that is exchanged with an external desk."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.lifecycle import Phase
from tickets.models.groups import AssignmentGroup
from tickets.models.ticket import Ticket


class Task(models.Model):
    """Work on a ticket, assigned to one assignment group at a time. Written only by `tickets.actions`."""

    number = models.CharField(_("number"), max_length=30, unique=True, editable=False)
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="tasks", verbose_name=_("ticket"))
    title = models.CharField(_("title"), max_length=250)
    description = models.TextField(_("description"), blank=True)
    group = models.ForeignKey(
        AssignmentGroup, models.PROTECT, null=True, blank=True, related_name="tasks", verbose_name=_("group")
    )
    owning_group = models.ForeignKey(
        AssignmentGroup,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="owned_tasks",
        verbose_name=_("owning group"),
        help_text=_("The group that gave the task away and gets it back when it is reported ready."),
    )
    solved_by_group = models.ForeignKey(
        AssignmentGroup,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="solved_tasks",
        verbose_name=_("came back from"),
        help_text=_("The group whose work is being reviewed; declining and closing reach it."),
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned_tasks",
        verbose_name=_("assignee"),
    )
    phase = models.CharField(
        _("phase"), max_length=20, choices=Phase.choices, default=Phase.INITIAL_SUPPORT, db_index=True
    )
    solution = models.TextField(_("solution"), blank=True)
    completion_code = models.CharField(
        _("completion code"),
        max_length=50,
        blank=True,
        help_text=_("One of the four fixed codes, or one of the administrators' own."),
    )
    expected_resolution_at = models.DateTimeField(_("expected resolution"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last change"), auto_now=True, db_index=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def is_closed(self) -> bool:
        """Whether the work is over."""
        return self.phase == Phase.CLOSE

    @property
    def exchanged_group(self) -> AssignmentGroup | None:
        """The group that events of this task concern: in review and closed, the one that it came back from."""
        if self.phase in (Phase.REVIEW, Phase.CLOSE) and self.solved_by_group_id:
            return self.solved_by_group
        return self.group

    @property
    def exchanged_group_id(self) -> int | None:
        """The id of `exchanged_group`, without asking the database for the group."""
        if self.phase in (Phase.REVIEW, Phase.CLOSE) and self.solved_by_group_id:
            return self.solved_by_group_id
        return self.group_id
