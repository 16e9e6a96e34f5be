"""What workers visit again and again: a desk that is polled, a mailbox that is read."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

# From this many failures in a row on, a person has to look: one is a hiccup.
FAILURES_THAT_MATTER: Final = 3
# What a worker writes, and only under its token; see `integrations.engine.visits`.
VISITS: Final = ("due_at", "token", "lease_until", "last_success_at", "failures", "failing_since", "last_error")


class Visited(models.Model):
    """When it is visited next, which worker has it (`token`, until `lease_until`), and how the last visits went.

    Whether and how often is what an administrator sets; `WORKERS` names all columns that are the workers' alone.
    """

    active = models.BooleanField(_("active"), default=True)
    interval_seconds = models.PositiveIntegerField(
        _("every"),
        default=60,
        validators=[MinValueValidator(5), MaxValueValidator(86_400)],
        help_text=_("Seconds from the end of one look to the next."),
    )

    due_at = models.DateTimeField(_("next look"), null=True, blank=True, editable=False, db_index=True)
    token = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)

    WORKERS: ClassVar[tuple[str, ...]] = VISITS

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only the settings of a row that exists: the rest may have moved on since this copy was read."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            ours = (field.name for field in self._meta.concrete_fields if not field.primary_key)
            kwargs["update_fields"] = [name for name in ours if name not in self.WORKERS]
        super().save(*args, **kwargs)

    @property
    def interval(self) -> timedelta:
        """The pause between two visits."""
        return timedelta(seconds=self.interval_seconds)

    @property
    def is_visited(self) -> bool:
        """Whether workers come to it, as far as its own settings say."""
        return self.active

    @property
    def needs_attention(self) -> bool:
        """Whether it has failed for so long that a person has to look."""
        return self.is_visited and self.failures >= FAILURES_THAT_MATTER
