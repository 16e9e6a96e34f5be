"""Tags and properties of a ticket."""

from typing import Any

import pytest

from tests.cast import Desk
from tickets import actions
from tickets.errors import InvalidInput
from tickets.models import PropertyDefinition, Tag

pytestmark = pytest.mark.django_db
KINDS = {"text": "", "number": "", "date": "", "yes_no": "", "choice": "Red\nGreen"}


@pytest.fixture
def properties(db: None) -> None:
    """One of each kind, named as its kind."""
    for kind, choices in KINDS.items():
        PropertyDefinition.objects.create(code=kind, name=kind.title(), kind=kind, choices=choices)


def test_a_tag_is_one_whatever_its_case_and_is_made_when_it_is_new(desk: Desk) -> None:
    ticket, other = desk.ticket(), desk.ticket()
    actions.set_tags(actor=desk.by_agent, ticket=ticket, names=["VIP", " vip ", "fire"])
    actions.set_tags(actor=desk.by_agent, ticket=other, names=["Vip"])
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["fire", "vip"]
    assert [tag.name for tag in other.tags.all()] == ["vip"]
    actions.set_tags(actor=desk.by_agent, ticket=ticket, names=["Fire"])
    assert list(ticket.history.filter(field="tags").values_list("old", "new")) == [
        ("", "fire, vip"),
        ("fire, vip", "fire"),
    ]


@pytest.mark.parametrize(
    ("code", "given", "stored", "typed"),
    [
        ("text", "Tower B", "Tower B", "Tower B"),
        ("number", 3, "3", 3),
        ("number", "1.50", "1.5", 1.5),
        ("number", -0.25, "-0.25", -0.25),
        ("date", "2026-02-28", "2026-02-28", "2026-02-28"),
        ("yes_no", True, "true", True),
        ("yes_no", "no", "false", False),
        ("choice", "Red", "Red", "Red"),
    ],
)
def test_a_value_has_one_form_in_the_database_and_its_type_outside(
    desk: Desk, properties: None, code: str, given: Any, stored: str, typed: Any
) -> None:
    ticket = actions.set_properties(actor=desk.by_agent, ticket=desk.ticket(), values={code: given})
    row = ticket.property_values.get()
    assert (row.value, row.definition.typed(row.value)) == (stored, typed)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"number": "many"}, "Number: Give a number"),
        ({"number": True}, "Number: Give a number"),
        ({"number": "1e400"}, "Number: Give a number"),
        ({"number": "NaN"}, "Number: Give a number"),
        ({"number": "1e-999999999"}, "Number: Give a number"),
        ({"date": "2026-02-30"}, "Date: Give a date"),
        ({"yes_no": "perhaps"}, "Yes_No: Give true or false"),
        ({"choice": "Blue"}, "Choice: Choose one of: Red, Green"),
        ({"text": 5}, "Text: Give a text"),
        ({"text": "x" * 2001}, "Text: Give a text of at most 2000"),
        ({"text": "half \ud83d"}, "Text: Give a text without null"),
        ({"text": "nothing \0"}, "Text: Give a text without null"),
        ({"floor": 1}, 'There is no property "floor"'),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_nothing_of_the_others_is_stored(
    desk: Desk, properties: None, values: dict, words: str
) -> None:
    ticket = desk.ticket()
    with pytest.raises(InvalidInput, match=words):
        actions.set_properties(actor=desk.by_agent, ticket=ticket, values={**values, "choice": "Blue"} | values)
    assert not ticket.property_values.exists()


def test_an_empty_value_removes_and_what_is_not_named_stays(desk: Desk, properties: None) -> None:
    ticket = desk.ticket()
    actions.set_properties(actor=desk.by_agent, ticket=ticket, values={"text": "a", "number": 1})
    actions.set_properties(actor=desk.by_agent, ticket=ticket, values={"text": ""})
    assert [row.definition.code for row in ticket.property_values.all()] == ["number"]
    assert ticket.history.filter(field="property_text").last().old == "a"
