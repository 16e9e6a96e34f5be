"""Streams from the outside: append a run, wake, and tell the workers. All inside the caller's transaction."""

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from integrations.models import (
    Direction,
    Exchange,
    ExternalSystem,
    Outcome,
    ProcessRun,
    ProcessVersion,
    RunState,
    Stream,
    Way,
    WebhookSubscription,
)
from tickets.models import AssignmentGroup, Attachment, Note, Task

logger = logging.getLogger(__name__)

# The Celery task that works off one stream, in `integrations.tasks`.
WORK = "integrations.tasks.work"
# After a publish failed, how long this process leaves the work to the sweeper before it tries the broker again.
BROKER_PAUSE_SECONDS = 15
_broker_down_until = 0.0


def append(
    *,
    task: Task,
    system: ExternalSystem,
    version: ProcessVersion,
    group: AssignmentGroup,
    operation: str,
    request_type: str,
    direction: str,
    snapshot: dict[str, Any],
    subscription: WebhookSubscription | None = None,
    note: Note | None = None,
    attachment: Attachment | None = None,
    replay_of: ProcessRun | None = None,
    only_step: int | None = None,
) -> ProcessRun:
    """Insert a run at the end of its stream: the outbox. The stream row is locked until the transaction ends, so
    that positions follow the order of commit."""
    stream = locked(task=task, system=system, subscription=subscription)
    run = ProcessRun(
        stream=stream,
        position=next_position(stream),
        version=version,
        group=group,
        operation=operation,
        request_type=request_type,
        direction=direction,
        snapshot=snapshot,
        note=note,
        attachment=attachment,
        replay_of=replay_of,
        only_step=only_step,
        step_index=only_step or 0,
    )
    if direction == Direction.OUT and replay_of is None and bounces(stream):
        run.state = RunState.ATTENTION
        run.reason = _(
            "This task bounces: more than %(limit)d messages went in and out within a minute. Find out which side "
            "answers by itself, then retry or cancel."
        ) % {"limit": system.bounce_limit}
    run.save()
    wake(stream)
    return run


def locked(*, task: Task, system: ExternalSystem, subscription: WebhookSubscription | None = None) -> Stream:
    """The stream of this task and system, or webhook of the system, made if it is the first time, locked."""
    Stream.objects.get_or_create(task=task, system=system, subscription=subscription)
    return Stream.objects.select_for_update(no_key=True).get(task=task, system=system, subscription=subscription)


def next_position(stream: Stream) -> int:
    """Take the position at the tail of the locked stream."""
    position = stream.next_position
    stream.next_position += 1
    stream.save(update_fields=["next_position"])
    return position


def wake(stream: Stream, *, due_at: datetime | None = None) -> None:
    """Make the locked stream due, and tell the workers once the transaction has committed."""
    Stream.objects.filter(pk=stream.pk).update(wake=F("wake") + 1, due_at=due_at or timezone.now())
    stream_id = stream.pk
    transaction.on_commit(lambda: enqueue(stream_id), robust=True)


def enqueue(row_id: int, *, task: str = WORK, expires: int | None = None) -> None:
    """Ask the workers to look at a stream, or at what another `task` is about. A broker that is down only delays it:
    the sweeper finds the row."""
    global _broker_down_until
    if time.monotonic() < _broker_down_until:
        return
    try:
        # By name: what works off a stream stands above this.
        current_app.send_task(task, (row_id,), retry=False, expires=expires)
    except (OperationalError, OSError) as error:
        _broker_down_until = time.monotonic() + BROKER_PAUSE_SECONDS
        logger.warning("the broker does not take messages (%s); the sweeper will find %s %s", error, task, row_id)


def acknowledge_arrived(*, task: Task, system: ExternalSystem) -> None:
    """The reference is known: whoever waited for it in this stream goes on. In the acknowledging transaction."""
    stream = Stream.objects.select_for_update(no_key=True).filter(task=task, system=system, subscription=None).first()
    if stream is None:
        return
    stream.awaiting_since = None
    stream.save(update_fields=["awaiting_since"])
    stream.runs.filter(state=RunState.AWAITING).update(state=RunState.QUEUED, due_at=None, reason="")
    wake(stream)


def wake_parked(ticket_id: int) -> None:
    """A task of the ticket was solved or closed: runs that are parked at a wait step may go on."""
    parked = Stream.objects.filter(task__ticket_id=ticket_id, runs__state=RunState.PARKED).values("pk")
    for stream in Stream.objects.select_for_update(no_key=True).filter(pk__in=parked).order_by("pk"):
        wake(stream)


def bounces(stream: Stream) -> bool:
    """Whether more messages than the system's limit went both out and in within the last minute."""
    since = timezone.now() - timedelta(minutes=1)
    limit = stream.system.bounce_limit
    sent = stream.runs.filter(direction=Direction.OUT, created_at__gte=since).count()
    if sent < limit:
        return False
    received = Exchange.objects.filter(
        way=Way.IN,
        task_id=stream.task_id,
        system_id=stream.system_id,
        started_at__gte=since,
        outcome__in=[Outcome.SUCCEEDED, Outcome.SENDING, Outcome.HELD_BACK],
    ).count()
    return received >= limit
