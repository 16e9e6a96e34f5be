"""What Celery runs. Tasks carry ids only; what is due is in the database."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integrations.engine.runner import work_off
from integrations.engine.streams import WORK, enqueue
from integrations.fetching.claim import FETCH
from integrations.fetching.claim import due as due_mailboxes
from integrations.fetching.worker import fetch, leave_to_people
from integrations.inbound.exchanged_files import forget_uploads
from integrations.inbound.mail.service import forget_raw
from integrations.models import Exchange, FeedEntry, StepRun, StoredAnswer, Stream
from integrations.people.outbox import SEND as UPDATE_CONTACT
from integrations.people.outbox import due as due_updates
from integrations.people.outbox import send as send_update
from integrations.polling.claim import POLL
from integrations.polling.claim import due as due_polls
from integrations.polling.worker import poll

SWEEP_LIMIT = 500


@shared_task(name=WORK)
def work(stream_id: int) -> None:
    """Work off one stream. A stream that another worker has is left to it."""
    work_off(stream_id)


@shared_task(name=POLL)
def poll_desk(polling_id: int) -> None:
    """Ask one desk for news. One that another worker is asking, or that is not due, is left alone."""
    poll(polling_id)


@shared_task(name=UPDATE_CONTACT)
def update_contact(update_id: int) -> None:
    """Tell one desk what was changed about a contact here."""
    send_update(update_id)


@shared_task(name=FETCH)
def fetch_mail(mailbox_id: int) -> None:
    """Read one mailbox. One that another worker reads, or that is not due, is left alone."""
    fetch(mailbox_id)


@shared_task(name="integrations.tasks.sweep")
def sweep() -> int:
    """Find every stream, poll, mailbox and contact's update that is due and that no worker has; returns how many.

    What a lost message, a dead broker or a killed worker left behind is found here. The messages expire, as the next
    sweep finds what is still due.
    """
    now = timezone.now()
    due = (
        Stream.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), due_at__lte=now, system__active=True)
        .order_by("due_at")
        .values_list("pk", flat=True)[:SWEEP_LIMIT]
    )
    for stream_id in due:
        enqueue(stream_id, expires=settings.SWEEP_SECONDS * 2)
    polls = due_polls(now).values_list("pk", flat=True)[:SWEEP_LIMIT]
    for polling_id in polls:
        enqueue(polling_id, task=POLL, expires=settings.SWEEP_SECONDS * 2)
    mailboxes = due_mailboxes(now).values_list("pk", flat=True)[:SWEEP_LIMIT]
    for mailbox_id in mailboxes:
        enqueue(mailbox_id, task=FETCH, expires=settings.SWEEP_SECONDS * 2)
    updates = due_updates(now).values_list("pk", flat=True)[:SWEEP_LIMIT]
    for update_id in updates:
        enqueue(update_id, task=UPDATE_CONTACT, expires=settings.SWEEP_SECONDS * 2)
    return len(due) + len(polls) + len(mailboxes) + len(updates)


@shared_task(name="integrations.tasks.prune")
def prune() -> dict[str, int]:
    """Forget stored answers, bodies of exchanges, pinned requests, fetched feed entries that are older than the
    settings say, uploads that no message named, and mails that were taken over. Mails that nobody will take over are
    left to people."""
    now = timezone.now()
    answers, _rows = StoredAnswer.objects.filter(
        created_at__lt=now - timedelta(days=settings.IDEMPOTENCY_DAYS)
    ).delete()
    bodies = (
        Exchange.objects.filter(started_at__lt=now - timedelta(days=settings.EXCHANGE_BODY_DAYS))
        .exclude(request_body="", response_body="")
        .update(request_body="", response_body="")
    )
    pinned = (
        StepRun.objects.filter(run__finished_at__lt=now - timedelta(days=settings.EXCHANGE_BODY_DAYS))
        .exclude(request_body=None)
        .update(request=None, request_body=None)
    )
    entries, _rows = FeedEntry.objects.filter(
        fetched_at__lt=now - timedelta(days=settings.EXCHANGE_BODY_DAYS)
    ).delete()
    return {
        "stored_answers": answers,
        "exchange_bodies": bodies,
        "pinned_requests": pinned,
        "feed_entries": entries,
        "uploads": forget_uploads(),
        "mails_left_to_people": leave_to_people(now - timedelta(hours=1)),
        "mails": forget_raw(now - timedelta(days=settings.EXCHANGE_BODY_DAYS)),
    }
