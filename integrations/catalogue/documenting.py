"""The catalogue as tables for docs/catalogue.md: what presets say of themselves, and what their operations cover."""

from typing import Final

from integrations.catalogue.preset import Preset, codes, load

BEGIN: Final = "<!-- begin: manage.py document_catalogue -->"
END: Final = "<!-- end -->"

LEVELS: Final = {"": "none", "log_only": "log only", "status_sync": "status sync", "full": "full"}
# What one wants to know of a desk, and the operations of which it needs all.
COVERED: Final = {
    "create": ("create_ticket",),
    "update": ("update_ticket",),
    "notes out": ("add_note",),
    "notes in": ("fetch_notes",),
    "files out": ("upload_attachment",),
    "files in": ("fetch_attachments", "download_attachment"),
    "status in": ("fetch_ticket",),
    "people": ("find_contact", "create_contact", "update_contact", "delete_contact", "query_contacts"),
    "value lists": ("fetch_priorities",),
}


def tables() -> str:
    """All presets: one table of what they cover, one of their sources."""
    presets = [load(code) for code in codes()]
    first = ["| desk | preset | level | tried | covers |", "| --- | --- | --- | --- | --- |"]
    second = ["| desk | source | how it was tried |", "| --- | --- | --- |"]
    for preset in sorted(presets, key=lambda preset: preset.name.lower()):
        tried = {"real": "a real one", "contract": "its documented contract", "untried": "not yet"}[preset.tried]
        level = LEVELS[preset.system.get("level", "")]
        first.append(f"| {preset.name} | `{preset.code}` | {level} | {tried} | {', '.join(covered(preset))} |")
        second.append(f"| {preset.name} | {_line(preset.source)} | {_line(preset.tried_note)} |")
    return "\n".join([*first, "", "### Sources", "", *second])


def covered(preset: Preset) -> list[str]:
    """What the preset covers, in words."""
    found = [what for what, names in COVERED.items() if all(name in preset.operations for name in names)]
    if preset.polling.get("kind") == "case_exchange":
        found.append("its feed")
    if preset.hooks:
        found.append("webhooks")
    return found


def documented(text: str) -> str:
    """The document with the tables in their place. ValueError where the document has no place for them."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
