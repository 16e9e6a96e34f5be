"""The filters of the language."""

import pytest

from integrations.templating import FILTERS, Escape, TemplateFailed, evaluate, render

from .data import context


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("'ab' | upper ~ 'AB' | lower", "ABab"),
        ("' a ' | trim", "a"),
        ("'abcdef' | truncate(4)", "abc…"),
        ("'abcdef' | truncate(6)", "abcdef"),
        ("'abcdef' | truncate(4, '')", "abcd"),
        ("task.tags | join(', ')", "fire, printer"),
        ("'a-b-c' | replace('-', '+')", "a+b+c"),
        ("'12' | int + 1", 13),
        ("12.0 | int", 12),
        ("5 | string", "5"),
        ("'abc' | length", 3),
        ("task.tags | first ~ task.tags | last", "fireprinter"),
        ("task.created | date('%d.%m.%Y %H:%M')", "31.01.2026 23:30"),
        ("task.created | date('%d.%m.%Y %H:%M', 'Europe/Zurich')", "01.02.2026 00:30"),
        ("'2026-01-31T23:30:00' | date('%d %H', 'Europe/Zurich')", "01 00"),
        ("'2026-01-31' | date('%d.%m.%y', 'America/New_York')", "31.01.26"),
        ("'2026-01-31T10:00:00.5+02:00' | iso", "2026-01-31T08:00:00Z"),
        ("none | iso ~ none | date('%d')", ""),
        ("'2026-01-31T10:00:00.5+02:00' | milliseconds", 1769846400500),
        ("'1970-01-01T00:00:01' | milliseconds", 1000),
        ("none | milliseconds", None),
        ("{'a': [1, none, 'ü']} | json", '{"a": [1, null, "ü"]}'),
        ("'ü' | base64", "w7w="),
        ("'a/ü b' | urlencode", "a%2F%C3%BC%20b"),
        ("none | default('x')", None),
        ("none | default('x', true)", "x"),
        ("'' | default('x', boolean=true)", "x"),
    ],
)
def test_a_filter_gives(source: str, value: object) -> None:
    assert evaluate(source, context()) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("'x' | int", '"x" is not a whole number'),
        ("none | int", "not a whole number"),
        ("1.5 | int", "not a whole number"),
        ("[] | first", "the list is empty"),
        ("'abc' | first", "needs a list"),
        ("'abc' | join(',')", "needs a list"),
        ("5 | length", "length"),
        ("task.notes | upper", "whole list"),
        ("'tomorrow' | date('%d')", "not an ISO 8601"),
        ("task.created | date('%Q')", "not a date code"),
        ("task.created | date('%d', 'Mars/Olympus')", "not a time zone"),
        ("'a' | replace('', 'b')", "look for"),
        ("'abc' | truncate(0)", "at least 1"),
    ],
)
def test_a_filter_refuses_and_is_named(source: str, message: str) -> None:
    with pytest.raises(TemplateFailed, match=message) as caught:
        evaluate(source, context())
    assert source.split("|")[-1].split("(")[0].strip() in str(caught.value)


def test_json_in_a_json_body_is_not_quoted_again_but_is_in_a_string() -> None:
    source = '{"a": {{ task.priority | json }}, "b": "{{ task.priority | json }}"}'
    assert render(source, context(), escape=Escape.JSON) == '{"a": {"code": "P1"}, "b": "{\\"code\\": \\"P1\\"}"}'


def test_a_filter_is_added_by_adding_it_to_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILTERS, "swap", lambda value: value.swapcase())
    assert evaluate("task.number | swap", context(number="aB")) == "Ab"
