"""The steps of a process: one form each, checked in the light of the steps before it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import StackedInline
from unfold.forms import PaginationInlineFormSet

from integrations.admin.request_fields import REQUEST_FIELDSETS, Offered, RequestFieldsMixin, RequestForm
from integrations.admin.widgets import SourceWidget, by_argument
from integrations.configuration import captures_of_step, problems_of_step
from integrations.models import Step, StepKind

_ = gettext_lazy
REQUEST = "kind=request"
SHOWN_WHEN: Mapping[str, str] = {
    **{name: REQUEST for _title, options in REQUEST_FIELDSETS for name in options["fields"]},
    "operation": "kind=operation",
    "system": REQUEST,
    "captures": "kind=operation|request",
    "creates": "kind=request|mail",
    "mail_to": "kind=mail",
    "mail_subject": "kind=mail",
    "text": "kind=mail|note|stop",
    "visibility": "kind=note",
    "field": "kind=set_field",
    "value": "kind=set_field",
    "wait_for": "kind=wait",
    "wait_until": "kind=wait",
}
# name -> (language, rows)
SOURCES: Mapping[str, tuple[str, int]] = {
    "condition": ("expression", 1),
    "mail_to": ("template", 1),
    "mail_subject": ("template", 1),
    "text": ("template", 5),
    "value": ("template", 1),
    "wait_for": ("template", 1),
}
# A mail may create a ticket, too, so this field stands above the parts of a request.
REQUEST_PARTS = [
    (title, {"fields": [name for name in options["fields"] if name != "creates"]})
    for title, options in REQUEST_FIELDSETS
]


class StepForm(RequestForm):
    """One step. What belongs to another kind of step is emptied, so that nothing lingers unseen."""

    shown_when = SHOWN_WHEN

    class Meta:
        model = Step
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "position" in self.fields:
            self.fields["position"].required = False
            if self.instance.pk is None:
                self.initial["position"] = None
        if "operation" in self.fields:
            self._offer("operation", {pk: str(row) for pk, row in self.offered.operations.items()})
            self._offer("system", {pk: str(row) for pk, row in self.offered.systems.items()})
        if self.instance.pk is not None:
            self.instance.get_inline_title = _title(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind", "")
        for name in SHOWN_WHEN:
            if name in cleaned and kind not in _kinds_of(name):
                cleaned[name] = _empty(name)
        if kind == StepKind.REQUEST:
            self.tidy(cleaned)
        return cleaned

    def values(self) -> dict[str, Any]:
        """The step as the check takes it; what is wrong already counts as empty."""
        cleaned = self.cleaned_data
        values = {**self.request_values(cleaned), "name": cleaned.get("name") or ""}
        values.update({name: cleaned.get(name) or "" for name in ("kind", "field", "visibility", *SOURCES)})
        system = cleaned.get("system")
        return {**values, "operation": cleaned.get("operation"), "system_id": system.pk if system else None}

    def check_after(self, earlier: Mapping[str, list[str]]) -> None:
        """Check the step, given what the steps before it capture."""
        problems = problems_of_step(self.values(), earlier)
        self.soap_widget.problems = by_argument(problems.get("soap_arguments", []))
        for field, found in problems.items():
            if field not in self.errors:
                self.add_error(field, found)


class StepFormSet(PaginationInlineFormSet):
    """The steps in their order: a step may use what the ones before it capture."""

    def clean(self) -> None:
        super().clean()
        earlier: dict[str, list[str]] = {}
        for form in self.in_order():
            if "kind" in form.cleaned_data:
                form.check_after(earlier)
                values = form.values()
                earlier[values["name"]] = captures_of_step(values)

    def in_order(self) -> list[Any]:
        """The forms of the steps that stay, by position; those without one come last."""
        forms_to_keep = [
            form
            for form in self.forms
            if hasattr(form, "cleaned_data") and not self._should_delete_form(form) and not _is_blank(form)
        ]
        numbered = list(enumerate(forms_to_keep))
        numbered.sort(key=lambda pair: (_position(pair[1]), pair[0]))
        return [form for _index, form in numbered]

    def save(self, commit: bool = True) -> Any:
        """Save, and number all steps from 1 in their order."""
        ordered = self.in_order()
        moved = []
        for number, form in enumerate(ordered, start=1):
            if form.instance.position != number or "position" in form.changed_data:
                moved.append(form.instance)
            form.instance.position = number
        saved = super().save(commit)
        for step in moved:
            if commit and step.pk and step not in saved:
                step.save(update_fields=["position"])
        return saved


class StepInline(RequestFieldsMixin, StackedInline):
    """All steps on the page of their process."""

    model = Step
    form = StepForm
    formset = StepFormSet
    shown_when = SHOWN_WHEN
    extra = 0
    ordering_field = "position"
    collapsible = True
    verbose_name = _("step")
    verbose_name_plural = _("steps")
    fieldsets = [
        (None, {"fields": ["name", "kind", "position", "condition"]}),
        (
            None,
            {
                "fields": [
                    "operation",
                    "system",
                    "mail_to",
                    "mail_subject",
                    "field",
                    "value",
                    "visibility",
                    "text",
                    "wait_for",
                    "wait_until",
                    "creates",
                ]
            },
        ),
        *REQUEST_PARTS,
    ]

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """A new process begins with one step to fill in."""
        return 0 if obj else 1

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.offered = Offered()
        return formset

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("operation__system", "system", "wsdl", "probe")

    def formfield_for_dbfield(self, db_field: Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in SOURCES:
            language, rows = SOURCES[db_field.name]
            kwargs["widget"] = SourceWidget(language, rows=rows, show_when=SHOWN_WHEN.get(db_field.name, ""))
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        # Rows to choose are made on pages of their own: a pop-up would not know for which system.
        for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
            if field is not None and hasattr(field.widget, name):
                setattr(field.widget, name, False)
        return field


def _kinds_of(name: str) -> list[str]:
    return SHOWN_WHEN[name].removeprefix("kind=").split("|")


def _empty(name: str) -> Any:
    """The value of a field that its kind of step does not have."""
    return Step._meta.get_field(name).get_default()  # type: ignore[union-attr]  # a column, never a relation back


def _position(form: forms.ModelForm) -> float:
    position = form.cleaned_data.get("position")
    return float("inf") if position is None else position


def _is_blank(form: forms.ModelForm) -> bool:
    return form.instance.pk is None and not form.has_changed()


def _title(step: Step) -> str:
    words = {"position": step.position, "name": step.name, "kind": step.get_kind_display()}
    if step.kind == StepKind.OPERATION and step.operation is not None:
        words["kind"] = str(step.operation)
    title = gettext("%(position)s. %(name)s: %(kind)s") % words
    if step.condition:
        title += " " + gettext("(only when %(condition)s)") % {"condition": step.condition}
    return title
