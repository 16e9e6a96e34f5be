"""Configuration as files: export by a button, import with a page that shows the difference before it is applied."""

import hashlib
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget

from integrations.admin.catalogue.base import CONFIGURES, READS, Screen
from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.importing import Imported, import_configuration
from integrations.catalogue.presets_written import preset_document
from integrations.catalogue.reader import DocumentProblem
from integrations.catalogue.yaml_text import MOST_BYTES, dump
from integrations.models import ExternalSystem

_ = gettext_lazy
# What a file may bring besides.
FURTHER = ("polling", "hook", "hookrule", "webhooksubscription")
# Whoever reads whole systems reads what belongs to them.
READS_ALL = (*READS, "integrations.view_operationtemplate", "integrations.view_process", "integrations.view_step")


class ExportAll(Screen):
    """The whole configuration as a file."""

    needs = READS_ALL

    def get(self, request: HttpRequest) -> HttpResponse:
        """The file."""
        return _file(configuration_of(), f"deskbridge-{timezone.localdate().isoformat()}.yaml")


class Export(Screen):
    """One system as a file."""

    needs = READS_ALL

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The file."""
        system = self.system(pk)
        return _file(configuration_of([system]), f"{system.code}.yaml")


class ExportPreset(Screen):
    """One system as an entry for a catalogue."""

    needs = READS_ALL

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The file."""
        system = self.system(pk)
        return _file(preset_document(system), f"{system.code}-preset.yaml")


class UploadForm(forms.Form):
    """The file; on the page with the difference its text, so that what was read is what is applied."""

    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("A YAML file that was exported here or elsewhere. Secrets are not in it, and stay as they are."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".yaml,.yml"}),
    )
    text = forms.CharField(required=False, strip=False, max_length=MOST_BYTES, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """The text, of the file or as it was sent along."""
        cleaned = super().clean() or self.cleaned_data
        file = cleaned.get("file")
        if file is not None and file.size > MOST_BYTES:
            self.add_error("file", gettext("It is larger than %(most)d bytes.") % {"most": MOST_BYTES})
        elif file is not None:
            try:
                cleaned["text"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", gettext("It is not UTF-8."))
        elif not cleaned.get("text") and not self.errors:
            self.add_error("file", gettext("Choose a file."))
        # A text area's line ends are the browser's; the file's own may have been the same.
        cleaned["text"] = (cleaned.get("text") or "").replace("\r\n", "\n")
        return cleaned


class Import(Screen):
    """Choose a file, see what it would change, apply it."""

    needs = (
        *CONFIGURES,
        *(f"integrations.delete_{model}" for model in ("operationtemplate", "wsdldocument", "step", "valuemapping")),
        *(f"integrations.{what}_{model}" for model in FURTHER for what in ("add", "change", "delete")),
    )

    def get(self, request: HttpRequest) -> HttpResponse:
        """The choice of a file."""
        return self._page(request, UploadForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """First the difference; when that page is sent, the same text is applied, if its difference is still so."""
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, form, status=422)
        text = form.cleaned_data["text"]
        try:
            seen = import_configuration(text, dry_run=True)
            if request.POST.get("seen") != _digest(seen):
                return self._page(request, form, text=text, result=seen, stale="seen" in request.POST)
            result = import_configuration(text)
        except DocumentProblem as problem:
            return self._page(request, form, problems=problem.problems, status=422)
        self._record(request, result)
        return redirect("admin:integrations_externalsystem_changelist")

    def _record(self, request: HttpRequest, result: Imported) -> None:
        codes = {change.place.split("/")[1] for change in result.changes if change.place.startswith("systems/")}
        for system in ExternalSystem.objects.filter(code__in=codes):
            self.model_admin.log_change(request, system, gettext("Changed by the import of a file."))
        count = len(result.changes)
        messages.success(request, gettext("Imported: %(count)d objects changed.") % {"count": count})
        for note in result.notes:
            messages.warning(request, note)

    def _page(
        self,
        request: HttpRequest,
        form: UploadForm,
        *,
        text: str = "",
        result: Imported | None = None,
        problems: list[str] | None = None,
        stale: bool = False,
        status: int = 200,
    ) -> Any:
        return self.page(
            request,
            "import.html",
            title=gettext("Import configuration"),
            status=status,
            form=form,
            text=text,
            result=result,
            seen=_digest(result) if result else "",
            problems=problems,
            stale=stale,
        )


def _digest(result: Imported) -> str:
    """What the page has shown: what is applied is that and nothing else."""
    shown = "\n".join(change.as_text() for change in result.changes)
    return hashlib.sha256("\n".join([shown, *result.notes]).encode()).hexdigest()


def _file(document: Any, name: str) -> HttpResponse:
    answer = HttpResponse(dump(document), content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
