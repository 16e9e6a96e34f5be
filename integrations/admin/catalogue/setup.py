"""The guided form from its second page on: each step writes into the system itself, so stopping loses nothing."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from integrations.admin.catalogue import step_preview, steps_last, steps_operations, steps_values
from integrations.admin.catalogue.base import Screen
from integrations.admin.catalogue.progress import advance, after, progress_of
from integrations.admin.catalogue.step import SetupPage
from integrations.models import Setup, SetupStep

PAGES: dict[str, type[SetupPage]] = {
    SetupStep.CONNECTION: steps_operations.Connection,
    SetupStep.LEVEL: steps_operations.Levels,
    SetupStep.TEST: steps_operations.Trials,
    SetupStep.VALUES: steps_values.Values,
    SetupStep.GROUP: steps_last.Group,
    SetupStep.PREVIEW: step_preview.Preview,
    SetupStep.ACTIVATE: steps_last.Activate,
}


class Resume(Screen):
    """Where the form was left."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """To the step that comes next; a system that was set up by hand begins at the first."""
        system = self.system(pk)
        if system.active:
            return redirect("admin:integrations_externalsystem_change", pk)
        setup, _created = Setup.objects.get_or_create(system=system)
        return redirect("admin:integrations_setup_step", pk, setup.reached)


class OneStep(Screen):
    """One step."""

    def get(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """What it asks."""
        page = self._step(request, pk, step)
        return self._show(page, step) if page else redirect("admin:integrations_externalsystem_change", pk)

    def post(self, request: HttpRequest, pk: int, step: str) -> HttpResponse:
        """Keep what was entered, and go on; or show what is wrong with it."""
        page = self._step(request, pk, step)
        if page is None:
            if step != SetupStep.ACTIVATE:
                messages.warning(
                    request, _("Nothing was saved: the guided form was ended meanwhile. Change it here.")
                )
            return redirect("admin:integrations_externalsystem_change", pk)
        leads_to = page.post()
        if leads_to is None:
            return self._show(page, step)
        if leads_to == step:
            return redirect("admin:integrations_setup_step", pk, step)
        if leads_to:
            return redirect(leads_to)
        advance(page.setup, after(step))
        return redirect("admin:integrations_setup_step", pk, after(step))

    def _step(self, request: HttpRequest, pk: int, step: str) -> SetupPage | None:
        """None where the form has ended: somebody went back in the browser, pressed twice, or had a second tab."""
        system = self.system(pk)
        if step not in PAGES:
            raise Http404
        setup = Setup.objects.select_related("group").filter(system=system).first()
        if setup is None:
            return None
        return PAGES[step](self.model_admin, request, system, setup)

    def _show(self, page: SetupPage, step: str) -> Any:
        title = _("%(step)s: %(system)s") % {"step": SetupStep(step).label, "system": page.system}
        return self.page_of(
            page.request,
            page.template,
            page.system,
            title=title,
            step_title=SetupStep(step).label,
            status=page.status,
            progress=progress_of(page.setup, step),
            **page.context(),
        )
