"""The overview: is anything stuck, how each desk stands, and what to do first."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from integrations.models import (
    Exchange,
    ExternalSystem,
    Outcome,
    Polling,
    ProcessRun,
    RunState,
    Stream,
    Way,
    WebhookSubscription,
)
from integrations.overview import overview
from integrations.webhooks import end, reactivate
from portal.chart import hours_chart
from tests.cast import Desk, Partner
from tests.certificates import Authority

AUTHORITY = Authority()
SEES = ("view_exchange", "view_processrun")


@pytest.fixture
def sign_in(db: None) -> Callable[..., Client]:
    def sign_in(*permissions: str, superuser: bool = False) -> Client:
        user = User.objects.create_user(f"person{User.objects.count()}", is_staff=True, is_superuser=superuser)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def words(client: Client, path: str = "/admin/") -> str:
    """The text of the overview, blanks joined."""
    answer = client.get(path)
    assert answer.status_code == 200
    page = lxml.html.fromstring(answer.content.decode())
    found = page.xpath("//div[@id='overview']") or [page]
    return " ".join(found[0].text_content().replace("\xa0", " ").split())


def put(desk: Desk, partner: Partner, state: RunState, **values: Any) -> ProcessRun:
    """One more task at the partner, whose run is in this state."""
    task = desk.task(partner.group)
    Stream.objects.filter(task=task).update(due_at=None)
    ProcessRun.objects.filter(stream__task=task).update(state=state, **values)
    return ProcessRun.objects.get(stream__task=task)


@pytest.mark.parametrize(
    ("state", "standing", "verdict"),
    [
        (RunState.DONE, "OK", "Nothing is stuck"),
        (RunState.QUEUED, "OK", "Nothing is stuck"),
        (RunState.RETRYING, "Waits", "Nothing is stuck"),
        (RunState.AWAITING, "Waits", "Nothing is stuck"),
        (RunState.ATTENTION, "Needs attention", "1 process run needs a person"),
        (RunState.HELD, "Needs attention", "1 process run needs a person"),
    ],
)
def test_each_desk_has_its_standing(
    sign_in: Callable[..., Client], desk: Desk, partner: Partner, state: RunState, standing: str, verdict: str
) -> None:
    put(desk, partner, state)
    text = words(sign_in(*SEES))
    assert f"Partner acme {standing_icon(standing)}{standing}" in text
    assert verdict in text


def standing_icon(standing: str) -> str:
    """The name of the icon stands in the text, hidden from those who have it read to them."""
    return {"OK": "check", "Waits": "schedule", "Needs attention": "error", "Switched off": "power_settings_new"}[
        standing
    ]


def test_a_desk_that_is_switched_off_says_so(sign_in: Callable[..., Client], partner: Partner) -> None:
    ExternalSystem.objects.update(active=False)
    assert "Switched off" in words(sign_in(*SEES))


def test_the_worst_desk_comes_first(desk: Desk, partner: Partner, other_partner: Partner) -> None:
    put(desk, other_partner, RunState.ATTENTION)
    assert [figures.system.code for figures in overview().systems] == ["globex", "acme"]


def test_every_figure_leads_to_as_many_rows_as_it_counts(
    sign_in: Callable[..., Client], desk: Desk, partner: Partner, other_partner: Partner
) -> None:
    for state in (RunState.ATTENTION, RunState.RETRYING, RunState.RETRYING, RunState.QUEUED, RunState.DONE):
        put(desk, partner, state)
    put(desk, other_partner, RunState.HELD)
    Stream.objects.filter(runs__state=RunState.QUEUED).update(awaiting_since=timezone.now())
    for outcome in (Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.UNKNOWN):
        Exchange.objects.create(way=Way.OUT, system=partner.system, dialect="http", outcome=outcome)
    Exchange.objects.create(way=Way.IN, system=partner.system, dialect="rest", outcome=Outcome.REFUSED)
    client = sign_in(superuser=True)
    context = client.get("/admin/overview/").context
    checked = 0
    for card in context["cards"]:
        for figure in [*card.runs, *card.sent, *card.received]:
            rows = client.get(figure.url).context["cl"].result_list
            assert len(rows) == figure.count, figure
            checked += 1
    assert checked == 11
    assert len(client.get(context["attention_url"]).context["cl"].result_list) == context["overview"].attention == 2


def test_it_tells_the_oldest_the_last_success_and_the_last_failure(
    sign_in: Callable[..., Client], desk: Desk, partner: Partner
) -> None:
    put(desk, partner, RunState.RETRYING, created_at=timezone.now() - timedelta(hours=3, minutes=1))
    for outcome, hours in ((Outcome.SUCCEEDED, 2), (Outcome.SUCCEEDED, 5), (Outcome.PERMANENT, 4)):
        row = Exchange.objects.create(way=Way.OUT, system=partner.system, dialect="http", outcome=outcome)
        Exchange.objects.filter(pk=row.pk).update(started_at=timezone.now() - timedelta(hours=hours, minutes=1))
    page = lxml.html.fromstring(sign_in(*SEES).get("/admin/overview/").content.decode())
    facts = {term.text: term.getnext().text_content().replace("\xa0", " ") for term in page.xpath("//dt")}
    assert facts["Oldest run in line"] == "3 hours"
    assert facts["Last success"].startswith("2 hours")
    assert facts["Last failure"].startswith("4 hours")


def test_work_that_nobody_takes_is_an_alarm(sign_in: Callable[..., Client], desk: Desk, partner: Partner) -> None:
    put(desk, partner, RunState.QUEUED)
    Stream.objects.update(due_at=timezone.now() - timedelta(minutes=10))
    text = words(sign_in(*SEES))
    assert "Nobody takes the work" in text
    assert "1 stream, poll or mailbox has been due for 10 minutes and no worker takes it" in text


def test_the_hours_of_the_last_day_are_counted_and_drawn(partner: Partner) -> None:
    for outcome, hours in (
        (Outcome.SUCCEEDED, 0),
        (Outcome.UNKNOWN, 0),
        (Outcome.SUCCEEDED, 5),
        (Outcome.REFUSED, 30),
    ):
        row = Exchange.objects.create(way=Way.OUT, system=partner.system, dialect="http", outcome=outcome)
        Exchange.objects.filter(pk=row.pk).update(started_at=timezone.now() - timedelta(hours=hours))
    hours = overview().hours
    assert [(hour.succeeded, hour.failed) for hour in (hours[-1], hours[-6], hours[0])] == [(1, 1), (1, 0), (0, 0)]
    chart = hours_chart(hours)
    assert "2 without and 1 with a failure, at most 2 an hour" in chart
    assert chart.count("<g>") == 24
    assert hours_chart([]) == ""


def test_a_new_administrator_is_told_what_to_do_first(sign_in: Callable[..., Client]) -> None:
    client = sign_in(superuser=True)
    steps = client.get("/admin/").context["first_steps"]
    assert [step.is_done for step in steps] == [False] * 4
    for step in steps:
        assert client.get(step.url).status_code == 200
    ExternalSystem.objects.create(name="Acme", code="acme", base_url="https://acme.test")
    assert [step.is_done for step in client.get("/admin/").context["first_steps"]] == [True, False, False, False]


def test_first_steps_go_away_once_they_are_done(sign_in: Callable[..., Client], partner: Partner) -> None:
    assert "First steps" not in words(sign_in(superuser=True))


def test_only_who_may_see_runs_and_messages_sees_figures(
    sign_in: Callable[..., Client], desk: Desk, partner: Partner
) -> None:
    put(desk, partner, RunState.ATTENTION)
    for permissions in ((), ("view_exchange",), ("view_processrun",)):
        client = sign_in(*permissions)
        for path in ("/admin/", "/admin/overview/"):
            text = words(client, path)
            assert "Partner acme" not in text
            assert "needs a person" not in text


def test_the_refresh_sends_who_is_signed_out_to_sign_in(client: Client, desk: Desk, partner: Partner) -> None:
    answer = client.get("/admin/overview/")
    assert answer.headers["HX-Refresh"] == "true"
    assert b"Partner" not in answer.content
    client.force_login(desk.end_user)
    assert client.get("/admin/overview/").headers["HX-Refresh"] == "true"


def test_the_page_refreshes_itself_from_the_fragment(sign_in: Callable[..., Client], partner: Partner) -> None:
    client = sign_in(*SEES)
    page = lxml.html.fromstring(client.get("/admin/").content.decode())
    region = page.xpath("//div[@id='overview']")[0]
    assert (region.get("hx-get"), region.get("hx-trigger")) == ("/admin/overview/", "every 15s")
    assert "Partner acme" in client.get("/admin/overview/").content.decode()
    assert client.post("/admin/overview/").status_code == 405


def test_a_desk_whose_polling_fails_is_stuck_and_says_why(sign_in: Callable[..., Client], partner: Partner) -> None:
    polling = Polling.objects.create(
        system=partner.system, path="/rest/acme/ces", our_name="us", failures=1, last_error="It is busy."
    )
    client = sign_in(*SEES)
    first = words(client)
    assert "Waits" in first
    assert "Nothing is stuck" in first
    assert "It is busy." in first
    Polling.objects.filter(pk=polling.pk).update(failures=3)
    stuck = words(client)
    assert "No news can be had from a desk" in stuck
    assert "Polling Partner acme fails: its card says why." in stuck
    assert f"Partner acme {standing_icon('Needs attention')}Needs attention" in stuck
    Polling.objects.filter(pk=polling.pk).update(active=False)
    assert "Nothing is stuck" in words(client)


def test_a_poll_that_nobody_takes_is_overdue(sign_in: Callable[..., Client], partner: Partner) -> None:
    since = timezone.now() - timedelta(minutes=10)
    Polling.objects.create(system=partner.system, path="/rest/acme/ces", our_name="us", due_at=since)
    assert "1 stream, poll or mailbox has been due for 10 minutes and no worker takes it" in words(sign_in(*SEES))


def test_the_end_of_our_certificate_is_warned_of(sign_in: Callable[..., Client], partner: Partner) -> None:
    for days, said in ((90, ""), (5.5, "in 5 days"), (-1, "It ended on")):
        pem = AUTHORITY.issue("portal", days=days).certificate
        ExternalSystem.objects.filter(pk=partner.system.pk).update(client_certificate=pem)
        page = words(sign_in(*SEES))
        assert (said in page) if said else ("Our certificate there" not in page)
        assert f"Partner acme {standing_icon('Waits' if said else 'OK')}" in page


def test_a_webhook_that_fails_or_was_ended_by_the_desk_is_told(
    sign_in: Callable[..., Client], partner: Partner
) -> None:
    row = WebhookSubscription.objects.create(
        system=partner.system,
        name="all",
        url="https://hooks.acme.test/",
        secret="x",
        failures=2,
        last_error="It is busy.",
    )
    first = words(sign_in(*SEES))
    assert "Webhook failsall: It is busy." in first
    # It is tried again by itself.
    assert "Nothing is stuck" in first
    end(row, "Ended by Ada.")
    assert "Webhook" not in words(sign_in(*SEES))
    reactivate(row)
    end(row, "The other desk answered 410 (gone).", by_desk=True)
    page = words(sign_in(*SEES))
    assert "Webhook has endedall: The other desk answered 410 (gone)." in page
    assert f"Partner acme {standing_icon('Needs attention')}" in page
    assert "A desk has ended a webhook" in page
    assert "Partner acme: all has ended, and nothing is delivered any more: The other desk answered 410" in page
    assert "Nothing is stuck" not in page
    reactivate(row)
    assert "Nothing is stuck" in words(sign_in(*SEES))
