"""Whom we work for: organisations and their contacts."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """A customer, department or company that contacts belong to."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    contacts_may_close = models.BooleanField(
        _("contacts may close their tickets"),
        default=True,
        help_text=_("Switched off, only agents close tickets of this organisation's contacts."),
    )

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person for whom tickets are raised. With a user, that person can sign in and read their own tickets."""

    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"), unique=True)
    login = models.CharField(
        _("directory login"),
        max_length=100,
        blank=True,
        help_text=_("The name in the company's directory, by which other desks may know this person."),
    )
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    organisation = models.ForeignKey(
        Organisation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contacts",
        verbose_name=_("organisation"),
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="contact",
        verbose_name=_("user"),
        help_text=_("The account with which this person signs in to read their tickets."),
    )

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["name", "email"]
        constraints = [
            models.UniqueConstraint(fields=["login"], condition=~models.Q(login=""), name="contact_login_unique")
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    def clean(self) -> None:
        """Two spellings of one address or login are one: by them mails and other desks find the person."""
        others = Contact.objects.exclude(pk=self.pk)
        for field in ("email", "login"):
            value = getattr(self, field)
            if value and others.filter(**{f"{field}__iexact": value}).exists():
                raise ValidationError({field: _("Another contact has this already, be it in other letters.")})
