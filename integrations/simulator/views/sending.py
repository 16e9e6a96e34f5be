"""The buttons that send to the portal."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from integrations.simulator.case_exchange.pulling import PullFailed, pull
from integrations.simulator.forms import OutgoingForm
from integrations.simulator.models import Channel, OutgoingMessage, Ticket
from integrations.simulator.sending import attachment_payload, deliver, release_held, send
from integrations.simulator.views.pages import ticket_page


@require_POST
def send_message(request: HttpRequest, number: str) -> HttpResponse:
    """Send a message of the posted kind about the ticket, and show what the portal answered."""
    ticket = get_object_or_404(Ticket, number=number)
    kind = request.POST.get("kind", "")
    if kind not in OutgoingMessage.Kind.values:
        messages.error(request, _("Choose what to send."))
        return redirect("ticket", number=number)
    form = OutgoingForm.of_kind(OutgoingMessage.Kind(kind), request.POST, request.FILES)
    if not form.is_valid():
        return ticket_page(request, ticket, wrong=form, status=400)
    payload = form.payload(ticket)
    if file := form.cleaned_data.get("file"):
        payload["attachments"] = [attachment_payload(file.name, file.content_type, file.read())]
    message = send(ticket=ticket, kind=kind, channel=form.cleaned_data["channel"], payload=payload)
    _tell(request, message)
    return redirect("ticket", number=number)


@require_POST
def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Deliver the same message again, under the same keys."""
    message = get_object_or_404(OutgoingMessage, pk=pk)
    deliver(message)
    _tell(request, message)
    return redirect("ticket", number=message.ticket.number)


@require_POST
def release(request: HttpRequest) -> HttpResponse:
    """Deliver what is held back, the last one first."""
    count = release_held()
    text = ngettext("%(count)s message was released.", "%(count)s messages were released.", count)
    messages.info(request, text % {"count": count})
    return redirect("calls")


@require_POST
def fetch(request: HttpRequest) -> HttpResponse:
    """Fetch the portal's feed now, and say how much there was."""
    try:
        count = pull()
    except PullFailed as problem:
        messages.error(request, str(problem))
    else:
        text = ngettext(
            "%(count)s entry of the feed was applied.", "%(count)s entries of the feed were applied.", count
        )
        messages.success(request, text % {"count": count})
    return redirect("tickets")


def _tell(request: HttpRequest, message: OutgoingMessage) -> None:
    values = {"kind": message.get_kind_display(), "status": message.status}
    if message.state == OutgoingMessage.State.SENT and message.channel == Channel.FEED:
        messages.success(request, _("%(kind)s listed for the portal to fetch.") % values)
    elif message.state == OutgoingMessage.State.SENT:
        messages.success(request, _("%(kind)s delivered: the portal answered %(status)s.") % values)
    elif message.state == OutgoingMessage.State.HELD:
        messages.info(request, _("%(kind)s is held back, to be sent out of order.") % values)
    elif message.status is None:
        messages.error(request, _("%(kind)s failed: the portal did not answer. See below.") % values)
    else:
        messages.error(request, _("%(kind)s failed: the portal answered %(status)s. See below.") % values)
