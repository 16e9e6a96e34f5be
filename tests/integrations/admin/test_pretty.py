"""Bodies are indented and otherwise left alone; what is odd, broken or huge is shown as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.admin.pretty import SHOWN_CHARACTERS, indent_json, indent_xml, readable

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(DATA, st.booleans())
def test_indented_json_means_the_same(data: object, as_ascii: bool) -> None:
    text = json.dumps([data], ensure_ascii=as_ascii)
    shown = indent_json(text)
    assert shown is not None
    assert json.loads(shown) == [data]


def test_json_keeps_how_it_was_written() -> None:
    assert indent_json('{"a":1.10,"a":1e5,"b":[],"c":{}}') == '{\n  "a": 1.10,\n  "a": 1e5,\n  "b": [],\n  "c": {}\n}'


def test_letters_are_shown_as_letters_but_half_a_letter_stays_escaped() -> None:
    assert indent_json(r'["\u00fc", "\ud83d\ude00", "\ud83d"]') == '[\n  "ü",\n  "😀",\n  "\\ud83d"\n]'


def test_xml_is_indented_with_its_declaration_and_letters() -> None:
    text = '<?xml version="1.0" encoding="iso-8859-1"?><a x="1"><b>ü</b><c/></a>'
    declaration = '<?xml version="1.0" encoding="iso-8859-1"?>'
    assert indent_xml(text) == f'{declaration}\n<a x="1">\n  <b>ü</b>\n  <c/>\n</a>'


@pytest.mark.parametrize(
    "body",
    [
        "",
        "plain words",
        "{broken",
        '{"a": 1} trailing',
        "<a><b></a>",
        "<html><br></html>",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "\x01\x02 binary",
        "[" * 100_000,
        "[" * 3000 + "]" * 3000,
        "<a>" * 3000 + "</a>" * 3000,
        "[" * 500 + "1," * 100 + "1" + "]" * 500,
    ],
)
def test_what_is_not_readable_is_shown_as_it_is(body: str) -> None:
    shown = readable(body)
    assert shown.text == body
    assert shown.kind == ""


def test_entities_are_neither_read_nor_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>'
    assert indent_xml(bomb) is None


def test_a_huge_body_is_cut_and_says_so() -> None:
    shown = readable("ab " * SHOWN_CHARACTERS)
    assert len(shown.text) == SHOWN_CHARACTERS
    assert shown.cut
    assert shown.characters == 3 * SHOWN_CHARACTERS


def test_a_file_in_a_body_does_not_hide_the_rest() -> None:
    shown = readable(json.dumps({"name": "plan.pdf", "content": "QUJD" * 200_000}))
    assert shown.kind == "JSON"
    assert '"name": "plan.pdf"' in shown.text
    assert "[800000 characters]" in shown.text
    assert shown.cut


def test_a_body_of_many_small_parts_is_shown_whole() -> None:
    shown = readable("[" + ",".join(["{}"] * 90_000) + "]")
    assert shown.kind == "JSON"
    assert shown.text.count("{}") == 90_000
