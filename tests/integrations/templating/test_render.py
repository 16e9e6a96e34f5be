"""What templates write as plain text, and when they refuse to."""

import pytest

from integrations.templating import Escape, TemplateFailed, render

from .data import context


def text(source: str, **task: object) -> str:
    return render(source, context(**task), escape=Escape.TEXT)


def test_a_path_is_replaced_by_its_value() -> None:
    assert text("Task {{ task.number }}: {{ task.title }}") == "Task T-17-1: Printer on fire"


def test_a_constant_subscript_reads_the_same_field() -> None:
    assert text("{{ task['priority']['code'] }} {{ task.notes[1].text }}") == "P1 It is out"


def test_loops_conditions_and_local_names_work_as_in_jinja() -> None:
    source = (
        "{% set mark = '*' %}{% for note in task.notes if note.text != 'x' %}"
        "{{ mark }}{{ loop.index }}/{{ loop.length }} {{ note.author.name }}{% if not loop.last %}, {% endif %}"
        "{% else %}none{% endfor %}"
    )
    assert text(source) == "*1/2 Ada, *2/2 Bob"
    assert text(source, notes=[]) == "none"


def test_an_empty_value_is_written_as_nothing_and_booleans_in_lower_case() -> None:
    assert text("[{{ task.solution }}] {{ task.urgent }}") == "[] true"


@pytest.mark.parametrize("source", ["{{ task.numbr }}", "{{ nothing }}", "a\n{{ nothing.at.all }}"])
def test_a_missing_value_is_never_empty(source: str) -> None:
    with pytest.raises(TemplateFailed, match="here is no value for") as caught:
        text(source)
    assert caught.value.name in source
    assert caught.value.line == source.count("\n") + 1


def test_a_missing_value_can_be_replaced_only_explicitly() -> None:
    assert text("{{ task.other | default('-') }}{{ task.solution | default('none', true) }}") == "-none"
    assert text("{% if task.other is defined %}x{% else %}y{% endif %}") == "y"


def test_a_whole_list_or_object_is_not_text() -> None:
    with pytest.raises(TemplateFailed, match="whole list") as caught:
        text("{{ task.tags }}")
    assert caught.value.name == "{{ task.tags }}"
    with pytest.raises(TemplateFailed, match="whole object"):
        text("{{ task.priority }}")


@pytest.mark.parametrize(
    "value", ["{{ task.number }}", "{% if %}", "#REPLACE-EXTAPPFIELD-A-B#", "{# #}", "legacy_0_"]
)
def test_a_value_that_looks_like_a_template_stays_as_it_is(value: str) -> None:
    assert text("<{{ task.title }}>", title=value) == f"<{value}>"


def test_line_breaks_at_the_end_are_kept() -> None:
    assert text("a\n{{ task.number }}\n\n") == "a\nT-17-1\n\n"


def test_an_error_names_the_line_in_which_it_happened() -> None:
    with pytest.raises(TemplateFailed, match=r"^Line 3: .*int") as caught:
        text("one\ntwo\n{% if task.title | int > 3 %}{% endif %}")
    assert caught.value.line == 3


def test_a_template_with_a_mistake_fails_with_the_message_of_the_check() -> None:
    with pytest.raises(TemplateFailed, match="cannot be read"):
        text("{{ task.number")


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({1, 2}, "task.title"),
        (("a",), "task.title"),
        (float("nan"), "task.title"),
        ([{"deep": b"x"}], r"task\.title\[0\]\.deep"),
        (type("Text", (str,), {})("x"), "task.title"),
        ({1: "x"}, "task.title: the key 1"),
    ],
)
def test_a_context_of_anything_but_plain_data_is_refused_with_its_path(value: object, path: str) -> None:
    with pytest.raises(TypeError, match=path):
        text("constant", title=value)


def test_a_context_that_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(TypeError, match="contains itself"):
        text("constant", title=loop)
