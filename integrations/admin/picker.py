"""The list of fields beside a template: what can be inserted, in both spellings."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.app_fields import fields
from integrations.models import AppField


def picker_context() -> dict[str, Any]:
    """Fields by the part of the data that they belong to; empty until the app fields were synced."""
    groups: dict[str, list[dict[str, str]]] = {}
    seen: set[str] = set()
    for row in AppField.objects.order_by("pk"):
        if row.path not in seen:
            seen.add(row.path)
            entry = {
                "path": row.path,
                "label": row.label,
                "template": f"{{{{ {row.path} }}}}",
                "legacy": row.placeholder,
            }
            groups.setdefault(row.path.partition(".")[0], []).append(entry)
    for field in fields() if seen else ():
        if "[]." in field.path:
            groups.setdefault(field.path.partition(".")[0], []).append(_of_list(field.path, field.label))
    return {"picker_groups": [{"name": _NAMES.get(key, key), "fields": rows} for key, rows in groups.items()]}


def _of_list(path: str, label: str) -> dict[str, str]:
    """A field of each value of a list: what is inserted goes through the list."""
    items, _bracket, inner = path.partition("[].")
    item = items.rpartition(".")[2].removesuffix("s")
    loop = f"{{% for {item} in {items} %}}{{{{ {item}.{inner} }}}}{{% endfor %}}"
    return {"path": path, "label": label, "template": loop, "legacy": loop}


_NAMES = {
    "event": _("Event"),
    "task": _("Task"),
    "ticket": _("Ticket"),
    "attachment": _("File"),
    "system": _("External system"),
    "process": _("Process"),
    "portal": _("Portal"),
}
