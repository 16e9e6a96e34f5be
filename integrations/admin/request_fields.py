"""The fields of a request template in forms: their inputs, what they offer, and the check before they are saved."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django import forms
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.admin.widgets import SoapArgumentsField, SourceWidget
from integrations.models import ExternalSystem, OperationTemplate, Protocol, Repeat, RequestTemplate, WsdlDocument
from integrations.transports.multipart import is_multipart
from integrations.transports.wsdl import WsdlProblem
from integrations.wsdls import find_operation, operations_of

HTTP, SOAP = "protocol=http", "protocol=soap"
WITH_BODY = "method=POST|PUT|PATCH|DELETE"
CHANGES = f"{HTTP} {WITH_BODY} or {SOAP}"
# name -> (language, rows, shown when)
SOURCES: Mapping[str, tuple[str, int, str]] = {
    "path": ("template", 1, ""),
    "headers": ("template", 2, ""),
    "body": ("template", 12, f"{HTTP} {WITH_BODY} or {SOAP} wsdl="),
    "success": ("expression", 1, ""),
    "retry_when": ("expression", 1, ""),
    "captures": ("expression", 3, ""),
    "probe_found": ("expression", 1, "repeat=probe"),
    "items": ("expression", 1, ""),
    "reads": ("expression", 6, ""),
}
SHOWN_WHEN: Mapping[str, str] = {
    "method": HTTP,
    "content_type": f"{HTTP} {WITH_BODY}",
    "file_part": f"{HTTP} {WITH_BODY} content_type^=multipart/form-data",
    "wsdl": SOAP,
    "soap_version": SOAP,
    "soap_operation": f"{SOAP} wsdl!=",
    "soap_action": f"{SOAP} wsdl=",
    "creates": CHANGES,
    "repeat": CHANGES,
    "probe": "repeat=probe",
    "settle_seconds": "repeat=probe",
}
TEXTS = (
    "path",
    "headers",
    "content_type",
    "body",
    "file_part",
    "soap_operation",
    "soap_action",
    "success",
    "retry_when",
    "captures",
    "probe_found",
)
REQUEST_FIELDSETS: list[tuple[Any, dict[str, Any]]] = [
    (
        _("The request"),
        {
            "fields": [
                "protocol",
                "method",
                "wsdl",
                "soap_version",
                "soap_operation",
                "soap_action",
                "path",
                "headers",
                "content_type",
                "body",
                "file_part",
                "sends_file",
                "soap_arguments",
            ]
        },
    ),
    (_("The answer"), {"fields": ["success", "retry_when", "captures", "creates"]}),
    (_("When nobody knows whether it arrived"), {"fields": ["repeat", "probe", "probe_found", "settle_seconds"]}),
]


class Offered:
    """The rows that request forms offer for choosing, loaded once a page however many forms it has."""

    def __init__(self, system_id: int | None = None) -> None:
        self.system_id = system_id

    @cached_property
    def wsdls(self) -> dict[int, WsdlDocument]:
        """WSDLs by id; of one system if that is known."""
        rows = WsdlDocument.objects.select_related("system").order_by("system__name", "name")
        if self.system_id is not None:
            rows = rows.filter(system_id=self.system_id)
        return {row.pk: row for row in rows}

    @cached_property
    def systems(self) -> dict[int, ExternalSystem]:
        """All systems by id."""
        return {row.pk: row for row in ExternalSystem.objects.order_by("name")}

    @cached_property
    def operations(self) -> dict[int, OperationTemplate]:
        """Operation templates by id; of one system if that is known."""
        rows = OperationTemplate.objects.select_related("system").order_by("system__name", "name")
        if self.system_id is not None:
            rows = rows.filter(system_id=self.system_id)
        return {row.pk: row for row in rows}

    @cached_property
    def soap_operations(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """For a select: the operations of each WSDL, under its name."""
        return [(wsdl_label(wsdl), _operation_choices(wsdl)) for wsdl in self.wsdls.values()]


def wsdl_label(wsdl: WsdlDocument) -> str:
    """How a WSDL is named where those of several systems stand together."""
    return f"{wsdl.system.name}: {wsdl.name}"


def request_field_widget(db_field: Field, shown_when: Mapping[str, str]) -> forms.Widget | None:
    """The input for a field of a request template; None for the admin's own. `shown_when` adds to its conditions."""
    if db_field.name in SOURCES:
        language, rows, when = SOURCES[db_field.name]
        return SourceWidget(language, rows=rows, show_when=_both(shown_when.get(db_field.name, ""), when))
    return None


def _both(first: str, second: str) -> str:
    return " or ".join(f"{first} {case}".strip() for case in second.split(" or "))


class RequestForm(forms.ModelForm):
    """A form over a request template. `offered` is set by the admin for each page."""

    offered: Offered
    shown_when: Mapping[str, str] = {}
    soap_arguments = SoapArgumentsField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "wsdl" not in self.fields:
            return
        self.fields["path"].help_text = _(
            "Below the system's address; may hold {{ ... }}, for example /tickets. Empty: the address itself, "
            "or with a WSDL the one that it names."
        )
        self._offer("wsdl", {pk: wsdl_label(row) for pk, row in self.offered.wsdls.items()})
        self._offer("probe", {pk: str(row) for pk, row in self.offered.operations.items()})
        self._offer_soap_operations()
        for name, field in self.fields.items():
            when = _both(self.shown_when.get(name, ""), SHOWN_WHEN.get(name, ""))
            if when and name not in SOURCES:
                _innermost(field.widget).attrs["data-show-when"] = when
        self.soap_widget.arguments = self._arguments()
        self.soap_widget.attrs["data-show-when"] = _both(self.shown_when.get("soap_arguments", ""), f"{SOAP} wsdl!=")

    @property
    def soap_widget(self) -> Any:
        """The inputs of the arguments."""
        return self.fields["soap_arguments"].widget

    def request_values(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """The request as the check takes it; what is wrong already counts as empty."""
        values = {field.name: cleaned.get(field.name) for field in RequestTemplate._meta.get_fields()}
        texts = {name: values[name] or "" for name in TEXTS}
        return {**values, **texts, "soap_arguments": values["soap_arguments"] or {}}

    def tidy(self, cleaned: dict[str, Any]) -> None:
        """Empty what this request does not send, so that nothing lingers unseen: it would be read as being used."""
        soap, wsdl = cleaned.get("protocol") == Protocol.SOAP, cleaned.get("wsdl")
        if not soap:
            cleaned.update(wsdl=None, soap_operation="", soap_action="", soap_arguments={})
        elif wsdl is None:
            cleaned.update(soap_operation="", soap_arguments={})
        else:
            cleaned.update(body="", soap_action="")
        if soap or cleaned.get("method") == "GET" or not is_multipart(cleaned.get("content_type") or ""):
            cleaned.update(file_part="")
        if not soap and cleaned.get("method") == "GET":
            # What only reads can be asked again at any time.
            cleaned.update(body="", creates=False, repeat=Repeat.SAFE)
        if cleaned.get("repeat") != Repeat.PROBE:
            cleaned.update(probe=None, probe_found="")

    def _offer(self, name: str, labels: Mapping[int, str]) -> None:
        field: Any = self.fields[name]
        field.choices = [("", _("Select value")), *labels.items()]

    def _offer_soap_operations(self) -> None:
        choices: list[Any] = [("", _("Select value")), *self.offered.soap_operations]
        current = self._current("soap_operation")
        if current and not any(current == value for _label, group in choices[1:] for value, _name in group):
            choices.append((current, current))
        self.fields["soap_operation"].widget = UnfoldAdminSelectWidget(choices=choices)

    def _arguments(self) -> Any:
        """The arguments of the operation that is chosen now, in the sent form or in the row."""
        wsdl = self._current_wsdl()
        if wsdl is None or self._current("protocol") != Protocol.SOAP:
            return ()
        try:
            info = find_operation(
                wsdl, name=self._current("soap_operation"), version=self._current("soap_version") or "1.1"
            )
        except WsdlProblem:
            return ()
        return info.arguments if info is not None else ()

    def _current_wsdl(self) -> WsdlDocument | None:
        chosen = self._current("wsdl")
        return self.offered.wsdls.get(int(chosen)) if str(chosen or "").isdecimal() else None

    def _current(self, name: str) -> Any:
        if self.is_bound:
            return self.data.get(self.add_prefix(name), "")
        return self.get_initial_for_field(self.fields[name], name)


def _innermost(widget: Any) -> Any:
    """The select inside the frame that the admin puts around choices of rows."""
    return getattr(widget, "widget", widget)


def _operation_choices(wsdl: WsdlDocument) -> list[tuple[str, str]]:
    try:
        names = dict.fromkeys(info.name for info in operations_of(wsdl))
    except WsdlProblem:
        return []
    return [(name, name) for name in names]


class RequestFieldsMixin:
    """For model admins and inlines of request templates: the inputs of their fields."""

    shown_when: Mapping[str, str] = {}

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Plain text areas for templates and expressions."""
        widget = request_field_widget(db_field, self.shown_when)
        if widget is not None:
            kwargs["widget"] = widget
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]  # mixed into an admin
