"""YAML in and out: plain data only, of bounded size and depth, written so that people can read it and compare it."""

import re
from typing import Any, Final

import yaml
from django.utils.translation import gettext as _

MOST_BYTES: Final = 4_000_000
DEEPEST: Final = 20
MOST_NODES: Final = 200_000
# In a block these would come back as line ends.
NO_BLOCK: Final = re.compile("[\r\x85\u2028\u2029\ufeff]")
# What YAML does not allow anywhere; a text with half a character of UTF-16 cannot even be stored.
UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# Of YAML 1.1, numbers to the base of sixty (1:30:00) are read in quadratic time, and nobody means them.
SEXAGESIMAL: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
NUMBER: Final = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
LONGEST_NUMBER: Final = 40
# The same in C where PyYAML was built with it; the limits are kept here, not there.
SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(SafeLoader):
    """Plain data; what looks like a number to the base of sixty is the text that it was written as."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a node."""
        if kind is yaml.ScalarNode and implicit[0] and ":" in value and SEXAGESIMAL.fullmatch(value):
            return "tag:yaml.org,2002:str"
        return super().resolve(kind, value, implicit)


class YamlProblem(Exception):
    """A text that is no acceptable YAML; `str()` says why, and in which line."""


def load(text: str, *, our_own: bool = False) -> Any:
    """The data of a YAML text. Raises `YamlProblem`.

    No tags, no key twice in one mapping, and aliases only in files that are `our_own`: in others, a few lines with
    them could unfold to gigabytes.
    """
    if len(text.encode("utf-8", errors="replace")) > MOST_BYTES:
        raise YamlProblem(_("It is larger than %(most)d bytes.") % {"most": MOST_BYTES})
    unreadable = UNREADABLE.search(text)
    if unreadable:
        words = _("Line %(line)d: this is not YAML: it holds the control character U+%(code)04X.")
        line = text.count("\n", 0, unreadable.start()) + 1
        raise YamlProblem(words % {"line": line, "code": ord(unreadable.group())})
    try:
        _measure(text, aliases=our_own)
        loader = Loader(text)
        try:
            node = loader.get_single_node()
            _check(loader, node)
            return loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise YamlProblem(_at(mark, _("This is not YAML: %(reason)s.") % {"reason": reason})) from error
    except (ValueError, OverflowError) as error:
        raise YamlProblem(_("A value cannot be read: %(reason)s.") % {"reason": error}) from error


def dump(data: Any) -> str:
    """The data as YAML: keys in their order, texts of several lines as blocks."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, indent=2)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, value: str) -> Any:
    # A choice of a model is a text, too, and is written as what is stored of it.
    value = str.__str__(value)
    style = '"' if NO_BLOCK.search(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(str, _text)


def _measure(text: str, *, aliases: bool) -> None:
    """Read it once as events, which take no memory, and stop at what is too much."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.AliasEvent) and not aliases:
            raise YamlProblem(_at(event.start_mark, _("Aliases (*name) are not accepted.")))
        if not isinstance(event, yaml.NodeEvent):
            if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
            continue
        nodes += 1
        if _is_endless_number(event):
            raise YamlProblem(_at(event.start_mark, _("A number has too many digits. Write it in quotes.")))
        if getattr(event, "tag", None) not in (None, "!"):
            raise YamlProblem(_at(event.start_mark, _("Tags (!name) are not accepted.")))
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        if depth > DEEPEST:
            raise YamlProblem(_at(event.start_mark, _("It is nested too deeply.")))
        if nodes > MOST_NODES:
            raise YamlProblem(_at(event.start_mark, _("It has too many parts.")))


def _is_endless_number(event: Any) -> bool:
    """Whether it would become a number that nobody can write again: that, too, takes quadratic time."""
    plain = isinstance(event, yaml.ScalarEvent) and event.implicit[0]
    return bool(plain and len(event.value) > LONGEST_NUMBER and NUMBER.fullmatch(event.value))


def _check(loader: Any, node: Any) -> None:
    """No name twice, no merging of mappings, and every scalar is what it looks like: told with its line."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise YamlProblem(_at(key.start_mark, _("Merging (<<) is not accepted.")))
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    words = {"name": key.value}
                    raise YamlProblem(_at(key.start_mark, _('"%(name)s" is given twice.') % words))
                seen.add(key.value)
            _check(loader, key)
            _check(loader, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check(loader, value)
    elif node is not None and node.tag != "tag:yaml.org,2002:str":
        try:
            loader.construct_object(node)
        except (ValueError, OverflowError) as error:
            # It looks like a date or a number and is none.
            problem = _("A value cannot be read: %(reason)s. Write it in quotes if it is a text.")
            raise YamlProblem(_at(node.start_mark, problem % {"reason": error})) from error


def _at(mark: Any, message: str) -> str:
    if mark is None:
        return message
    return _("Line %(line)d: %(message)s") % {"line": mark.line + 1, "message": message}
