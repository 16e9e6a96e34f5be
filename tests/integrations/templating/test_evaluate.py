"""Conditions and captures: expressions that give a value."""

import pytest

from integrations.templating import TemplateFailed, evaluate

from .data import FIELDS, context, legacy


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('task.priority.code == "P1"', True),
        ('task.priority.code in ["P2", "P3"]', False),
        ("task.urgent and not task.solution", True),
        ("response.json.result.number", "INC1"),
        ('response["json"]["result"]', {"number": "INC1", "parent": None}),
        ("response.json.result.parent is none", True),
        ("response.json.result.parent.number | default('')", ""),
        ("task.notes | length > 1", True),
        ("(task.notes | last).author.name", "Bob"),
        ("task.tags + ['x']", ["fire", "printer", "x"]),
        ("(1, 2)", [1, 2]),
        ("task.title[:7]", "Printer"),
        ("'a' ~ 1 ~ none ~ true", "a1true"),
        ("7 // 2 + 7 % 2 - -1", 5),
        ("'x' if task.urgent else 'y'", "x"),
        ("{'a': task.number}", {"a": "T-17-1"}),
        ("task.number\n  == 'T-17-1'", True),
    ],
)
def test_an_expression_gives_its_value(source: str, value: object) -> None:
    result = evaluate(source, context())
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "source",
    [
        "response.json.x.y",
        "response.json.result.number.deeper",
        "response.json.result.parent.number",
        "task.tags[2]",
        "task.tags[true]",
        "response.json.x == 'a'",
        "response.json.x is none",
        "response.json.x in []",
        "response.json.x or true",
        "not response.json.x",
        "(response.json.x, 1)",
        "'a' if response.json.x else 'b'",
        "response.json[response.json.x] | default('')",
    ],
)
def test_what_is_missing_fails_and_is_named(source: str) -> None:
    with pytest.raises(TemplateFailed, match="There is no value for") as caught:
        evaluate(source, context())
    assert caught.value.name.split("[")[0] in source


def test_the_result_shares_nothing_with_the_context() -> None:
    data = context()
    evaluate("task.tags", data).append("new")
    evaluate("task.priority", data)["code"] = "P5"
    assert data == context()


def test_a_placeholder_is_the_path_with_its_type() -> None:
    assert evaluate(f"{legacy('Task_Title')} == task.title", context(title=5), fields=FIELDS) is True


def test_a_placeholder_in_quotes_is_text() -> None:
    assert evaluate(f"'{legacy('Task_Title')}' == '5'", context(title=5), fields=FIELDS) is True
    assert evaluate(f"'a {legacy('Task_Title')} b'", context(title="x' == 'y"), fields=FIELDS) == "a x' == 'y b"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("{{ task.number }}", "curly brackets"),
        ("task.number ==", "cannot be read"),
        ("task.number task.title", "goes on after its end"),
        ("task.title < 3", "does not work"),
        ("1 / 0", "division by zero"),
        ("'x' if task.urgent", 'needs an "else"'),
    ],
)
def test_an_expression_that_means_nothing_says_what_is_wrong(source: str, message: str) -> None:
    with pytest.raises(TemplateFailed, match=message):
        evaluate(source, context())
