"""Our contacts at other desks: their numbers there, and what is under way about their accounts."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from integrations.models.runs import StepRun
from integrations.models.systems import ExternalSystem
from tickets.models import Contact


class ContactReference(models.Model):
    """By what an external system knows a contact: the number or name of that person there, one a system.

    Empty for a contact that the system has made here without telling a number. Only such contacts, `made_by_them`,
    are theirs to change. Whom it has `only_named`, by an address that was known here before, it neither reads nor is
    told of.
    """

    contact = models.ForeignKey(
        Contact, models.CASCADE, related_name="external_references", verbose_name=_("contact")
    )
    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="contact_references", verbose_name=_("external system")
    )
    value = models.CharField(_("number there"), max_length=200, blank=True)
    made_by_them = models.BooleanField(_("made by that desk"), default=False, editable=False)
    only_named = models.BooleanField(
        _("only named by that desk"),
        default=False,
        editable=False,
        help_text=_("It has named the address and its own number: that alone opens nothing of the person to it."),
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("contact's number")
        verbose_name_plural = _("contacts' numbers")
        constraints = [
            models.UniqueConstraint(fields=["system", "contact"], name="one_number_per_contact_and_system")
        ]

    def __str__(self) -> str:
        return self.value or str(self.contact)


class AccountUnderWay(models.Model):
    """Who is making an account for a contact at a desk: one at a time, also where two tickets of a new contact are
    given away at once. A step's counts until the step has ended, a person's (without a step) until `until`."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+", verbose_name=_("contact"))
    system = models.ForeignKey(ExternalSystem, models.CASCADE, related_name="+", verbose_name=_("external system"))
    step = models.ForeignKey(StepRun, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("step"))
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("account under way")
        verbose_name_plural = _("accounts under way")
        constraints = [
            models.UniqueConstraint(fields=["system", "contact"], name="one_account_under_way_per_contact")
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.system}"


class ContactUpdate(models.Model):
    """What was changed about a contact here and is still to be changed at a desk that knows them: an outbox.

    Inserted in the transaction of the change; removed when the other desk has taken it, unless `version` has moved
    on meanwhile. `due_at` empty: given up, or refused there; a person has to look.
    """

    reference = models.OneToOneField(
        ContactReference, models.CASCADE, related_name="update_due", verbose_name=_("number there")
    )
    version = models.PositiveIntegerField(default=1)
    due_at = models.DateTimeField(_("next try"), null=True, blank=True, db_index=True)
    token = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(_("failures in a row"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("contact's update")
        verbose_name_plural = _("contacts' updates")

    def __str__(self) -> str:
        return str(self.reference)
