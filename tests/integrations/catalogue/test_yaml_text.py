"""YAML from outside: exact both ways, and nothing that grows when it is read."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.catalogue import yaml_text
from integrations.catalogue.yaml_text import YamlProblem, dump, load
from integrations.models import HookAuthentication

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
data = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(data)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_read_again(value):
    assert load(dump(value)) == value


@pytest.mark.parametrize(
    "text", ["a\nb", "a\n", "\n\na \n\tb", "a\r\nb", "no", "1.10", "2026-01-01", "é\u2028x\x85", "# a"]
)
def test_texts_that_look_like_something_else(text):
    assert load(dump({"body": text})) == {"body": text}


def test_lines_stand_under_each_other():
    assert dump({"body": "{\n  a\n}"}) == "body: |-\n  {\n    a\n  }\n"


def test_a_choice_of_a_model_is_written_as_the_text_that_it_is():
    choice = HookAuthentication.STANDARD
    assert dump({"is": choice, choice: [choice]}) == "is: standard\nstandard:\n- standard\n"


BOMB = "a: &a [x, x]\n" + "\n".join(f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "Line 2: Aliases"),
        ("a: !!python/object/apply:os.system [ls]", "Line 1: Tags"),
        ("a: 1\nb: 2\na: 3", 'Line 3: "a" is given twice'),
        ("[" * 21 + "]" * 21, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ("a: [", "Line 2: This is not YAML"),
        ("a: 2026-13-45", "cannot be read"),
        ("b: 1\na: " + "9" * 5000, "Line 2: A number has too many digits"),
        ("b: 1\na: 0x" + "f" * 5000, "Line 2: A number has too many digits"),
        ("b: 1\na: 2026-13-45", "Line 2: A value cannot be read"),
        ("a:\n  <<: {b: 1}", "Line 2: Merging"),
        ("a:\n\tb: 1", "Line 2: This is not YAML"),
        ("a: 1\nb: \x00", "Line 2: .* U.0000"),
        ("a: 1\nb: \ud800", "Line 2: .* U.D800"),
        ("a: 1\n{b: 2}: 3", "Line 2: "),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: \x07", "Line 1: this is not YAML: it holds the control character U.0007"),
    ],
)
def test_what_is_refused_and_where(text, says):
    with pytest.raises(YamlProblem, match=says):
        load(text)


def test_numbers_to_the_base_of_sixty_are_texts_and_take_no_time():
    assert load("a: 1:30\nb: -1:30.5\n1:30: c") == {"a": "1:30", "b": "-1:30.5", "1:30": "c"}
    began = time.monotonic()
    assert load("a: 1" + ":1" * 1_000_000)["a"].startswith("1:1:1")
    assert time.monotonic() - began < 20


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setattr(yaml_text, "MOST_NODES", 10)
    with pytest.raises(YamlProblem, match="too many parts"):
        load("[" + "1," * 10 + "]")
    monkeypatch.setattr(yaml_text, "MOST_BYTES", 10)
    with pytest.raises(YamlProblem, match="larger than 10 bytes"):
        load("a" * 11)
