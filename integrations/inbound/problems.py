"""Why a message of another desk was not accepted: one list of codes for every dialect.

REST answers them as problem details (RFC 9457), SOAP as faults; code and text are the same. Nothing was changed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from django.utils.translation import gettext as _

from tickets.errors import ActionRefused, InvalidInput


class Refused(Exception):
    """`str()` tells the caller what to do; `fields` says what is wrong with which field."""

    status = 400
    code = "invalid"

    def __init__(
        self,
        detail: str,
        *,
        fields: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})


class Malformed(Refused):
    """Not readable as what it says it is: broken JSON or XML, a wrong charset."""

    code = "malformed"


class Invalid(Refused):
    """Readable, but a value is missing, unknown, wrong or too long."""


class UnknownOperation(Refused):
    """There is no such operation."""

    code = "unknown_operation"


class Unauthenticated(Refused):
    """No key, or one that is wrong, revoked or expired, or whose system is switched off: the answer does not say."""

    status = 401
    code = "unauthenticated"


class NotFound(Refused):
    """It does not exist, or this system may not see it: the answer does not say which."""

    status = 404
    code = "not_found"


class Disagrees(Refused):
    """Contradicts what is known, for example another reference for a task that has one."""

    status = 409
    code = "conflict"


class InProgress(Refused):
    """The first delivery of the same message is still being worked on."""

    status = 409
    code = "in_progress"

    def __init__(self) -> None:
        super().__init__(
            _("The same message is being worked on at this moment. Send it again in a moment."),
            headers={"Retry-After": "2"},
        )


class TooLarge(Refused):
    """Larger than the portal reads."""

    status = 413
    code = "too_large"


class DifferentContent(Refused):
    """The idempotency key or message id was used for something else before."""

    status = 422
    code = "repeated_with_other_content"


class Broken(Refused):
    """Our own failure. Never stored as an answer: the same message may be sent again."""

    status = 500
    code = "internal_error"

    def __init__(self) -> None:
        super().__init__(_("Something went wrong in this portal. Nothing was changed: send the message again later."))


_STATUS_OF_ACTION: Final = {"invalid": 400, "transition": 409, "conflict": 409, "refused": 409}


def from_action(error: ActionRefused) -> Refused:
    """What an action refused, in the form in which another desk is told."""
    refused = Refused(str(error))
    refused.status, refused.code = _STATUS_OF_ACTION[error.code], error.code
    return refused


@contextmanager
def named(field: str) -> Iterator[None]:
    """What an action finds wrong is told of this field: the only one that the caller's body has not checked."""
    try:
        yield
    except InvalidInput as error:
        raise Invalid(str(error), fields={field: [str(error)]}) from error
