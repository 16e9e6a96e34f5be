"""How a mail of ours is made so that its answer finds its way back: subject, tags, threads, and where answers go.

What proves a desk is added when it is sent, and is in nothing that is stored or shown.
"""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.mail_words import MARK, instance_mark, reply_token, write_tags
from integrations.models import Exchange, ExternalSystem, IncomingMail, Mailbox, Outcome, ProcessRun, StepRun, Way
from integrations.templating import Escape, TemplateFailed, render, untagged
from integrations.transports.mail import Mail
from tickets.models import Attachment, Task

MAIL: Final = "mail"
# The first mail of a thread, and so many of its last ones: what RFC 5322 lets a long References be cut to.
LAST_REFERENCES: Final = 9


def render_mail(definition: dict[str, Any], context: dict[str, Any], *, system: ExternalSystem) -> dict[str, Any]:
    """To whom, about what, with what text. A step that names nobody writes to the desk."""
    fields = placeholders()
    to = render(definition["mail"]["to"], context, escape=Escape.HEADER, fields=fields)
    recipients = [address.strip() for address in to.replace(";", ",").split(",") if address.strip()]
    if not definition["mail"]["to"].strip() and system.mail_to:
        recipients = [system.mail_to]
    # Answers quote it, too: nothing in it may read as a tag.
    subject = untagged(render(definition["mail"]["subject"], context, escape=Escape.HEADER, fields=fields))
    to_desk = goes_to_desk(recipients, system)
    return {
        "to": recipients,
        "subject": with_number(subject, context["task"]["number"], mailbox_for(system, to_desk=to_desk)),
        "body": render(definition["text"], context, escape=Escape.MAIL, fields=fields),
        "to_desk": to_desk,
    }


def goes_to_desk(recipients: Iterable[str], system: ExternalSystem) -> bool:
    """Whether nobody but the desk gets it. Anybody else could speak for the desk with what such a mail says."""
    recipients = list(recipients)
    return bool(recipients) and all(system.sends_mail_from(address) for address in recipients)


def mailbox_for(system: ExternalSystem, *, to_desk: bool) -> Mailbox | None:
    """Where the answer is to go: the desk's own mailbox, else one that is for everybody."""
    boxes = Mailbox.objects.filter(active=True).order_by("pk")
    own = boxes.filter(system=system).first() if to_desk else None
    return own or boxes.filter(system=None).first()


def with_number(subject: str, number: str, mailbox: Mailbox | None) -> str:
    """The subject with the task's number in the mailbox's form, unless it has it already."""
    for form in mailbox.formats if mailbox else []:
        if form.placeholder == "{number}":
            return subject if form.find(subject) == number else f"{form.write(number)} {subject}".strip()
    return subject


def thread_of(task: Task, system: ExternalSystem, *, to_desk: bool) -> dict[str, str]:
    """In-Reply-To and References: the earlier mails about the task, ours to that desk and theirs; of a person's
    mail those of the ticket that people wrote."""
    if to_desk:
        ours = Exchange.objects.filter(way=Way.OUT, dialect=MAIL, task=task, system=system, outcome=Outcome.SUCCEEDED)
        sent = [(row[0], row[1]) for row in ours.exclude(message_id="").values_list("started_at", "message_id")]
        came = IncomingMail.objects.filter(task=task, system=system)
    else:
        sent = []
        came = IncomingMail.objects.filter(ticket_id=task.ticket_id, system=None)
    theirs = came.exclude(message_id="").values_list("received_at", "message_id")
    ids = list(dict.fromkeys(message_id for _at, message_id in sorted([*sent, *theirs])))
    if not ids:
        return {}
    kept = ids if len(ids) <= LAST_REFERENCES + 1 else [ids[0], *ids[-LAST_REFERENCES:]]
    return {"In-Reply-To": ids[-1], "References": " ".join(kept)}


def pin(step: StepRun, run: ProcessRun, definition: dict[str, Any], context: dict[str, Any]) -> None:
    """Render the mail and keep it in the step (not saved yet): repetitions are the same."""
    system, task = run.stream.system, run.stream.task
    letter = render_mail(definition, context, system=system)
    if not letter["to"]:
        raise TemplateFailed(_("it has no recipient"), name="to")
    box = mailbox_for(system, to_desk=letter["to_desk"])
    letter["headers"] = thread_of(task, system, to_desk=letter["to_desk"])
    letter["sender"] = (system.mail_from if letter["to_desk"] else "") or (box.address if box else "")
    letter["mailbox"] = box.address if box else ""
    letter["plus"] = bool(box and box.plus_addresses)
    letter["attachment"] = run.attachment_id
    letter["tags"] = tags_of(context) if letter["to_desk"] else {}
    step.request = letter


def tags_of(context: dict[str, Any]) -> dict[str, str]:
    """The tags that name the task for whoever answers."""
    reference = context["task"]["external_reference"]
    return {"TASK": context["task"]["number"], **({"REFERENCE": reference} if reference else {})}


def body_of(letter: dict[str, Any], token: str = "") -> str:
    """The text with its tags at the end; with the token, where there is one."""
    tags = letter.get("tags") or {}
    if not tags:
        return str(letter["body"])
    words = _("Please leave these lines in your answer:")
    return (
        f"{str(letter['body']).rstrip()}\n\n{words}\n{write_tags({**tags, **({'TOKEN': token} if token else {})})}\n"
    )


def mail_of(step: StepRun, run: ProcessRun) -> Mail:
    """The mail as it goes out. Raises `TemplateFailed` where its file cannot be read."""
    letter = step.request or {}
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    token = reply_token(run.stream.task_id, run.stream.system_id) if letter.get("to_desk") else ""
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF", MARK: instance_mark()}
    headers |= letter.get("headers") or {}
    if letter.get("mailbox"):
        headers["Reply-To"] = _plus(letter["mailbox"], token) if token and letter.get("plus") else letter["mailbox"]
    return Mail(
        to=tuple(letter["to"]),
        subject=letter["subject"],
        body=body_of(letter, token),
        message_id=f"<{step.idempotency_key}@{host}>",
        headers=headers,
        attachments=_files(letter.get("attachment")),
        sender=letter.get("sender", ""),
        done=tuple(letter.get("done") or ()),
    )


def _plus(address: str, token: str) -> str:
    name, _at, domain = address.rpartition("@")
    return f"{name}+{token}@{domain}"


def _files(attachment_id: int | None) -> tuple[tuple[str, bytes, str], ...]:
    if attachment_id is None:
        return ()
    attachment = Attachment.objects.filter(pk=attachment_id).first()
    if attachment is None:
        raise TemplateFailed(_("The file is no longer there."), name="attachment")
    try:
        with attachment.file.open("rb") as opened:
            return ((attachment.name, bytes(opened.read()), attachment.content_type),)
    except OSError as error:
        raise TemplateFailed(_("The file cannot be read."), name="attachment") from error
