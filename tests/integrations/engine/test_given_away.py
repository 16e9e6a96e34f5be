"""What waits for a desk when the task has left it, and what is not said to a desk that never heard of the task."""

import pytest

from integrations.engine import decisions
from integrations.engine.authentication import authorise
from integrations.engine.references import store_reference
from integrations.models import Authentication, ExternalReference, ProcessRun, RunState, StepState
from integrations.transports.http import Request
from integrations.visibility import binding_for, goes_to, notes_read_by
from tests.cast import make_partner
from tests.integrations.engine.conftest import pass_time, work_everything
from tickets import actions
from tickets.models import AssignmentGroup

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_create_that_could_not_be_sent_is_not_sent_once_the_task_is_elsewhere(desk, partner, httpserver):
    httpserver.expect_oneshot_request("/tickets", method="POST").respond_with_data("busy", status=503)
    task = desk.task(partner.group)
    work_everything()
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    pass_time()
    assert len(httpserver.log) == 1
    create, accept = ProcessRun.objects.order_by("position")
    step = create.steps.get(name="create_ticket")
    assert step.state == StepState.SKIPPED
    assert "given to others" in step.reason
    assert (accept.operation, accept.state) == ("accept", RunState.DONE)
    assert {step.state for step in accept.steps.all()} == {StepState.SKIPPED}
    assert not ExternalReference.objects.exists()


def test_after_a_cancelled_assignment_notes_start_nothing(desk, partner):
    task = desk.task(partner.group)
    decisions.cancel_run(ProcessRun.objects.get(), by=desk.by_agent)
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Hello?")
    assert ProcessRun.objects.get().state == RunState.CANCELLED


def test_a_task_taken_back_goes_on_through_the_group_it_was_exchanged_with(desk, partner, httpserver):
    """With another group of the same desk beside it, whose processes and switches say nothing of this task."""
    other = make_partner("again", httpserver.url_for("").rstrip("/"))
    other.binding.system = partner.system
    other.binding.send_internal = True
    other.binding.save()
    task = desk.task(other.group)
    store_reference(task=task, system=partner.system, value="A-1")
    task = actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    binding = binding_for(task, partner.system)
    assert binding == other.binding
    secret = actions.add_note(
        actor=desk.by_agent, ticket=task.ticket, task=task, body="Between us", visibility="internal"
    )
    assert not goes_to(secret, task, binding)


def test_a_desk_reads_the_notes_that_its_create_took_along(desk, partner):
    partner.create.body = '{"title": "{{ ticket.title }}{% for note in ticket.notes %}{{ note.text }}{% endfor %}"}'
    partner.create.save()
    ticket = desk.ticket()
    note = actions.add_note(actor=desk.by_end_user, ticket=ticket, body="It smells of smoke")
    task = desk.task(partner.group, ticket)
    assert list(notes_read_by(task, partner.system)) == [note]


def test_credentials_go_to_the_desk_itself_and_to_no_other_allowed_host(partner):
    partner.system.auth_kind = Authentication.BEARER
    partner.system.auth_secret = "top-secret"
    partner.system.allowed_hosts = "other.test"
    own = Request("GET", f"{partner.system.base_url}/tickets")
    assert authorise(own, partner.system, None).headers["Authorization"] == "Bearer top-secret"
    for url in ("http://other.test/tickets", partner.system.base_url.replace("http:", "https:")):
        assert "Authorization" not in authorise(Request("GET", url), partner.system, None).headers


def test_a_group_given_a_task_at_once_is_told_even_if_it_owns_it(desk, partner):
    task = actions.create_task(
        actor=desk.by_agent, ticket=desk.ticket(), group=partner.group, owning_group=partner.group
    )
    assert ProcessRun.objects.get().stream.task == task
    assert AssignmentGroup.objects.get(tasks=task) == partner.group
