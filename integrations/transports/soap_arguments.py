"""The arguments of a SOAP operation as dotted paths with plain strings, to and from what zeep takes.

A path is `Ticket.Contact.Name`; an attribute is `Ticket.@id`; the second of a repeated element is `Items[1].Name`
(the first may be written without an index).
"""

import base64
import binascii
import datetime
import decimal
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import zeep.xsd
from django.utils.translation import gettext as _
from zeep.xsd.elements import Any as AnyElement
from zeep.xsd.elements import Choice, Element
from zeep.xsd.types.builtins import Base64Binary, Boolean

from integrations.transports.safe_xml import XmlRefused, parse

# Schemas may contain themselves, and some of the largest would list tens of thousands of leaves.
MAX_DEPTH = 8
MAX_ARGUMENTS = 2000
MAX_INDEX = 999
STEP = re.compile(r"(@?[^.\[\]@]+)(?:\[(\d{1,6})\])?")
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class ArgumentProblem(ValueError):
    """An argument that the operation does not have, lacks, or cannot take. `path` names it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(_("Argument %(path)s: %(reason)s") % {"path": path, "reason": reason})
        self.path = path


@dataclass(frozen=True)
class Argument:
    """One value that an operation takes.

    `repeated`: the path holds an index that may be counted up. `choices`: the only values that the schema allows,
    where it says so.
    """

    path: str
    type: str
    required: bool
    repeated: bool
    documentation: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Child:
    """One element of a type, as zeep takes it: `group` names the list that a repeated sequence or choice is."""

    name: str
    element: Any
    required: bool
    group: str = ""


def flatten(body: Any, *, documentation: Mapping[str, str], choices: Mapping[str, tuple[str, ...]]) -> list[Argument]:
    """All leaves of an operation's input, in the schema's order; a type inside itself is not followed again."""
    if body is None:
        return []
    arguments: list[Argument] = []

    def leaf(path: str, xsd_type: Any, required: bool, repeated: bool) -> None:
        name = re.split(r"[.@]", path)[-1].removesuffix("[0]")
        kind = _type_name(xsd_type)
        arguments.append(Argument(path, kind, required, repeated, documentation.get(name, ""), choices.get(kind, ())))

    def walk(prefix: str, xsd_type: Any, required: bool, repeated: bool, above: tuple[Any, ...]) -> None:
        if not _is_complex(xsd_type):
            leaf(prefix or str(body.name), xsd_type, required, repeated)
            return
        if xsd_type in above or len(above) >= MAX_DEPTH:
            return
        dot = f"{prefix}." if prefix else ""
        for child in _children(xsd_type):
            if len(arguments) >= MAX_ARGUMENTS:
                return
            needed = required and child.required
            many = bool(child.element.accepts_multiple or child.group)
            index = "[0]" if many else ""
            if isinstance(child.element, AnyElement):
                leaf(f"{dot}{child.name}{index}", child.element.type, needed, repeated or many)
            elif child.name == "_value_1":
                leaf(prefix, child.element.type, needed, repeated)
            else:
                walk(f"{dot}{child.name}{index}", child.element.type, needed, repeated or many, (*above, xsd_type))
        for name, attribute in xsd_type.attributes:
            if attribute.name is not None:
                leaf(f"{dot}@{name}", attribute.type, required and bool(attribute.required), repeated)

    walk("", body.type, True, False, ())
    return arguments


def call_arguments(body: Any, arguments: Mapping[str, str]) -> tuple[list[Any], dict[str, Any]]:
    """What to call zeep's message with, positional and by name; raises `ArgumentProblem`."""
    root = _Node("")
    for path, value in arguments.items():
        root.put(path, value)
    if body is None:
        if arguments:
            raise ArgumentProblem(next(iter(arguments)), _("the operation takes no arguments."))
        return [], {}
    if _is_complex(body.type):
        return [], _complex_value(body.type, root)
    nodes = root.children.pop(str(body.name), {})
    if root.children:
        raise ArgumentProblem(next(iter(root.children)), _("the operation has no such argument."))
    return [_simple_value(body.type, nodes[0])] if 0 in nodes else [], {}


@dataclass
class _Node:
    """One place in the tree of given values: a text, or children by name and index."""

    path: str
    text: str | None = None
    children: dict[str, dict[int, "_Node"]] = field(default_factory=dict)

    def put(self, path: str, value: str) -> None:
        node = self
        for step in path.split("."):
            match = STEP.fullmatch(step)
            if match is None or int(match.group(2) or 0) > MAX_INDEX:
                raise ArgumentProblem(path, _("this is not a path. Write it like Ticket.Items[0].Name."))
            index = int(match.group(2) or 0)
            below = node.children.setdefault(match.group(1), {})
            node = below.setdefault(index, _Node(f"{node.path}.{step}".lstrip(".")))
        if node.text is not None:
            raise ArgumentProblem(path, _("it is given twice."))
        node.text = value


def _complex_value(xsd_type: Any, node: _Node) -> dict[str, Any]:
    values: dict[str, Any] = {}
    remaining = dict(node.children)
    for child in _children(xsd_type):
        if child.name == "_value_1" and isinstance(child.element, Element):
            if node.text is not None:
                values[child.name] = _typed(child.element.type, node.path, node.text)
            continue
        given = remaining.pop(child.name, None)
        if not given:
            continue
        if child.group:
            _fill_group(values.setdefault(child.group, []), child, given)
        elif child.element.accepts_multiple:
            values[child.name] = [_value(child.element, given[index]) for index in sorted(given)]
        elif set(given) == {0}:
            values[child.name] = _value(child.element, given[0])
        else:
            raise ArgumentProblem(given[max(given)].path, _("this element cannot be repeated."))
    for name, attribute in xsd_type.attributes:
        given = remaining.pop(f"@{name}", None)
        if given:
            values[name] = _simple_value(attribute.type, given[0])
    if remaining:
        unknown = next(iter(next(iter(remaining.values())).values()))
        raise ArgumentProblem(unknown.path, _("the operation has no such argument."))
    if node.text is not None and "_value_1" not in values:
        raise ArgumentProblem(node.path, _("this element has parts; give a value to each of them instead."))
    return values


def _fill_group(items: list[dict[str, Any]], child: _Child, given: Mapping[int, _Node]) -> None:
    for index in sorted(given):
        while len(items) <= index:
            items.append({})
        items[index][child.name] = _value(child.element, given[index])


def _value(element: Any, node: _Node) -> Any:
    if isinstance(element, AnyElement):
        try:
            return parse(node.text or "")
        except XmlRefused as error:
            raise ArgumentProblem(node.path, str(error)) from error
    if _is_complex(element.type):
        return _complex_value(element.type, node)
    return _simple_value(element.type, node)


def _simple_value(xsd_type: Any, node: _Node) -> Any:
    if node.children or node.text is None:
        raise ArgumentProblem(node.path, _("this element has a value and no parts."))
    return _typed(xsd_type, node.path, node.text)


def _typed(xsd_type: Any, path: str, text: str) -> Any:
    """Check the text against the type, and keep it as it was written wherever zeep takes text."""
    if NOT_XML.search(text):
        raise ArgumentProblem(path, _("it contains a control character that XML cannot carry."))
    wanted = _("“%(value)s” is not a value of type %(type)s.") % {"value": text[:60], "type": _type_name(xsd_type)}
    if isinstance(xsd_type, Base64Binary):
        try:
            return base64.b64decode(re.sub(r"\s+", "", text), validate=True)
        except binascii.Error as error:
            raise ArgumentProblem(path, wanted) from error
    if isinstance(xsd_type, Boolean) and text.strip() not in ("true", "false", "0", "1"):
        raise ArgumentProblem(path, wanted)
    try:
        value = xsd_type.pythonvalue(text)
    except (ValueError, ArithmeticError, TypeError, AttributeError, IndexError) as error:
        raise ArgumentProblem(path, wanted) from error
    numbers_and_times = (int, float, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)
    if isinstance(value, numbers_and_times) and not isinstance(value, bool):
        return text.strip()
    return value


def _children(xsd_type: Any) -> Iterator[_Child]:
    yield from _nested(xsd_type.elements_nested, required=True)


def _nested(pairs: Any, *, required: bool, group: str = "") -> Iterator[_Child]:
    for name, element in pairs:
        needed = required and not element.is_optional
        if isinstance(element, Element | AnyElement):
            yield _Child(name or element.attr_name, element, needed, group)
        elif element.accepts_multiple and not group:
            one_of = isinstance(element, Choice)
            yield from _nested(element.elements_nested, required=needed and not one_of, group=name)
        else:
            one_of = isinstance(element, Choice)
            yield from _nested(element.elements_nested, required=needed and not one_of, group=group)


def _is_complex(xsd_type: Any) -> bool:
    return isinstance(xsd_type, zeep.xsd.ComplexType)


def _type_name(xsd_type: Any) -> str:
    qname = getattr(xsd_type, "qname", None)
    if qname is not None:
        return str(qname.localname)
    return type(xsd_type).__name__
