"""Translation of expressions: what they use is noted, what they do is put behind the runtime's filters.

Only what is listed here exists in the language; any other construct of Jinja is a problem with its line.
"""

import inspect
import math
from collections.abc import Callable

from django.utils.translation import gettext as _
from jinja2 import nodes

from .errors import Problem, located
from .filters import FILTERS, TESTS
from .placeholders import Prepared
from .runtime import LOOP_FIELDS, Reading
from .scope import ITEM, MADE, Path, Paths, Scope, Use, dotted, parsed

RESERVED = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs", "range"})
_WHOLE = frozenset({"json", "length"})  # filters that take a whole list or object
_LISTS = frozenset({"join", "first", "last", "find", "inner", "named"})
_LENIENT_TESTS = frozenset({"defined", "undefined"})

Translated = tuple[nodes.Expr, Paths]


class Expressions:
    """Translates the expressions of one source, and collects its problems, uses and readings."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.stand_ins = {placeholder.stand_in: placeholder for placeholder in prepared.placeholders}
        self.problems: list[Problem] = list(prepared.problems)
        self.uses: list[Use] = []
        self.readings: list[Reading] = []
        self.placeholder = ""  # the `{{ ... }}` being translated, as written

    def problem(self, name: str, line: int | None, message: str) -> None:
        """Note a problem; `message` starts in lower case, as it may follow its line."""
        line = line or 1  # Jinja gives no line to a few constructs, all of which are refused
        name, message = self.prepared.restore(name), self.prepared.restore(message)
        self.problems.append(Problem(name, line, located(message, line=line, source=self.prepared.source)))

    def value(self, node: nodes.Node, scope: Scope, role: str = "value") -> nodes.Expr:
        """`node` translated, where only its value matters."""
        return self.translate(node, scope, role)[0]

    def translate(self, node: nodes.Node, scope: Scope, role: str, *, lenient: bool = False) -> Translated:
        """`node` translated, with the data that it stands for if it is a plain path."""
        if isinstance(node, nodes.Name | nodes.Getattr) or (
            isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Slice)
        ):
            return self._path(node, scope, role, lenient=lenient)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            return self._cut(node, node.arg, scope, role)
        if isinstance(node, nodes.Filter):
            return self._filter(node, scope, role)
        if isinstance(node, nodes.CondExpr):
            return self._choice(node, scope, role)
        if isinstance(node, nodes.Call):
            return self._call(node, scope), MADE
        simple = _SIMPLE.get(type(node))
        if simple is None:
            name = node.operator if isinstance(node, nodes.Pow) else type(node).__name__.lower()
            message = _('"%(name)s" is not part of the template language.') % {"name": name}
            self.problem(name, node.lineno, message)
            return nodes.Const(None, lineno=node.lineno), MADE
        return simple(self, node, scope), MADE

    # Reading data

    def _path(self, node: nodes.Expr, scope: Scope, role: str, *, lenient: bool) -> Translated:
        base, keys = _flatten(node)
        if isinstance(base, nodes.Name) and base.name in self.stand_ins:
            placeholder = self.stand_ins[base.name]
            steps = parsed(placeholder.path)
            keys = [nodes.Const(step, lineno=node.lineno) for step in steps[1:]] + keys
            base, base_written, base_paths = nodes.Name(steps[0], "load", lineno=node.lineno), steps[0], MADE
            written = placeholder.written
            return self._read(base, base_written, frozenset({steps[:1]}), keys, scope, role, lenient, written)
        if isinstance(base, nodes.Name):
            found = self._name(base, keys, scope)
            if found is None:
                return node, MADE
            return self._read(base, base.name, found, keys, scope, role, lenient)
        inner, base_paths = self.translate(base, scope, "alias")
        return self._read(inner, "(...)", base_paths, keys, scope, role, lenient)

    def _name(self, base: nodes.Name, keys: list[nodes.Expr], scope: Scope) -> Paths | None:
        """What a name stands for; None if it cannot be used here, which is then a problem."""
        name = base.name
        if name in scope.names:
            return scope.names[name]
        if name in scope.partly:
            message = _('"%(name)s" is set only in one branch. Set it before the "if" as well.')
        elif name == "loop" and scope.in_loop:
            key = keys[0].value if len(keys) == 1 and isinstance(keys[0], nodes.Const) else None
            if key in LOOP_FIELDS:
                return MADE
            message = _('"%(name)s" knows only: %(known)s.')
        elif name == "range":
            message = _('"%(name)s" is a function; write for example range(3).')
        elif name in RESERVED or name.startswith("__"):
            message = _('the name "%(name)s" cannot be used here.')
        else:
            return frozenset({(name,)})
        self.problem(name, base.lineno, message % {"name": name, "known": ", ".join(sorted(LOOP_FIELDS))})
        return None

    def _read(
        self,
        base: nodes.Expr,
        base_written: str,
        base_paths: Paths,
        keys: list[nodes.Expr],
        scope: Scope,
        role: str,
        lenient: bool,
        written: str = "",
    ) -> Translated:
        line = base.lineno
        tail, spelled, segments = self._segments(keys, scope)
        written = written or base_written + spelled
        paths = frozenset(path + tail for path in base_paths)
        if paths:
            self.uses.append(Use(written, paths, role, line, base_written, base_paths))
        index = len(self.readings)
        path = " / ".join(sorted(map(dotted, paths))) if role != "alias" else ""
        self.readings.append(Reading(written, path, line, lenient, self.placeholder or written))
        return _runtime("@get", base, nodes.List(segments, lineno=line), nodes.Const(index)), paths

    def _segments(self, keys: list[nodes.Expr], scope: Scope) -> tuple[Path, str, list[nodes.Expr]]:
        tail: list[str] = []
        spelled = ""
        segments: list[nodes.Expr] = []
        for key in keys:
            if (
                isinstance(key, nodes.Const)
                and isinstance(key.value, str)
                and not self.prepared.holds_placeholder(key.value)
            ):
                tail.append(key.value)
                spelled += f".{key.value}"
                if key.value.startswith("__"):
                    self.problem(key.value, key.lineno, _('names that begin with "__" cannot be used.'))
                segments.append(key)
            else:
                tail.append(ITEM)
                number = key.value if isinstance(key, nodes.Const) else None
                spelled += f"[{number}]" if isinstance(number, int) else "[...]"
                segments.append(self.value(key, scope))
        return tuple(tail), spelled, segments

    def _cut(self, node: nodes.Getitem, cut: nodes.Slice, scope: Scope, role: str) -> Translated:
        inner, paths = self.translate(node.node, scope, "any" if role == "list" else role)
        bounds: list[nodes.Expr] = [
            nodes.Const(None, lineno=node.lineno) if bound is None else self.value(bound, scope)
            for bound in (cut.start, cut.stop, cut.step)
        ]
        return _runtime("@slice", inner, nodes.List(bounds, lineno=node.lineno)), paths

    # Filters, tests, choices

    def _filter(self, node: nodes.Filter, scope: Scope, role: str) -> Translated:
        if node.node is None or node.name not in FILTERS:
            message = _('there is no filter "%(name)s". There are: %(known)s.')
            self.problem(node.name, node.lineno, message % {"name": node.name, "known": ", ".join(sorted(FILTERS))})
            return (self.value(node.node, scope) if node.node else nodes.Const(None)), MADE
        self._check_arguments(node)
        needed = role if node.name == "default" else "value"
        if node.name in _WHOLE:
            needed = "any"
        elif node.name in _LISTS:
            needed = "list"
        inner, paths = self.translate(node.node, scope, needed, lenient=node.name == "default")
        arguments = [
            self.value(argument, scope, needed if node.name == "default" else "value") for argument in node.args
        ]
        keywords = [
            nodes.Keyword(keyword.key, self.value(keyword.value, scope), lineno=node.lineno)
            for keyword in node.kwargs
        ]
        if node.name in ("first", "last"):
            paths = frozenset((*path, ITEM) for path in paths)
        elif node.name != "default":
            paths = MADE
        return nodes.Filter(inner, node.name, arguments, keywords, None, None, lineno=node.lineno), paths

    def _check_arguments(self, node: nodes.Filter) -> None:
        values = [None] * (len(node.args) + 1)
        keywords: dict[str, None] = {str(keyword.key): None for keyword in node.kwargs}
        try:
            if node.dyn_args is not None or node.dyn_kwargs is not None:
                raise TypeError(_("arguments cannot be unpacked here"))
            inspect.signature(FILTERS[node.name]).bind(*values, **keywords)
        except TypeError as error:
            message = _('the filter "%(name)s" is given the wrong arguments: %(reason)s.')
            self.problem(node.name, node.lineno, message % {"name": node.name, "reason": error})

    def test(self, node: nodes.Test, scope: Scope) -> nodes.Expr:
        if node.name not in TESTS:
            message = _('there is no test "%(name)s". There are: %(known)s.')
            self.problem(node.name, node.lineno, message % {"name": node.name, "known": ", ".join(sorted(TESTS))})
        elif node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            self.problem(node.name, node.lineno, _('the test "%(name)s" takes no arguments.') % {"name": node.name})
        inner, _paths = self.translate(node.node, scope, "any", lenient=node.name in _LENIENT_TESTS)
        return nodes.Test(inner, node.name, [], [], None, None, lineno=node.lineno)

    def _choice(self, node: nodes.CondExpr, scope: Scope, role: str) -> Translated:
        test = self.value(node.test, scope, "any")
        one, paths = self.translate(node.expr1, scope, role)
        if node.expr2 is None:
            self.problem("", node.lineno, _('this "if" needs an "else", to say what stands there otherwise.'))
            return one, MADE
        other, others = self.translate(node.expr2, scope, role)
        made = nodes.CondExpr(test, one, other, lineno=node.lineno)
        return made, paths | others if paths and others else MADE

    def _call(self, node: nodes.Call, scope: Scope) -> nodes.Expr:
        simple = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if isinstance(node.node, nodes.Name) and node.node.name == "range" and simple and 1 <= len(node.args) <= 3:
            arguments: list[nodes.Expr] = [self.value(argument, scope) for argument in node.args]
            return _runtime("@range", nodes.List(arguments, lineno=node.lineno))
        self.problem(
            "",
            node.lineno,
            _("functions cannot be called here; use a filter, for example {{ task.number | upper }}."),
        )
        return node

    # Everything else is rebuilt from its translated parts

    def const(self, node: nodes.Const, scope: Scope) -> nodes.Expr:
        if isinstance(node.value, str) and self.prepared.holds_placeholder(node.value):
            return self._interpolated(node, scope)
        if isinstance(node.value, float) and not math.isfinite(node.value):
            self.problem("", node.lineno, _("this number is too big."))
        return node

    def _interpolated(self, node: nodes.Const, scope: Scope) -> nodes.Expr:
        """A quoted string with placeholders in it: the text with their values, as `~` would join it."""
        parts = [self.value(part, scope) for part in self.split(node.value, node.lineno, nodes.Const)]
        return _runtime("@concat", nodes.List(parts, lineno=node.lineno))

    def split(self, text: str, line: int, literal: type[nodes.Const] | type[nodes.TemplateData]) -> list[nodes.Expr]:
        """`text` as a list of literals and names of stand-ins."""
        parts: list[nodes.Expr] = []
        for part in self.prepared.divide(text):
            if not isinstance(part, str):
                parts.append(nodes.Name(part.stand_in, "load", lineno=line))
            elif part:
                parts.append(literal(part, lineno=line))
                line += part.count("\n")
        return parts

    def concat(self, node: nodes.Concat, scope: Scope) -> nodes.Expr:
        parts = [self.value(part, scope) for part in node.nodes]
        return _runtime("@concat", nodes.List(parts, lineno=node.lineno))

    def binary(self, node: nodes.BinExpr, scope: Scope) -> nodes.Expr:
        role = "any" if isinstance(node, nodes.And | nodes.Or) else "value"
        left, right = self.value(node.left, scope, role), self.value(node.right, scope, role)
        return type(node)(left, right, lineno=node.lineno)

    def unary(self, node: nodes.UnaryExpr, scope: Scope) -> nodes.Expr:
        role = "any" if isinstance(node, nodes.Not) else "value"
        return type(node)(self.value(node.node, scope, role), lineno=node.lineno)

    def compare(self, node: nodes.Compare, scope: Scope) -> nodes.Expr:
        operands = [
            nodes.Operand(
                operand.op,
                self.value(operand.expr, scope, "any" if operand.op in ("in", "notin") else "value"),
                lineno=node.lineno,
            )
            for operand in node.ops
        ]
        return nodes.Compare(self.value(node.expr, scope), operands, lineno=node.lineno)

    def sequence(self, node: nodes.List | nodes.Tuple, scope: Scope) -> nodes.Expr:
        items: list[nodes.Expr] = [self.value(item, scope) for item in node.items]
        return _runtime("@made", nodes.List(items, lineno=node.lineno))

    def mapping(self, node: nodes.Dict, scope: Scope) -> nodes.Expr:
        pairs = [
            nodes.Pair(self.value(pair.key, scope), self.value(pair.value, scope), lineno=node.lineno)
            for pair in node.items
        ]
        return _runtime("@made", nodes.Dict(pairs, lineno=node.lineno))


_SIMPLE: dict[type[nodes.Node], Callable[..., nodes.Expr]] = {
    nodes.Const: Expressions.const,
    nodes.Concat: Expressions.concat,
    nodes.Compare: Expressions.compare,
    nodes.Test: Expressions.test,
    nodes.List: Expressions.sequence,
    nodes.Tuple: Expressions.sequence,
    nodes.Dict: Expressions.mapping,
    **dict.fromkeys((nodes.And, nodes.Or), Expressions.binary),
    **dict.fromkeys((nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod), Expressions.binary),
    **dict.fromkeys((nodes.Not, nodes.Neg, nodes.Pos), Expressions.unary),
}


def _runtime(name: str, node: nodes.Expr, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(arguments), [], None, None, lineno=node.lineno)


def _flatten(node: nodes.Expr) -> tuple[nodes.Expr, list[nodes.Expr]]:
    """`a.b["c"][0]` as the name `a` and its keys."""
    keys: list[nodes.Expr] = []
    while True:
        if isinstance(node, nodes.Getattr):
            keys.append(nodes.Const(node.attr, lineno=node.lineno))
        elif isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Slice):
            keys.append(node.arg)
        else:
            return node, keys[::-1]
        node = node.node
