"""One look at one ticket of another desk: its notes, its files, then what it says, each taken over in this order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations import triggers
from integrations.inbound.messages import NewTicket
from integrations.inbound.problems import InProgress
from integrations.models import Exchange, ExternalReference, TheirTicket, ValueMapping, ValueWay
from integrations.polling.asking import PollFailed
from integrations.polling.delivering import deliver
from integrations.polling.notes import take_notes
from integrations.polling.operations import TICKET, Brought, NotToBeHad, Operations
from integrations.polling.records import MODIFIED, Record, UnreadableRecord, is_plausible, milliseconds, record_of
from integrations.polling.sent import forget_sent
from integrations.polling.their_files import take_files
from integrations.polling.values import STATUS, Comparison
from tickets.actions import add_remark
from tickets.actors import Actor
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import Task

# Beside the values without a translation: that the desk does not show the ticket.
GONE: Final = "gone"
# How long to wait before something that was refused is asked for again.
SHORTEST_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=6)
# For so long after a ticket was closed it is looked at: people say their last word then. One that could not be looked
# at meanwhile, as the desk was down, is looked at once more.
FOLLOWED: Final = timedelta(days=14)
MISSED_FOR: Final = timedelta(days=90)


LONGEST_AGO: Final = F("their_ticket__seen_at").asc(nulls_first=True)


@dataclass
class Looks:
    """The looks of one poll. `brought` counts what was new."""

    asking: Operations
    brought: int = 0

    def by_number(self, reference: ExternalReference, *, again: bool = False) -> Record | None:
        """Ask for the ticket itself and take over what is new. None where the desk does not have it (for us).

        Raises `PollFailed`, and what sending raises.
        """
        looked_at = timezone.now()
        if not self.asking.has(TICKET):
            self.look(reference, None, looked_at=looked_at, url=self.asking.system.base_url, again=again)
            return None
        try:
            page = self.asking.page(TICKET, task=reference.task)
            record = self._only(page.records, reference)
        except NotToBeHad as problem:
            self._not_there(reference, problem)
            return None
        self.look(reference, record, looked_at=looked_at, url=page.exchange.url, again=again)
        return record

    def unknown(self, record: Record) -> Record:
        """The whole record of a ticket of which only the number was listed, and that is not known here."""
        if not record.is_number_only or not self.asking.has(TICKET):
            return record
        name = record.name
        numbers = {"external_reference": record.reference or name, "external_id": record.external_id or name}
        try:
            page = self.asking.page(TICKET, numbers={"number": "", **numbers})
        except NotToBeHad:
            return record
        return self._only(page.records, None)

    def create(self, record: Record, *, exchange: Exchange) -> None:
        """A ticket of theirs that is not known here becomes one."""
        values = record.values
        message = NewTicket(
            external_reference=record.reference or record.external_id,
            external_id=record.external_id,
            title=(values.get("title") or record.name)[:250],
            description=values.get("description", ""),
            contact_email=_address(values.get("contact_email", "")),
            contact_name=values.get("contact_name", "")[:200],
        )
        self.brought += 1
        if deliver(self.asking.system, message, url=exchange.url) is None:
            return
        reference = references(self.asking).filter(value=message.external_reference).first()
        if reference is not None:
            self.look(reference, record, looked_at=timezone.now(), url=exchange.url)

    def look(
        self,
        reference: ExternalReference,
        record: Record | None,
        *,
        looked_at: datetime,
        url: str,
        again: bool = False,
    ) -> None:
        """Take over what is new. Without a record: notes and files alone. A record that is older than what was seen,
        or the same, is none; `again`: its notes are looked at nevertheless, as they are where the desk does not tell
        when a ticket was changed."""
        if reference.task.ticket.status == TicketStatus.MERGED:
            return
        seen, _created = TheirTicket.objects.get_or_create(reference=reference)
        fresh = record is not None and is_news(record, seen)
        if not fresh and not again and record is not None and record.modified and not is_older(record, seen):
            TheirTicket.objects.filter(pk=seen.pk).update(seen_at=looked_at)
            return
        if record is not None and record.external_id and not reference.external_id:
            self._learn_id(reference, record.external_id)
        brought = take_notes(self.asking, reference, url=url)
        brought += take_files(self.asking, reference, url=url)
        if record is not None and fresh:
            brought += Brought(self._take_values(reference, seen, record, looked_at=looked_at, url=url))
        self.brought += brought.count
        values: dict[str, Any] = {"seen_at": looked_at, "refused_since": None}
        if fresh:
            # Once more at the next poll: two changes of one second look like one.
            values["wanted_at"] = timezone.now()
        elif record is not None and GONE in seen.untranslated:
            values["untranslated"] = {name: said for name, said in seen.untranslated.items() if name != GONE}
        if brought.later:
            values |= self._later(reference, seen)
        TheirTicket.objects.filter(pk=seen.pk).update(**values)
        for what, problem in brought.refused:
            self._tell_refused(reference, seen, what, problem, since=values.get("refused_since"))

    def _tell_refused(
        self,
        reference: ExternalReference,
        seen: TheirTicket,
        what: str,
        problem: NotToBeHad,
        *,
        since: datetime | None,
    ) -> None:
        """Told once in the ticket's history for as long as it lasts; what may pass, only where it has not passed at
        the second time."""
        if problem.passing and seen.refused_since is None:
            return
        words = {"what": what, "ticket": reference, "system": self.asking.system}
        told = _("%(what)s of %(ticket)s cannot be had from %(system)s: ") % words
        if reference.task.ticket.history.filter(
            event="remark", text__startswith=told, created_at__gte=since
        ).exists():
            return
        actor = Actor.external(key=self.asking.system.actor_key, name=self.asking.system.name)
        add_remark(actor=actor, ticket=reference.task.ticket, task=reference.task, text=f"{told}{str(problem)[:500]}")

    def _later(self, reference: ExternalReference, seen: TheirTicket) -> dict[str, Any]:
        """What was refused is asked for again, less and less often: a refusal may be a mistake of an hour, and no
        list shows the ticket again once that is over."""
        now = timezone.now()
        since = seen.refused_since or now
        wait = max(min(now - since, LONGEST_WAIT), SHORTEST_WAIT, self.asking.polling.interval)
        closed_at = reference.task.closed_at
        is_over = closed_at is not None and now - max(closed_at, since) > FOLLOWED
        return {"refused_since": since} | ({} if is_over else {"wanted_at": now + wait})

    def _take_values(
        self, reference: ExternalReference, seen: TheirTicket, record: Record, *, looked_at: datetime, url: str
    ) -> int:
        task = Task.objects.select_related("ticket__priority", "ticket__category", "group").get(pk=reference.task_id)
        comparison = Comparison(reference=reference, task=task, seen=seen, record=record, looked_at=looked_at)
        found = comparison.compare()
        for message in found.messages:
            try:
                deliver(self.asking.system, message, url=url)
            except InProgress as busy:
                raise PollFailed(_("A ticket is being worked on at this moment.")) from busy
        with transaction.atomic():
            actor = Actor.external(key=self.asking.system.actor_key, name=self.asking.system.name)
            for remark in found.remarks:
                add_remark(actor=actor, ticket=task.ticket, task=task, text=remark)
            # What was taken over is what we have by now.
            task = Task.objects.select_related("ticket__priority", "ticket__category", "group").get(pk=task.pk)
            TheirTicket.objects.filter(pk=seen.pk).update(
                # What this answer does not speak of is as it was.
                values=seen.values | record.values,
                ours=comparison.ours_kept_after(task),
                untranslated=found.untranslated,
            )
            forget_sent(task, self.asking.system, before=looked_at)
            if again := comparison.to_be_told(task):
                told = {"status": STATUS in again, "facts": bool(again - {STATUS}), "group": "group" in again}
                triggers.tell_again(task, self.asking.system, **told)
        return len(found.messages) + len(found.remarks)

    def _only(self, records: list[dict[str, Any]], reference: ExternalReference | None) -> Record:
        if len(records) != 1:
            # Of one ticket: the others do not wait for it.
            raise NotToBeHad(
                _("%(operation)s answers with %(count)d records, not with one.")
                % {"operation": TICKET, "count": len(records)}
            )
        numbers = {"reference": reference.value, "external_id": reference.external_id} if reference else {}
        try:
            return record_of(records[0] | {name: records[0].get(name) or known for name, known in numbers.items()})
        except UnreadableRecord as problem:
            raise NotToBeHad(str(problem)) from problem

    def _not_there(self, reference: ExternalReference, problem: NotToBeHad) -> None:
        """The desk does not show the ticket: told once in its history; what may pass only at the second time."""
        seen, _created = TheirTicket.objects.get_or_create(reference=reference)
        self.asking.problems.append(f"{reference}: {problem}")
        if GONE not in seen.untranslated and not (problem.passing and seen.refused_since is None):
            actor = Actor.external(key=self.asking.system.actor_key, name=self.asking.system.name)
            text = _("%(system)s does not show %(ticket)s: %(reason)s")
            add_remark(
                actor=actor,
                ticket=reference.task.ticket,
                task=reference.task,
                text=text % {"system": self.asking.system, "ticket": reference.value, "reason": str(problem)[:500]},
            )
            seen.untranslated = {**seen.untranslated, GONE: {"theirs": reference.value, "base": ""}}
        again = self._later(reference, seen)
        TheirTicket.objects.filter(pk=seen.pk).update(seen_at=timezone.now(), untranslated=seen.untranslated, **again)

    def _learn_id(self, reference: ExternalReference, external_id: str) -> None:
        taken = ExternalReference.objects.filter(system=reference.system, external_id=external_id).exists()
        if not taken and external_id != reference.value:
            ExternalReference.objects.filter(pk=reference.pk, external_id="").update(external_id=external_id[:200])
            reference.external_id = external_id[:200]


def is_news(record: Record, seen: TheirTicket) -> bool:
    """Whether the record shows another state than the last look. An older one, which comes late, does not count."""
    if not seen.values or is_translated(seen):
        return True
    return not is_older(record, seen) and seen.values | record.values != seen.values


def is_older(record: Record, seen: TheirTicket) -> bool:
    """Whether the record shows an earlier state than the last look. Its values do not count; notes do nevertheless,
    as it may be that their clock was set back."""
    try:
        before = milliseconds(seen.values.get(MODIFIED))
    except ValueError:
        before = 0
    return bool(record.modified and before and record.modified < before and is_plausible(before))


def is_translated(seen: TheirTicket) -> bool:
    """Whether a value that had no translation at the last look has one by now."""
    if not seen.untranslated:
        return False
    maps = ValueMapping.objects.filter(system=seen.reference.system, way__in=[ValueWay.BOTH, ValueWay.IN])
    return any(maps.filter(kind=name, theirs=value["theirs"]).exists() for name, value in seen.untranslated.items())


def references(asking: Operations) -> Any:
    """The desk's tickets that are known here."""
    return ExternalReference.objects.filter(system=asking.system).select_related("task__ticket", "system")


def open_by_turns(asking: Operations, *, limit: int) -> list[ExternalReference]:
    """The tickets that are worked on here, those that were not looked at for longest first."""
    rows = references(asking).exclude(task__phase=Phase.CLOSE).exclude(task__ticket__status=TicketStatus.MERGED)
    return list(rows.order_by(LONGEST_AGO, "pk")[:limit])


def closed_by_turns(asking: Operations, *, limit: int) -> list[ExternalReference]:
    """The tickets that were closed here a short time ago, in the same order."""
    now = timezone.now()
    lately = Q(task__closed_at__gt=now - FOLLOWED)
    missed = Q(task__closed_at__gt=now - MISSED_FOR, their_ticket__seen_at__lt=F("task__closed_at") + FOLLOWED)
    rows = references(asking).filter(lately | missed, task__phase=Phase.CLOSE)
    return list(rows.exclude(task__ticket__status=TicketStatus.MERGED).order_by(LONGEST_AGO, "pk")[:limit])


def wanted(asking: Operations, *, before: datetime, limit: int) -> list[ExternalReference]:
    """The tickets that somebody wants to be looked at, in the order in which that was asked."""
    rows = references(asking).filter(their_ticket__wanted_at__lte=before).select_related("their_ticket")
    return list(rows.order_by("their_ticket__wanted_at", "pk")[:limit])


def by_numbers(asking: Operations, records: list[Record]) -> dict[str, ExternalReference]:
    """Number or internal id -> the ticket, for those of the records that are known here."""
    names = {record.reference for record in records} | {record.external_id for record in records}
    names.discard("")
    found: dict[str, ExternalReference] = {}
    for row in references(asking).filter(Q(value__in=names) | Q(external_id__in=names)):
        if row.external_id:
            found[f"id {row.external_id}"] = row
        found[f"number {row.value}"] = row
    return found


def _address(text: str) -> str:
    """The address, empty where it is none: better a ticket without a contact than no ticket."""
    try:
        EmailValidator()(text)
    except ValidationError:
        return ""
    return text if len(text) <= 254 else ""


def known_as(record: Record, known: dict[str, ExternalReference]) -> ExternalReference | None:
    """The ticket that the record is about, by its number, else by its internal id."""
    by_number = known.get(f"number {record.reference}") if record.reference else None
    by_id = known.get(f"id {record.external_id}") if record.external_id else None
    # A desk whose numbers are its internal ids may have been asked for either.
    same = known.get(f"number {record.external_id}") if record.external_id and not record.reference else None
    return by_number or by_id or same


def translated_since(asking: Operations) -> list[ExternalReference]:
    """Tickets with a value that had no translation and has one by now. Without fetch_ticket, the next list that shows
    the ticket brings it."""
    seen = references(asking).filter(their_ticket__isnull=False).select_related("their_ticket")
    rows = list(seen.exclude(their_ticket__untranslated={})[:500])
    if not rows or not asking.has(TICKET):
        return []
    maps = ValueMapping.objects.filter(system=asking.system, way__in=[ValueWay.BOTH, ValueWay.IN])
    known = set(maps.values_list("kind", "theirs"))
    return [
        row
        for row in rows
        if any((name, value["theirs"]) in known for name, value in row.their_ticket.untranslated.items())
    ]
