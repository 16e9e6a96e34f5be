"""A system beside its original in the catalogue, and a second system made of a first."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from integrations.admin.catalogue.base import Screen
from integrations.admin.system_form import NO_CODE
from integrations.catalogue import PresetProblem, load
from integrations.catalogue.cloning import clone
from integrations.catalogue.originals import compare_with_original, take_over
from integrations.catalogue.reader import DocumentProblem
from integrations.models import ExternalSystem, PresetOrigin, SetupStep

_ = gettext_lazy


class Compare(Screen):
    """What was changed here since, what a newer version of the preset changed, and taking over the original's."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The differences, part by part."""
        return self._page(request, self.system(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take over the chosen parts."""
        system = self.system(pk)
        places = request.POST.getlist("take")
        if not places:
            messages.error(request, gettext("Choose the parts that shall become as in the original."))
            return self._page(request, system, status=422)
        try:
            notes = take_over(system, places)
        except PresetProblem as problem:
            return self._page(request, system, problems=[str(problem)], status=422)
        except DocumentProblem as problem:
            return self._page(request, system, problems=problem.problems, status=422)
        words = gettext("As in the original now: %(parts)s.") % {"parts": ", ".join(places)}
        self.model_admin.log_change(request, system, words)
        messages.success(request, words)
        for note in notes:
            messages.warning(request, note)
        return redirect("admin:integrations_compare", pk)

    def _page(
        self, request: HttpRequest, system: ExternalSystem, *, problems: list[str] | None = None, status: int = 200
    ) -> Any:
        parts, preset, missing = [], None, ""
        try:
            preset = load(system.preset)
            parts = compare_with_original(system)
        except PresetProblem as problem:
            missing = str(problem)
        return self.page_of(
            request,
            "compare.html",
            system,
            title=gettext("Compare with the original"),
            status=status,
            parts=parts,
            preset=preset,
            origin=PresetOrigin.objects.filter(system=system).first(),
            missing=missing if system.preset else gettext("This system was not made from the catalogue."),
            problems=problems,
        )


class CloneForm(forms.Form):
    """By what the second system is known."""

    name = forms.CharField(label=_("Name"), max_length=100, widget=UnfoldAdminTextInputWidget)
    code = forms.SlugField(
        label=_("Code"),
        max_length=50,
        help_text=_("Short name in addresses and templates. It does not change later."),
        error_messages={"invalid": NO_CODE},
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_name(self) -> str:
        """A name that nobody has."""
        return self._free("name")

    def clean_code(self) -> str:
        """A code that nobody has."""
        return self._free("code")

    def _free(self, field: str) -> str:
        value: str = self.cleaned_data[field]
        if ExternalSystem.objects.filter(**{field: value}).exists():
            raise forms.ValidationError(gettext("Another external system has it."))
        return value


class Clone(Screen):
    """A second system of the same kind."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Its name and code."""
        return self._page(request, self.system(pk), CloneForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make it, switched off, and go on with its credentials."""
        system = self.system(pk)
        form = CloneForm(request.POST)
        if form.is_valid():
            try:
                made = clone(system, name=form.cleaned_data["name"], code=form.cleaned_data["code"])
            except DocumentProblem as problem:
                form.add_error(None, problem.problems)
            else:
                words = gettext("Cloned from %(system)s.") % {"system": system}
                self.model_admin.log_addition(request, made, words)
                words = gettext(
                    "%(system)s is there, switched off and without credentials. Its processes are its own."
                )
                messages.success(request, words % {"system": made})
                return redirect("admin:integrations_setup_step", made.pk, SetupStep.CONNECTION)
        return self._page(request, system, form, status=422)

    def _page(self, request: HttpRequest, system: ExternalSystem, form: CloneForm, status: int = 200) -> Any:
        return self.page_of(
            request,
            "clone.html",
            system,
            title=gettext("Clone"),
            status=status,
            form=form,
            groups=reverse("admin:tickets_assignmentgroup_changelist"),
        )
