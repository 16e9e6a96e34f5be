"""A secret never survives, whatever stands around it; and no text takes more than linear time."""

import base64
import json
import time
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.secrets import redact_body, redact_text, redact_url

NAMES = st.sampled_from(["password", "X-Api-Key", "tokenv2", "rcntrl", "clientSecret", "SessionID", "authPW"])
MARK = "Zq9Zq9"
# Any text around a mark that nothing else contains: the mark must be gone, wherever in the secret it stood.
SECRETS = st.tuples(st.text(max_size=8), st.text(max_size=8)).map(MARK.join)
XML_TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cn"), max_codepoint=0xFFFD))
XML_SECRETS = st.tuples(XML_TEXT, XML_TEXT).map(MARK.join)
OTHERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    name=NAMES,
    secret=SECRETS,
    before=OTHERS,
    after=OTHERS,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
)
def test_in_json(name, secret, before, after, ascii_only, indent) -> None:
    data = {"a": before, "b": [{"c": {name: secret}}], "d": after}
    redacted = redact_body(json.dumps(data, ensure_ascii=ascii_only, indent=indent), "application/json")
    assert MARK not in redacted
    assert json.loads(redacted)["b"][0]["c"][name] == "[removed]"


@given(name=NAMES, secret=SECRETS, cut=st.integers(0, 40))
def test_in_json_that_was_cut_off(name, secret, cut) -> None:
    text = json.dumps({"a": 1, name: secret, "b": "some more text that may be missing"})
    assert MARK not in redact_body(text[: len(text) - cut], "application/json")


@given(name=NAMES, secret=XML_SECRETS, text=XML_TEXT)
def test_in_xml(name, secret, text) -> None:
    around = escape(text)
    assert MARK not in redact_body(f"<r><x>{around}</x><n:{name}>{escape(secret)}</n:{name}>{around}</r>")
    assert MARK not in redact_body(f"<r><x {name}={quoteattr(secret)} y={quoteattr(text)}/>{around}</r>")
    assert MARK not in redact_body(f"<r>{around}<{name}><![CDATA[{secret.replace(']]>', '')}]]></{name}></r>")


@given(name=NAMES, secret=SECRETS.filter(bool), other=st.text(max_size=10))
def test_in_forms_and_addresses(name, secret, other) -> None:
    query = urlencode({"x": other, name: secret, "y": other})
    assert MARK not in redact_body(query, "application/x-www-form-urlencoded")
    assert MARK not in redact_url(f"https://desk.example/a?{query}#{quote(other)}")
    assert MARK not in redact_url(f"https://{quote(secret, safe='')}:{quote(secret, safe='')}@desk.example/")


@given(secret=st.text(min_size=5, max_size=20).filter(lambda s: s.strip() == s), prefix=st.text("ab", max_size=7))
def test_known_values_go_in_every_spelling(secret, prefix) -> None:
    raw = secret.encode("utf-8", "surrogatepass")
    if raw.decode("utf-8", "replace") != secret:
        return
    spellings = [secret, quote(secret, safe=""), json.dumps(secret)[1:-1], escape(secret)]
    basic = base64.b64encode(f"{prefix}:".encode() + raw).decode()
    text = "\n".join([*spellings, f"Basic {basic}"])
    redacted = redact_text(text, values=[secret])
    assert redacted.endswith("[removed]")
    assert basic not in redacted
    if secret not in "[removed]\nBasic ":
        assert secret not in redacted


@given(text=st.text())
def test_no_text_breaks_the_reader(text) -> None:
    for content_type in (
        "application/json",
        "text/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ):
        redact_body(text, content_type)
        redact_body("{" + text, content_type)
        redact_body("<" + text, content_type)


@pytest.mark.parametrize(
    "piece",
    ['"\\', '{"a":"', '<a b="', "<![CDATA[]", "a=", "x.", "://", "{", "&lt;", "Authorization: ", "<password>",
     "\n ", ":a@"],
)  # fmt: skip
def test_twice_the_text_takes_about_twice_the_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        redact_body(text, "")
        redact_body("<a>" + text, "")
        return time.process_time() - started

    seconds(1000)
    small, large = seconds(100_000), seconds(400_000)
    assert large < max(small * 10, 0.5), "four times the text"
