"""What was tried against the real desk: one proof an operation, void when its template has changed since."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.exchanges import Exchange
from integrations.models.templates import OperationTemplate


class OperationProof(models.Model):
    """The last test call of an operation that worked. `digest` is of the template and the address as they were."""

    operation = models.OneToOneField(
        OperationTemplate, models.CASCADE, related_name="proof", verbose_name=_("operation")
    )
    digest = models.CharField(max_length=64)
    proved_at = models.DateTimeField(_("when"), auto_now=True)
    proved_by = models.CharField(_("by whom"), max_length=150)
    exchange = models.ForeignKey(
        Exchange, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("exchange")
    )

    class Meta:
        verbose_name = _("proof of an operation")
        verbose_name_plural = _("proofs of operations")

    def __str__(self) -> str:
        return str(self.operation)
