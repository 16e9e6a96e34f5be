"""The page on which the connection to a system is tested."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.admin.base import Page
from integrations.admin.request_words import request_words
from integrations.catalogue.trials import trials
from integrations.connection import try_connection
from integrations.models import ExternalSystem, OperationTemplate

_ = gettext_lazy


class ConnectionForm(forms.Form):
    """What to call: of `operations` the first, if nothing else is chosen."""

    operation = forms.TypedChoiceField(
        label=_("Call"), required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, operations: list[OperationTemplate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["operation"]
        field.choices = [
            *((row.pk, f"{row.name} ({request_words(row).partition('?')[0].strip()})"[:120]) for row in operations),
            ("", gettext("only the bare address, without path and operation")),
        ]
        field.initial = operations[0].pk if operations else None


def connection_page(model_admin: Page, request: HttpRequest, system: ExternalSystem) -> HttpResponse:
    """Ask what to call; on POST call it, and say in words what came of it."""
    operations = trials(system)
    form = ConnectionForm(request.POST if request.method == "POST" else None, operations=operations)
    trial = None
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["operation"]
        trial = try_connection(system, next((row for row in operations if row.pk == chosen), None))
    return model_admin.page(
        request,
        "connection.html",
        system,
        title=gettext("Test connection"),
        system=system,
        form=form,
        trial=trial,
        address_url=reverse("admin:integrations_externalsystem_change", args=(system.pk,)),
    )
