"""Whatever stands wherever in a file: it is told or it is fine, and never an error of the server."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.importing import import_configuration
from integrations.catalogue.reader import DocumentProblem
from integrations.catalogue.yaml_text import dump
from tests.cast import Partner
from tests.integrations.catalogue.test_configuration import acme

pytestmark = pytest.mark.django_db

__all__ = ["acme"]

TEXTS = ("", "x" * 5000, "(hidden)", "\u0085", "{{ x }}", "../..")
OTHERS = (
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    float("inf"),
    [],
    [1],
    {},
    {"a": {"b": [1]}},
    {1: 2},
    [[]],
    [{}],
    {"name": 3},
)


def places(node: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value of a document."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inner:
        yield (*way, key)
        yield from places(value, (*way, key))


def test_odd_values_everywhere(acme: Partner) -> None:
    whole, chance = configuration_of(), random.Random(11)
    for way in places(whole):
        odd = chance.choice((*TEXTS, *OTHERS, *OTHERS))
        document = copy.deepcopy(whole)
        node: Any = document
        for key in way[:-1]:
            node = node[key]
        node[way[-1]] = odd
        try:
            import_configuration(dump(document), dry_run=True)
        except DocumentProblem as problem:
            assert problem.problems, (way, odd)
    assert configuration_of() == whole
