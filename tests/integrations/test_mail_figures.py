"""Mailboxes and mail in the figures for monitoring, and in the sum that says whether anything is stuck."""

from datetime import timedelta

import pytest
from django.utils import timezone
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from integrations.metrics import ExchangeCollector
from integrations.models import IncomingMail, Mailbox, MailState
from integrations.overview import overview

pytestmark = pytest.mark.django_db


@pytest.fixture
def box():
    """A mailbox that was read a minute ago."""
    made = Mailbox.objects.create(name="Support", address="support@portal.test", host="imap.portal.test")
    Mailbox.objects.update(last_success_at=timezone.now() - timedelta(minutes=1), due_at=timezone.now())
    return made


def figures() -> str:
    """What `/metrics` says."""
    registry = CollectorRegistry()
    registry.register(ExchangeCollector())
    return generate_latest(registry).decode()


def test_the_figures_of_mail(box):
    for number, state in enumerate((MailState.UNCLEAR, MailState.UNCLEAR, MailState.STOPPED, MailState.HANDLED)):
        IncomingMail.objects.create(mailbox=box, identity=str(number), state=state)
    Mailbox.objects.update(failures=2)
    text = figures()
    assert 'deskbridge_mailbox_failures{mailbox="support@portal.test"} 2.0' in text
    assert 'deskbridge_mails_undecided{state="unclear"} 2.0' in text
    assert 'deskbridge_mails_undecided{state="stopped"} 1.0' in text
    assert 'state="handled"' not in text
    assert 'deskbridge_last_mail_fetch_seconds{mailbox="support@portal.test"} 6' in text


def test_what_makes_the_overview_say_that_something_is_stuck(box):
    assert not overview().is_stuck
    Mailbox.objects.update(failures=3)
    assert overview().is_stuck
    Mailbox.objects.update(failures=0, due_at=timezone.now() - timedelta(minutes=5))
    assert overview().overdue == 1
    Mailbox.objects.update(due_at=timezone.now())
    assert not overview().is_stuck
    IncomingMail.objects.create(mailbox=box, identity="x", state=MailState.UNCLEAR)
    assert overview().is_stuck
