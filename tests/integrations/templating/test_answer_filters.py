"""The filters that take apart what other desks answer."""

import pytest

from integrations.templating import TemplateFailed, evaluate

from .data import context

COMMENTS = [
    {"id": 1, "author": {"id": 5}, "files": [{"n": "a"}, {"n": "b"}]},
    {"id": 2, "author": {"id": 6}, "files": None},
    {"id": 3},
    "odd",
]
PEOPLE = [{"id": 0, "email": ""}, {"id": 1, "email": "Ada@x.test"}, {"id": 2, "email": ["x@x.test", "Grace@x.test"]}]
ANSWER = {
    "response": {
        "json": {
            "comments": COMMENTS,
            "people": PEOPLE,
            "one": {"id": 7},
            "vars": ["Auth=OK", "Name=a=b"],
            "none": [],
        }
    }
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("(response.json.comments | find('id', 2)).author.id", 6),
        ("(response.json.comments | find('author.id', 5)).id", 1),
        ("response.json.comments | find('id', 9)", {}),
        ("(response.json.people | find('email', 'ADA@x.test', true)).id", 1),
        ("(response.json.people | find('email', 'grace@x.test', true)).id", 2),
        ("response.json.people | find('email', '', true)", {}),
        ("response.json.people | find('email', 'ADA@x.test')", {}),
        ("(response.json.comments | find('author.name', 'x')).id is defined", False),
        ("(response.json.comments | find('id', none)).id is defined", False),
        ("(response.json.one | find('id', 7)).id", 7),
        ("(response.json.comments | inner('files') | first).n", "a"),
        ("response.json.comments | inner('files') | length", 2),
        ("(response.json.comments | inner('files') | last).parent.id", 1),
        ("response.json.none | inner('files')", []),
        ("response.json.vars | named('auth')", "OK"),
        ("response.json.vars | named('Name')", "a=b"),
        ("response.json.vars | named('other')", ""),
        ("'Auth=OK' | named('Auth')", "OK"),
        ("'' | named('Auth')", ""),
        ("'Emil van Ende' | before(' ') ~ '|' ~ 'Emil van Ende' | after(' ')", "Emil|van Ende"),
        ("'Emil' | before(' ') ~ '|' ~ 'Emil' | after(' ')", "Emil|"),
        ("'<p>a &amp; b</p><p>c<br/>d</p>' | html_text", "a & b\nc\nd"),
        ("'a < b' | html_text | html_text", "a < b"),
        ("'a < b & \"c\"\\r\\n\\nd' | text_html", 'a &lt; b &amp; "c"<br><br>d'),
        ("'a < b\\nc' | text_html | html_text", "a < b\nc"),
        ("'<script>alert(1)</script>x' | html_text", "x"),
        ("'31.01.2026 10:30' | moment('%d.%m.%Y %H:%M', 'Europe/Zurich')", "2026-01-31T09:30:00Z"),
        ("'2026-01-31 10:30 +0200' | moment('%Y-%m-%d %H:%M %z', 'Europe/Zurich')", "2026-01-31T08:30:00Z"),
        ("'' | moment('%d.%m.%Y')", ""),
        ("response.json.one | updated({'id': 8, 'b': 1})", {"id": 8, "b": 1}),
        ("response.json.one.id", 7),
    ],
)
def test_a_filter_gives(source, value):
    assert evaluate(source, context() | ANSWER) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("'x' | find('a', 1)", "needs a list, not: text"),
        ("'x' | inner('a')", "needs a list"),
        ("'x' | before('')", "needs a text to look for"),
        ("'x' | updated({})", "needs an object"),
        ("'today' | moment('%d.%m.%Y')", '"today" is not written as'),
        ("'01.01.2026' | moment('%d.%m.%Y', 'Mars/Base')", "is not a time zone"),
    ],
)
def test_a_filter_refuses_what_it_cannot_do(source, message):
    with pytest.raises(TemplateFailed, match=message):
        evaluate(source, context() | ANSWER)


def test_an_object_is_not_changed_by_what_is_made_of_it():
    evaluate("response.json.one | updated({'id': 8})", ANSWER)
    assert ANSWER["response"]["json"]["one"] == {"id": 7}


def test_lists_that_a_filter_makes_are_paid_for():
    many = {"response": {"json": [{"files": [{"n": 1}] * 1000}] * 200}}
    with pytest.raises(TemplateFailed, match="more than"):
        evaluate("response.json | inner('files') | length", many)
