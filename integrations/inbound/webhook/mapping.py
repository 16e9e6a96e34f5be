"""The values of a rule to messages: the same ones that every dialect delivers."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from integrations.configuration.hooks import NEEDS
from integrations.inbound import messages
from integrations.inbound.intake import find_task
from integrations.inbound.problems import Invalid, NotFound, Refused
from integrations.inbound.webhook.incoming import Values
from integrations.models import ExternalReference, ExternalSystem, HookOperation, ValueKind, ValueMapping, ValueWay
from integrations.templating.plain import as_text
from integrations.value_maps import ENDINGS, Untranslated, ours_for
from tickets.actions import FileContent
from tickets.lifecycle import Phase
from tickets.models import Visibility

# Fields of which another desk has its own values: translated where the system has a map of that kind.
TRANSLATED: Final = (ValueKind.PRIORITY, ValueKind.CATEGORY, ValueKind.QUEUE, ValueKind.COMPLETION_CODE)
SIMPLE: Final[Mapping[str, type[messages.Deed]]] = {
    HookOperation.ASSIGN: messages.LocalAssignment,
    HookOperation.CANCEL: messages.Cancellation,
}


class NotTranslated(Refused):
    """A value of theirs that the value map does not know. Mended there, the call can be mapped again."""

    status = 422
    code = "not_translated"


def message_of(system: ExternalSystem, operation: str, given: Mapping[str, Any]) -> messages.Message | None:
    """The message that these values make of the operation; None where there is nothing to do: a status of theirs
    without effect. Raises `Refused` or a `ValidationError` that names each wrong field."""
    given = dict(given)
    _require(given, NEEDS.get(operation, ()))
    phase = _translated(system, ValueKind.STATUS, given.pop("status")) if "status" in given else ""
    for kind in TRANSLATED:
        if kind.value in given and _has_map(system, kind):
            given[kind.value] = _translated(system, kind, given[kind.value])
    body = Values(data=given)
    body.is_valid(raise_exception=True)
    values = body.validated_data
    if operation == HookOperation.CREATE:
        return _new_ticket(values)
    about = _about(system, operation, values)
    if operation == HookOperation.STATUS:
        found = _operation_of(system, phase, about, said=bool(values["text"].strip() or values["attachments"]))
        if found is None:
            return None
        operation = found
    return _task_message(operation, values, about)


def _new_ticket(values: Mapping[str, Any]) -> messages.NewTicket:
    return messages.NewTicket(
        external_reference=values["reference"],
        external_id=values["external_id"],
        task_number=values["task"],
        title=values["title"],
        description=values["description"] or values["text"],
        contact_email=values["contact_email"],
        contact_name=values["contact_name"],
        priority=values["priority"],
        category=values["category"],
        queue=values["queue"],
        files=_files(values),
        message_id=values["message_id"],
        author=values["author"],
    )


def _task_message(operation: str, values: Mapping[str, Any], about: dict[str, Any]) -> messages.Message:
    text, files = values["text"], _files(values)
    internal = values["visibility"] == Visibility.INTERNAL
    if internal and files and operation != HookOperation.UPDATE:
        # With anything else files are for the end user, too.
        raise Invalid(_("Files that only agents may see can come with an update, not with this operation."))
    solved: dict[str, Any] = {"solution": values["solution"], "completion_code": values["completion_code"]}
    said: dict[str, Any] = {"comments": _comments(values), "files": files}
    match operation:
        case HookOperation.ACKNOWLEDGE:
            return messages.Acknowledgement(**about, external_id=values["external_id"])
        case HookOperation.UPDATE:
            properties = {name: values[name] for name in ("title", "description", "priority", "category")}
            return messages.Update(
                **about,
                **properties,
                text=text,
                written_at=values["written_at"],
                note_id=values["note_id"],
                visibility=values["visibility"],
                files=files,
                expected_resolution_at=values["expected_resolution_at"],
                solution=values["solution"],
            )
        case HookOperation.RESOLVE:
            return messages.Resolution(**about, **said, **solved)
        case HookOperation.CLOSE:
            return messages.Closure(**about, **said, **solved)
        case HookOperation.REOPEN:
            return messages.Reopening(**about, files=files, reason=text)
        case HookOperation.REJECT:
            return messages.Rejection(**about, files=files, reason=text)
        case HookOperation.REASSIGN:
            code = {"completion_code": values["completion_code"]} if values["completion_code"] else {}
            return messages.Reassignment(**about, solution=values["solution"] or text, **code)
        case _:
            return SIMPLE[operation](**about, **said)


def _about(system: ExternalSystem, operation: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Which task, by our number or theirs; and who says it under which id. Raises `Invalid`, `NotFound`."""
    reference, internal = values["reference"], values["external_id"]
    if not (values["task"] or reference or internal):
        raise Invalid(_("The rule gives neither task, reference nor external_id: what is it about?"))
    if internal and not (values["task"] or reference):
        known = ExternalReference.objects.filter(system=system, external_id=internal)
        reference = known.values_list("value", flat=True).first() or ""
        if not reference:
            raise NotFound(_('There is no task "%(name)s" for you.') % {"name": internal[:100]})
    return {
        "task_number": values["task"],
        "external_reference": reference,
        "message_id": values["message_id"],
        "author": values["author"],
    }


def _operation_of(system: ExternalSystem, phase: str, about: dict[str, Any], *, said: bool) -> str | None:
    """The operation by which a task gets to the phase that their status means; None if there is nothing to do."""
    task = find_task(system, messages.TaskMessage(**about))
    ended = {
        Phase.REVIEW: HookOperation.RESOLVE,
        Phase.CLOSE: HookOperation.CLOSE,
        ENDINGS["cancel"]: HookOperation.CANCEL,
        ENDINGS["reject"]: HookOperation.REJECT,
    }
    if phase in ended:
        return ended[phase]
    if phase and task.phase in (Phase.REVIEW, Phase.CLOSE):
        return HookOperation.REOPEN
    return HookOperation.UPDATE if said else None


def _comments(values: Mapping[str, Any]) -> tuple[messages.Comment, ...]:
    """What was said with a deed. Without an id of theirs the same words count once a task."""
    if not values["text"].strip():
        return ()
    return (
        messages.Comment(
            text=values["text"],
            created_at=values["message_id"],
            written_at=values["written_at"],
            visibility=values["visibility"],
            author=values["author"],
            note_id=values["note_id"],
        ),
    )


def _files(values: Mapping[str, Any]) -> tuple[FileContent, ...]:
    return tuple(
        FileContent(name=file["name"], data=file["content"], content_type=file["content_type"])
        for file in values["attachments"]
    )


def _require(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if missing := [name for name in names if not given.get(name)]:
        message = _("This operation needs a value here.")
        raise Invalid(
            _("The rule gives no value for: %(names)s.") % {"names": ", ".join(missing)},
            fields={name: [message] for name in missing},
        )


def _has_map(system: ExternalSystem, kind: ValueKind) -> bool:
    ways = [ValueWay.BOTH, ValueWay.IN]
    return ValueMapping.objects.filter(system=system, kind=kind, way__in=ways).exists()


def _translated(system: ExternalSystem, kind: ValueKind, theirs: Any) -> str:
    """Our value for theirs. Raises `NotTranslated`, `Invalid`."""
    try:
        return ours_for(system, kind, as_text(theirs).replace("\0", ""))
    except Untranslated as error:
        raise NotTranslated(str(error), fields={kind.value: [str(error)]}) from error
    except TypeError as error:
        raise Invalid(str(error), fields={kind.value: [str(error)]}) from error
