"""Fields that administrators define themselves."""

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket

MAX_PROPERTY_CHARACTERS = 2000
# More than any number has that was computed as a float (17 digits).
MAX_PROPERTY_DECIMALS = 30


class PropertyKind(models.TextChoices):
    """What a property holds."""

    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    YES_NO = "yes_no", _("Yes or no")
    CHOICE = "choice", _("One of several")


class PropertyDefinition(models.Model):
    """A property that every ticket may have: in forms, filters, APIs and templates (`ticket.properties.<code>`)."""

    code = models.CharField(
        _("code"),
        max_length=50,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_]*$", _("Use small letters, digits and underscores, beginning with a letter.")
            )
        ],
        help_text=_("Used in templates and APIs; does not change."),
    )
    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=PropertyKind.choices, default=PropertyKind.TEXT)
    choices = models.TextField(_("choices"), blank=True, help_text=_("For one of several: one choice a line."))
    for_contacts = models.BooleanField(
        _("asked from contacts"), default=False, help_text=_("Shown when a contact raises a ticket.")
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Switched off, it is no longer offered; what is stored stays.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("property")
        verbose_name_plural = _("properties")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def choice_list(self) -> list[str]:
        """The choices, in order."""
        return [line.strip() for line in self.choices.splitlines() if line.strip()]

    def clean(self) -> None:
        """One of several needs several."""
        if self.kind == PropertyKind.CHOICE and len(self.choice_list) < 2:
            raise ValidationError({"choices": _("Give at least two choices, one a line.")})

    def canonical(self, value: Any) -> str:
        """The one way in which a value is stored: text as it is, 1.5, 2026-01-31, true or false, the choice; empty
        for none. `ValueError` says what is wrong."""
        if value is None or value == "":
            return ""
        if isinstance(value, str) and not _storable(value):
            raise ValueError(_t("Give a text without null characters and halves of characters."))
        match self.kind:
            case PropertyKind.NUMBER:
                return self._number(value)
            case PropertyKind.DATE:
                return self._date(value)
            case PropertyKind.YES_NO:
                return self._yes_no(value)
        if not isinstance(value, str) or len(value) > MAX_PROPERTY_CHARACTERS:
            raise ValueError(_t("Give a text of at most %(limit)d characters.") % {"limit": MAX_PROPERTY_CHARACTERS})
        if self.kind == PropertyKind.CHOICE and value not in self.choice_list:
            raise ValueError(_t("Choose one of: %(choices)s.") % {"choices": ", ".join(self.choice_list)})
        return value

    def typed(self, stored: str) -> Any:
        """The stored value as JSON knows it: text, number, true or false; None for none."""
        if not stored:
            return None
        match self.kind:
            case PropertyKind.NUMBER:
                return float(stored) if "." in stored else int(stored)
            case PropertyKind.YES_NO:
                return stored == "true"
        return stored

    def _number(self, value: Any) -> str:
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation as error:
            raise ValueError(_t("Give a number, for example 12 or 1.5.")) from error
        exponent = number.as_tuple().exponent
        # Written out, 1e-999999999 would be a gigabyte.
        small = isinstance(exponent, int) and exponent < -MAX_PROPERTY_DECIMALS
        if isinstance(value, bool) or not number.is_finite() or small or abs(number) >= Decimal(10) ** 15:
            raise ValueError(_t("Give a number, for example 12 or 1.5."))
        text = f"{number:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def _date(self, value: Any) -> str:
        try:
            return (value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value).strip())).isoformat()
        except ValueError as error:
            raise ValueError(_t("Give a date like 2026-01-31.")) from error

    def _yes_no(self, value: Any) -> str:
        known = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}
        try:
            return known[str(value).strip().lower()]
        except KeyError as error:
            raise ValueError(_t("Give true or false.")) from error


def _storable(text: str) -> bool:
    """Whether every database takes it: PostgreSQL refuses NUL, and no encoder takes half a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


class PropertyValue(models.Model):
    """What a ticket's property holds, in its canonical form; no row where it holds nothing."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="property_values", verbose_name=_("ticket"))
    definition = models.ForeignKey(
        PropertyDefinition, models.PROTECT, related_name="values", verbose_name=_("property")
    )
    value = models.TextField(_("value"))

    class Meta:
        verbose_name = _("property value")
        verbose_name_plural = _("property values")
        ordering = ["definition__position", "definition__name"]
        constraints = [models.UniqueConstraint(fields=["ticket", "definition"], name="property_once")]

    def __str__(self) -> str:
        return f"{self.definition}: {self.value}"
