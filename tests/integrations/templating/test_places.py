"""The place of a value is read from the template, and a result that is not valid is refused."""

import json

import pytest

from integrations.templating import Escape, TemplateFailed, check_template, render

from .data import FIELDS, NAMES, context


def test_json_writes_values_as_their_type_outside_of_quotes_and_as_text_inside() -> None:
    source = (
        '{"a": {{ task.urgent }}, "b": "{{ task.urgent }}", "c": {{ task.solution }}, "d": "{{ task.solution }}"}'
    )
    assert render(source, context(), escape=Escape.JSON) == '{"a": true, "b": "true", "c": null, "d": ""}'


def test_escaped_quotes_do_not_end_a_json_string() -> None:
    source = r'{"a": "\"{{ task.title }}\\", "b": {{ task.title }}}'
    written = json.loads(render(source, context(title='q"'), escape=Escape.JSON))
    assert written == {"a": '"q"\\', "b": 'q"'}


def test_the_state_goes_through_branches_and_loops() -> None:
    source = (
        '[{% for note in task.notes %}"{% if loop.first %}first: {% elif true %}{% else %}x{% endif %}'
        '{{ note.text }}"'
        "{% if not loop.last %}, {% endif %}{% endfor %}, {{ task.title }}]"
    )
    data = context(notes=[{"text": '"1'}, {"text": "2\\"}], title='"3')
    assert json.loads(render(source, data, escape=Escape.JSON)) == ['first: "1', "2\\", '"3']


@pytest.mark.parametrize(
    ("escape", "source"),
    [
        (Escape.JSON, '{"a": {% if task.urgent %}"{% endif %}{{ task.title }}"}'),
        (Escape.JSON, '[{% for note in task.notes %}"{{ note.text }}{% endfor %}"]'),
        (Escape.JSON, '{"a": "{{ task.title }}}'),
        (Escape.JSON, r'{"a": "\{{ task.title }}"}'),
        (Escape.XML, "<a b={{ task.title }}/>"),
        (Escape.XML, "<{{ task.title }}/>"),
        (Escape.XML, "<a><!-- {{ task.title }} --></a>"),
        (Escape.XML, "<a><!{# split #}-- > {{ task.title }} --></a>"),
        (Escape.XML, "<?x {{ task.title }} ?><a/>"),
        (Escape.XML, "<!DOCTYPE a '{{ task.title }}'><a/>"),
        (Escape.XML, "<a b='{{ task.title }}/>"),
        (Escape.XML, "<a>{% if task.urgent %}<![CDATA[{% endif %}</a>"),
    ],
)
def test_a_place_that_depends_on_data_or_cannot_hold_a_value_is_refused_when_saved(
    escape: Escape, source: str
) -> None:
    assert check_template(source, names=NAMES, fields=FIELDS, escape=escape)
    with pytest.raises(TemplateFailed):
        render(source, context(), escape=escape)


@pytest.mark.parametrize(
    ("escape", "source", "message"),
    [
        (Escape.JSON, '{"a": {{ task.title }},}', "not valid JSON.*line 1"),
        (Escape.JSON, "{{ task.title }} x", "not valid JSON"),
        (Escape.JSON, "[NaN]", "NaN is not JSON"),
        (Escape.JSON, "[" * 100_000, "not valid JSON"),
        (Escape.XML, "<a>{{ task.title }}", "not well-formed"),
        (Escape.XML, "<a/>{{ task.title }}", "not well-formed"),
        (Escape.XML, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
        (Escape.XML, "<a>&undeclared;</a>", "not well-formed"),
        (Escape.URL, "/a/{{ task.title }} b", "space"),
        (Escape.URL, "/a/../{{ task.title }}", "step"),
        (Escape.HEADER, "a\n{{ task.title }}", "line break"),
    ],
)
def test_a_result_that_is_not_valid_is_refused_and_says_why(escape: Escape, source: str, message: str) -> None:
    with pytest.raises(TemplateFailed, match=message):
        render(source, context(), escape=escape)


@pytest.mark.parametrize("escape", list(Escape))
def test_an_empty_template_is_an_empty_body(escape: Escape) -> None:
    assert render("", context(), escape=escape) == ""


def test_xml_with_a_declaration_is_accepted() -> None:
    source = '<?xml version="1.0" encoding="utf-8"?>\n<a>{{ task.title }}</a>'
    assert render(source, context(title="ä<"), escape=Escape.XML).endswith("<a>ä&lt;</a>")
