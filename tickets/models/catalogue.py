"""What tickets are sorted by: queues, categories, priorities."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Queue(models.Model):
    """Where a ticket waits until an agent takes it."""

    code = models.SlugField(_("code"), unique=True, help_text=_("Used in templates and APIs; does not change."))
    name = models.CharField(_("name"), max_length=100, unique=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """What a ticket is about; may stand below another category."""

    code = models.SlugField(_("code"), unique=True, help_text=_("Used in templates and APIs; does not change."))
    name = models.CharField(_("name"), max_length=100)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Priority(models.Model):
    """How urgent a ticket is: the lower the rank, the more urgent."""

    code = models.SlugField(_("code"), unique=True, help_text=_("Used in templates and APIs; does not change."))
    name = models.CharField(_("name"), max_length=100, unique=True)
    rank = models.PositiveSmallIntegerField(_("rank"), unique=True, help_text=_("1 is the most urgent."))
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Applies when a ticket is raised without a priority.")
    )

    class Meta:
        verbose_name = _("priority")
        verbose_name_plural = _("priorities")
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_default_priority",
                violation_error_message=_("Another priority is the default already: unmark that one first."),
            )
        ]

    def __str__(self) -> str:
        return self.name
