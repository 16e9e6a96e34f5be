"""What can be wrong with a template: problems found when it is saved, and the failure when it is used."""

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps a template from being saved.

    `name` is the path, placeholder, filter or tag at fault as the author wrote it ("" if there is none), `line`
    counts from 1, `message` is a whole sentence for the screen.
    """

    name: str
    line: int
    message: str


class TemplateFailed(Exception):
    """A template or an expression cannot give a result. Nothing may be sent with what it would have given.

    `name` is the path or placeholder at fault ("" if there is none) and `line` its line in the source (0 if the
    whole result is at fault). The text of the exception is a whole sentence for the screen.
    """

    def __init__(self, message: str, *, name: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.line = line


def located(message: str, *, line: int, source: str) -> str:
    """`message` with its line before it, where the source has more than one line to choose from."""
    if line < 1 or "\n" not in source:
        return message[:1].upper() + message[1:]
    return _("Line %(line)s: %(message)s") % {"line": line, "message": message}
