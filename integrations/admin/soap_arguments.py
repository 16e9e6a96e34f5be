"""The inputs for the arguments of a SOAP operation, fetched when another operation is chosen in an open form."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from integrations.admin.widgets import SoapArgumentsWidget
from integrations.models import WsdlDocument
from integrations.transports.wsdl import WsdlProblem
from integrations.wsdls import find_operation


def soap_arguments_view(model_admin: ModelAdmin) -> Callable[[HttpRequest], HttpResponse]:
    """The view, for who may change operation templates: `wsdl`, `operation`, `version` and the field's `name`."""

    def view(request: HttpRequest) -> HttpResponse:
        """A fragment of a form."""
        if not (model_admin.has_change_permission(request) or model_admin.has_add_permission(request)):
            raise PermissionDenied
        number = request.GET.get("wsdl", "")
        wsdl = get_object_or_404(WsdlDocument, pk=int(number) if number.isdecimal() else 0)
        widget = SoapArgumentsWidget()
        try:
            info = find_operation(
                wsdl, name=request.GET.get("operation", ""), version=request.GET.get("version", "1.1")
            )
            widget.arguments = info.arguments if info is not None else ()
        except WsdlProblem:
            widget.arguments = ()
        name = request.GET.get("name", "soap_arguments")
        return TemplateResponse(request, widget.template_name, {"name": name, **widget.rows(name, {})})

    return view
