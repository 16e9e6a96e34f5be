"""What another desk can be asked to do: one request each."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from integrations.levels import needed_by_level
from integrations.models.systems import ExternalSystem

NAME = RegexValidator(r"^[a-z][a-z0-9_]*$", _("Use small letters, digits and underscores, beginning with a letter."))


class Protocol(models.TextChoices):
    """How a request travels."""

    HTTP = "http", _("HTTP")
    SOAP = "soap", _("SOAP")


class Repeat(models.TextChoices):
    """What repeating means after a try whose outcome is not known."""

    SAFE = "safe", _("Safe: the other desk recognises a repeated request")
    PROBE = "probe", _("Probe: look first whether it arrived")
    ASK = "ask", _("Ask: a person decides")


class WsdlDocument(models.Model):
    """A WSDL with everything that it imports, fetched once through the guarded door and parsed offline ever after."""

    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="wsdls", verbose_name=_("external system")
    )
    name = models.CharField(_("name"), max_length=100)
    url = models.URLField(_("address"), max_length=500)
    documents = models.JSONField(_("documents"), default=dict, blank=True, editable=False)
    fetched_at = models.DateTimeField(_("fetched"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("WSDL")
        verbose_name_plural = _("WSDLs")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["system", "name"], name="wsdl_name_in_system")]

    def __str__(self) -> str:
        return self.name


class RequestTemplate(models.Model):
    """One request, with what counts as success, what to take from the answer and what repeating means.

    Over HTTP: method, path below the system's address, headers, body. Over SOAP with a WSDL: operation and
    arguments; without one, `body` is the whole envelope.
    """

    protocol = models.CharField(_("protocol"), max_length=10, choices=Protocol.choices, default=Protocol.HTTP)
    method = models.CharField(
        _("method"),
        max_length=10,
        choices=[(m, m) for m in ("GET", "POST", "PUT", "PATCH", "DELETE")],
        default="POST",
    )
    path = models.TextField(
        _("path"), blank=True, help_text=_("Below the system's address; may hold {{ ... }}, for example /tickets")
    )
    headers = models.TextField(_("headers"), blank=True, help_text=_("One a line, as Name: value"))
    content_type = models.CharField(
        _("content type"), max_length=100, blank=True, default="application/json; charset=utf-8"
    )
    body = models.TextField(
        _("body"),
        blank=True,
        help_text=_(
            "Of a form (content type multipart/form-data): one part a line, as name = template, or with its type as "
            "name; application/json = template."
        ),
    )
    file_part = models.CharField(
        _("field for the file"),
        max_length=100,
        blank=True,
        help_text=_("The field of the form that carries the file of the event. Empty: the form carries no file."),
    )
    sends_file = models.BooleanField(
        _("the body is the attached file"),
        default=False,
        help_text=_(
            "The file of the event is sent as it is, with its own content type. Its name can go into a header as "
            "{{ attachment.name | urlencode }}."
        ),
    )
    wsdl = models.ForeignKey(
        WsdlDocument, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("WSDL")
    )
    soap_operation = models.CharField(_("SOAP operation"), max_length=200, blank=True)
    soap_version = models.CharField(
        _("SOAP version"), max_length=3, choices=[("1.1", "1.1"), ("1.2", "1.2")], default="1.1"
    )
    soap_action = models.CharField(
        _("SOAP action"), max_length=300, blank=True, help_text=_("Only without a WSDL; with one it is known.")
    )
    soap_arguments = models.JSONField(
        _("arguments"),
        default=dict,
        blank=True,
        help_text=_("Argument path to template, for example title: {{ ticket.title }}"),
    )
    success = models.TextField(
        _("success"),
        blank=True,
        help_text=_("An expression over response; empty: any 2xx. For example: response.json.error is not defined"),
    )
    retry_when = models.TextField(
        _("try again when"),
        blank=True,
        help_text=_("An expression over response: a failure for which it holds is tried again, whatever its status."),
    )
    captures = models.TextField(
        _("captures"),
        blank=True,
        help_text=_(
            "One a line, as name = expression. The capture named reference becomes the external reference, "
            "for example: reference = response.json.number"
        ),
    )
    creates = models.BooleanField(
        _("creates the ticket there"),
        default=False,
        help_text=_(
            "Never sent for a task that has a reference. Where its answer holds none, the reference is awaited by "
            "acknowledgement."
        ),
    )
    repeat = models.CharField(_("repeating"), max_length=10, choices=Repeat.choices, default=Repeat.ASK)
    probe = models.ForeignKey(
        "integrations.OperationTemplate",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("probe with"),
        help_text=_("The operation that looks whether it arrived. Its captures are taken when it did."),
    )
    probe_found = models.TextField(
        _("it arrived when"),
        blank=True,
        help_text=_("An expression over the probe's response, for example: response.json.tickets | length > 0"),
    )
    settle_seconds = models.PositiveSmallIntegerField(
        _("settle"),
        default=10,
        validators=[MaxValueValidator(3600)],
        help_text=_("Seconds before each probe, as a desk may show a new record late."),
    )

    class Meta:
        abstract = True


class OperationTemplate(RequestTemplate):
    """A named operation of an external system, such as create_ticket or add_note."""

    system = models.ForeignKey(
        ExternalSystem, models.CASCADE, related_name="operations", verbose_name=_("external system")
    )
    name = models.CharField(_("name"), max_length=60, validators=[NAME])
    description = models.CharField(_("description"), max_length=250, blank=True)
    items = models.TextField(
        _("records"),
        blank=True,
        help_text=_("For operations that read: an expression that gives the list, for example response.json.tickets"),
    )
    reads = models.TextField(
        _("what a record holds"),
        blank=True,
        help_text=_("One a line, as name = expression over item, for example: reference = item.number"),
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("operation template")
        verbose_name_plural = _("operation templates")
        ordering = ["system", "name"]
        constraints = [models.UniqueConstraint(fields=["system", "name"], name="operation_name_in_system")]

    def __str__(self) -> str:
        return f"{self.system}: {self.name}"

    def clean(self) -> None:
        """Under another name the level that its system is active at may lack a function."""
        if self.pk is None:
            return
        before = OperationTemplate.objects.select_related("system").get(pk=self.pk)
        if before.name != self.name and (function := needed_by_level(before.system, before.name)):
            raise ValidationError(
                {
                    "name": _("%(system)s is active at a level that needs this: %(function)s.")
                    % {"system": before.system, "function": function.label}
                }
            )
