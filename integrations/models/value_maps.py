"""How priorities, statuses and other codes of ours are called at another desk, both ways."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.models.systems import ExternalSystem


class ValueKind(models.TextChoices):
    """What is translated. Ours are codes; of a status, the task's phases, and cancelled and rejected."""

    PRIORITY = "priority", _("Priority")
    STATUS = "status", _("Status")
    CATEGORY = "category", _("Category")
    QUEUE = "queue", _("Queue")
    GROUP = "group", _("Assignment group")
    COMPLETION_CODE = "completion_code", _("Completion code")


class ValueWay(models.TextChoices):
    """In which direction a translation counts."""

    BOTH = "both", _("Both ways")
    OUT = "out", _("Only what we send")
    IN = "in", _("Only what we receive")


class ValueMapping(models.Model):
    """One translation. Several of theirs may mean one of ours, and the reverse: then one of them counts each way.

    A status of theirs with nothing of ours, received only, is shown and has no effect.
    """

    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="value_mappings", verbose_name=_("external system")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=ValueKind.choices)
    ours = models.CharField(_("ours"), max_length=100, blank=True)
    theirs = models.CharField(_("theirs"), max_length=200)
    way = models.CharField(_("direction"), max_length=5, choices=ValueWay.choices, default=ValueWay.BOTH)
    label = models.CharField(
        _("their name for it"), max_length=200, blank=True, help_text=_("What people read; empty: the value itself.")
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("value mapping")
        verbose_name_plural = _("value mappings")
        ordering = ["system", "kind", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["system", "kind", "ours"],
                condition=models.Q(way__in=["both", "out"]),
                name="one_translation_out",
            ),
            models.UniqueConstraint(
                fields=["system", "kind", "theirs"],
                condition=models.Q(way__in=["both", "in"]),
                name="one_translation_in",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.ours or '-'} · {self.theirs}"


class TheirValues(models.Model):
    """The values of one kind that the other desk has, as it told them last: what is offered for choosing."""

    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="their_values", verbose_name=_("external system")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=ValueKind.choices)
    values = models.JSONField(_("values"), default=list, help_text=_("A list of [value, label]."))
    fetched_at = models.DateTimeField(_("fetched"), auto_now=True)

    class Meta:
        verbose_name = _("values of another desk")
        verbose_name_plural = _("values of other desks")
        constraints = [models.UniqueConstraint(fields=["system", "kind"], name="their_values_once_per_kind")]

    def __str__(self) -> str:
        return f"{self.system}: {self.get_kind_display()}"
