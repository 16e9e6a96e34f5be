"""Process runs: their state in words, why they wait, and exactly the decisions that may be taken."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import lxml.html
import pytest
from django.utils import timezone

from integrations.engine.decisions import allowed_decisions
from integrations.models import ExternalReference, ProcessRun, RunState, StepKind, StepState
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser, messages_of
from tests.integrations.engine.conftest import only_steps, work_everything
from tickets import actions
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def task(desk: Desk, partner: Partner) -> Task:
    return desk.task(partner.group)


@pytest.fixture
def run(task: Task) -> ProcessRun:
    """The run that creates the task at the partner; nothing has been sent."""
    return ProcessRun.objects.get(stream__task=task)


def put(run: ProcessRun, state: RunState, *, step: StepState | None = None, **values: Any) -> None:
    """Bring the run, and its step, into a state."""
    ProcessRun.objects.filter(pk=run.pk).update(state=state, **values)
    if step is not None:
        run.steps.update_or_create(index=0, defaults={"name": "create_ticket", "kind": "operation", "state": step})


def note(desk: Desk, task: Task, text: str = "It still burns") -> ProcessRun:
    """A further run behind the first."""
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=text)
    return ProcessRun.objects.latest("pk")


def offered(page: Any) -> list[str]:
    """The decisions to which the page has a link."""
    links = lxml.html.fromstring(page.content.decode()).xpath("//a[contains(@href,'/decide/')]/@href")
    return [link.split("/decide/")[1].split("/")[0] for link in links]


@pytest.mark.parametrize("step", [None, StepState.FAILED, StepState.UNKNOWN])
@pytest.mark.parametrize("state", RunState)
def test_the_page_offers_exactly_what_is_allowed(
    admin: Browser, run: ProcessRun, state: RunState, step: StepState | None
) -> None:
    put(run, state, step=step)
    run.refresh_from_db()
    assert offered(admin.get(f"processrun/{run.pk}/change/")) == allowed_decisions(run)


def test_the_page_says_why_it_waits_and_for_whom(admin: Browser, desk: Desk, task: Task, run: ProcessRun) -> None:
    behind = note(desk, task)
    put(run, RunState.RETRYING, reason="The desk is closed", due_at=timezone.now() + timedelta(minutes=61))
    text = admin.get(f"processrun/{run.pk}/change/").content.decode()
    for expected in ("Waiting for the next try", "The desk is closed", "an hour from now", "head of the stream"):
        assert expected in text.replace("\xa0", " "), expected
    text = admin.get(f"processrun/{behind.pk}/change/").content.decode()
    assert f"It stands behind run {run.pk}, whose state is: Waiting for the next try." in text


def test_the_page_shows_the_steps_with_what_was_sent_but_no_secrets(
    admin: Browser, partner: Partner, run: ProcessRun
) -> None:
    partner.system.secret_names = "pin"
    partner.system.save()
    put(run, RunState.ATTENTION, step=StepState.FAILED)
    run.steps.update(
        request={"method": "POST", "url": "https://acme.test/t?token=abc", "headers": {"X-Api-Key": "s3cret"}},
        request_body=b'{"title":"<b>Fire</b>","pin":"4711"}',
        captures={"reference": "A-1"},
    )
    text = admin.get(f"processrun/{run.pk}/change/").content.decode()
    assert "&lt;b&gt;Fire&lt;/b&gt;" in text
    assert "A-1" in text
    for secret in ("4711", "s3cret", "token=abc", "<b>Fire"):
        assert secret not in text


def test_what_was_sent_before_a_step_was_made_anew_stays_on_the_page(admin: Browser, run: ProcessRun) -> None:
    put(run, RunState.ATTENTION, step=StepState.FAILED)
    sent = run.exchanges.create(
        way="out", system=run.stream.system, dialect="http", operation="create_ticket", step=run.steps.get()
    )
    admin.send(f"processrun/decide/rerender/?ids={run.pk}")
    assert not run.steps.exists()
    text = admin.get(f"processrun/{run.pk}/change/").content.decode()
    assert "Before a step was made anew" in text
    assert f"/admin/integrations/exchange/{sent.pk}/change/" in text


@pytest.mark.parametrize(
    ("decision", "before", "after", "words"),
    [
        ("retry", RunState.ATTENTION, RunState.QUEUED, "with the same bytes"),
        ("rerender", RunState.ATTENTION, RunState.QUEUED, "as it is configured now"),
        ("hold", RunState.QUEUED, RunState.HELD, "until somebody releases it. The run behind it waits, too."),
        ("release", RunState.HELD, RunState.QUEUED, "as soon as it is its turn"),
        ("cancel", RunState.ATTENTION, RunState.CANCELLED, "What was sent stays sent. The run behind it moves up."),
        ("skip", RunState.ATTENTION, RunState.QUEUED, "goes on with &quot;reopen_ticket&quot;"),
    ],
)
def test_a_decision_is_taken_after_it_was_explained(
    admin: Browser,
    desk: Desk,
    task: Task,
    run: ProcessRun,
    decision: str,
    before: RunState,
    after: RunState,
    words: str,
) -> None:
    note(desk, task)
    put(run, before, step=StepState.FAILED)
    address = f"processrun/decide/{decision}/?ids={run.pk}"
    page = admin.get(address)
    assert words in page.content.decode()
    run.refresh_from_db()
    assert run.state == before
    answer = admin.send(address)
    run.refresh_from_db()
    assert run.state == after
    assert answer.headers["Location"] == f"/admin/integrations/processrun/{run.pk}/change/"


def test_it_arrived_asks_for_the_number(admin: Browser, run: ProcessRun) -> None:
    put(run, RunState.ATTENTION, step=StepState.UNKNOWN)
    address = f"processrun/decide/arrived/?ids={run.pk}"
    answer = admin.send(address)
    assert answer.status_code == 422
    assert "Enter the number that the other desk gave the ticket." in answer.content.decode()
    run.refresh_from_db()
    assert run.state == RunState.ATTENTION
    assert admin.send(address, answer="A-77").status_code == 302
    assert ExternalReference.objects.get().value == "A-77"


def test_sending_again_warns_that_it_may_be_there_twice(admin: Browser, run: ProcessRun) -> None:
    put(run, RunState.ATTENTION, step=StepState.UNKNOWN)
    address = f"processrun/decide/send_again/?ids={run.pk}"
    assert "has them twice, unless it knows the idempotency key" in admin.get(address).content.decode()
    admin.send(address)
    assert run.steps.get().state == StepState.FAILED


def test_what_has_changed_meanwhile_is_refused_in_words(admin: Browser, run: ProcessRun) -> None:
    put(run, RunState.DONE)
    answer = admin.post("processrun/decide/cancel/", ids=str(run.pk))
    assert [text for text in messages_of(answer) if "by now" in text]
    run.refresh_from_db()
    assert run.state == RunState.DONE


def test_many_at_once_leave_out_what_cannot_be_and_say_why(
    admin: Browser, desk: Desk, partner: Partner, run: ProcessRun
) -> None:
    second, third = (ProcessRun.objects.get(stream__task=desk.task(partner.group)) for _ in range(2))
    put(second, RunState.DONE)
    put(third, RunState.RUNNING)
    chosen = {"action": "cancel_runs", "_selected_action": [run.pk, second.pk, third.pk]}
    asked = admin.client.post("/admin/integrations/processrun/", chosen).headers["Location"]
    plan = admin.client.get(asked).context["plan"]
    assert [line.pk for line in plan.lines] == [run.pk]
    assert {line.pk: line.words for line in plan.left_out} == {
        second.pk: "It has ended: Done.",
        third.pk: "It is being worked on at this moment.",
    }
    admin.send(asked)
    states = dict(ProcessRun.objects.values_list("pk", "state"))
    assert states == {run.pk: RunState.CANCELLED, second.pk: RunState.DONE, third.pk: RunState.RUNNING}


@pytest.mark.parametrize(("how", "same"), [("same", True), ("anew", False)])
def test_a_step_that_is_done_is_replayed_once(admin: Browser, run: ProcessRun, how: str, same: bool) -> None:
    put(run, RunState.DONE, step=StepState.DONE)
    run.steps.update(request={"method": "POST", "url": "https://acme.test/t", "headers": {}}, request_body=b"{}")
    address = f"/admin/integrations/processrun/{run.pk}/replay/0/{how}/"
    assert address in admin.get(f"processrun/{run.pk}/change/").content.decode()
    page = admin.get(address)
    assert "Nothing has been done yet" in page.content.decode()
    form = {"once": page.context["token"], "ids": str(run.pk)}
    first, again = (admin.client.post(address, form) for _ in range(2))
    replay = run.replays.get()
    assert (
        first.headers["Location"]
        == again.headers["Location"]
        == f"/admin/integrations/processrun/{replay.pk}/change/"
    )
    assert replay.steps.filter(idempotency_key=run.steps.get().idempotency_key).exists() is same


def test_who_may_only_read_decides_nothing(browser_for: Callable[..., Browser], run: ProcessRun) -> None:
    put(run, RunState.ATTENTION, step=StepState.DONE)
    reader = browser_for("view_processrun")
    page = reader.get(f"processrun/{run.pk}/change/")
    assert offered(page) == []
    assert b"/replay/" not in page.content
    for path in (f"processrun/decide/cancel/?ids={run.pk}", f"processrun/{run.pk}/replay/0/anew/"):
        assert reader.get(path).status_code == 403
        assert reader.post(path, ids=str(run.pk)).status_code == 403
    run.refresh_from_db()
    assert run.state == RunState.ATTENTION
    assert browser_for().get("processrun/").status_code == 403


@pytest.mark.parametrize("path", ["decide/explode/?ids=1", "decide/retry/?ids=", "decide/retry/?ids=9999"])
def test_what_is_not_there_is_404(admin: Browser, run: ProcessRun, path: str) -> None:
    assert admin.get(f"processrun/{path}").status_code == 404
    assert admin.get(f"processrun/{run.pk}/replay/0/sideways/").status_code == 404


def test_nobody_edits_or_deletes_a_run(admin: Browser, run: ProcessRun) -> None:
    assert admin.post(f"processrun/{run.pk}/change/", state="done").status_code == 403
    assert admin.post(f"processrun/{run.pk}/delete/", post="yes").status_code == 403
    assert admin.get("processrun/add/").status_code == 403


def test_the_page_shows_a_mail_as_it_was_sent(admin: Browser, desk: Desk, partner: Partner) -> None:
    mail = {"mail_to": "a@b.test", "mail_subject": "About {{ task.number }}", "text": "Hello"}
    only_steps(partner, {"kind": StepKind.MAIL, "name": "tell", **mail})
    task = desk.task(partner.group)
    work_everything()
    text = admin.get(f"processrun/{ProcessRun.objects.get().pk}/change/").content.decode()
    for words in ("MAIL a@b.test", f"About {task.number}", "Hello"):
        assert words in text
