"""The first page of the guided form: from here on the system is in the database, switched off."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from integrations.admin.catalogue.base import Screen
from integrations.admin.catalogue.connecting import ConnectionForms
from integrations.admin.catalogue.progress import progress_of
from integrations.catalogue import Preset, PresetProblem, add, codes, load
from integrations.catalogue.originals import remember
from integrations.models import ExternalSystem, Setup, SetupStep


class Add(Screen):
    """Name, code, address, credentials, and what the preset asks."""

    def get(self, request: HttpRequest, preset: str) -> HttpResponse:
        """The empty form."""
        found = self._preset(preset)
        return self._page(request, found, ConnectionForms(self.model_admin, request, preset=found))

    def post(self, request: HttpRequest, preset: str) -> HttpResponse:
        """Make the system, switched off, and go on with the next step."""
        found = self._preset(preset)
        forms = ConnectionForms(self.model_admin, request, preset=found)
        system = None
        if forms.are_valid():
            try:
                system = self._make(found, forms)
            except PresetProblem as problem:
                forms.form.add_error(None, str(problem).splitlines())
        if system is None:
            return self._page(request, found, forms)
        words = _("Made from %(preset)s of the catalogue.") % {"preset": found.name}
        self.model_admin.log_addition(request, system, words)
        messages.success(
            request,
            _("%(system)s is there, switched off until you activate it. You can stop here and go on at any time.")
            % {"system": system},
        )
        return redirect("admin:integrations_setup_step", system.pk, SetupStep.LEVEL)

    def _make(self, preset: Preset, forms: ConnectionForms) -> ExternalSystem | None:
        """The system with all that the preset brings; None, and nothing made, where the form finds a fault in it."""
        cleaned = forms.form.cleaned_data
        with transaction.atomic():
            system = add(
                preset,
                name=cleaned["name"],
                code=cleaned["code"],
                base_url=cleaned.get("base_url", ""),
                username=cleaned.get("auth_username") or "",
                secret=cleaned.get("secret") or "",
                settings=forms.settings.cleaned_data,
                active=False,
            )
            if not forms.save_into(system):
                transaction.set_rollback(True)
                return None
            remember(system, preset)
            Setup.objects.create(system=system, reached=SetupStep.LEVEL)
        return system

    def _preset(self, code: str) -> Preset:
        if code not in codes():
            raise Http404
        try:
            return load(code)
        except PresetProblem as problem:
            raise Http404(str(problem)) from problem

    def _page(self, request: HttpRequest, preset: Preset, forms: ConnectionForms) -> Any:
        return self.page(
            request,
            "connection.html",
            title=_("Add %(preset)s") % {"preset": preset.name},
            status=422 if forms.form.errors or (forms.settings.is_bound and forms.settings.errors) else 200,
            preset=preset,
            forms=forms,
            progress=progress_of(None, SetupStep.CONNECTION),
        )
