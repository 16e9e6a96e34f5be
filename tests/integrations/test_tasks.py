"""What is forgotten in time."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from integrations.models import ExchangedFile, FeedEntry
from integrations.tasks import prune
from tests.integrations.inbound.case_exchange.conftest import CaseDesk, entry_for
from tests.integrations.inbound.conftest import Desk, make_task
from tests.integrations.inbound.conftest import northwind as northwind

pytestmark = pytest.mark.django_db


def test_fetched_entries_and_uploads_that_nobody_named_are_forgotten(northwind: Desk):
    cases = CaseDesk(northwind)
    cases.sign_in()
    task = make_task(northwind)
    entry_for(task, northwind.system)
    cases.upload(b"hello")
    cases.poll()
    waiting = entry_for(task, northwind.system)
    assert prune() | {"feed_entries": 0, "uploads": 0} == prune()
    with time_machine.travel(timezone.now() + timedelta(days=181)):
        counts = prune()
    assert (counts["feed_entries"], counts["uploads"]) == (1, 1)
    assert list(FeedEntry.objects.all()) == [waiting]
    assert not ExchangedFile.objects.exists()
