"""Whatever is written, there is a result or a problem in words, and never another exception."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from integrations.templating import (
    Escape,
    TemplateFailed,
    check_expression,
    check_template,
    evaluate,
    render,
    used_paths,
)

from .data import FIELDS, NAMES, OPEN, context, legacy

PARTS = [
    *(
        "{{ ",
        " }}",
        "{% if ",
        "{% elif ",
        "{% else %}",
        "{% endif %}",
        "{% for x in ",
        "{% endfor %}",
        "{% set y = ",
        " %}",
    ),
    *(
        "{#",
        "#}",
        "{% raw %}",
        "{% endraw %}",
        "-",
        "~",
        "+",
        "*",
        "|",
        ".",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "'",
    ),
    *(
        "task.number",
        "task.notes",
        "task",
        "x.text",
        "x",
        "y",
        "response.json",
        "loop.index",
        "range(2)",
        "none",
        "1",
        "-1",
    ),
    *(
        " | upper",
        " | default('')",
        " | last",
        " | json",
        " | join",
        " is defined",
        " in ",
        " and ",
        " not ",
        " == ",
        " if ",
    ),
    *(
        " else ",
        "[0]",
        "[1:]",
        "['a']",
        '"',
        "\\",
        "<",
        "<a>",
        "</a>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&",
        "?",
        "/",
        "\n",
    ),
    *("legacy_0_", "legacy", legacy("Task_Title"), legacy("Nope"), "#REPLACE-EXTAPPFIELD-", "#", "\u0000", "é"),
]
SOURCES = st.lists(st.sampled_from(PARTS), max_size=14).map("".join) | st.text(max_size=30)


@settings(max_examples=400, deadline=None)
@given(SOURCES, st.sampled_from(Escape))
@example("{{ task.number }}{{", Escape.JSON)
@example("{%", Escape.TEXT)
def test_a_template_gives_a_result_or_a_problem(source: str, escape: Escape) -> None:
    problems = check_template(source, names=NAMES, fields=FIELDS, open=OPEN, escape=escape)
    assert all(problem.message and problem.line >= 1 for problem in problems)
    try:
        used_paths(source, FIELDS)
        render(source, context(), fields=FIELDS, escape=escape)
    except TemplateFailed as error:
        assert str(error)


@settings(max_examples=400, deadline=None)
@given(SOURCES)
def test_an_expression_gives_a_value_or_a_problem(source: str) -> None:
    problems = check_expression(source, names=NAMES, fields=FIELDS, open=OPEN)
    try:
        json.dumps(evaluate(source, context(), fields=FIELDS))
    except TemplateFailed as error:
        assert str(error) or problems


ATTACK = st.text(st.sampled_from("\"'\\<>&]![CDATA-/?%{}#\n\r,: x"), max_size=12)
JSON_PARTS = [
    "{{ task.title }}",
    '"',
    '"',
    ", ",
    "\\\\",
    '\\"',
    "{% if task.urgent %}",
    "{% endif %}",
    "x",
    legacy("Task_Title"),
]
XML_PARTS = [
    "{{ task.title }}",
    "<b>",
    "</b>",
    "<![CDATA[",
    "]]>",
    "]",
    ">",
    "<b c='",
    "'/>",
    "<!--",
    "-->",
    legacy("Task_Title"),
]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(JSON_PARTS), max_size=10).map("".join), ATTACK)
def test_no_value_changes_the_structure_of_json(source: str, value: str) -> None:
    assert_same_structure(f"[{source}]", value, Escape.JSON, lambda text: len(json.loads(text)))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(XML_PARTS), max_size=10).map("".join), ATTACK)
def test_no_value_changes_the_structure_of_xml(source: str, value: str) -> None:
    assert_same_structure(
        f"<a>{source}</a>", value, Escape.XML, lambda text: [n.tag for n in etree.fromstring(text).iter()]
    )


def assert_same_structure(source, value, escape, structure) -> None:
    """An attacking value gives the structure that a harmless one gives, or fails.

    It may fail alone: an empty value brings the template's own `]]` and `>` together, which XML forbids.
    """
    results = []
    for title in ("harmless", value):
        try:
            results.append(structure(render(source, context(title=title), fields=FIELDS, escape=escape)))
        except TemplateFailed:
            results.append(None)
    assert results[1] in (None, results[0])
