"""Systems made from the catalogue: how far their guided form is, and what they were made from."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.systems import ExternalSystem
from tickets.models import AssignmentGroup


class SetupStep(models.TextChoices):
    """The steps of the guided form, in their order. The first, choosing a desk, is the catalogue itself."""

    CONNECTION = "connection", _("Address and credentials")
    LEVEL = "level", _("Level and operations")
    TEST = "test", _("Test connection")
    VALUES = "values", _("Value maps")
    GROUP = "group", _("Group")
    PREVIEW = "preview", _("Preview")
    ACTIVATE = "activate", _("Activate")


class Setup(models.Model):
    """A system that is being set up by the guided form. It is gone when the system is activated.

    What the steps ask is kept where it belongs, in the system and its rows: a person can stop at any time.
    """

    system = models.OneToOneField(
        ExternalSystem, models.CASCADE, related_name="setup", verbose_name=_("external system")
    )
    reached = models.CharField(_("next step"), max_length=12, choices=SetupStep.choices, default=SetupStep.CONNECTION)
    group = models.ForeignKey(
        AssignmentGroup,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assignment group"),
        help_text=_("The group that is integrated when the system is activated."),
    )
    started_at = models.DateTimeField(_("begun"), auto_now_add=True)

    class Meta:
        verbose_name = _("guided form")
        verbose_name_plural = _("guided forms")

    def __str__(self) -> str:
        return str(self.system)


class PresetOrigin(models.Model):
    """The preset of a system as it was when the system was made from it, or when its parts were last taken over.

    `objects_then` are the parts by their place, as `integrations.catalogue.originals` writes them: by it, what was
    changed here is told from what a newer version of the preset has changed.
    """

    system = models.OneToOneField(
        ExternalSystem, models.CASCADE, related_name="origin", verbose_name=_("external system")
    )
    preset = models.CharField(_("preset"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    objects_then = models.JSONField(_("parts"), default=dict)
    taken_at = models.DateTimeField(_("taken over"), auto_now=True)

    class Meta:
        verbose_name = _("origin in the catalogue")
        verbose_name_plural = _("origins in the catalogue")

    def __str__(self) -> str:
        return f"{self.system}: {self.preset} {self.version}"
