"""The other desks' numbers for our tasks."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.systems import ExternalSystem
from tickets.models import Task


class ExternalReference(models.Model):
    """The other desk's number for a task: unique per external system, one per task and system."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="external_references", verbose_name=_("task"))
    system = models.ForeignKey(
        ExternalSystem, models.PROTECT, related_name="references", verbose_name=_("external system")
    )
    value = models.CharField(_("reference"), max_length=200)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("external reference")
        verbose_name_plural = _("external references")
        constraints = [
            models.UniqueConstraint(fields=["system", "value"], name="reference_unique_in_system"),
            models.UniqueConstraint(fields=["task", "system"], name="one_reference_per_task_and_system"),
        ]

    def __str__(self) -> str:
        return self.value
