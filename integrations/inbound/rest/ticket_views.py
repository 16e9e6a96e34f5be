"""Tickets that another desk raises with us, its exchanges, and addresses that are none."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.inbound.problems import NotFound, Refused
from integrations.inbound.rest import incoming, outgoing, reading
from integrations.inbound.rest.authentication import Caller
from integrations.inbound.rest.base import InboundView, MessageView, known_number
from integrations.inbound.rest.lists import ExchangeFilters, TicketFilters
from integrations.inbound.rest.schema import PROPERTIES, reads, takes
from integrations.inbound.rest.task_views import ListView
from integrations.models import Exchange
from tickets.actions.listing import list_changes
from tickets.models import Category, Priority, Queue, Ticket
from tickets.selectors import completion_codes


class Tickets(MessageView, ListView):
    """Tickets with a task of yours."""

    operation = "create"
    serializer_class = outgoing.TicketDetail
    queryset = Ticket.objects.none()
    filterset_class = TicketFilters

    def rows(self) -> QuerySet[Ticket]:
        """Those of the caller."""
        list_changes()
        return reading.tickets_read_by(self.system)

    @reads(outgoing.TicketDetail, summary=gettext_lazy("Your tickets"), listed=True, parameters=[PROPERTIES])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Tickets that you raised, and those of which you have a task."""
        return self.list(request)

    @takes(
        incoming.NewTicket,
        summary=gettext_lazy("Raise a ticket"),
        example={
            "external_reference": "INC-4712",
            "title": "A delivery did not arrive",
            "description": "Expected on Monday.",
            "contact": {"email": "ada@example.com", "name": "Ada Byron"},
            "message_id": "a4f5",
        },
        makes=True,
        one=False,
    )
    def post(self, request: Request) -> Response:
        """Raise a ticket at our desk. The receipt names its task, to which you then send updates."""
        return self.deliver()


class TicketPage(InboundView):
    """One ticket."""

    @reads(outgoing.TicketDetail, summary=gettext_lazy("One ticket"), one=True)
    def get(self, request: Request, number: str) -> Response:
        """The ticket with those of its tasks that you may see."""
        ticket = reading.tickets_read_by(self.system).filter(number=known_number(number)).first()
        if ticket is None:
            raise NotFound(_('There is no ticket "%(name)s" for you.') % {"name": number[:100]})
        return Response(outgoing.TicketDetail(ticket, context={"view": self, "request": request}).data)


class Values(InboundView):
    """The codes that tickets are raised with."""

    @reads(outgoing.ValuesInfo, summary=gettext_lazy("Our codes"))
    def get(self, request: Request) -> Response:
        """Priorities, categories, queues and completion codes, by which value maps are filled in."""
        rows = {
            "priorities": Priority.objects.order_by("rank"),
            "categories": Category.objects.order_by("name"),
            "queues": Queue.objects.order_by("name"),
            "completion_codes": [{"code": code, "name": name} for code, name in completion_codes()],
        }
        return Response(outgoing.ValuesInfo(rows).data)


class Exchanges(ListView):
    """The log of messages between you and us."""

    serializer_class = outgoing.ExchangeInfo
    queryset = Exchange.objects.none()
    filterset_class = ExchangeFilters

    def rows(self) -> QuerySet[Exchange]:
        """Those of the caller."""
        return reading.exchanges_read_by(self.system)

    @reads(outgoing.ExchangeInfo, summary=gettext_lazy("Your exchanges"), listed=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Messages in both directions, newest first, with what became of them."""
        return self.list(request)


class Nothing(InboundView):
    """Any address that is none: a problem, too. Strangers are told the same and leave no trace."""

    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """For every method."""
        try:
            super().initial(request, *args, **kwargs)
        except Refused:
            self.problem = None
        raise NotFound(_("There is nothing at this address. What there is: /api/v1/docs/"))

    def record(self, caller: Any, body: bytes, data: Any) -> None:
        """Only where it is known who mistook the address."""
        if isinstance(caller, Caller):
            super().record(caller, body, data)

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Never reached."""
        raise NotFound(_("There is nothing at this address."))
