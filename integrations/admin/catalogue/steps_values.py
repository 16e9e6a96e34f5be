"""A step of the guided form: the value maps, with the other desk's values fetched and offered."""

from typing import Any

from django.contrib import messages
from django.http import Http404
from django.utils.translation import gettext as _

from integrations.admin.catalogue.step import SetupPage
from integrations.admin.value_maps import MapRows, map_context, map_formset, save_map
from integrations.catalogue.used_values import kinds_of
from integrations.models import SetupStep, ValueKind
from integrations.their_values import fetch


class Values(SetupPage):
    """Every kind of value that the system's templates use, or that was translated before."""

    template = "values.html"
    rows: dict[str, MapRows] | None = None

    def context(self) -> dict[str, Any]:
        rows = self._rows(None)
        return {"maps": [map_context(self.system, kind, rows[kind]) for kind in rows]}

    def post(self) -> str | None:
        rows = self._rows(self.request.POST)
        valid = [kind for kind in rows if rows[kind].is_valid()]
        if len(valid) < len(rows):
            return self.refused()
        for kind in valid:
            save_map(self.system, kind, rows[kind])
        if "fetch" in self.request.POST:
            self._fetch(self.request.POST["fetch"])
            return SetupStep.VALUES
        return "" if "go_on" in self.request.POST else SetupStep.VALUES

    def _fetch(self, kind: str) -> None:
        """What was typed is saved by now; then ask the other desk."""
        if kind not in ValueKind.values:
            raise Http404
        got = fetch(self.system, kind)
        if got.problem:
            messages.error(self.request, got.problem)
        else:
            words = _("%(kind)s: %(count)d values were fetched.")
            messages.success(self.request, words % {"kind": ValueKind(kind).label, "count": len(got.values)})

    def _rows(self, data: Any) -> dict[str, MapRows]:
        if self.rows is None:
            self.rows = {kind: map_formset(self.system, kind, data) for kind in kinds_of(self.system)}
        return self.rows
