"""The step that sends mail, into Django's mailbox and over a real SMTP connection."""

from datetime import timedelta
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.utils import timezone

from integrations.engine.steps import mail as mail_step
from integrations.models import Exchange, ExternalReference, Outcome, RunState, Stream
from integrations.transports.errors import MailDelayed, MailRefused, OutcomeUnknown
from tests.integrations.engine.conftest import only_run, only_steps, pass_time, run_states, work_everything
from tests.practice_desk import free_port
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)

STEP = {
    "kind": "mail",
    "mail_to": "desk@partner.test; {{ ticket.contact.email }}",
    "mail_subject": "{{ task.number }}: {{ ticket.title }}",
    "text": "Reference {{ task.number }} <b>",
}


@pytest.fixture
def failing(monkeypatch):
    """The first sending fails with this error; what was sent afterwards."""
    sent = []

    def install(error):
        real = mail_step.send_mail

        def send(message, deadline):
            sent.append(message)
            if len(sent) == 1:
                raise error
            real(message, deadline=deadline)

        monkeypatch.setattr(mail_step, "send_mail", send)
        return sent

    return install


def test_a_mail_is_sent_and_stands_in_the_log(desk, partner):
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.DONE]
    assert {address for message in mail.outbox for address in message.recipients()} == {
        "desk@partner.test",
        "emil@customer.test",
    }
    message = mail.outbox[0]
    assert message.subject == f"{task.number}: The printer is on fire"
    assert message.body == f"Reference {task.number} <b>"
    exchange = Exchange.objects.get()
    assert (exchange.dialect, exchange.outcome, exchange.task) == ("mail", Outcome.SUCCEEDED, task)
    assert exchange.message_id == message.extra_headers["Message-ID"]


def test_it_goes_over_a_real_connection(desk, partner, settings):
    received = []

    class Keep:
        async def handle_DATA(self, server, session, envelope):
            received.append((envelope.rcpt_tos, envelope.content))
            return "250 OK"

    port = free_port()
    server = Controller(Keep(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        only_steps(partner, {**STEP, "mail_to": "desk@partner.test"})
        desk.task(partner.group)
        work_everything()
    finally:
        server.stop()
    ((recipients, content),) = received
    assert recipients == ["desk@partner.test"]
    assert str(only_run().steps.get().idempotency_key).encode() in content


@pytest.mark.parametrize("error", [OutcomeUnknown("connection lost"), MailDelayed("450 later")])
def test_a_mail_is_repeated_with_the_same_message_id_and_text(desk, partner, failing, error):
    sent = failing(error)
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.RETRYING]
    actions.change_ticket(actor=desk.by_agent, ticket=task.ticket, title="Renamed")
    pass_time()
    assert run_states() == [RunState.DONE]
    assert sent[0] == sent[1]


@pytest.mark.parametrize("failure", ["451 later", "hangs up"])
def test_who_has_a_mail_does_not_get_it_again_when_it_is_repeated_for_others(desk, partner, settings, failure):
    got, tries = [], []

    class Server:
        async def handle_RCPT(self, server, session, envelope, address, options):
            envelope.rcpt_tos.append(address)
            tries.append(address)
            first = address.startswith("emil") and tries.count(address) == 1
            return failure if first and failure != "hangs up" else "250 OK"

        async def handle_DATA(self, server, session, envelope):
            got.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content)))
            if failure == "hangs up" and len(got) == 2:
                server.transport.abort()
            return "250 OK"

    port = free_port()
    server = Controller(Server(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        only_steps(partner, STEP)
        desk.task(partner.group)
        work_everything()
        assert run_states() == [RunState.RETRYING]
        pass_time()
    finally:
        server.stop()
    assert run_states() == [RunState.DONE]
    doubtful = 1 if failure == "hangs up" else 0
    assert [address for address, _message in got] == ["desk@partner.test", *["emil@customer.test"] * (1 + doubtful)]
    assert {message["To"] for _address, message in got} == {"desk@partner.test, emil@customer.test"}
    assert len({message["Message-ID"] for _address, message in got}) == 1


def test_a_mail_that_is_refused_for_good_asks_a_person(desk, partner, failing):
    failing(MailRefused("550 no such mailbox"))
    only_steps(partner, STEP)
    desk.task(partner.group)
    work_everything()
    assert run_states() == [RunState.ATTENTION]
    assert Exchange.objects.get().outcome == Outcome.PERMANENT


def test_a_killed_worker_leaves_no_mail_in_progress_for_ever(desk, partner, monkeypatch):
    class Killed(BaseException):
        """Nothing of ours runs after it."""

    def die(message, deadline):
        raise Killed

    only_steps(partner, STEP)
    desk.task(partner.group)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(mail_step, "send_mail", die)
        work_everything()
    Stream.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work_everything()
    assert list(Exchange.objects.order_by("pk").values_list("outcome", flat=True)) == ["unknown", "succeeded"]
    assert len(set(Exchange.objects.values_list("message_id", flat=True))) == 1


@pytest.mark.parametrize("to", ["", " ; ", "{{ task.assignee }}", "not an address"])
def test_a_mail_to_nobody_asks_a_person(desk, partner, to):
    only_steps(partner, {**STEP, "mail_to": to})
    desk.task(partner.group)
    work_everything()
    assert (run_states(), mail.outbox) == ([RunState.ATTENTION], [])


def test_a_mail_that_creates_the_ticket_awaits_its_number_and_is_not_sent_again(desk, partner):
    only_steps(partner, {**STEP, "mail_to": "desk@partner.test", "creates": True})
    task = desk.task(partner.group)
    work_everything()
    assert Stream.objects.get().awaiting_since is not None
    actions.assign_task(actor=desk.by_agent, task=task, group=partner.group)
    work_everything()
    assert (run_states(), len(mail.outbox)) == ([RunState.DONE, RunState.AWAITING], 1)
    from integrations.engine.references import store_reference

    store_reference(task=task, system=partner.system, value="M-1")
    work_everything()
    assert (run_states(), len(mail.outbox)) == ([RunState.DONE, RunState.DONE], 1)
    assert ExternalReference.objects.get().value == "M-1"
