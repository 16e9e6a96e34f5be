"""People: made, changed, deleted and looked up by other desks."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.inbound import intake
from integrations.inbound.dedupe import idempotency_key
from integrations.inbound.people import contacts_visible_to, is_only_named
from integrations.inbound.problems import NotFound
from integrations.inbound.rest import incoming, outgoing
from integrations.inbound.rest.base import InboundView
from integrations.inbound.rest.lists import ContactFilters
from integrations.inbound.rest.mapping import message_of
from integrations.inbound.rest.schema import (
    CONTACT,
    IDEMPOTENCY_KEY,
    ONE_PROBLEMS,
    WRITE_PROBLEMS,
    problems,
    reads,
)
from integrations.inbound.rest.task_views import ListView
from integrations.models import ContactReference
from tickets.models import Contact

CHANGES = OpenApiExample(
    "A new address", {"email": "ada.byron@example.com"}, request_only=True, media_type="application/json"
)
PERSON = OpenApiExample(
    "A person",
    {"email": "ada@example.com", "name": "Ada Byron", "login": "abyron", "external_id": "U-17"},
    request_only=True,
    media_type="application/json",
)


class ContactView(InboundView):
    """What the addresses of people have in common."""

    def rows(self) -> QuerySet[Contact]:
        """Whom the caller may read, each with the caller's own number."""
        own = ContactReference.objects.filter(system=self.system)
        return (
            contacts_visible_to(self.system)
            .select_related("organisation")
            .prefetch_related(Prefetch("external_references", own, to_attr="references_here"))
            .order_by("id")
        )

    def one(self, contact_id: int) -> Contact:
        """Raises `NotFound` also where it is not for the caller."""
        found = self.rows().filter(pk=contact_id).first() if contact_id < 2**63 else None
        if found is None:
            raise NotFound(_("There is no such contact for you."))
        return found

    def answer(self, contact_id: int, said: Any) -> Any:
        """The contact after a call; of one who is not for the caller our id, and what the caller has said."""
        if not is_only_named(self.system, contact_id):
            return outgoing.ContactInfo(self.one(contact_id)).data
        names = ("name", "email", "login", "phone")
        own = ContactReference.objects.filter(system=self.system, contact=contact_id)
        contact = Contact(pk=contact_id, **{name: str(said.get(name) or "") for name in names})
        contact.references_here = list(own)  # type: ignore[attr-defined]  # as `rows` has it loaded
        return outgoing.ContactInfo(contact).data

    def perform(self, operation: str, data: Any, contact_id: int = 0, *, key: str = "") -> intake.Receipt:
        """Let the call have its effect, once."""
        assert self.call is not None  # noqa: S101 - `initial` recorded it, this is no read
        return intake.deliver(self.call, message_of(operation, data, contact_id=contact_id), idempotency_key=key)


class Contacts(ContactView, ListView):
    """People who are known to you."""

    operation = "create_contact"
    serializer_class = outgoing.ContactInfo
    queryset = Contact.objects.none()
    filterset_class = ContactFilters

    @reads(outgoing.ContactInfo, summary=gettext_lazy("Your contacts"), listed=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Those that you have made, and those of the tickets that you see; by address or login, or by a word."""
        return self.list(request)

    @extend_schema(
        summary=gettext_lazy("Make a contact"),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": incoming.Person},
        responses={
            201: OpenApiResponse(outgoing.ContactInfo, gettext_lazy("Made.")),
            200: OpenApiResponse(outgoing.ContactInfo, gettext_lazy("There was one with this address already.")),
            **problems(WRITE_PROBLEMS),
        },
        examples=[PERSON],
    )
    def post(self, request: Request) -> Response:
        """A person by their e-mail address. One whom we know already stays as they are; unless you exchange tickets
        of theirs, the answer then holds what you have sent, and our id."""
        receipt = self.perform("create_contact", request.data, key=idempotency_key(request.headers))
        headers = {"Idempotency-Replayed": "true"} if self.call and self.call.repeated else {}
        status = 201 if receipt.changed else 200
        return Response(self.answer(receipt.contact or 0, request.data), status=status, headers=headers)


class ContactPage(ContactView):
    """One person."""

    def operation_of(self, data: Any) -> str:
        """By the method: the address is the same."""
        return "delete_contact" if self.request.method == "DELETE" else "update_contact"

    @extend_schema(
        summary=gettext_lazy("One contact"),
        parameters=[CONTACT],
        responses={200: outgoing.ContactInfo, **problems(ONE_PROBLEMS)},
    )
    def get(self, request: Request, contact_id: int) -> Response:
        """As we know them."""
        return Response(outgoing.ContactInfo(self.one(contact_id)).data)

    @extend_schema(
        summary=gettext_lazy("Change a contact"),
        parameters=[CONTACT],
        request={"application/json": incoming.PersonChange},
        responses={200: outgoing.ContactInfo, **problems(WRITE_PROBLEMS)},
        examples=[CHANGES],
    )
    def patch(self, request: Request, contact_id: int) -> Response:
        """What is given is changed: of a contact that you have made and who does not sign in here."""
        self.perform("update_contact", request.data, contact_id)
        return Response(self.answer(contact_id, request.data))

    @extend_schema(
        summary=gettext_lazy("Delete a contact"),
        parameters=[CONTACT],
        responses={204: None, **problems((*ONE_PROBLEMS, 409))},
    )
    def delete(self, request: Request, contact_id: int) -> Response:
        """A contact that you have made and who has no tickets; one with tickets stays (409)."""
        self.perform("delete_contact", {}, contact_id)
        return Response(status=204)
