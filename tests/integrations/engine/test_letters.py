"""What a mail of ours carries so that its answer finds its way, and to whom it does not give that."""

import re

import pytest
from django.core import mail
from django.core.files.base import ContentFile

from integrations.inbound.mail.service import receive
from integrations.mail_words import MARK, instance_mark, read_tags, reply_token, tokens_in
from integrations.models import Exchange, IncomingMail, Mailbox, MailState
from tests.integrations.engine.conftest import only_steps, pass_time, run_states, work_everything
from tests.integrations.inbound.mail.conftest import raw_mail
from tickets import actions
from tickets.actions import FileContent
from tickets.lifecycle import Phase

pytestmark = pytest.mark.django_db(transaction=True)

STEP = {"kind": "mail", "mail_to": "", "mail_subject": "{{ ticket.title }}", "text": "{{ event.text or 'New' }}"}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def box(partner):
    """The partner's mailbox, and its addresses."""
    partner.system.mail_to = "desk@partner.test"
    partner.system.mail_senders = "@partner.test"
    partner.system.save()
    return Mailbox.objects.create(
        name="Partner", address="acme@portal.test", system=partner.system, plus_addresses=True
    )


def last():
    """The newest mail."""
    return mail.outbox[-1]


def test_the_answer_finds_its_way_by_address_subject_and_tags(desk, partner, box):
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    token = reply_token(task.pk, partner.system.pk)
    sent = last()
    assert sent.to == ["desk@partner.test"]
    assert sent.from_email == "acme@portal.test"
    assert sent.subject == f"[TicketId:{task.number}] The printer is on fire"
    assert sent.extra_headers["Reply-To"] == f"acme+{token}@portal.test"
    assert f"[[TASK]]: [[{task.number}]]\n[[TOKEN]]: [[{token}]]\n" in sent.body
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert sent.extra_headers[MARK] == instance_mark()
    assert len(sent.extra_headers["Reply-To"].partition("@")[0]) <= 64


@pytest.mark.parametrize("answers", ["quoted", "forwarded"])
def test_what_a_person_writes_into_a_ticket_never_comes_back_as_the_desks_word(desk, partner, box, answers):
    """The desk quotes our mail, in whichever way: nothing in it solves the task, or numbers it."""
    only_steps(
        partner, {**STEP, "text": "{{ ticket.title }}: {{ ticket.description }}\n[[TITLE]]: [[{{ ticket.title }}]]"}
    )
    forged = "[[REFERENCE]]: [[EVIL-1]] [[SOLUTION]]: [[Nothing to do]]"
    ticket = actions.create_ticket(
        actor=desk.by_agent,
        title=forged,
        description=f"{forged}\n[[OPERATION]]: [[close]]",
        contact=desk.contact,
    )
    task = desk.task(partner.group, ticket)
    work_everything()
    sent = last()
    assert set(read_tags(sent.body).values) == {"TITLE", "TASK", "TOKEN"}
    raw = sent.message().as_bytes()
    if answers == "quoted":
        said = f"Thank you.\n\nThe earlier mail was, about {sent.subject}:\n{sent.body}"
        raw = raw_mail(From="desk@partner.test", Subject=f"Re: {sent.subject}", body=said)
    else:
        head = b"From: desk@partner.test\r\nMessage-ID: <f@partner.test>\r\nSubject: Fw\r\nMIME-Version: 1.0\r\n"
        raw = head + b"Content-Type: message/rfc822\r\n\r\n" + raw
    row = receive(raw, mailbox=box)
    task.refresh_from_db()
    assert (row.outcome, row.task) == ("task_update", task), row.reason
    assert (task.solution, task.phase, task.external_references.count()) == ("", Phase.INITIAL_SUPPORT, 0)


def test_no_token_is_stored_or_logged(desk, partner, box):
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    exchange = Exchange.objects.get()
    step = exchange.step
    stored = f"{exchange.request_headers} {exchange.request_body} {step.request}"
    assert tokens_in(stored) == []
    assert f"[[TASK]]: [[{task.number}]]" in exchange.request_body


@pytest.mark.parametrize("to", ["desk@partner.test, {{ ticket.contact.email }}", "{{ ticket.contact.email }}"])
def test_nobody_but_the_desk_gets_a_token(desk, partner, box, to):
    only_steps(partner, {**STEP, "mail_to": to})
    desk.task(partner.group)
    work_everything()
    for sent in mail.outbox:
        assert tokens_in(str(sent.message())) == []
        assert "[[" not in sent.body


def test_threads_hold_together_in_both_directions(desk, partner, box):
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    first = last().extra_headers["Message-ID"]
    assert "In-Reply-To" not in last().extra_headers
    receive(
        raw_mail(From="desk@partner.test", Subject="Re", In_Reply_To=first, Message_ID="<theirs@partner.test>"),
        mailbox=box,
    )
    assert IncomingMail.objects.get().task == task
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body="Still burning")
    work_everything()
    headers = last().extra_headers
    assert headers["In-Reply-To"] == "<theirs@partner.test>"
    assert headers["References"] == f"{first} <theirs@partner.test>"


def test_a_long_thread_names_its_first_and_its_last_mails(desk, partner, box):
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    for number in range(12):
        actions.add_note(actor=desk.by_agent, ticket=task.ticket, task=task, body=f"note {number}")
    for _turn in range(3):
        work_everything()
    ids = [sent.extra_headers["Message-ID"] for sent in mail.outbox]
    assert last().extra_headers["References"].split() == [ids[0], *ids[-10:-1]]


def test_the_file_of_the_event_is_sent_along(desk, partner, box):
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    content = FileContent("報告書.pdf", b"%PDF", "application/pdf")
    actions.attach(actor=desk.by_agent, ticket=task.ticket, task=task, content=content)
    work_everything()
    assert last().attachments == [("報告書.pdf", b"%PDF", "application/pdf")]
    assert Exchange.objects.order_by("-pk").first().request_headers["Attachment"] == "報告書.pdf"


def test_a_file_that_is_gone_asks_a_person(desk, partner, box):
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    made = actions.attach(
        actor=desk.by_agent, ticket=task.ticket, task=task, content=FileContent("a.txt", ContentFile(b"x").read())
    )
    made.file.storage.delete(made.file.name)
    work_everything()
    assert run_states()[-1] == "attention"


def test_a_repetition_is_the_same_mail_though_the_thread_went_on(desk, partner, box, monkeypatch):
    from integrations.engine.steps import mail as mail_step
    from integrations.transports.errors import OutcomeUnknown

    sent = []

    def send(message, deadline):
        sent.append(message)
        if len(sent) == 1:
            raise OutcomeUnknown("connection lost")

    monkeypatch.setattr(mail_step, "send_mail", send)
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    receive(raw_mail(From="desk@partner.test", Subject=f"[TicketId:{task.number}]"), mailbox=box)
    pass_time()
    assert sent[0] == sent[1]


def test_a_subject_that_has_the_number_already_keeps_it(desk, partner, box):
    only_steps(partner, {**STEP, "mail_subject": "About [TicketId:{{ task.number }}]"})
    task = desk.task(partner.group)
    work_everything()
    assert last().subject == f"About [TicketId:{task.number}]"


def test_without_a_mailbox_answers_go_to_the_sender(desk, partner):
    partner.system.mail_to, partner.system.mail_from = "desk@partner.test", "us@portal.test"
    partner.system.save()
    only_steps(partner, STEP)
    desk.task(partner.group)
    work_everything()
    assert (last().from_email, "Reply-To" in last().extra_headers) == ("us@portal.test", False)
    assert last().subject == "The printer is on fire"


def test_what_goes_out_comes_back_as_an_answer_would(desk, partner, box):
    """The whole mail quoted below the answer, as programs do it."""
    only_steps(partner, STEP)
    task = desk.task(partner.group)
    work_everything()
    quoted = re.sub("(?m)^", "> ", last().body)
    body = f"Replaced it.\n[[SOLUTION]]: [[New printer]]\n\nOn Monday, we wrote:\n{quoted}"
    reply = raw_mail(From="technician@private.test", To=last().extra_headers["Reply-To"], Subject="Re", body=body)
    row = receive(reply, mailbox=box)
    task.refresh_from_db()
    assert (row.state, task.solution) == (MailState.HANDLED, "New printer")
    assert [note.body for note in task.notes.all()] == ["Replaced it."]
