"""Mail that came in, above all what is unclear: read it, and decide what becomes of it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from integrations.admin.base import Page
from integrations.admin.confirm import to_page
from integrations.admin.look import NOTHING, Look, chip, exchange_url, task_url, to_the_second
from integrations.admin.mail_decisions import DECISIONS, decision_page
from integrations.admin.streams import ReadOnly
from integrations.inbound.mail.headers import all_headers, header
from integrations.inbound.mail.parsing import TOKEN_BYTES, Unreadable, read_mime, safe_bytes
from integrations.inbound.mail.service import SHOWN, read
from integrations.mail_words import without_tokens
from integrations.models import UNDECIDED, IncomingMail, MailState
from tickets.actions.attachment import safe_name

LOOKS = {
    MailState.ARRIVED: Look("wait", "hourglass_top"),
    MailState.HANDLED: Look("good", "check"),
    MailState.REPEATED: Look("", "repeat"),
    MailState.STOPPED: Look("doubt", "pause"),
    MailState.UNCLEAR: Look("bad", "help"),
    MailState.DISCARDED: Look("", "delete"),
}
# A larger mail is not taken apart for a page: it can be downloaded.
MOST_SHOWN = 5 * 1024 * 1024


class StateFilter(DropdownFilter):
    """What became of it."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str | Promise]]:
        """All states."""
        return list(MailState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those in this state."""
        return queryset.filter(state=self.value()) if self.value() in MailState.values else queryset


@admin.register(IncomingMail)
class IncomingMailAdmin(ReadOnly, Page):
    """Every mail that came in. Who may change mail decides about what is unclear."""

    list_display = ["state_chip", "sender", "about", "became", "ticket_link", "mailbox", "received"]
    list_display_links = ["about", "received"]
    list_filter = [StateFilter, ("mailbox", RelatedDropdownFilter), ("system", RelatedDropdownFilter)]
    list_select_related = ["mailbox", "ticket", "task"]
    search_fields = ["sender", "subject", "message_id", "ticket__number__iexact", "task__number__iexact"]
    search_help_text = _("Sender, subject, Message-ID, number of the ticket or task")
    ordering = ["-id"]
    empty_value_display = NOTHING
    actions = ["try_again", "make_ticket", "discard"]

    class Media:
        css = {"all": ["css/configuration.css"]}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("decide/<slug:name>/", view(self.decide_view), name="integrations_incomingmail_decide"),
            path("<int:pk>/raw/", view(self.raw_view), name="integrations_incomingmail_raw"),
        ]
        return [*own, *super().get_urls()]

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether this person decides what becomes of mail."""
        return self.has_view_permission(request) and request.user.has_perm("integrations.change_incomingmail")

    def get_queryset(self, request: HttpRequest) -> QuerySet[IncomingMail]:
        return super().get_queryset(request).select_related("mailbox", "ticket", "task", "system")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        mail: IncomingMail = self.row_for(request, object_id, "view")
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        decides = self.has_decide_permission(request) and mail.state in UNDECIDED
        return self.page(
            request,
            "mail.html",
            mail,
            title=_("Mail"),
            mail=mail,
            state=self.state_chip(mail),
            ticket_url=_ticket_url(mail),
            exchange_url=exchange_url(mail.exchange_id) if mail.exchange_id else "",
            decisions=[(name, row) for name, row in DECISIONS.items()] if decides else [],
            may_download=self.has_decide_permission(request) and bool(mail.raw),
            back=reverse("admin:integrations_incomingmail_changelist"),
            **_content(mail),
        )

    def raw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The mail as a file, without what proves a desk."""
        mail: IncomingMail = self.row_for(request, str(pk), "view")
        if not self.has_decide_permission(request):
            raise PermissionDenied
        if not mail.raw:
            raise Http404
        try:
            with mail.raw.open("rb") as opened:
                raw = opened.read()
        except OSError as error:
            raise Http404 from error
        try:
            clean = safe_bytes(read_mime(raw))
        except Unreadable:
            clean = TOKEN_BYTES.sub(b"r-...", raw)
        disposition = f'attachment; filename="mail-{mail.pk}.eml"'
        return HttpResponse(clean, content_type="message/rfc822", headers={"Content-Disposition": disposition})

    def decide_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Say what a decision will do, then do it."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        return decision_page(self, request, name, self.get_queryset(request))

    @display(description=_("state"), ordering="state")
    def state_chip(self, mail: IncomingMail) -> SafeString:
        """What became of it."""
        return chip(mail.get_state_display(), LOOKS[MailState(mail.state)])

    @display(description=_("subject"))
    def about(self, mail: IncomingMail) -> SafeString:
        """The subject and, where a person has to decide, why."""
        if mail.state in UNDECIDED and mail.reason:
            reason = Truncator(mail.reason).chars(110)
            return format_html('{}<br><span class="db-quiet mail-why">{}</span>', str(mail), reason)
        return format_html("{}", str(mail))

    @display(description=_("became"))
    def became(self, mail: IncomingMail) -> str:
        """Its outcome."""
        return str(mail.get_outcome_display()) if mail.outcome else NOTHING

    @display(description=_("ticket"))
    def ticket_link(self, mail: IncomingMail) -> SafeString | str:
        """The ticket that it belongs to."""
        if mail.ticket is None:
            return NOTHING
        number = mail.task.number if mail.task else mail.ticket.number
        return format_html('<a class="xl-link" href="{}">{}</a>', _ticket_url(mail), number)

    @display(description=_("received"), ordering="id")
    def received(self, mail: IncomingMail) -> str:
        """When it came."""
        return to_the_second(mail.received_at)

    @action(description=_("Try again …"), permissions=["decide"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[IncomingMail]) -> HttpResponse:
        """Ask whether they shall be taken over now."""
        return to_page(reverse("admin:integrations_incomingmail_decide", args=["again"]), queryset)

    @action(description=_("Make tickets …"), permissions=["decide"])
    def make_ticket(self, request: HttpRequest, queryset: QuerySet[IncomingMail]) -> HttpResponse:
        """Ask whether each shall become a ticket."""
        return to_page(reverse("admin:integrations_incomingmail_decide", args=["ticket"]), queryset)

    @action(description=_("Discard …"), permissions=["decide"])
    def discard(self, request: HttpRequest, queryset: QuerySet[IncomingMail]) -> HttpResponse:
        """Ask whether they shall be discarded."""
        return to_page(reverse("admin:integrations_incomingmail_decide", args=["discard"]), queryset)


def _ticket_url(mail: IncomingMail) -> str:
    if mail.ticket is None:
        return ""
    if mail.task is not None:
        return task_url(mail.ticket.pk, mail.task.number)
    return reverse("admin:tickets_ticket_change", args=[mail.ticket.pk])


def _content(mail: IncomingMail) -> dict[str, Any]:
    """What the page shows of the mail itself."""
    if not mail.raw:
        return {"problem": _("The mail itself is no longer stored.")}
    if mail.size > MOST_SHOWN:
        return {"problem": _("It is too large to be shown here. Download it to read it.")}
    try:
        parsed = read(mail)
    except (Unreadable, OSError) as problem:
        return {"problem": str(problem)}
    headers = [(name, without_tokens(header(parsed.mime, name))) for name in SHOWN if parsed.mime.get(name)]
    headers += [("Authentication-Results", value) for value in all_headers(parsed.mime, "Authentication-Results")]
    files = [(safe_name(file.name), len(file.data)) for file in parsed.files]
    return {
        "headers": headers,
        "text": without_tokens(parsed.text),
        "files": files,
        "too_large": parsed.too_large,
        "refused": parsed.refused,
    }
