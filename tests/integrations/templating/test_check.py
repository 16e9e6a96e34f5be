"""The check when a template is saved: every name is known, and a mistake says where and what to write."""

import pytest

from integrations.templating import Escape, Problem, check_expression, check_template

from .data import FIELDS, NAMES, OPEN, legacy


def problems(source: str) -> list[Problem]:
    return check_template(source, names=NAMES, fields=FIELDS, open=OPEN)


def test_an_unknown_field_is_named_with_its_line_and_what_was_meant() -> None:
    assert problems("a\nb\n{{ task.numbr }}") == [
        Problem("task.numbr", 3, 'Line 3: there is no field "task.numbr". Did you mean "task.number"?')
    ]


def test_a_field_of_a_loop_is_suggested_under_the_name_in_the_loop() -> None:
    (problem,) = problems("{% for note in task.notes %}{{ note.txt }}{% endfor %}")
    assert problem.message == 'There is no field "note.txt". Did you mean "note.text"?'


@pytest.mark.parametrize(
    "source",
    [
        "{{ task.number }} {{ task['number'] }} {{ task['priority'].code }}",
        "{% for note in task.notes %}{{ note.author.name }}{{ loop.index }}{% endfor %}",
        "{% for note in task.notes if note.text %}{{ note.text }}{% endfor %}",
        "{% for tag in task.tags %}{{ tag | upper }}{% endfor %}{{ task.tags | join(', ') }}{{ task.tags[0] }}",
        "{% if task.notes and task.priority and task.solution is defined %}x{% endif %}",
        "{% set p = task.priority %}{{ p.code }}{% set n = p.code %}{{ n }}",
        "{% set last = task.notes | last %}{{ last.text }}{{ (task.notes | first).author.name }}",
        "{{ task.notes[0].text }}{% for note in task.notes[:2] %}{{ note.text }}{% endfor %}",
        "{{ task.notes | length }}{{ task.priority | json }}{{ task.number[:3] }}",
        "{% if task.urgent %}{% set x = task.title %}{% else %}{% set x = 'y' %}{% endif %}{{ x }}",
        "{{ response.json.anything['at'][0].all }}{{ captures.login.token }}",
        "{% for row in response.rows %}{{ row.x.y }}{% endfor %}{{ response[task.number] }}",
        "{{ (task.priority if task.urgent else task.priority).code }}",
        "{% for i in range(3) %}{{ i }}{% endfor %}{% raw %}{{ anything }}{% endraw %}{# task.numbr #}",
        "@ {{ @ | upper }}{% if @ %}x{% endif %}".replace("@", legacy("Task_Title")),
    ],
)
def test_what_is_known_is_accepted(source: str) -> None:
    assert problems(source) == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{{ task }}", "task"),
        ("{{ task.priority }}", "task.priority"),
        ("{{ task.notes }}", "task.notes"),
        ("{{ task.notes | upper }}", "task.notes"),
        ("{{ task.notes.text }}", "task.notes.text"),
        ("{{ task.number.x }}", "task.number.x"),
        ("{{ task.number[0] }}", "task.number[0]"),
        ("{{ task[task.number] }}", "task[...]"),
        ("{% for x in task.number %}{% endfor %}", "task.number"),
        ("{% for x in task.priority %}{% endfor %}", "task.priority"),
        ("{% for note in task.notes %}{{ note }}{% endfor %}", "note"),
        ("{% for note in task.notes %}{% endfor %}{{ note.text }}", "note.text"),
        ("{% for note in task.notes %}{{ loop.nope }}{% endfor %}", "loop"),
        ("{{ loop.index }}", "loop"),
        ("{% set p = task.priority %}{{ p.cod }}", "p.cod"),
        ("{% set p = task.prio %}", "task.prio"),
        ("{% if task.urgent %}{% set x = 1 %}{% endif %}{{ x }}", "x"),
        ("{{ task.nope | default('x') }}", "task.nope"),
        ("{% if task.nope is defined %}{% endif %}", "task.nope"),
        ("{{ captures.other }}", "captures.other"),
        ("{{ self }}", "self"),
        ("{{ range }}", "range"),
        ("{% for task in task.notes %}{% endfor %}", "task"),
        ("{% set response = 1 %}", "response"),
        ("{{ task.number | nope }}", "nope"),
        ("{{ task.number | truncate }}", "truncate"),
        ("{{ task.number | upper(1, 2) }}", "upper"),
        ("{% if task.number is nope %}{% endif %}", "nope"),
        ("{% if task.number is none(1) %}{% endif %}", "none"),
        ("{% include 'x' %}", "include"),
        ("{% import 'x' as y %}", "import"),
        ("{% extends 'x' %}", "extends"),
        ("{% block x %}{% endblock %}", "block"),
        ("{% macro x() %}{% endmacro %}", "macro"),
        ("{% filter upper %}{% endfilter %}", "filter"),
        ("{% set x %}{% endset %}", "set (as a block)"),
        ("{% autoescape false %}{% endautoescape %}", "autoescape"),
    ],
)
def test_what_is_unknown_or_not_a_value_is_a_problem_with_its_name(source: str, name: str) -> None:
    assert name in [problem.name for problem in problems(source)]


@pytest.mark.parametrize("source", ["{{ task.number", "{% if %}", "{% nope %}", "{{ }}", "{% for x in task.tags %}"])
def test_what_cannot_be_read_is_a_problem_with_its_line(source: str) -> None:
    (problem,) = problems("first\n" + source)
    assert problem.line == 2
    assert problem.message.startswith("Line 2: ")


def test_all_problems_are_reported_at_once_in_order() -> None:
    found = problems("{{ a }}\n{{ b | nope }}\n" + legacy("Nope") + "\n{{ c.d }}")
    assert [problem.line for problem in found] == [1, 2, 2, 3, 4]


def test_a_list_may_be_a_json_value_but_not_text() -> None:
    source = '{"tags": {{ task.tags }}}'
    assert check_template(source, names=NAMES, escape=Escape.JSON) == []
    assert check_template(source, names=NAMES, escape=Escape.TEXT)
    assert check_template('{"tags": "{{ task.tags }}"}', names=NAMES, escape=Escape.JSON)


@pytest.mark.parametrize(
    ("source", "ok"), [('task.priority.code == "P1"', True), ("task.prio.code == 1", False), ("", False)]
)
def test_expressions_are_checked_alike(source: str, ok: bool) -> None:
    assert (check_expression(source, names=NAMES, fields=FIELDS, open=OPEN) == []) is ok


def test_a_name_that_only_one_branch_sets_is_explained() -> None:
    (problem,) = problems("{% if task.urgent %}{% set x = 1 %}{% endif %}{{ x }}")
    assert problem.message == '"x" is set only in one branch. Set it before the "if" as well.'
