"""The one address of the SOAP interface."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from integrations.simulator.authentication import is_known
from integrations.simulator.desk import Refused
from integrations.simulator.intake import Work, receive
from integrations.simulator.soap import contract, envelope, service


@csrf_exempt
def soap(request: HttpRequest) -> HttpResponse:
    """`GET ?wsdl` publishes the contract; `POST` takes a SOAP 1.1 or 1.2 message."""
    if request.method == "GET" and "wsdl" in (name.lower() for name in request.GET):
        address = request.build_absolute_uri(reverse("soap"))
        return HttpResponse(contract.published_wsdl(address), content_type="text/xml; charset=utf-8")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    # Until the envelope is read, the content type tells which version the caller speaks.
    is_12 = request.content_type == "application/soap+xml"
    form = envelope.SoapForm(envelope.SOAP12 if is_12 else envelope.SOAP11)
    try:
        message = envelope.read(request.body)
    except RequestDataTooBig:
        return form.problem(status=413, code="too_large", message=_("The request is too large."))
    except Refused as problem:
        return _refuse(request, form, problem)
    form = envelope.SoapForm(message.version)
    operation = service.OPERATIONS.get(str(message.message.tag))
    if operation is None:
        name = message.message.tag
        return _refuse(request, form, Refused(_("There is no operation %(name)s.") % {"name": name}))

    def work() -> Work:
        contract.check(message.message)
        return service.perform(operation, message, form)

    token = envelope.user_token(message)
    known = is_known(request) if token is None else token
    return receive(request, operation=operation, form=form, known=known, work=work)


def _refuse(request: HttpRequest, form: envelope.SoapForm, problem: Refused) -> HttpResponse:
    def work() -> Work:
        raise problem

    return receive(request, operation="unknown", form=form, known=True, work=work)
