"""What an external system must be able to do at each level of integration.

The matrix is that of the document Connection Integration (docs/levels.md has it as a table), with what it
demands in words at every level: requests are created and routed, accounts are created, updated, deleted and queried.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from integrations.models import ExternalSystem


class Level(models.TextChoices):
    """How closely a desk is integrated. None: it calls us, pulls, or is served by processes of its own alone."""

    NONE = "", _("No level: what its processes do")
    LOG_ONLY = "log_only", _("Log only")
    STATUS_SYNC = "status_sync", _("Status sync")
    FULL = "full", _("Full")


ALL: Final = (Level.LOG_ONLY, Level.STATUS_SYNC, Level.FULL)
# Where values are the same on both sides.
SYNCHRONISED: Final = (Level.STATUS_SYNC, Level.FULL)

# What an administrator gets at each, in a sentence.
GAINS: Final[dict[Level, "_StrPromise"]] = {
    Level.NONE: _("For a desk that only calls us, is only polled, or is served by processes of its own."),
    Level.LOG_ONLY: _("Tickets and their people are made there, files go there, and the notes there are read."),
    Level.STATUS_SYNC: _("Besides, what becomes of a ticket there is seen here: polling brings its status."),
    Level.FULL: _("Besides, later changes and notes of ours go there, too."),
}


@dataclass(frozen=True)
class Function:
    """One function of the matrix: by which operations a system has it (any of them), and at which levels it must."""

    key: str
    label: "_StrPromise"
    operations: tuple[str, ...]
    must: tuple[Level, ...]


FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("create_ticket", _("Create a ticket, routed to the correct queue"), ("create_ticket",), ALL),
    Function("find_contact", _("Fetch a contact (by e-mail or directory login)"), ("find_contact",), ALL),
    Function("create_contact", _("Create a contact, if not found"), ("create_contact",), ALL),
    Function("update_contact", _("Update a contact"), ("update_contact",), ALL),
    Function("delete_contact", _("Delete a contact"), ("delete_contact",), ALL),
    Function("query_contacts", _("Query contacts"), ("query_contacts",), ALL),
    Function("fetch_notes", _("Fetch all customer-facing notes of a ticket"), ("fetch_notes",), ALL),
    Function("upload_attachment", _("Upload an attachment"), ("upload_attachment",), ALL),
    Function("fetch_ticket", _("Fetch a ticket by its number"), ("fetch_ticket",), SYNCHRONISED),
    Function(
        "fetch_modified_since",
        _("Fetch the tickets modified since a time"),
        ("fetch_modified_since",),
        SYNCHRONISED,
    ),
    Function("update_ticket", _("Update a ticket"), ("update_ticket",), (Level.FULL,)),
    Function("add_note", _("Add a note to a ticket"), ("add_note",), (Level.FULL,)),
)


def function_of(operation: str) -> Function | None:
    """The function of the matrix that a system has by the operation of this name; None for any other operation."""
    return next((function for function in FUNCTIONS if operation in function.operations), None)


def lacks_for_level(system: "ExternalSystem") -> str:
    """What keeps the system from being active at its level, in a sentence; empty where nothing does.

    This is the one rule, for whoever saves it: `ExternalSystem.clean` asks it, and so does all that adds, imports or
    switches on a system without a form.
    """
    missing = missing_functions(system, system.level)
    if not missing:
        return ""
    words = ", ".join(f"{function.label} ({function.operations[0]})" for function in missing)
    return gettext("It cannot be active at the level %(level)s. It lacks: %(missing)s.") % {
        "level": Level(system.level).label,
        "missing": words,
    }


def needed_by_level(system: "ExternalSystem", operation: str) -> Function | None:
    """The function that an active system would lack at its level without this operation; None if it would not."""
    function = function_of(operation)
    if function is None or not system.active or system.level not in function.must:
        return None
    others = set(function.operations) - {operation}
    return None if system.operations.filter(name__in=others).exists() else function


def missing_functions(system: "ExternalSystem", level: str) -> list[Function]:
    """What the system lacks to be active at this level, in the order of the matrix."""
    names = set(system.operations.values_list("name", flat=True))
    return [function for function in FUNCTIONS if level in function.must and not names & set(function.operations)]
