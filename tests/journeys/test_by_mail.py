"""A desk that is reached by mail alone: added from the catalogue, written to over SMTP, answering over IMAP."""

import email
import re
from email.message import EmailMessage, Message
from email.policy import default

import pytest
from django.utils import timezone

from integrations import catalogue
from integrations.configuration.steps import problems_in_order
from integrations.fetching.worker import fetch
from integrations.models import GroupBinding, IncomingMail, Mailbox, MailState, Process, ProcessRun, RunState
from tests.cast import Desk
from tests.integrations.engine.conftest import work_everything
from tests.mail_servers import ImapServer, SmtpServer
from tickets import actions
from tickets.actions import FileContent
from tickets.lifecycle import Phase
from tickets.models import AssignmentGroup, Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def group(imap: ImapServer) -> AssignmentGroup:
    """The desk as an administrator adds it: preset, mailbox, group."""
    system = catalogue.add(
        catalogue.load("email-only"), name="Mailers", code="mailers", base_url="", mail_to="desk@mailers.test"
    )
    system.full_clean()
    process = Process.objects.get(name="Mailers: exchange")
    Mailbox.objects.create(
        name="Mailers", address="mailers@portal.test", system=system, plus_addresses=True, **imap.settings()
    )
    made: AssignmentGroup = AssignmentGroup.objects.create(name="Mailers", code="mailers")
    GroupBinding.objects.create(
        group=made,
        integrated=True,
        system=system,
        assignment_process=process,
        update_process=process,
        closure_process=process,
        rejection_process=process,
    )
    return made


def answer(to: Message, text: str, *, quote: bool = True) -> EmailMessage:
    """What a mail program makes of a click on Answer."""
    reply = EmailMessage()
    reply["From"] = "Technician <desk@mailers.test>"
    reply["To"] = str(to["Reply-To"])
    reply["Subject"] = f"Re: {to['Subject']}"
    reply["Message-ID"] = f"<{abs(hash(text))}@mailers.test>"
    reply["In-Reply-To"] = str(to["Message-ID"])
    reply["References"] = f"{to['References'] or ''} {to['Message-ID']}".strip()
    said = to.get_body(preferencelist=("plain",)).get_content() if quote else ""
    quoted = re.sub("(?m)^", "> ", said.strip())
    reply.set_content(f"{text}\n\nOn Tue, 3 Nov 2026 at 10:00, Portal wrote:\n{quoted}\n" if quote else text)
    return reply


def deliver(imap: ImapServer, reply: EmailMessage) -> IncomingMail:
    """Into the box, and out of it: what became of it."""
    imap.put(reply.as_bytes())
    Mailbox.objects.update(due_at=timezone.now())
    assert fetch(Mailbox.objects.get().pk)
    assert Mailbox.objects.get().last_error == ""
    return IncomingMail.objects.order_by("-pk")[0]


def newest(smtp: SmtpServer) -> Message:
    """The newest mail that left the portal."""
    work_everything()
    return email.message_from_bytes(smtp.received[-1][2], policy=default)


def test_a_task_lives_by_mail(desk: Desk, group: AssignmentGroup, smtp: SmtpServer, imap: ImapServer) -> None:
    task: Task = desk.task(group)
    first = newest(smtp)
    assert smtp.received[-1][1] == ["desk@mailers.test"]
    assert first["Subject"] == f"[TicketId:{task.number}] The printer is on fire"
    assert "Smoke on floor 2" in first.get_body().get_content()

    acknowledged = deliver(imap, answer(first, "[[REFERENCE]]: [[M-7]]"))
    assert (acknowledged.state, acknowledged.outcome) == (MailState.HANDLED, "acknowledgement")
    assert task.external_references.get().value == "M-7"

    deliver(imap, answer(first, "We are looking into it."))
    assert [note.body for note in task.notes.all()] == ["We are looking into it."]

    actions.add_note(
        actor=desk.by_end_user,
        ticket=task.ticket,
        body="It is getting worse",
        files=[FileContent("Фото.jpg", b"jpeg", "image/jpeg")],
    )
    work_everything()
    words, picture = (email.message_from_bytes(row[2], policy=default) for row in smtp.received[-2:])
    assert "It is getting worse" in words.get_body().get_content()
    (attached,) = picture.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("Фото.jpg", b"jpeg")
    assert str(first["Message-ID"]) in words["References"]

    solved = deliver(imap, answer(words, "[[SOLUTION]]: [[New fuse.\nTested.]]"))
    task.refresh_from_db()
    assert (solved.outcome, task.phase, task.solution) == ("task_solution", Phase.REVIEW, "New fuse.\nTested.")

    actions.decline_solution(actor=desk.by_end_user, task=task, reason="It burns again")
    declined = newest(smtp)
    assert "It burns again" in declined.get_body().get_content()
    deliver(imap, answer(declined, "[[OPERATION]]: [[solved]]\nNew printer.", quote=False))
    task.refresh_from_db()
    assert (task.phase, task.solution) == (Phase.REVIEW, "New printer.")

    actions.accept_solution(actor=desk.by_end_user, task=task)
    assert "The task is closed" in newest(smtp).get_body().get_content()
    assert set(ProcessRun.objects.values_list("state", flat=True)) == {RunState.DONE}
    assert imap.count("UNSEEN") == 0


def test_the_steps_of_the_preset_pass_the_checks(group: AssignmentGroup) -> None:
    from integrations.models import Step

    plain = [field.name for field in Step._meta.get_fields() if field.concrete and not field.is_relation]
    relations = {"operation": None, "wsdl": None, "probe": None, "system_id": None}
    steps = [{name: getattr(step, name) for name in plain} | relations for step in Step.objects.order_by("position")]
    assert [problems for _step, problems in problems_in_order(steps) if problems] == []
