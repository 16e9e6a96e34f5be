"""A system's settings as rows of name and value."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
EMPTY_ROWS: Final = 2
MOST_ROWS: Final = 100


class SettingsWidget(forms.Widget):
    """Rows of two inputs each, and some empty ones; given back as a list of (name, value)."""

    template_name = "admin/integrations/system_settings.html"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # PostgreSQL keeps the names of an object in an order of its own.
        pairs = sorted(value.items()) if isinstance(value, Mapping) else list(value or [])
        rows = [*pairs, *[("", "")] * EMPTY_ROWS]
        return render_to_string(self.template_name, {"name": name, "rows": rows})

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[tuple[str, str]]:
        given = ((data.get(f"{name}-{row}-name"), data.get(f"{name}-{row}-value")) for row in range(MOST_ROWS))
        pairs = [(key.strip(), (value or "").strip()) for key, value in given if key is not None]
        return [pair for pair in pairs if any(pair)]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return f"{name}-0-name" not in data

    def id_for_label(self, id_: str) -> str:
        return ""


class SettingsField(forms.Field):
    """Name -> text. A row whose name is emptied is removed."""

    widget = SettingsWidget

    def __init__(self) -> None:
        super().__init__(
            label=_("Settings"),
            required=False,
            help_text=_(
                "Values that its templates ask for, such as the name of a queue. In templates: "
                "{{ system.settings.name }}. To remove one, empty its row."
            ),
        )

    def to_python(self, value: Any) -> dict[str, str]:
        """A dict; `ValidationError` for names that a template could not use, or that are given twice."""
        if isinstance(value, Mapping):
            return dict(value)
        found: dict[str, str] = {}
        for name, text in value or []:
            if not NAME.fullmatch(name):
                raise forms.ValidationError(
                    gettext('"%(name)s" is no name for a setting: use small letters, digits and underscores.')
                    % {"name": name}
                )
            if name in found:
                raise forms.ValidationError(gettext('"%(name)s" is there twice.') % {"name": name})
            found[name] = text
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return (initial or {}) != self.to_python(data)
        except forms.ValidationError:
            return True
