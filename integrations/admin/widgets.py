"""Inputs for templates and expressions: plain text areas that the field picker can insert into."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminTextareaWidget

from integrations.configuration import capture_lines
from integrations.transports.soap import Argument


class SourceWidget(UnfoldAdminTextareaWidget):
    """A text area for a template ("template") or an expression ("expression"), which is what `language` says."""

    def __init__(self, language: str, *, rows: int = 2, show_when: str = "") -> None:
        attrs = {
            "class": "source-field",
            "rows": rows,
            "spellcheck": "false",
            "autocapitalize": "off",
            "autocomplete": "off",
            "data-insert": language,
        }
        if show_when:
            attrs["data-show-when"] = show_when
        super().__init__(attrs)


class SoapArgumentsWidget(forms.Widget):
    """One input for each argument of the chosen SOAP operation; given back as path -> template."""

    template_name = "admin/integrations/soap_arguments.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.arguments: Sequence[Argument] = ()
        self.problems: Mapping[str, Sequence[str]] = {}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = {"name": name, "show_when": self.attrs.get("data-show-when", ""), **self.rows(name, value or {})}
        return render_to_string(self.template_name, context)

    def rows(self, name: str, values: Mapping[str, str]) -> dict[str, Any]:
        """What the template shows: an input for each argument, and lines for what has none."""
        known = {argument.path for argument in self.arguments}
        repeated = any(argument.repeated for argument in self.arguments)
        further = {path: text for path, text in values.items() if path not in known}
        return {
            "rows": [
                {
                    "argument": argument,
                    "input": f"{name}:{argument.path}",
                    "value": values.get(argument.path, ""),
                    "problems": self.problems.get(argument.path, ()),
                }
                for argument in self.arguments
            ],
            "further": "\n".join(f"{path} = {text}" for path, text in further.items()),
            "show_further": bool(further) or repeated,
            "further_problems": [text for path in further for text in self.problems.get(path, ())],
        }

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, str]:
        values = {
            key.removeprefix(f"{name}:"): data[key].replace("\r\n", "\n")
            for key in data
            if key.startswith(f"{name}:") and data[key].strip()
        }
        for line in capture_lines(data.get(f"{name}-further", "")):
            values[line.name] = line.value
        return values

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""


class SoapArgumentsField(forms.Field):
    """Argument path -> template."""

    widget = SoapArgumentsWidget

    def __init__(self) -> None:
        super().__init__(required=False, label=_("Arguments"))

    def to_python(self, value: Any) -> dict[str, str]:
        return value or {}

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or {}) != (data or {})


def by_argument(messages: Sequence[str]) -> dict[str, list[str]]:
    """Sentences that begin with an argument's path, sorted by that path."""
    found: dict[str, list[str]] = {}
    for message in messages:
        path, _colon, text = message.partition(": ")
        found.setdefault(path, []).append(re.sub(r"^(.)", lambda match: match[1].upper(), text))
    return found
