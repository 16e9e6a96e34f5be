"""What another desk may ask, as typed values, and what it is told: the same for every dialect."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, ClassVar, TypedDict, cast

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.actions import FileContent
from tickets.lifecycle import CompletionCode
from tickets.models import Visibility

MAX_REFERENCE = 200
MAX_MESSAGE_ID = 200
MAX_AUTHOR = 200


class ReportedStatus(models.TextChoices):
    """How the other desk ended its work on a task."""

    READY = "ready", _("Reported ready")
    CLOSED = "closed", _("Closed by them")
    REJECTED = "rejected", _("Rejected by them")


@dataclass(frozen=True, kw_only=True)
class Message:
    """Common to all. `message_id` is the caller's own: the same id again is the same message."""

    operation: ClassVar[str]
    message_id: str = ""
    author: str = ""

    @property
    def target(self) -> str:
        """What it is about, in the caller's words."""
        return ""


@dataclass(frozen=True, kw_only=True)
class TaskMessage(Message):
    """About a task that is named by our number or, if that is missing, by their reference."""

    task_number: str = ""
    external_reference: str = ""

    @property
    def target(self) -> str:
        return self.task_number or f"reference {self.external_reference}"


@dataclass(frozen=True, kw_only=True)
class Acknowledgement(TaskMessage):
    """Their number for our task, and by what their addresses name it where that is something else."""

    operation = "acknowledge"
    external_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A text of a list that the other desk sends again and again: seen once, it is dropped. `created_at` is the time
    as that desk has written it, by which it is known again; `written_at` the same as a time, where it can be read;
    `note_id` the id by which it is listed there."""

    text: str
    created_at: str = ""
    written_at: datetime | None = None
    visibility: str = Visibility.PUBLIC
    author: str = ""
    note_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Deed(TaskMessage):
    """What another desk did with the task, and what it said with it."""

    comments: tuple[Comment, ...] = ()
    files: tuple[FileContent, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Update(Deed):
    """A text, comments, files, the time at which they expect to be done, changed properties; at least one of them,
    unless the dialect sends a record as it is and not what changed of it (`may_be_empty`).

    Title, description, priority and category count only where they raised the ticket, unless the desk's values are
    synchronised with ours (`synchronised`). `written_at` is when the text was written there, `note_id` the id by
    which it is listed there: known for good, whoever tells it. `theirs`: the desk itself says that the text is not
    ours, so that nobody has to guess by its words.
    """

    operation = "update"
    text: str = ""
    written_at: datetime | None = None
    visibility: str = Visibility.PUBLIC
    expected_resolution_at: datetime | None = None
    solution: str = ""
    title: str = ""
    description: str = ""
    priority: str = ""
    category: str = ""
    group: str = ""
    synchronised: bool = False
    note_id: str = ""
    theirs: bool = False
    may_be_empty: bool = False


@dataclass(frozen=True, kw_only=True)
class Reassignment(TaskMessage):
    """Their work is done: ready or closed with a solution, or rejected with a reason (in `solution`)."""

    operation = "reassign"
    solution: str = ""
    completion_code: str = CompletionCode.FULFILLED
    status: str = ReportedStatus.READY


@dataclass(frozen=True, kw_only=True)
class Resolution(Deed):
    """They resolved it; empty values keep what there is."""

    operation = "resolve"
    solution: str = ""
    completion_code: str = ""


@dataclass(frozen=True, kw_only=True)
class Closure(Resolution):
    """They closed it."""

    operation = "close"


@dataclass(frozen=True, kw_only=True)
class Reopening(Deed):
    """They opened it again."""

    operation = "reopen"
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class LocalAssignment(Deed):
    """They gave it to somebody of theirs."""

    operation = "assign"


@dataclass(frozen=True, kw_only=True)
class Rejection(Deed):
    """They do not do it."""

    operation = "reject"
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Cancellation(Deed):
    """It is no longer wanted."""

    operation = "cancel"


@dataclass(frozen=True, kw_only=True)
class Files(TaskMessage):
    """Files alone."""

    operation = "attach"
    files: tuple[FileContent, ...] = ()
    visibility: str = Visibility.PUBLIC


@dataclass(frozen=True, kw_only=True)
class NewTicket(Message):
    """A ticket that they raise at our desk; `external_reference` is their number for it, None: they have none.

    With `task_number` they relate a task of ours to it instead.
    """

    operation = "create"
    external_reference: str | None
    title: str
    external_id: str = ""
    task_number: str = ""
    contact_email: str = ""
    contact_name: str = ""
    description: str = ""
    priority: str = ""
    category: str = ""
    queue: str = ""
    comments: tuple[Comment, ...] = ()
    files: tuple[FileContent, ...] = ()

    @property
    def target(self) -> str:
        return f"reference {self.external_reference}"


class MemberValue(TypedDict):
    """Somebody's part in a case: an agent (`user`) or a contact, by primary key; `member` names the row meant."""

    role: int
    user: int | None
    contact: int | None
    member: int | None
    ended: bool


class CaseValues(TypedDict, total=False):
    """What a case says of its ticket. What is not there was left out; None empties. Records by their primary keys.

    `status` is the fixed status, `own_status` the administrators' own: where they disagree, the fixed one wins.
    """

    title: str
    details: str | None
    contact: int | None
    category: int | None
    priority: int
    queue: int | None
    deadline_at: datetime | None
    status: int
    own_status: int
    on_hold_until: datetime | None
    on_hold_comment: str | None
    tags: list[str]
    properties: dict[str, Any]
    members: list[MemberValue]


@dataclass(frozen=True, kw_only=True)
class CaseCreation(Message):
    """A ticket that they raise as a case, with all that it says. Without a number of theirs they know it by ours."""

    operation = "create"
    external_reference: str = ""
    values: CaseValues

    @property
    def target(self) -> str:
        return f"reference {self.external_reference}"


@dataclass(frozen=True, kw_only=True)
class CaseMessage(Message):
    """About a ticket as a whole, named by its primary key."""

    case: int

    @property
    def target(self) -> str:
        return f"case {self.case}"


@dataclass(frozen=True, kw_only=True)
class CaseChange(CaseMessage):
    """What the case says from now on, and their number for it: stored where they have given none yet."""

    operation = "change"
    external_reference: str = ""
    values: CaseValues


@dataclass(frozen=True, kw_only=True)
class CaseUpdate(CaseMessage):
    """A text, files, or both, for the task that they have of the case."""

    operation = "update"
    text: str = ""
    visibility: str = Visibility.PUBLIC
    files: tuple[FileContent, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The answer to an accepted message, kept and given again when the message is repeated.

    `changed` is false when there was nothing to do; `held_back` is true for an echo of our own text. `contact` is the
    person that a message about people was about; such a receipt names no task.
    """

    operation: str
    ticket: str
    task: str
    external_reference: str
    message: str
    changed: bool = True
    held_back: bool = False
    note: int | None = None
    attachments: tuple[int, ...] = ()
    contact: int | None = None


def digest(message: Message) -> str:
    """SHA-256 of what is asked, independent of the dialect, of how the body was written and the task was named."""
    files: tuple[FileContent, ...] = getattr(message, "files", ())
    bare = asdict(replace(cast("Any", message), files=()) if files else message)
    content = {"operation": message.operation, **bare}
    if isinstance(message, TaskMessage) and not isinstance(message, Acknowledgement):
        # Which task it is, the key says.
        del content["task_number"], content["external_reference"]
    if files:
        content["files"] = [_identified(file) for file in files]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()


def _identified(file: FileContent) -> dict[str, str]:
    """A file by its checksum, wherever its content is."""
    said = {each.name: getattr(file, each.name) for each in fields(file) if each.name not in ("data", "file")}
    # A guid says which file it is; its bytes are left out once it is attached.
    return said if "guid" in said else {**said, "data": file.sha256}


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no place for {type(value)} in a message")
