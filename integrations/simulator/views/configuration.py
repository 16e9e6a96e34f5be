"""The pages that change how the desk behaves: faults and settings."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from integrations.simulator import faults
from integrations.simulator.forms import CaseExchangeSettingsForm, FaultForm, SettingsForm
from integrations.simulator.models import DeskSettings, Fault

SETTINGS_FORMS = {"portal": SettingsForm, "case_exchange": CaseExchangeSettingsForm}


@require_http_methods(["GET", "HEAD", "POST"])
def fault_page(request: HttpRequest) -> HttpResponse:
    """Switch faults on and off."""
    if request.method == "POST" and "all_off" in request.POST:
        Fault.objects.update(remaining=0)
        messages.success(request, _("All faults are off."))
        return redirect("faults")
    forms = [FaultForm(kind, request.POST if request.method == "POST" else None) for kind in faults.KINDS]
    if request.method == "POST" and all(form.is_valid() for form in forms):
        with transaction.atomic():
            for form in forms:
                form.save()
        messages.success(request, _("The faults are set."))
        return redirect("faults")
    status = 400 if request.method == "POST" else 200
    return render(request, "simulator/faults.html", {"forms": forms}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Say where the portal is, and how tickets are acknowledged; in a form of its own, what Case Exchange needs."""
    posted = request.POST.get("part", "portal") if request.method == "POST" else ""
    forms = {
        name: form(request.POST if name == posted else None, instance=DeskSettings.load())
        for name, form in SETTINGS_FORMS.items()
    }
    if posted in forms and forms[posted].is_valid():
        forms[posted].save()
        messages.success(request, _("The settings are saved."))
        return redirect("settings")
    context = {"forms": forms, "has_key": bool(DeskSettings.load().api_key)}
    return render(request, "simulator/settings.html", context, status=400 if posted else 200)
