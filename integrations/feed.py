"""The feed of a desk that pulls: written by a step, read by polls.

An entry gets its time when it is first listed, under a lock on its system. So whoever commits late is listed late,
and a desk that goes on from the last time that it has seen misses nothing.
"""

import json
import time

from django.db import transaction
from django.db.models import F, Max, Min, QuerySet
from django.utils import timezone

from integrations.echo import comment_digest, fingerprint
from integrations.models import Exchange, ExternalSystem, FeedEntry, Outcome, SeenComment, SentText, Way
from integrations.secrets import redact_body, redact_url

DIALECT = "case_exchange"


def entries_after(system: ExternalSystem, after: int) -> QuerySet[FeedEntry]:
    """What the desk has to read, oldest first: every entry whose feed time is greater."""
    list_new(system)
    return FeedEntry.objects.filter(system=system, listed_at__gt=after).order_by("listed_at")


def list_new(system: ExternalSystem) -> None:
    """Give each entry that has none its time in the feed, in order of writing; a poll without news writes nothing."""
    if not FeedEntry.objects.filter(system=system, listed_at=None).exists():
        return
    with transaction.atomic():
        ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
        entries = FeedEntry.objects.filter(system=system)
        new = entries.filter(listed_at=None).aggregate(first=Min("pk"), last=Max("pk"))
        if new["first"] is None:
            return
        newest = entries.aggregate(at=Max("listed_at"))["at"] or 0
        # The last one is listed now; ids that are other desks' leave gaps before it.
        begin = max(newest + 1, time.time_ns() // 1_000_000 - (new["last"] - new["first"]))
        # Only those between: one that was committed since, with a smaller id, would get a time that has passed.
        entries.filter(listed_at=None, pk__range=(new["first"], new["last"])).update(
            listed_at=F("pk") + (begin - new["first"])
        )


def fetched(entries: list[FeedEntry], *, system: ExternalSystem, url: str) -> None:
    """Record, for each of them that is part of an answer for the first time, that it went out: an exchange."""
    names = system.secret_name_list
    waiting = [entry.pk for entry in entries if entry.fetched_at is None]
    if not waiting:
        return
    with transaction.atomic():
        rows = FeedEntry.objects.select_for_update(no_key=True).filter(pk__in=waiting, fetched_at=None)
        rows = rows.order_by("pk")
        Exchange.objects.bulk_create(
            Exchange(
                way=Way.OUT,
                system=system,
                task_id=row.task_id,
                run_id=row.run_id,
                step_id=row.step_id,
                dialect=DIALECT,
                operation=row.operation,
                outcome=Outcome.SUCCEEDED,
                method="GET",
                url=redact_url(url, names=names),
                request_body=redact_body(
                    json.dumps(row.content, ensure_ascii=False), "application/json", names=names
                ),
                status=200,
                duration_ms=0,
            )
            for row in rows
        )
        _will_come_back(list(rows))
        FeedEntry.objects.filter(pk__in=waiting, fetched_at=None).update(fetched_at=timezone.now())


def _will_come_back(entries: list[FeedEntry]) -> None:
    """Desks send all comments of an incident with each message, ours too: as we have written them, those are known;
    under a time of the desk's own, each is an echo."""
    said = [(entry, comment) for entry in entries for comment in entry.content["Comments"]]
    SeenComment.objects.bulk_create(
        (
            SeenComment(
                task_id=entry.task_id,
                system_id=entry.system_id,
                digest=comment_digest(text=comment["Body"], created_at=str(comment["CreatedTime"])),
            )
            for entry, comment in said
        ),
        ignore_conflicts=True,
    )
    SentText.objects.bulk_create(
        SentText(task_id=entry.task_id, system_id=entry.system_id, digest=fingerprint(comment["Body"]))
        for entry, comment in said
    )
