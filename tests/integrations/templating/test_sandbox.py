"""Attacks: nothing but plain data can be reached, and no template can hold up a worker."""

import pytest
from jinja2.sandbox import SecurityError

from integrations.templating import Escape, TemplateFailed, check_template, render
from integrations.templating.runtime import ENVIRONMENT

from .data import context


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ task['__cl' ~ 'ass__'] }}",
        "{{ task.__class__.__mro__ }}",
        "{{ task | attr('__class__') }}",
        "{{ task.items() }}",
        "{{ task.title.upper }}",
        "{{ task.keys }}",
        "{{ '{0.__class__}'.format(task) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{}' | format(1) }}",
        "{{ self.__init__ }}",
        "{{ cycler }}{{ joiner }}{{ lipsum() }}",
        "{{ namespace(x=1) }}",
        "{{ dict(a=1) }}",
        "{{ range.__self__ }}",
        "{{ loop }}",
        "{% for x in task.notes %}{{ loop }}{% endfor %}",
        "{% for x in task.notes %}{{ loop.cycle('a', 'b') }}{% endfor %}",
        "{% for x in task.notes %}{{ loop._iterable }}{% endfor %}",
        "{% for x in task.notes recursive %}{{ loop(x) }}{% endfor %}",
        "{{ task | map('upper') | list }}",
        "{{ task.number | place }}",
        "{{ context }}{{ environment }}{{ the_run }}",
        "{% set ns.x = 1 %}",
        "{{ '' | join(__builtins__) }}",
        "{{ task.created | date('%1000000000Y') }}",
        "{{ 1 | date('%Y', '../../etc/passwd') }}",
        "{{ task.created | date('%Y', '../../etc/passwd') }}",
    ],
)
def test_there_is_no_way_out(source: str) -> None:
    with pytest.raises(TemplateFailed):
        render(source, context(), escape=Escape.TEXT)


DOUBLE = "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 60
BOMBS = {
    "text doubled": DOUBLE,
    "text added": DOUBLE.replace("~", "+"),
    "list doubled": "{% set a = [1] %}" + "{% set a = a + a %}" * 60,
    "list in list": "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a | json }}",
    "object in object": "{% set a = {'x': 1} %}" + "{% set a = {'x': a, 'y': a} %}" * 60 + "{{ a | json }}",
    "replace": "{% set a = 'a' %}" + "{% set a = a | replace('a', 'aaaaaaaaaa') %}" * 20,
    "join": "{% set a = 'aaaaaaaaaa' %}" + "{% set a = [a, a, a, a] | join(a) %}" * 30,
    "multiplied text": "{{ 'a' * 1000000000 }}",
    "multiplied list": "{{ [1] * 1000000000 }}",
    "power": "{{ 10 ** 1000000000 }}",
    "number squared": "{% set a = 99999 %}" + "{% set a = a * a %}" * 60,
    "float": "{{ 1e308 * 10 }}",
    "infinite literal": "{{ 1e999 }}",
    "long literal": "{{ " + "9" * 10_000 + " }}",
    "range": "{% for i in range(1000000000) %}{% endfor %}",
    "huge range": "{% for i in range(" + "9" * 29 + ") %}{% endfor %}",
    "loop in loop": "{% for i in range(90000) %}{% for j in range(90000) %}x{% endfor %}{% endfor %}",
    "long text in a loop": "{% for i in range(90000) %}" + "x" * 1000 + "{% endfor %}",
    "round brackets": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "square brackets": "{{ " + "[" * 500 + "]" * 500 + " }}",
    "chain": "{{ 1" + "+1" * 50_000 + " }}",
    "nots": "{{ " + "not " * 20_000 + "1 }}",
    "nested loops": "{% for i in [1] %}" * 60 + "{% endfor %}" * 60,
    "deep loops": "{% for i in [1] %}" * 30 + "{% endfor %}" * 30,
    "deep ifs": "{% if true %}" * 5_000 + "{% endif %}" * 5_000,
    "open braces": "{{" * 50_000,
    "many placeholders": "#REPLACE-EXTAPPFIELD-A-B#" * 8_000,
    "unknown names": "{{ nothing.at.all }}" * 10_000,
    "long source": "x" * 200_001,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_template_that_would_take_everything_is_stopped(name: str) -> None:
    with pytest.raises(TemplateFailed):
        render(BOMBS[name], context(), escape=Escape.TEXT)


def test_the_clock_stops_what_no_other_limit_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.templating.limits.MAX_SECONDS", -1.0)
    with pytest.raises(TemplateFailed, match="longer than"):
        render("{{ task.number }}", context(), escape=Escape.TEXT)


def test_a_big_honest_template_passes() -> None:
    data = context(notes=[{"text": "x" * 1000, "author": {"name": str(n)}} for n in range(5000)])
    written = render(
        "{% for note in task.notes %}{{ note.text }}{{ (task.notes | last).author.name }}{% endfor %}",
        data,
        escape=Escape.TEXT,
    )
    assert len(written) == 5000 * 1004


def test_the_sandbox_is_closed_even_to_untranslated_jinja() -> None:
    for source in ("{{ x.y }}", "{{ x['y'] }}", "{{ x() }}"):
        with pytest.raises((SecurityError, TypeError)):
            ENVIRONMENT.from_string(source).render(x={"y": 1})
    assert ENVIRONMENT.globals == {}


def test_the_inner_filters_cannot_be_named() -> None:
    for name in ("@get", "'@get'", "@place", "get", "keep"):
        assert check_template("{{ 'x' | " + name + " }}", names=set())
