"""A form that is sent twice at the same moment."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.tickets.views.cast import Cast
from tickets import actions
from tickets.models import Note, Submission
from tickets.views.once import REMEMBERED

Tokens = Callable[[Client, str], dict[str, str]]


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_add_one_note(cast: Cast, owner: Client, tokens: Tokens) -> None:
    page = f"/tickets/{cast.ticket.number}/"
    fields = {"token": tokens(owner, page)["note"], "body": "Once"}
    start = threading.Barrier(4)
    statuses: list[int] = []

    def click() -> None:
        browser = Client()
        browser.cookies = owner.cookies
        start.wait(10)
        try:
            statuses.append(browser.post(f"{page}note/", fields).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert statuses == [302] * 4
    assert Note.objects.filter(body="Once").count() == 1


def test_a_refused_form_can_be_sent_again_with_the_same_token(cast: Cast, owner: Client, tokens: Tokens) -> None:
    page = f"/tickets/{cast.ticket.number}/"
    actions.close_ticket(actor=cast.desk, ticket=cast.ticket)
    fields = {"token": tokens(owner, page)["reopen"], "reason": "It beeps"}
    actions.reopen_ticket(actor=cast.desk, ticket=cast.ticket)
    assert owner.post(f"{page}reopen/", fields).status_code == 422
    assert not Submission.objects.exists()
    actions.close_ticket(actor=cast.desk, ticket=cast.ticket)
    assert owner.post(f"{page}reopen/", fields).status_code == 302


def test_another_persons_submission_of_the_same_is_their_own(
    cast: Cast, owner: Client, outsider: Client, tokens: Tokens
) -> None:
    fields = {"token": tokens(owner, "/tickets/new/")["new"], "title": "Both", "description": "x"}
    assert owner.post("/tickets/new/", fields)["Location"] != outsider.post("/tickets/new/", fields)["Location"]


def test_old_submissions_are_forgotten(cast: Cast, owner: Client, tokens: Tokens) -> None:
    old = Submission.objects.create(user=cast.owner, key="old")
    Submission.objects.filter(pk=old.pk).update(created_at=timezone.now() - 2 * REMEMBERED)
    page = f"/tickets/{cast.ticket.number}/"
    owner.post(f"{page}note/", {"token": tokens(owner, page)["note"], "body": "Once"})
    assert list(Submission.objects.values_list("answer", flat=True)) == [f"{page}#conversation-end"]
