"""The legacy placeholder means exactly what the path means."""

import pytest

from integrations.templating import Escape, Problem, TemplateFailed, check_expression, check_template, render

from .data import APP, FIELDS, NAMES, context, legacy


def both(source: str, path: str, escape: Escape, **task: object) -> tuple[str, str]:
    """A source rendered with the placeholder, and with the path, in place of `@`."""
    data = context(**task)
    return (
        render(source.replace("@", legacy("Task_Title")), data, fields=FIELDS, escape=escape),
        render(source.replace("@", "{{ " + path + " }}"), data, fields=FIELDS, escape=escape),
    )


@pytest.mark.parametrize(
    ("escape", "source"),
    [
        (Escape.TEXT, "@ and @@ TicketId:@x"),
        (Escape.TEXT, "{@} {# no #}@"),
        (Escape.JSON, '{"a": "@", "b": @, "c": "x@@"}'),
        (Escape.XML, "<a b='@'>@<![CDATA[@]]></a>"),
        (Escape.URL, "/a/@?b=@"),
        (Escape.HTML, "<b>@</b>"),
    ],
)
def test_a_placeholder_in_a_template_writes_what_the_path_writes(escape: Escape, source: str) -> None:
    legacy_way, path_way = both(source.replace("{@}", "{ @ }"), "task.title", escape, title="<\"&'/ü")
    assert legacy_way == path_way


def test_a_placeholder_works_in_every_position() -> None:
    field = legacy("Task_Title")
    source = (
        "{{ @ | upper }}|{{@}}|{% if @ == 'x' %}yes{% endif %}|{{ '<@>' | upper }}"
        "|{% set local = @ %}{{ local }}|{@}|{% raw %}@{% endraw %}"
    ).replace("@", field)
    assert render(source, context(title="x"), fields=FIELDS, escape=Escape.TEXT) == "X|x|yes|<X>|x|{x}|x"


def test_an_empty_field_is_empty_text_and_null_in_json() -> None:
    source = '["' + legacy("Task_Solution") + '", ' + legacy("Task_Solution") + "]"
    assert render(source, context(), fields=FIELDS, escape=Escape.JSON) == '["", null]'


def test_names_with_hyphens_are_found_in_the_table() -> None:
    fields = {("Ticketing.Task-Extra", "My-Field 2"): "task.title"}
    source = legacy("My-Field 2", "Ticketing.Task-Extra")
    assert render(source, context(), fields=fields, escape=Escape.TEXT) == "Printer on fire"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            legacy("Task_Titel"),
            f'names the field "Task_Titel", which the app "{APP}" does not have. Did you mean "Task_Title"?',
        ),
        (legacy("Task_Title", "Ticketing.TaskAsignment"), f'which does not exist. Did you mean "{APP}"?'),
        ("#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_Title", "is not complete"),
        ("#REPLACE-EXTAPPFIELD-Task#", "is not complete"),
    ],
)
def test_an_unknown_placeholder_is_refused_when_saved_and_never_sent(written: str, message: str) -> None:
    (problem,) = check_template("a\n" + written, names=NAMES, fields=FIELDS)
    assert (problem.name, problem.line) == (written, 2)
    assert message in problem.message
    assert check_expression(f"'{written}' == 'x'", names=NAMES, fields=FIELDS)
    with pytest.raises(TemplateFailed, match="placeholder"):
        render("a\n" + written, context(), fields=FIELDS, escape=Escape.TEXT)


def test_a_placeholder_whose_path_is_unknown_is_named_as_written() -> None:
    (problem,) = check_template(legacy("Task_Title"), names={"task.number"}, fields=FIELDS)
    assert problem == Problem(legacy("Task_Title"), 1, f'There is no field "{legacy("Task_Title")}".')


def test_a_local_name_cannot_take_the_place_of_the_data_behind_a_placeholder() -> None:
    source = "{% set task = {'title': 'forged'} %}" + legacy("Task_Title")
    with pytest.raises(TemplateFailed, match="choose another"):
        render(source, context(), fields=FIELDS, escape=Escape.TEXT)


@pytest.mark.parametrize("source", ["@", "{{ @ | upper }}", "{% if @ == 'x' %}{% endif %}", "{{ 'a @' }}"])
def test_an_unknown_placeholder_is_one_problem_wherever_it_stands(source: str) -> None:
    written = legacy("Nope")
    assert [p.name for p in check_template(source.replace("@", written), names=NAMES, fields=FIELDS)] == [written]


def test_text_that_looks_like_a_stand_in_is_left_alone() -> None:
    assert (
        render("legacy_0_ {{ 'legacy_1_' }}", context(), fields=FIELDS, escape=Escape.TEXT) == "legacy_0_ legacy_1_"
    )
    source = "legacy_0_ " + legacy("Task_Title")
    assert render(source, context(), fields=FIELDS, escape=Escape.TEXT) == "legacy_0_ Printer on fire"
