"""The fields that processes may refer to, by the names of the source document."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AppField(models.Model):
    """One field of one app, for example Ticketing.TaskAssignment / Task_ExternalRequestType. Rebuilt by the sync."""

    app = models.CharField(_("app"), max_length=60)
    name = models.CharField(_("field"), max_length=60)
    path = models.CharField(_("path"), max_length=100, help_text=_("The same value, as written in {{ ... }}."))
    label = models.CharField(_("meaning"), max_length=200)

    class Meta:
        verbose_name = _("app field")
        verbose_name_plural = _("app fields")
        ordering = ["app", "name"]
        constraints = [models.UniqueConstraint(fields=["app", "name"], name="field_name_in_app")]

    def __str__(self) -> str:
        return self.placeholder

    @property
    def placeholder(self) -> str:
        """The legacy spelling."""
        return f"#REPLACE-EXTAPPFIELD-{self.app}-{self.name}#"
