"""Parts of a system's document that are each one row with what belongs to it: polling, hooks.

A part that a document does not have stays as it is; an empty one removes the row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from integrations.catalogue import rows
from integrations.catalogue.reader import Reader
from integrations.catalogue.saving import save_changed
from integrations.configuration.hooks import apply_hook, hook_document
from integrations.models import ExternalSystem, Hook, Polling, WebhookSubscription
from integrations.models.hooks import WITH_SECRET
from integrations.webhooks import new_secret
from tickets.events import EventName


@dataclass(frozen=True)
class Section:
    """One part: its key, how it is written, and how it is read into the database; that gives sentences about what a
    person has to do then. The last argument says whether all has to fit together already, or is completed later.
    """

    key: str
    export: Callable[[ExternalSystem], dict[str, Any]]
    apply: Callable[[Reader, ExternalSystem, dict[str, Any], str, bool], list[str]]


def _export_polling(system: ExternalSystem) -> dict[str, Any]:
    polling = Polling.objects.filter(system=system).first()
    return rows.written(polling) if polling else {}


def _apply_polling(
    reader: Reader, system: ExternalSystem, document: dict[str, Any], place: str, whole: bool
) -> list[str]:
    polling = Polling.objects.filter(system=system).first()
    if not document:
        if polling is not None:
            polling.delete()
        return []
    values = rows.read(reader, Polling, document, place)
    # Of a system that is switched off, somebody may not have filled in yet what a preset cannot know.
    save_changed(reader, polling or Polling(system=system), values, place, whole=whole and system.active)
    return []


def _apply_hooks(
    reader: Reader, system: ExternalSystem, document: dict[str, Any], place: str, whole: bool
) -> list[str]:
    if not document:
        for hook in Hook.objects.filter(system=system):
            hook.delete()
        return []
    former = Hook.objects.filter(system=system).values_list("authentication", flat=True).first()
    try:
        with transaction.atomic():
            hook = apply_hook(system, document)
    except ValidationError as error:
        for message in error.messages:
            reader.wrong(place, message)
        return []
    # Who imports the same again knows it by now.
    if hook.authentication in WITH_SECRET and not hook.secret and hook.authentication != former:
        return [_("The webhook of %(system)s needs its secret: open it and enter it.") % {"system": system.name}]
    return []


def _export_webhooks(system: ExternalSystem) -> dict[str, Any]:
    found = sorted(system.webhooks.filter(ended_at=None), key=lambda row: row.name)
    return {row.name: rows.written(row) for row in found}


def _apply_webhooks(
    reader: Reader, system: ExternalSystem, document: dict[str, Any], place: str, whole: bool
) -> list[str]:
    """Outgoing webhooks. One that ended is made anew if the file has it; its secret never comes from a file."""
    existing = {row.name: row for row in system.webhooks.all()}
    for name, row in existing.items():
        if name not in document and row.is_active:
            row.delete()
    notes = []
    for name, given in document.items():
        at = f"{place}/{name}"
        values = rows.read(reader, WebhookSubscription, reader.mapping(given, at), at)
        events = values.get("events")
        if not isinstance(events, list) or not all(event in list(EventName) for event in events):
            known = ", ".join(EventName)
            reader.wrong(f"{at}/events", _("Here stands a list of events, of these: %(known)s.") % {"known": known})
            continue
        subscription = existing.get(name) or WebhookSubscription(system=system, name=name, secret=new_secret())
        if subscription.pk and not subscription.is_active:
            values |= {"ended_at": None, "ended_by_desk": False, "ended_reason": "", "secret": new_secret()}
        if not subscription.pk or "secret" in values:
            words = _("The outgoing webhook %(name)s of %(system)s has a new secret: give it to the other desk.")
            notes.append(words % {"name": name, "system": system.name})
        save_changed(reader, subscription, values, at)
    return notes


SECTIONS: Final = (
    Section("polling", _export_polling, _apply_polling),
    Section("hooks", hook_document, _apply_hooks),
    Section("webhooks", _export_webhooks, _apply_webhooks),
)
