"""What tickets are sorted by: queues, categories, priorities, tags, own statuses, own completion codes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.lifecycle import CompletionCode, TicketStatus


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


class OwnStatus(models.Model):
    """A status as the administrators call it. It belongs to a fixed one, which alone says how a ticket behaves.

    One of each fixed status is its default: it applies where nobody chose, or chose one that does not fit.
    """

    code = models.SlugField(_("code"), unique=True, help_text=_("Used in templates and APIs; does not change."))
    name = models.CharField(_("name"), max_length=100, unique=True)
    status = models.PositiveSmallIntegerField(
        _("belongs to"),
        choices=TicketStatus.choices,
        help_text=_("The fixed status that says how a ticket behaves. Does not change once saved."),
    )
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Applies when only the fixed status is set.")
    )

    class Meta:
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        ordering = ["status", "-is_default", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(is_default=True),
                name="one_default_for_each_status",
                violation_error_message=_("This fixed status has a default already: unmark that one first."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def default_of(cls, status: int) -> "OwnStatus":
        """The default of a fixed status; made under the fixed status' own name where there is none."""
        found = cls.objects.filter(status=status, is_default=True).first()
        if found is None:
            fixed = TicketStatus(status)
            found, _created = cls.objects.get_or_create(
                status=status,
                is_default=True,
                defaults={"code": fixed.name.lower().replace("_", "-"), "name": str(fixed.label)},
            )
        return found


class OwnCompletionCode(models.Model):
    """A completion code as the administrators call it; to other desks it counts as one of the fixed four."""

    code = models.SlugField(_("code"), unique=True, help_text=_("Used in templates and APIs; does not change."))
    name = models.CharField(_("name"), max_length=100, unique=True)
    counts_as = models.CharField(
        _("counts as"),
        max_length=30,
        choices=CompletionCode.choices,
        default=CompletionCode.FULFILLED,
        help_text=_("Withdrawn by user cancels the task at the other desk, request rejected rejects it."),
    )

    class Meta:
        verbose_name = _("completion code")
        verbose_name_plural = _("completion codes")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(code__in=CompletionCode.values),
                name="own_code_is_not_a_fixed_one",
                violation_error_message=_("This code is one of the four fixed ones."),
            )
        ]

    def __str__(self) -> str:
        return self.name


def counts_as(code: str) -> str:
    """The fixed completion code that a code is, or counts as; an unknown one is itself."""
    if code in CompletionCode.values:
        return code
    own = OwnCompletionCode.objects.filter(code=code).values_list("counts_as", flat=True).first()
    return own or code


class Tag(models.Model):
    """A word by which tickets are found again."""

    name = models.CharField(_("name"), max_length=50, unique=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
