"""Values arrive at the other side exactly as they are, whatever they contain."""

import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from integrations.mail_words import read_tags
from integrations.templating import Escape, TemplateFailed, content_type_escape, render

from .data import FIELDS, context, legacy

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def write(source: str, value: object, escape: Escape) -> str:
    return render(source, context(title=value), fields=FIELDS, escape=escape)


@given(st.text(alphabet="[]ab:\n", max_size=30), st.text(alphabet="[]ab:\n", max_size=30))
def test_no_values_make_a_tag_in_a_mail(one: str, other: str) -> None:
    text = render("{{ task.title }}: {{ task.number }}", context(title=one, number=other), escape=Escape.MAIL)
    assert read_tags(text).values == {}
    assert text.replace("[ ", "[") == f"{one}: {other}"


@given(st.text())
def test_any_text_survives_inside_a_json_string(value: str) -> None:
    source = '{"a": "<{{ task.title }}>", "b\\"": "' + legacy("Task_Title") + '"}'
    assert json.loads(write(source, value, Escape.JSON)) == {"a": f"<{value}>", 'b"': value}


@given(PLAIN)
def test_any_value_survives_as_a_json_value(value: object) -> None:
    source = '{"a": {{ task.title }}, "b": ' + legacy("Task_Title") + ', "c": {{ task.title | json }}}'
    assert json.loads(write(source, value, Escape.JSON)) == {"a": value, "b": value, "c": value}


@given(
    st.text(
        st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
        | st.sampled_from("\t\n\r]>-")
    )
)
def test_any_text_survives_in_xml(value: str) -> None:
    source = (
        "<r a=\"{{ task.title }}\" b='x{{ task.title }}'><t>{{ task.title }}</t>"
        "<c><![CDATA[]]{{ task.title }}>]]></c><l>" + legacy("Task_Title") + "</l></r>"
    )
    root = etree.fromstring(write(source, value, Escape.XML).encode())
    assert root.get("a") == value
    assert root.get("b") == f"x{value}"
    assert [child.text or "" for child in root] == [value, f"]]{value}>", value]


@given(st.text())
def test_what_xml_cannot_carry_is_replaced_and_the_rest_stays_well_formed(value: str) -> None:
    root = etree.fromstring(write("<r>{{ task.title }}</r>", value, Escape.XML).encode())
    assert len(root.text or "") == len(value)


@given(st.text(min_size=1).filter(lambda value: value not in (".", "..")))
def test_any_text_survives_in_an_address(value: str) -> None:
    address = write("/a/{{ task.title }}/b?q={{ task.title }}&l=" + legacy("Task_Title"), value, Escape.URL)
    parts = urlsplit(address)
    assert [unquote(step) for step in parts.path.split("/")] == ["", "a", value, "b"]
    assert parse_qs(parts.query, errors="strict") == {"q": [value], "l": [value]}


@given(st.text())
def test_any_text_survives_in_a_form(value: str) -> None:
    body = write("a={{ task.title }}&b=1", value, Escape.FORM)
    assert parse_qs(body, keep_blank_values=True) == {"a": [value], "b": ["1"]}


@given(st.text())
def test_a_header_is_one_line_or_refused(value: str) -> None:
    try:
        header = write("x {{ task.title }}", value, Escape.HEADER)
    except TemplateFailed:
        assert any(ord(character) < 32 or character in "\x7f\x85\u2028\u2029" for character in value)
    else:
        assert header.splitlines() == [header] == [f"x {value}"]


@given(st.text())
def test_no_markup_of_a_value_reaches_html(value: str) -> None:
    written = write('<p title="{{ task.title }}">', value, Escape.HTML)[10:-2]
    assert not set(written) & set("<>\"'")


def test_half_a_surrogate_pair_does_not_break_the_message() -> None:
    assert json.loads(write('["{{ task.title }}", {{ task.title }}]', "a\ud800", Escape.JSON)) == ["a\ufffd"] * 2
    assert write("{{ task.title }}", "\udc00", Escape.URL) == "%EF%BF%BD"


@pytest.mark.parametrize("value", ["..", ".", "", None])
def test_a_value_cannot_change_which_address_is_meant(value: str | None) -> None:
    with pytest.raises(TemplateFailed):
        write("/tickets/{{ task.title }}/close", value, Escape.URL)


def test_an_empty_value_in_the_query_is_fine() -> None:
    assert write("/tickets?q={{ task.title }}", None, Escape.URL) == "/tickets?q="


@pytest.mark.parametrize(
    ("content_type", "escape"),
    [
        ("application/json; charset=utf-8", Escape.JSON),
        ("application/vnd.api+json", Escape.JSON),
        ("text/xml", Escape.XML),
        ("application/soap+xml; action=x", Escape.XML),
        ("Application/XML", Escape.XML),
        ("application/x-www-form-urlencoded", Escape.FORM),
        ("text/html", Escape.HTML),
        ("text/plain", Escape.TEXT),
        ("", Escape.TEXT),
    ],
)
def test_the_content_type_decides_the_escaping(content_type: str, escape: Escape) -> None:
    assert content_type_escape(content_type) is escape


def test_an_unknown_content_type_is_refused() -> None:
    with pytest.raises(TemplateFailed, match="application/pdf"):
        content_type_escape("application/pdf")
