"""The matrix of the document Connection Integration, word for word: what a desk must have at which level."""

import re

import pytest

from integrations.levels import FUNCTIONS, Level, missing_functions
from integrations.models import OperationTemplate
from tests.source_tree import ROOT

# Log only, status sync, full; P: it must have it, O: it may.
DOCUMENT = {
    # Its words above the table, for every level.
    "create_ticket": "PPP",
    "create_contact": "PPP",
    "update_contact": "PPP",
    "delete_contact": "PPP",
    "query_contacts": "PPP",
    # Its table.
    "find_contact": "PPP",
    "fetch_notes": "PPP",
    "upload_attachment": "PPP",
    "fetch_ticket": "OPP",
    "fetch_modified_since": "OPP",
    "update_ticket": "OOP",
    "add_note": "OOP",
}
LEVELS = (Level.LOG_ONLY, Level.STATUS_SYNC, Level.FULL)


def test_the_matrix_is_that_of_the_document():
    ours = {row.operations[0]: "".join("P" if level in row.must else "O" for level in LEVELS) for row in FUNCTIONS}
    assert ours == DOCUMENT


def test_so_is_the_table_of_the_documentation():
    text = (ROOT / "docs" / "levels.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| .+ \| `(\w+)` \| ([PO]) \| ([PO]) \| ([PO]) \|$", text, re.MULTILINE)
    assert {name: "".join(marks) for name, *marks in table} == DOCUMENT


@pytest.mark.django_db
@pytest.mark.parametrize("without", DOCUMENT)
def test_each_function_is_missed_at_the_levels_that_must_have_it_and_at_no_other(partner, without):
    system = partner.system
    for name in set(DOCUMENT) - {without}:
        OperationTemplate.objects.get_or_create(system=system, name=name)
    OperationTemplate.objects.filter(system=system, name=without).update(name="renamed")
    missing = ["".join(row.key for row in missing_functions(system, level)) for level in LEVELS]
    assert missing == [without if mark == "P" else "" for mark in DOCUMENT[without]]
