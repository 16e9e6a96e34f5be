"""Keys with which an external system calls us: made, shown once, revoked."""

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from integrations.admin.base import Page
from integrations.models import ExternalSystem, SystemKey

_ = gettext_lazy


def keys_context(model_admin: Any, request: HttpRequest, system_id: str | None) -> dict[str, Any]:
    """The keys of a system for the list on its page, without the hashes that a form of them would hold."""
    if system_id is None or not system_id.isdecimal() or not request.user.has_perm("integrations.view_systemkey"):
        return {}
    return {
        "system_keys": list(SystemKey.objects.filter(system_id=int(system_id)).defer("hashed_key")),
        "may_revoke": model_admin.has_revoke_key_permission(request),
        "may_add_key": model_admin.has_add_key_permission(request),
    }


class KeyForm(forms.Form):
    """What is known of a new key."""

    name = forms.CharField(
        label=_("Name"),
        max_length=50,
        help_text=_("What tells this key from others, for example where it is kept."),
        widget=UnfoldAdminTextInputWidget,
    )
    expires = forms.DateField(
        label=_("Expires"),
        required=False,
        help_text=_("The last day on which it works. Empty: until it is revoked."),
        widget=UnfoldAdminSingleDateWidget(attrs={"type": "date"}),
    )

    def clean_expires(self) -> datetime.date | None:
        """A day that is not over."""
        expires: datetime.date | None = self.cleaned_data["expires"]
        if expires is not None and expires < timezone.localdate():
            raise forms.ValidationError(gettext("This day is over. Choose a later one."))
        return expires


def new_key_page(model_admin: Page, request: HttpRequest, system: ExternalSystem) -> HttpResponse:
    """Ask for the key's name; then show the key, this once: only its hash is kept."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    key = prefix = ""
    if request.method == "POST" and form.is_valid():
        record, key = SystemKey.objects.create_key(
            system=system, name=form.cleaned_data["name"], expiry_date=_end_of(form.cleaned_data["expires"])
        )
        prefix = record.prefix
        model_admin.log_change(request, system, gettext("API key %(prefix)s… was made.") % {"prefix": prefix})
    return model_admin.page(
        request,
        "key_new.html",
        system,
        title=gettext("New API key"),
        system=system,
        form=form,
        key=key,
        prefix=prefix,
    )


def revoke_key_page(model_admin: Page, request: HttpRequest, system: ExternalSystem, prefix: str) -> HttpResponse:
    """Ask whether the key shall be revoked, then do it. It cannot be undone."""
    key = system.keys.filter(prefix=prefix).first()
    if key is None:
        raise Http404
    if request.method == "POST":
        if not key.revoked:
            key.revoked = True
            key.save(update_fields=["revoked"])
            model_admin.log_change(request, system, gettext("API key %(prefix)s… was revoked.") % {"prefix": prefix})
        messages.success(request, gettext("The key %(prefix)s… no longer works.") % {"prefix": prefix})
        return redirect("admin:integrations_externalsystem_change", system.pk)
    others = [other for other in system.keys.filter(revoked=False).exclude(pk=key.pk) if not other.has_expired]
    return model_admin.page(
        request,
        "key_revoke.html",
        system,
        title=gettext("Revoke API key"),
        system=system,
        key=key,
        others=others,
    )


def _end_of(day: datetime.date | None) -> datetime.datetime | None:
    if day is None:
        return None
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.max))
