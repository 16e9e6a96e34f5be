"""What compiled templates call: reading the data, writing values, and the limits.

The translation turns every read, loop, joining of texts and output of a template into one of the filters below, whose
names no author can write. The code that Jinja generates thus holds no attribute access, no subscript and no call.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from jinja2 import StrictUndefined, Undefined, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from .errors import TemplateFailed
from .escape import write
from .filters import FILTERS, TESTS
from .limits import MAX_CHARS, MAX_NUMBER, Budget
from .plain import as_text, kind

RUN = "the run"  # not an identifier, so no template can name it
LOOP_FIELDS = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0"})


@dataclass(frozen=True, slots=True)
class Origin:
    """A value that a template used, for the preview.

    `placeholder` is what the author wrote (with filters, or in the legacy spelling), `path` where the value comes
    from (`task.notes[].text` for a value of a list), `value` what was found there before any filter.
    """

    placeholder: str
    path: str
    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One place in a template that reads data. `lenient`: `default` or `is defined` takes care of a missing value."""

    written: str
    path: str
    line: int
    lenient: bool
    placeholder: str


@dataclass(frozen=True, slots=True)
class Spot:
    """One place in a template where a value is written."""

    written: str
    line: int
    place: str


@dataclass
class Run:
    """One use of a compiled template. `origins` is a list to fill, and then nothing is written."""

    readings: tuple[Reading, ...]
    spots: tuple[Spot, ...]
    origins: list[Origin] | None = None
    budget: Budget = field(default_factory=Budget)
    result: Any = None


def _run(context: Context) -> Run:
    run: Run = context.parent[RUN]
    return run


@pass_context
def _get(context: Context, root: Any, segments: list[Any], index: int) -> Any:
    run = _run(context)
    run.budget.spend_time()
    reading = run.readings[index]
    value = root
    for segment in segments:
        value = _step(value, segment)
    if isinstance(value, Undefined) and not reading.lenient:
        raise TemplateFailed(
            _('there is no value for "%(path)s"') % {"path": reading.written}, name=reading.written, line=reading.line
        )
    if run.origins is not None and reading.path and not isinstance(value, Undefined | LoopContext):
        run.origins.append(Origin(reading.placeholder, reading.path, value, reading.line))
    return value


def _step(value: Any, segment: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(segment, str) and segment in value:
            return value[segment]
    elif isinstance(value, list | tuple | str):
        if isinstance(segment, int) and not isinstance(segment, bool) and -len(value) <= segment < len(value):
            return value[segment]
    elif isinstance(value, LoopContext) and segment in LOOP_FIELDS:
        return getattr(value, segment)
    return StrictUndefined(name=str(segment))


@pass_context
def _place(context: Context, value: Any, index: int) -> str:
    run = _run(context)
    spot = run.spots[index]
    if run.origins is not None:
        return ""
    try:
        return write(value, spot.place)
    except (TypeError, ValueError) as error:
        raise TemplateFailed(f"{spot.written}: {error}", name=spot.written, line=spot.line) from error


@pass_context
def _keep(context: Context, value: Any) -> str:
    _run(context).result = value
    return ""


@pass_context
def _each(context: Context, value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value)
    if not isinstance(value, list | tuple):
        raise TypeError(_("a loop needs a list, not: %(kind)s") % {"kind": kind(value)})
    _run(context).budget.spend_steps(len(value))
    return list(value)


@pass_context
def _concat(context: Context, values: list[Any]) -> str:
    parts = [as_text(value) for value in values]
    _run(context).budget.spend_chars(sum(map(len, parts)))
    return "".join(parts)


@pass_context
def _range(context: Context, values: list[Any]) -> list[int]:
    numbers = range(*values)
    try:
        count = len(numbers)
    except OverflowError:
        count = MAX_CHARS
    _run(context).budget.spend_steps(count)
    return list(numbers)


@pass_context
def _slice(context: Context, value: Any, bounds: list[Any]) -> Any:
    if not isinstance(value, str | list | tuple):
        raise TypeError(_("only a text or a list can be cut, not: %(kind)s") % {"kind": kind(value)})
    part = value[slice(*bounds)]
    _run(context).budget.spend_on(part)
    return part


@pass_context
def _made(context: Context, value: Any) -> Any:
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        raise TypeError(_("the names in an object must be texts"))
    _run(context).budget.spend_on(value)
    return value


def _public(name: str) -> Callable[..., Any]:
    """A filter of the table, with its limits and with its name in its errors."""

    @pass_context
    def call(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = FILTERS[name](value, *args, **kwargs)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise TypeError(f"{name}: {error}") from error
        if isinstance(result, str):
            _run(context).budget.spend_chars(len(result))
        elif isinstance(result, list):  # what is in it was there before
            _run(context).budget.spend_steps(len(result))
        return result

    return call


class _PublicFilters(dict[str, Callable[..., Any]]):
    """Filters by name; those of the extensible table are looked up when a template that uses them is run."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        if name not in FILTERS:
            raise KeyError(name)
        return _public(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As `[name]`: the compiler asks this way how a filter is to be called."""
        return self[name] if name in self or name in FILTERS else default


class PlainEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with what is left open in it closed too: attributes, calls, globals and unbounded operators."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return False

    def is_safe_callable(self, obj: Any) -> bool:
        return False

    def getattr(self, obj: Any, attribute: str) -> Any:
        raise SecurityError(attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        raise SecurityError(str(argument))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Numbers with numbers within `MAX_NUMBER`; `+` also joins two texts or two lists."""
        budget = _run(context).budget
        budget.spend_time()
        alike = (isinstance(left, same) and isinstance(right, same) for same in (str, list))
        if operator == "+" and any(alike):
            joined = left + right
            budget.spend_on(joined)
            return joined
        if not isinstance(left, int | float) or not isinstance(right, int | float) or operator == "**":
            raise TypeError(
                _('"%(operator)s" does not work between %(left)s and %(right)s')
                % {"operator": operator, "left": kind(left), "right": kind(right)}
            )
        result = self.binop_table[operator](left, right)
        if not math.isfinite(result) or abs(result) > MAX_NUMBER:
            raise ValueError(_("the number is too big"))
        return result


def environment() -> PlainEnvironment:
    """The one environment: no globals, no loader, only the filters and tests of the language."""
    made = PlainEnvironment(
        undefined=StrictUndefined, autoescape=False, optimized=False, keep_trailing_newline=True, cache_size=0
    )
    made.globals.clear()
    made.filters = _PublicFilters(
        {
            "@get": _get,
            "@place": _place,
            "@keep": _keep,
            "@each": _each,
            "@concat": _concat,
            "@range": _range,
            "@slice": _slice,
            "@made": _made,
        }
    )
    made.tests = dict(TESTS)
    return made


ENVIRONMENT = environment()
