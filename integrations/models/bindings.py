"""Which group is integrated with which desk, by which processes."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.processes import Process
from integrations.models.systems import ContactPermissions, ExternalSystem
from tickets.models import AssignmentGroup


class GroupBinding(ContactPermissions):
    """The integration of one assignment group. The same process may serve every event."""

    group = models.OneToOneField(
        AssignmentGroup, models.CASCADE, related_name="binding", verbose_name=_("assignment group")
    )
    integrated = models.BooleanField(_("Task assigned to this group triggers integration"), default=False)
    system = models.ForeignKey(
        ExternalSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="bindings",
        verbose_name=_("external system"),
        help_text=_("Keys the order of messages, the reference and what the other desk may see."),
    )
    assignment_process = models.ForeignKey(
        Process, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("New assignment process")
    )
    update_process = models.ForeignKey(
        Process, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Update message process")
    )
    closure_process = models.ForeignKey(
        Process, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Closure process")
    )
    rejection_process = models.ForeignKey(
        Process,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Resolution rejection process"),
        help_text=_("When a solution is declined; empty: the update message process."),
    )
    incoming_process = models.ForeignKey(
        Process,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("Incoming process"),
        help_text=_("Started by what the other desk sends; empty: nothing further happens."),
    )
    relay = models.BooleanField(
        _("relay"),
        default=False,
        help_text=_("Also send this desk the public notes of the ticket's other tasks, ours and other desks'."),
    )
    send_internal = models.BooleanField(
        _("send internal notes"),
        default=False,
        help_text=_("Internal notes on a task of this group go to the other desk, too."),
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("integration")
        verbose_name_plural = _("integrations")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(integrated=False) | models.Q(system__isnull=False),
                name="integrated_group_has_a_system",
            )
        ]

    def __str__(self) -> str:
        return f"{self.group} · {self.system}" if self.integrated else str(self.group)

    @property
    def desk(self) -> ExternalSystem:
        """The external system of an integrated group. A group without one is never asked: the database sees to it."""
        if self.system is None:
            raise ValueError(f"{self.group} is not integrated")
        return self.system

    def missing(self) -> dict[str, str]:
        """What an integrated group needs and this one lacks: field -> what to do. Empty if nothing is missing."""
        needs = {
            "system": gettext("Choose the external system that this group stands for."),
            "assignment_process": gettext("Choose the process that runs when a task is assigned to this group."),
            "update_process": gettext("Choose the process that sends update messages."),
            "closure_process": gettext("Choose the process that runs when a task is closed."),
        }
        return {name: text for name, text in needs.items() if getattr(self, f"{name}_id") is None}

    def clean(self) -> None:
        """A marked group must have what the marker promises."""
        if self.integrated and (missing := self.missing()):
            raise ValidationError(missing)
