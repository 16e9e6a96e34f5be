"""Translation of whole templates: output, conditions, loops and local names; with the place of every value."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from jinja2 import nodes

from . import places
from .escape import Escape
from .expressions import RESERVED, Expressions
from .placeholders import Prepared
from .runtime import ENVIRONMENT, Spot
from .scope import ITEM, Paths, Scope, parsed

_TAGS: dict[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.With: "with",
    nodes.AssignBlock: "set (as a block)",
    nodes.Scope: "autoescape",
}


class Statements:
    """Translates one template for one escaping."""

    def __init__(self, prepared: Prepared, escape: Escape) -> None:
        self.expressions = Expressions(prepared)
        self.prepared = prepared
        self.escape = escape
        self.state = places.start(escape)
        self.spots: list[Spot] = []
        self.written = _written_outputs(prepared)
        self.bound: dict[str, int] = {}  # local names and the line that first gives them

    def template(self, tree: nodes.Template) -> nodes.Template:
        body = self._block(tree.body, Scope())
        if not places.closed(self.escape, self.state):
            self._problem("", self.prepared.source.count("\n") + 1, _("a quote, tag or comment is not closed."))
        return nodes.Template(body, lineno=1)

    def _problem(self, name: str, line: int | None, message: str) -> None:
        self.expressions.problem(name, line, message)

    def _block(self, body: list[nodes.Node], scope: Scope) -> list[nodes.Node]:
        return [self._statement(node, scope) for node in body]

    def _statement(self, node: nodes.Node, scope: Scope) -> nodes.Node:
        if isinstance(node, nodes.Output):
            return self._output(node, scope)
        if isinstance(node, nodes.If):
            return self._if(node, scope)
        if isinstance(node, nodes.For):
            return self._for(node, scope)
        if isinstance(node, nodes.Assign):
            return self._set(node, scope)
        tag = _TAGS.get(type(node), type(node).__name__.lower())
        self._problem(tag, node.lineno, _('"%(tag)s" is not part of the template language.') % {"tag": tag})
        return node

    # Output

    def _output(self, node: nodes.Output, scope: Scope) -> nodes.Output:
        made: list[nodes.Expr] = []
        for part, written in self._parts(node):
            if isinstance(part, nodes.TemplateData):
                self.state = places.after(self.escape, self.state, part.data)
                made.append(part)
            else:
                made.append(self._value(part, written, scope))
        return nodes.Output(made, lineno=node.lineno)

    def _parts(self, node: nodes.Output) -> list[tuple[nodes.Expr, str]]:
        """Literal text and expressions in turn, the latter with their spelling."""
        parts: list[tuple[nodes.Expr, str]] = []
        text, line = "", 0
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                # Text that a comment has divided is read whole, so that a mark like <!-- is seen in any case.
                text, line = text + part.data, line if text else part.lineno
                continue
            parts += self._text(text, line)
            parts.append((part, next(self.written)))
            text = ""
        return parts + self._text(text, line)

    def _text(self, text: str, line: int) -> list[tuple[nodes.Expr, str]]:
        pieces = self.expressions.split(text, line, nodes.TemplateData)
        return [(piece, piece.name if isinstance(piece, nodes.Name) else "") for piece in pieces]

    def _value(self, node: nodes.Expr, written: str, scope: Scope) -> nodes.Expr:
        written = self.prepared.restore(written)
        place = places.place(self.escape, self.state)
        if place is None:
            self._problem(
                written,
                node.lineno,
                _('"%(written)s" cannot stand here: put it in quotes or between tags, and not behind a backslash.')
                % {"written": written},
            )
            place = self.escape.value
        self.expressions.placeholder = written
        value = self.expressions.value(node, scope, "json" if place == "json value" else "value")
        self.expressions.placeholder = ""
        self.spots.append(Spot(written, node.lineno, place))
        index = nodes.Const(len(self.spots) - 1, lineno=node.lineno)
        return nodes.Filter(value, "@place", [index], [], None, None, lineno=node.lineno)

    # Conditions, loops, local names

    def _if(self, node: nodes.If, scope: Scope) -> nodes.If:
        before = self.state
        ends: list[tuple[Scope, str]] = []

        def branch(body: list[nodes.Node]) -> list[nodes.Node]:
            inner = scope.copy()
            self.state = before
            made = self._block(body, inner)
            ends.append((inner, self.state))
            return made

        test = self.expressions.value(node.test, scope, "any")
        body = branch(node.body)
        others = [
            nodes.If(
                self.expressions.value(other.test, scope, "any"), branch(other.body), [], [], lineno=other.lineno
            )
            for other in node.elif_
        ]
        otherwise = branch(node.else_)
        scope.merge([inner for inner, _state in ends])
        self.state = ends[0][1]
        for _inner, state in ends[1:]:
            self._join(state, node, _('every branch of this "if" must open and close the same quotes and tags.'))
        return nodes.If(test, body, others, otherwise, lineno=node.lineno)

    def _for(self, node: nodes.For, scope: Scope) -> nodes.For:
        if node.recursive:
            self._problem("recursive", node.lineno, _("a loop cannot be recursive."))
        listed, paths = self.expressions.translate(node.iter, scope, "list")
        inner = scope.copy(in_loop=True)
        if isinstance(node.target, nodes.Name):
            self._bind(node.target, frozenset((*path, ITEM) for path in paths), inner)
        else:
            self._problem("", node.lineno, _("a loop gives one name to each value, as in: for note in task.notes."))
        test = self.expressions.value(node.test, inner, "any") if node.test else None
        before = self.state
        body = self._block(node.body, inner)
        message = _("what stands in this loop must close every quote and tag that it opens, and no other.")
        self._join(before, node, message)
        self.state = before
        otherwise = self._block(node.else_, scope.copy())
        self._join(before, node, message)
        each = nodes.Filter(listed, "@each", [], [], None, None, lineno=node.lineno)
        return nodes.For(node.target, each, body, otherwise, test, False, lineno=node.lineno)

    def _set(self, node: nodes.Assign, scope: Scope) -> nodes.Assign:
        value, paths = self.expressions.translate(node.node, scope, "alias")
        if isinstance(node.target, nodes.Name):
            self._bind(node.target, paths, scope)
        else:
            self._problem("", node.lineno, _("give one name to one value, as in: set subject = task.title."))
        return nodes.Assign(node.target, value, lineno=node.lineno)

    def _bind(self, target: nodes.Name, paths: Paths, scope: Scope) -> None:
        name = target.name
        roots = {parsed(placeholder.path)[0] for placeholder in self.prepared.placeholders}
        if name in RESERVED or name.startswith("__") or name in self.expressions.stand_ins or name in roots:
            message = _('"%(name)s" cannot be given as a name here; choose another.')
            self._problem(name, target.lineno, message % {"name": name})
        self.bound.setdefault(name, target.lineno)
        scope.bind(name, paths)

    def _join(self, state: str, node: nodes.Node, message: str) -> None:
        joined = places.joined(self.escape, self.state, state)
        if joined is None:
            self._problem("", node.lineno, message)
        else:
            self.state = joined


def _written_outputs(prepared: Prepared) -> Iterator[str]:
    """The `{{ ... }}` of a source in order, as written."""
    block: list[str] | None = None
    for _line, mark, text in ENVIRONMENT.lexer.tokeniter(prepared.text, None):
        if mark == "variable_begin":
            block = []
        if block is not None:
            block.append(text)
        if mark == "variable_end" and block is not None:
            yield "".join(block)
            block = None
