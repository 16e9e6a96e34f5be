"""The teams that tasks are assigned to."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AssignmentGroup(models.Model):
    """A team that tasks are assigned to. Whether it is integrated is said by `integrations`, on the same page."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    code = models.SlugField(_("code"), unique=True, help_text=_("Used in templates and APIs; does not change."))
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="assignment_groups", verbose_name=_("members")
    )

    class Meta:
        verbose_name = _("assignment group")
        verbose_name_plural = _("assignment groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
