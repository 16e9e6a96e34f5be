"""What a poll brought, taken over: each entry is a message of that desk."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from integrations.inbound import intake
from integrations.inbound.case_exchange import mapping
from integrations.inbound.case_exchange.polled import as_sent
from integrations.inbound.messages import Message
from integrations.inbound.problems import Broken, InProgress, Invalid, Malformed, Refused
from integrations.inbound.rest.problems import as_refused
from integrations.models import Exchange, ExternalSystem, Outcome, Polling, Way
from integrations.polling.answer import Entry
from integrations.polling.asking import DIALECT, DOWNLOAD, POLL, Asking, PollFailed
from integrations.polling.files import ATTACHMENTS, with_files

logger = logging.getLogger(__name__)

# In the place of the method: nobody has called us.
POLLED: Final = "POLL"
# After one of these, an entry is done with, whatever it came to; a person may replay what was refused.
HANDLED: Final = (Outcome.SUCCEEDED, Outcome.REPEATED, Outcome.REFUSED, Outcome.HELD_BACK)


def seen_before(system: ExternalSystem, entries: Iterable[Entry]) -> set[str]:
    """The identities of those that were handled by an earlier poll, or an earlier page of this one."""
    identities = [entry.identity for entry in entries]
    rows = Exchange.objects.filter(system=system, method=POLLED, message_id__in=identities, outcome__in=HANDLED)
    return set(rows.values_list("message_id", flat=True))


def mark_broken_off(system: ExternalSystem) -> None:
    """Whoever has just claimed the desk: what another worker had under way is done again."""
    own = Q(way=Way.OUT, operation__in=[POLL, DOWNLOAD]) | Q(way=Way.IN, method=POLLED, replay_of=None)
    Exchange.objects.filter(own, system=system, dialect=DIALECT, outcome=Outcome.SENDING).update(
        outcome=Outcome.RETRYABLE, error=_("The worker ended in the middle of this; the next poll does it again.")
    )


def take_over(asking: Asking, entry: Entry, *, url: str) -> None:
    """Do what the entry says. One that is refused is in the log as such, and the others go on.

    Raises `PollFailed` where a file could not be fetched or the failure is ours: then the entry comes again.
    """
    entity = entry.entity
    refusal: Refused | None = None
    failure: Exception | None = None
    try:
        # Before anything is recorded: a file that cannot be had now leaves no row at each try.
        entity = with_files(asking, entity)
    except Refused as refused:
        refusal = refused
    call = intake.arrived(
        dialect=DIALECT,
        operation=mapping.operation_in({"entities": [entity]}) or entry.operation,
        method=POLLED,
        url=url,
        headers={"Content-Type": "application/json"},
        body=json.dumps(entry.entity, ensure_ascii=False),
        system=asking.system,
    )
    call.exchange.message_id = entry.identity
    try:
        if refusal is None:
            intake.deliver(call, message_of(asking.system, entity, entry.identity))
    except InProgress as busy:
        refusal, failure = Broken(), busy
    except (Refused, ValidationError) as error:
        refusal = as_refused(error)
    except Exception as error:
        # Broad on purpose: whatever it was, the entry must not be passed over.
        logger.exception("entry %s of %s failed", entry.identity, asking.system)
        refusal, failure = Broken(), error
    answer = asdict(call.receipt) if call.receipt else {"detail": str(refusal)}
    intake.finished(
        call,
        status=refusal.status if refusal else 200,
        headers={"Content-Type": "application/json"},
        body=json.dumps(answer, ensure_ascii=False),
        problem=refusal,
    )
    if failure is not None:
        reason = _("Entry %(number)d could not be taken over because of a failure in this portal, see its log.")
        raise PollFailed(reason % {"number": call.exchange.pk}) from failure


def read_again(exchange: Exchange) -> Message:
    """The message of a recorded entry, or of a recorded call; its files are fetched again where they are gone.

    Raises `Refused` or a `ValidationError`.
    """
    if exchange.method != POLLED:
        return mapping.read_again(exchange)
    assert exchange.system is not None  # noqa: S101 - a desk that is polled is known
    try:
        entity = json.loads(exchange.request_body)
        named = entity["properties"].get(ATTACHMENTS)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Malformed(_("What is stored of this message cannot be read again.")) from error
    if named:
        polling = Polling.objects.select_related("system__auth_login").filter(system=exchange.system).first()
        if polling is None:
            raise Invalid(_("This desk is not polled any more, so its files cannot be fetched."))
        try:
            entity = with_files(Asking(polling), entity)
        except PollFailed as failed:
            raise Invalid(_("A file could not be fetched: %(reason)s") % {"reason": failed}) from failed
    return message_of(exchange.system, entity, exchange.message_id)


def message_of(system: ExternalSystem, entity: Mapping[str, Any], identity: str) -> Message:
    """The message that a polled entity stands for. Raises `Refused` or a `ValidationError`."""
    return replace(mapping.message_of({"entities": [as_sent(entity)]}, system=system), message_id=identity)
