"""The administrators' own statuses and completion codes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from tickets.admin.catalogue import CodedAdmin, KeptAdmin
from tickets.models import OwnCompletionCode, OwnStatus, Task, Ticket


class OwnStatusForm(forms.ModelForm):
    """A status. Marking it as the default is one step: `OwnStatusAdmin.save_model` unmarks the one before."""

    class Meta:
        model = OwnStatus
        fields = ["name", "code", "status", "is_default"]
        help_texts = {
            "is_default": _(
                "Applies when only the fixed status is set. Marking this one unmarks the one that was the default."
            )
        }

    def _get_validation_exclusions(self) -> set[str]:
        # That another one is the default is no mistake here. (The stubs leave this hook of Django's out.)
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # see above
        return excluded | {"is_default"}

    def clean_is_default(self) -> bool:
        """Each fixed status keeps a default."""
        chosen: bool = self.cleaned_data["is_default"]
        if self.instance.pk and self.initial.get("is_default") and not chosen:
            raise forms.ValidationError(
                _t("Each fixed status has a default: mark another one as the default instead.")
            )
        return chosen


@admin.register(OwnStatus)
class OwnStatusAdmin(KeptAdmin, CodedAdmin):
    """Statuses as this desk calls them."""

    form = OwnStatusForm
    list_display = ["name", "fixed", "default_mark", "code"]
    list_filter = [("status", ChoicesDropdownFilter)]
    list_filter_submit = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What it belongs to says how tickets behave: chosen once."""
        return ["code", "status"] if obj else []

    def save_model(self, request: HttpRequest, obj: OwnStatus, form: forms.ModelForm, change: bool) -> None:
        """With its mark, in the transaction of the page; two people at once wait for each other."""
        if obj.is_default:
            others = OwnStatus.objects.select_for_update().filter(status=obj.status).order_by("pk")
            marked = [other.pk for other in others if other.is_default and other.pk != obj.pk]
            OwnStatus.objects.filter(pk__in=marked).update(is_default=False)
        super().save_model(request, obj, form, change)

    def kept_because(self, record: OwnStatus) -> str:
        """The default of a fixed status, and what tickets have or return to."""
        if record.is_default:
            return _t(
                'This is the default of "%(fixed)s". Mark another status of it as the default, then delete this one.'
            ) % {"fixed": record.get_status_display()}
        used = Ticket.objects.filter(own_status=record) | Ticket.objects.filter(last_open_status=record)
        count = used.count()
        if not count:
            return ""
        return ngettext(
            "%(count)d ticket has this status or returns to it. Give it another one, then delete this one.",
            "%(count)d tickets have this status or return to it. Give them another one, then delete this one.",
            count,
        ) % {"count": count}

    @display(description=_("Belongs to"), ordering="status")
    def fixed(self, status: OwnStatus) -> str:
        """The fixed status."""
        return status.get_status_display()

    @display(description=_("Default"), boolean=True, ordering="is_default")
    def default_mark(self, status: OwnStatus) -> bool:
        """Whether it applies when only the fixed status is set."""
        return status.is_default


@admin.register(OwnCompletionCode)
class OwnCompletionCodeAdmin(KeptAdmin, CodedAdmin):
    """Completion codes as this desk calls them, beside the four fixed ones."""

    list_display = ["name", "code", "counts_as"]
    fields = ["name", "code", "counts_as"]

    def kept_because(self, record: OwnCompletionCode) -> str:
        """What tasks were ended with stays readable."""
        count = Task.objects.filter(completion_code=record.code).count()
        if not count:
            return ""
        return ngettext(
            "%(count)d task was ended with this code, so it has to stay.",
            "%(count)d tasks were ended with this code, so it has to stay.",
            count,
        ) % {"count": count}
