"""From source to code: parse, translate, compile; once per source, kept in memory."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _
from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from .errors import Problem, located
from .escape import Escape
from .expressions import Expressions
from .limits import MAX_NESTING, MAX_SOURCE
from .placeholders import Fields, Prepared, prepare
from .runtime import ENVIRONMENT, Reading, Spot
from .scope import Scope, Use
from .statements import Statements

# A desk of the catalogue has about a hundred sources of either kind. One takes some 10 KB, but a long one more.
KEPT: Final = 1024


class _Unreadable(Exception):
    """A source that is refused before it is parsed; the text says why."""


# What the parser of Jinja and the compiler of Python raise on sources that they cannot take.
_UNREADABLE = (TemplateSyntaxError, _Unreadable, RecursionError, MemoryError, SyntaxError, ValueError)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A source ready for use; `template` is None exactly if there are problems.

    `bound` are the local names that it gives (loops, `{% set %}`), with their lines.
    """

    source: str
    template: Template | None
    problems: tuple[Problem, ...]
    uses: tuple[Use, ...] = ()
    readings: tuple[Reading, ...] = ()
    spots: tuple[Spot, ...] = ()
    bound: tuple[tuple[str, int], ...] = ()


def template(source: str, fields: Fields, escape: Escape) -> Compiled:
    """The compiled template."""
    return _template(prepare(source, fields), escape)


def expression(source: str, fields: Fields) -> Compiled:
    """The compiled expression: a condition or a capture."""
    return _expression(prepare(source, fields))


@lru_cache(maxsize=KEPT)
def _template(prepared: Prepared, escape: Escape) -> Compiled:
    try:
        tree = ENVIRONMENT.parse(_short(prepared.text))
        _require_shallow(tree)
        statements = Statements(prepared, escape)
        made = statements.template(tree)
    except _UNREADABLE as error:
        return _unreadable(prepared, error)
    return _compile(prepared, made, statements.expressions, tuple(statements.spots), tuple(statements.bound.items()))


@lru_cache(maxsize=KEPT)
def _expression(prepared: Prepared) -> Compiled:
    try:
        if "{{" in prepared.text or "{%" in prepared.text:
            raise _Unreadable(_("this is an expression; write it without the curly brackets around it."))
        if not prepared.text.strip():
            raise _Unreadable(_("the expression is empty."))
        parser = Parser(ENVIRONMENT, _short(prepared.text).strip(), state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(_("it goes on after its end"), parser.stream.current.lineno)
        _require_shallow(tree)
        expressions = Expressions(prepared)
        kept = nodes.Filter(expressions.value(tree, Scope(), "any"), "@keep", [], [], None, None, lineno=1)
    except _UNREADABLE as error:
        return _unreadable(prepared, error)
    return _compile(prepared, nodes.Template([nodes.Output([kept], lineno=1)], lineno=1), expressions, (), ())


def _compile(
    prepared: Prepared,
    tree: nodes.Template,
    expressions: Expressions,
    spots: tuple[Spot, ...],
    bound: tuple[tuple[str, int], ...],
) -> Compiled:
    problems, uses = tuple(expressions.problems), tuple(expressions.uses)
    if problems:
        return Compiled(prepared.source, None, problems, uses, bound=bound)
    tree.set_environment(ENVIRONMENT)
    try:
        code = ENVIRONMENT.compile(tree, filename="<template>")
    except _UNREADABLE as error:
        return _unreadable(prepared, error)
    made = Template.from_code(ENVIRONMENT, code, {})
    return Compiled(prepared.source, made, (), uses, tuple(expressions.readings), spots, bound)


def _short(text: str) -> str:
    if len(text) > MAX_SOURCE:
        raise _Unreadable(_("this is longer than %(limit)s characters.") % {"limit": MAX_SOURCE})
    return text


def _require_shallow(tree: nodes.Node) -> None:
    level: list[nodes.Node] = [tree]
    for _depth in range(MAX_NESTING):
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise _Unreadable(_("this is nested more than %(limit)s levels deep.") % {"limit": MAX_NESTING})


def _unreadable(prepared: Prepared, error: BaseException) -> Compiled:
    line = error.lineno if isinstance(error, TemplateSyntaxError) else 0
    if isinstance(error, TemplateSyntaxError):
        message = _("this cannot be read: %(reason)s.") % {"reason": (error.message or "").rstrip(".")}
    elif isinstance(error, _Unreadable):
        message = str(error)
    elif isinstance(error, ValueError):
        message = _("a number in this is too long.")  # the one thing for which the parser raises ValueError
    else:
        message = _("this is nested too deeply.")
    message = located(prepared.restore(message), line=line, source=prepared.source)
    return Compiled(prepared.source, None, (*prepared.problems, Problem("", max(line, 1), message)))
