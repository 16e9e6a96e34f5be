"""Which forms of the pages were carried out already."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Submission(models.Model):
    """A form of the end users' pages that was carried out: the same form sent again changes nothing.

    Written in the transaction of what the form did, so that of two requests at the same moment the second waits for
    the first and then finds this row. `key` is the digest of the form's one-time token and of what was typed.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="submissions", verbose_name=_("user")
    )
    key = models.CharField(_("key"), max_length=64)
    answer = models.CharField(_("answer"), max_length=200, blank=True, help_text=_("The address that it led to."))
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_submission_each")]

    def __str__(self) -> str:
        return self.key
