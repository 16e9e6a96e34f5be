"""Using templates and expressions: a result, or TemplateFailed."""

from types import TracebackType
from typing import Any

from django.utils.translation import gettext as _
from jinja2 import Template, TemplateError

from . import compiled
from .errors import TemplateFailed, located
from .escape import Escape, require_valid
from .placeholders import NO_FIELDS, Fields
from .plain import copy_plain, require_plain
from .runtime import RUN, Origin, Run
from .scope import dotted


def render(source: str, context: dict[str, Any], *, escape: Escape, fields: Fields = NO_FIELDS) -> str:
    """The text of a template with the values of `context` (plain data) in it, escaped for their places.

    An empty value (None) is written as nothing, and as null where JSON has a value. Raises TemplateFailed for a
    source that cannot be read, a value that is missing or cannot stand in its place, a limit, or a result that is not
    valid JSON, XML, address or header; and TypeError for a context that is not plain data.
    """
    code = compiled.template(source, fields, escape)
    text, _run = _execute(code, context)
    if text.strip() or source.strip():
        require_valid(text, escape)
    return text


def evaluate(source: str, context: dict[str, Any], *, fields: Fields = NO_FIELDS) -> Any:
    """The value of an expression as plain data that shares nothing with `context`. Raises as `render` does."""
    _text, run = _execute(compiled.expression(source, fields), context)
    return copy_plain(run.result)


def origins(
    source: str, context: dict[str, Any], *, fields: Fields = NO_FIELDS, expression: bool = False
) -> list[Origin]:
    """Each value that this template, or expression, uses with `context`, in order of use, for the preview.

    Values in conditions are listed too, as they decide what is written. Raises as `render` does, but does not mind
    what could not be written at its place.
    """
    found: list[Origin] = []
    code = compiled.expression(source, fields) if expression else compiled.template(source, fields, Escape.TEXT)
    _execute(code, context, found)
    return found


def used_paths(source: str, fields: Fields = NO_FIELDS, *, expression: bool = False) -> set[str]:
    """The dotted paths that a template, or an expression, may read: `task.number`, `task.notes[].text`."""
    code = compiled.expression(source, fields) if expression else compiled.template(source, fields, Escape.TEXT)
    _require_compiled(code)
    return {dotted(path) for use in code.uses if use.role != "alias" for path in use.paths}


def _require_compiled(code: compiled.Compiled) -> Template:
    if code.template is None:
        problem = code.problems[0]
        raise TemplateFailed(problem.message, name=problem.name, line=problem.line)
    return code.template


def _execute(code: compiled.Compiled, context: dict[str, Any], found: list[Origin] | None = None) -> tuple[str, Run]:
    template = _require_compiled(code)
    require_plain(context)
    run = Run(code.readings, code.spots, found)
    pieces: list[str] = []
    try:
        for piece in template.root_render_func(template.new_context({**context, RUN: run})):
            run.budget.spend_chars(len(piece))
            run.budget.spend_time()
            pieces.append(piece)
    except TemplateFailed as error:
        line = error.line or _line(template, error.__traceback__)
        message = located(error.message, line=line, source=code.source)
        raise TemplateFailed(message, name=error.name, line=line) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        line = _line(template, error.__traceback__)
        message = located(_("this does not work: %(reason)s") % {"reason": error}, line=line, source=code.source)
        raise TemplateFailed(message, line=line) from error
    return "".join(pieces), run


def _line(template: Template, traceback: TracebackType | None) -> int:
    """The line of the template in which an exception was raised; 0 if it was raised elsewhere."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == "<template>":
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line
