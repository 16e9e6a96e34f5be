"""Asking a desk for news: how, and how it goes, on the page of its external system."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import StackedInline
from unfold.decorators import display

from integrations.admin.awaited import MARK, awaiting, is_under_way
from integrations.admin.look import NOTHING, Look, chip, relative, to_the_second
from integrations.admin.their_tickets import in_words
from integrations.models import ExternalSystem, Polling, PollingKind, TheirTicket
from integrations.models.polling import SETTINGS
from integrations.polling.claim import ask_now, read_again_from
from integrations.polling.looks import GONE

_ = gettext_lazy
# Settings that only one kind of polling has.
SHOWN_FOR = {
    "path": PollingKind.CASE_EXCHANGE,
    "our_name": PollingKind.CASE_EXCHANGE,
    "layout": PollingKind.CASE_EXCHANGE,
    "creates_tickets": PollingKind.OPERATIONS,
    "looks_after_sending": PollingKind.OPERATIONS,
}
SEEN_LAST = 5
# The form around the button stands outside of the system's own, see templates/admin/integrations/system_after.html.
POLL_NOW_FORM = "poll-now"


class PollingForm(forms.ModelForm):
    """The settings, and by hand the place from which to read on."""

    class Meta:
        model = Polling
        fields = [*SETTINGS, "cursor"]
        help_texts = {
            "cursor": _(
                "In milliseconds, by the other desk's clock. Set it back to read again from there: what was taken "
                "over before is recognised and left out. 0: a feed from its beginning, tickets from a day before the "
                "oldest one that is worked on."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "cursor" in self.fields:
            # Changed is what a person changed, not what a poll has moved while the page was open.
            self.fields["cursor"].show_hidden_initial = True
        for name, kind in SHOWN_FOR.items():
            if name in self.fields:
                self.fields[name].widget.attrs["data-show-when"] = f"kind={kind}"

    def save(self, commit: bool = True) -> Polling:
        """A row that exists keeps its cursor, unless that was changed here."""
        is_new = self.instance.pk is None
        saved: Polling = super().save(commit)
        if commit and not is_new and "cursor" in self.changed_data:
            read_again_from(saved, self.cleaned_data["cursor"])
        return saved


class PollingInline(StackedInline):
    """How the desk is asked for news."""

    model = Polling
    form = PollingForm
    extra = 0
    max_num = 1
    verbose_name_plural = _("polling")
    readonly_fields = ["state", "read_up_to", "seen_last", "without_translation"]
    fieldsets = [
        (None, {"fields": ["state", "active", "kind", "path", "our_name", "layout"]}),
        (None, {"fields": ["creates_tickets", "looks_after_sending"]}),
        (None, {"fields": ["interval_seconds", "page_size", "overlap_ms", "cursor", "read_up_to"]}),
        (None, {"fields": ["seen_last", "without_translation"]}),
    ]

    may_ask = False

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """For each page there is an inline of its own: it remembers for whom it is."""
        self.may_ask = request.user.has_perm("integrations.change_externalsystem")
        return super().get_formset(request, obj, **kwargs)

    @display(description=_("state"))
    def state(self, polling: Polling) -> SafeString | str:
        """How it goes, in words, and the button that asks at once."""
        if polling.pk is None:
            return gettext("It begins when this is saved.")
        words, look = _standing(polling)
        facts: list[str] = [chip(words, look)]
        if polling.last_success_at is not None:
            facts.append(gettext("last success %(when)s") % {"when": to_the_second(polling.last_success_at)})
        if polling.failing_since is not None:
            failing = gettext("failing since %(when)s, %(count)d times")
            facts.append(failing % {"when": to_the_second(polling.failing_since), "count": polling.failures})
        if polling.active and polling.system.active and is_under_way(polling.due_at, polling.lease_until):
            facts.append(format_html("{}{}", gettext("is polled as soon as a worker is free"), MARK))
        elif polling.active and polling.due_at is not None:
            facts.append(gettext("next poll %(when)s") % {"when": relative(polling.due_at)})
        if polling.round:
            facts.append(gettext("page %(page)d of a long list") % {"page": polling.round.get("page", 1)})
        shown = format_html("{}", facts[0])
        for fact in facts[1:]:
            shown = format_html("{} · {}", shown, fact)
        if polling.last_error:
            shown = format_html('{}<br><span class="state-bad">{}</span>', shown, polling.last_error)
        if polling.active and polling.system.active and self.may_ask:
            button = '{}<br><button type="submit" form="{}" class="config-link">{}</button>'
            shown = format_html(button, shown, POLL_NOW_FORM, gettext("Poll now"))
        return shown

    @display(description=_("seen last"))
    def seen_last(self, polling: Polling) -> SafeString | str:
        """The tickets that were looked at last, and what they say there."""
        if polling.pk is None or polling.kind != PollingKind.OPERATIONS:
            return NOTHING
        rows = TheirTicket.objects.filter(reference__system=polling.system, seen_at__isnull=False)
        rows = rows.select_related("reference__task").order_by("-seen_at")[:SEEN_LAST]
        found = [
            (row.reference.value, row.reference.task.number, in_words(row), relative(row.seen_at))
            for row in rows
            if row.seen_at
        ]
        return format_html_join(mark_safe("<br>"), "{} ({}): {} · {}", found) or NOTHING

    @display(description=_("without a translation"))
    def without_translation(self, polling: Polling) -> SafeString | str:
        """Values of theirs for which the value maps have nothing: the tickets keep theirs until they do."""
        if polling.pk is None or polling.kind != PollingKind.OPERATIONS:
            return NOTHING
        rows = TheirTicket.objects.filter(reference__system=polling.system).exclude(untranslated={})
        values = {
            (name, value["theirs"]) for said in rows.values_list("untranslated", flat=True)[:500]
            for name, value in said.items() if name != GONE
        }  # fmt: skip
        return format_html_join(mark_safe("<br>"), '<span class="state-bad">{}: {}</span>', sorted(values)) or NOTHING

    @display(description=_("that is"))
    def read_up_to(self, polling: Polling) -> str:
        """The cursor as a time, by the other desk's clock."""
        try:
            return to_the_second(datetime.fromtimestamp(polling.cursor / 1000, UTC)) if polling.cursor else NOTHING
        except (ValueError, OverflowError, OSError):
            return NOTHING


def poll_now(model_admin: Any, request: HttpRequest, system: ExternalSystem) -> HttpResponse:
    """Have the desk asked as soon as a worker is free, and go back to its page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    polling = Polling.objects.filter(system=system).first()
    if polling is None:
        raise Http404
    if not (polling.active and system.active):
        messages.error(request, gettext("Polling is switched off."))
    elif polling.lease_until is not None and polling.lease_until > timezone.now():
        messages.info(request, gettext("It is being polled at this moment."))
    else:
        ask_now(polling)
        messages.success(request, gettext("It is polled as soon as a worker is free. It is shown here then."))
    return redirect(awaiting(reverse("admin:integrations_externalsystem_change", args=(system.pk,)), "polling-group"))


def _standing(polling: Polling) -> tuple[str, Look]:
    if not polling.active or not polling.system.active:
        return gettext("Switched off"), Look("", "power_settings_new")
    if polling.lease_until is not None and polling.lease_until > timezone.now():
        return gettext("Is being polled"), Look("wait", "hourglass_top")
    if polling.failures:
        return gettext("Fails"), Look("bad", "error")
    if polling.last_success_at is None:
        return gettext("Not polled yet"), Look("", "schedule")
    return gettext("OK"), Look("good", "check")
