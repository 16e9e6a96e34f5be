"""The value maps of a system: rows of ours and theirs, with the other desk's values fetched and offered.

The forms are made to be used elsewhere, too: `map_formset` gives the rows of one kind, and the template
admin/integrations/value_map_rows.html shows them.
"""

from typing import Any, Final, cast

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Cast, Concat
from django.forms import BaseFormSet, formset_factory
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext

from integrations.admin.base import Page
from integrations.models import ExternalSystem, TheirValues, ValueKind, ValueMapping, ValueWay
from integrations.their_values import FETCHED_BY, can_fetch, fetch, known_values, our_values, untold

_ = gettext_lazy
# What theirs has no translation is offered as rows to fill in, as long as a person would read them.
OFFERED: Final = 15
# Stands for "nothing of ours": an empty choice would look as if nobody had chosen yet.
NOTHING: Final = "-"


class MapRow(forms.Form):
    """One translation. Without theirs it is none: a row that offers one of ours and was left alone."""

    row = forms.ModelChoiceField(ValueMapping.objects.none(), required=False, widget=forms.HiddenInput)
    ours = forms.ChoiceField(label=_("Ours"), required=False)
    theirs = forms.CharField(label=_("Theirs"), required=False, max_length=200)
    way = forms.ChoiceField(label=_("Direction"), choices=ValueWay.choices, initial=ValueWay.BOTH)
    label = forms.CharField(label=_("Their name for it"), required=False, max_length=200)
    remove = forms.BooleanField(label=_("Remove"), required=False)

    def __init__(self, *args: Any, system: ExternalSystem, kind: str, ours: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = dict(self.fields)
        fields["row"].queryset = ValueMapping.objects.filter(system=system, kind=kind)
        choices = [("", gettext("(choose)")), *((code, f"{name} ({code})") for code, name in ours)]
        if kind == ValueKind.STATUS:
            choices.insert(1, (NOTHING, gettext("Nothing: it is shown, and has no effect")))
        current = str(self.initial.get("ours", ""))
        if current and current not in dict(choices):
            # What has been deleted here since is still to be seen, and to be removed.
            choices.append((current, gettext("%(code)s (not ours any more)") % {"code": current}))
        fields["ours"].choices = choices
        fields["theirs"].widget.attrs |= {"list": f"theirs-{kind}", "autocomplete": "off"}

    @property
    def is_given(self) -> bool:
        """Whether it is a translation, and is to stay."""
        data = self.cleaned_data
        return bool(data.get("theirs") and data.get("ours")) and not data.get("remove")

    def clean(self) -> dict[str, Any]:
        """Both sides, or none of them in a row that is not kept yet."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("remove"):
            return cleaned
        ours, theirs = cleaned.get("ours"), cleaned.get("theirs")
        if theirs and not ours and (cleaned.get("row") or "theirs" in self.changed_data):
            self.add_error("ours", gettext("Choose what it is here."))
        if ours and not theirs and (cleaned.get("row") or "ours" in self.changed_data):
            self.add_error("theirs", gettext("Enter what it is there, or remove the row."))
        if ours == NOTHING and cleaned.get("way") != ValueWay.IN:
            self.add_error("way", gettext("What has no effect here can only be received."))
        return cleaned


class MapRows(BaseFormSet):
    """All rows of one kind: no value of either side may be translated in two ways."""

    def clean(self) -> None:
        """What would be ambiguous is told at the second of the two rows."""
        seen: set[tuple[str, str]] = set()
        for form in self.forms:
            if form.errors or not form.is_given:
                continue
            data = form.cleaned_data
            keys = []
            if data["way"] in (ValueWay.BOTH, ValueWay.OUT):
                keys.append(("ours", data["ours"]))
            if data["way"] in (ValueWay.BOTH, ValueWay.IN):
                keys.append(("theirs", data["theirs"]))
            for side, value in keys:
                if (side, value) in seen:
                    words = {
                        "ours": gettext("Another row says already what is sent for this: let this one only receive."),
                        "theirs": gettext(
                            "Another row says already what this means when it comes: let this only send."
                        ),
                    }
                    form.add_error(side, words[side])
                seen.add((side, value))


def map_formset(system: ExternalSystem, kind: str, data: Any = None) -> MapRows:
    """The rows of one kind: those that there are, then what has no translation yet, then an empty one."""
    ours = our_values(kind)
    factory = formset_factory(MapRow, formset=MapRows, extra=0 if data else 1, max_num=400, absolute_max=400)
    rows: Any = factory(
        data,
        prefix=kind,
        initial=_initial(system, kind),
        form_kwargs={"system": system, "kind": kind, "ours": ours},
    )
    return cast("MapRows", rows)


def _initial(system: ExternalSystem, kind: str) -> list[dict[str, Any]]:
    kept = [
        {"row": row.pk, "ours": row.ours or NOTHING, "theirs": row.theirs, "way": row.way, "label": row.label}
        for row in ValueMapping.objects.filter(system=system, kind=kind)
    ]
    missing = untold(system, kind)
    kept += [{"ours": code, "way": ValueWay.BOTH} for code, _name in missing.ours[:OFFERED]]
    theirs = missing.theirs[:OFFERED]
    return kept + [{"theirs": value, "label": label, "way": ValueWay.IN} for value, label in theirs]


@transaction.atomic
def save_map(system: ExternalSystem, kind: str, rows: MapRows) -> int:
    """Write the rows of a valid formset; returns how many translations there are now."""
    given = [form.cleaned_data for form in rows.forms if form.is_given]
    kept = {data["row"].pk: data["row"] for data in given if data["row"]}
    for gone in ValueMapping.objects.filter(system=system, kind=kind).exclude(pk__in=kept):
        gone.delete()
    wanted = []
    for data in given:
        row = data["row"] or ValueMapping(system=system, kind=kind)
        values = {"ours": "" if data["ours"] == NOTHING else data["ours"]}
        values |= {name: data[name] for name in ("theirs", "way", "label")}
        if row.pk is None or any(getattr(row, name) != value for name, value in values.items()):
            wanted.append((row, values))
    # Two rows may exchange their values: out of the way first, so that no pair meets on the way.
    aside = Concat(Value("~"), Cast(F("pk"), ValueMapping._meta.get_field("theirs")))
    ValueMapping.objects.filter(pk__in=[row.pk for row, _values in wanted if row.pk]).update(ours=aside, theirs=aside)
    for row, values in wanted:
        for name, value in values.items():
            setattr(row, name, value)
        row.save()
    return len(given)


def map_context(system: ExternalSystem, kind: str, rows: MapRows) -> dict[str, Any]:
    """What admin/integrations/value_map_rows.html needs."""
    missing = untold(system, kind)
    return {
        "kind": ValueKind(kind),
        "rows": rows,
        "offered": known_values(system, kind),
        "fetched": TheirValues.objects.filter(system=system, kind=kind).first(),
        "may_fetch": kind in can_fetch(system),
        "fetched_by": FETCHED_BY[kind],
        "untold": missing,
    }


def value_map_page(model_admin: Page, request: HttpRequest, system: ExternalSystem, kind: str) -> HttpResponse:
    """The map of one kind: saved, or the other desk's values fetched, by the button that was pressed."""
    if kind not in ValueKind.values:
        raise Http404
    here = reverse("admin:integrations_externalsystem_values", args=(system.pk, kind))
    posted = request.method == "POST"
    if posted and "fetch" in request.POST:
        got = fetch(system, kind)
        if got.problem:
            messages.error(request, got.problem)
        else:
            words = ngettext("%(count)d value was fetched.", "%(count)d values were fetched.", len(got.values))
            messages.success(request, words % {"count": len(got.values)})
        return redirect(here)
    rows = map_formset(system, kind, request.POST if posted else None)
    if posted and rows.is_valid():
        count = save_map(system, kind, rows)
        said = gettext("Value map of %(kind)s was changed.") % {"kind": ValueKind(kind).label}
        model_admin.log_change(request, system, said)
        words = ngettext("%(count)d translation is kept.", "%(count)d translations are kept.", count)
        messages.success(request, words % {"count": count})
        return redirect(here)
    counts = dict.fromkeys(ValueKind.values, 0)
    for held in ValueMapping.objects.filter(system=system).values_list("kind", flat=True):
        counts[held] += 1
    tabs = [
        (other, reverse("admin:integrations_externalsystem_values", args=(system.pk, other.value)), counts[other])
        for other in ValueKind
    ]
    context = {"system": system, "tabs": tabs, **map_context(system, kind, rows)}
    return model_admin.page(request, "value_map.html", system, title=gettext("Value maps"), **context)
