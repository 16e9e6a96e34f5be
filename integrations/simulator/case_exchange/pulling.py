"""Fetching the portal's feed, and doing what it says."""

import json
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.simulator.case_exchange import entity, service
from integrations.simulator.desk import Refused
from integrations.simulator.models import Attachment, Call, DeskSettings, FeedPosition, Ticket
from integrations.simulator.portal_case_exchange import Portal
from integrations.simulator.recording import readable_body
from integrations.simulator.sending import acknowledge_what_is_due

# How an entry of the feed stands in the log of calls.
PROTOCOL = "Case Exchange feed"


class PullFailed(Exception):
    """The feed, or a file that it names, could not be fetched; what was applied before stays applied."""


def pull(*, quiet: bool = False) -> int:
    """Fetch and apply what is new, page by page; how many entries that were. Raises `PullFailed`.

    With `quiet` a look that brings nothing leaves no trace in the log of calls.
    """
    portal, applied = Portal(DeskSettings.load()), 0
    while True:
        call, answer = portal.feed(FeedPosition.load().read_to)
        if answer is None or answer.status_code != 200:
            raise PullFailed(_("The portal's feed could not be fetched: %(why)s") % {"why": _why(call)})
        try:
            entries = [entry.get("entity", entry) for entry in answer.json()["entities"]]
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise PullFailed(_("The portal's feed cannot be read: %(why)s") % {"why": problem}) from problem
        if quiet and not entries:
            call.delete()
        new = sum(_apply(entry, portal) for entry in entries)
        acknowledge_what_is_due()
        if not new:
            return applied
        applied += new


def _apply(entry: dict[str, Any], portal: Portal) -> bool:
    """Do what one entry says and move the position behind it; false if somebody else did it meanwhile.

    An entry that cannot be done stands in the log with the reason: waiting for it would hold up all others for ever.
    """
    properties = entry.get("properties")
    listed_at = properties.get("LastUpdateTime") if isinstance(properties, dict) else None
    if not isinstance(listed_at, int):
        raise PullFailed(_("An entry of the portal's feed has no time."))
    ticket, problem = None, None
    try:
        read = entity.read(entry, from_feed=True)
        ticket = service.ticket_of(read)
        files = _fetched(read, ticket, portal)
    except Refused as refusal:
        problem = refusal
    with transaction.atomic():
        position = FeedPosition.load()
        if position.read_to >= listed_at:
            return False
        if problem is None:
            try:
                with transaction.atomic():
                    ticket, new = service.perform(read, files, reference_later=True)
                    if new:
                        _acknowledge_soon(ticket)
            except Refused as refusal:
                problem = refusal
        _record(entry, ticket, problem)
        position.read_to = listed_at
        position.save()
    return True


def _fetched(read: entity.Entity, ticket: Ticket | None, portal: Portal) -> list[service.File]:
    there = set(Attachment.objects.filter(ticket=ticket).values_list("message_id", flat=True)) if ticket else set()
    files = []
    for guid, name in read.files.items():
        if guid in there:
            continue
        call, answer = portal.download(guid, ticket)
        if answer is None or answer.status_code >= 500:
            raise PullFailed(_("A file could not be fetched: %(why)s") % {"why": _why(call)})
        if answer.status_code != 200:
            raise Refused(_("The file %(guid)s cannot be fetched: %(why)s") % {"guid": guid, "why": _why(call)})
        files.append(service.File(guid, name or guid, answer.headers.get("Content-Type", ""), answer.content))
    return files


def _acknowledge_soon(ticket: Ticket) -> None:
    """Whoever lists a ticket learns our number by acknowledgement: at once, unless the settings say later."""
    settings = DeskSettings.load()
    if settings.acknowledge_after is None and not settings.reference_later:
        ticket.acknowledge_at = timezone.now()
        ticket.save(update_fields=["acknowledge_at"])


def _record(entry: dict[str, Any], ticket: Ticket | None, problem: Refused | None) -> None:
    external = entry.get("ext_properties")
    operation = external.get("Operation") if isinstance(external, dict) else None
    Call.objects.create(
        direction=Call.Direction.IN,
        ticket=ticket,
        protocol=PROTOCOL,
        operation=str(operation or "unknown").lower()[:60],
        request_body=readable_body(json.dumps(entry, ensure_ascii=False)),
        status=problem.status if problem else 200,
        response_body=problem.message if problem else "",
        milliseconds=0,
    )


def _why(call: Call) -> str:
    return call.problem or f"{call.status} {call.response_body}"[:300]
