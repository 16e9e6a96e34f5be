"""Values in a history, as the forms name them: not True, not None, and no code where a choice has a name."""

from typing import Any

from django.db.models import Field
from django.utils.translation import gettext as _
from simple_history.template_utils import HistoricalRecordContextHelper


def said(field: "Field[Any, Any]", value: Any) -> Any:
    """One value of a field in words."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and field.flatchoices:
        return str(dict(field.flatchoices).get(value, value))
    return _("nothing") if value is None or value in ("", [], {}) else value


class Differences(HistoricalRecordContextHelper):
    """What changed from one record of a history to the next."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        """The value in words; rows of others by their names, as before."""
        return said(self.model._meta.get_field(change.field), super().prepare_delta_change_value(change, value))
