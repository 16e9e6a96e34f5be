"""How long the search for cases and the list of changes take with ten thousand cases. Run on demand:

python -m pytest -o addopts= -s tests/benchmarks/test_itx.py
"""

import time
from typing import Any

import pytest

from tests.integrations.inbound.conftest import make_desk
from tests.integrations.inbound.itx.conftest import Itx
from tests.integrations.inbound.itx.many import CASES, many_cases
from tickets.models import Priority

ROUNDS = 10
ALL = {"getMembers": True, "getComments": True, "getLinks": True, "getLogs": True, "getFiles": True}


@pytest.mark.django_db
def test_search_and_changes() -> None:
    """Each line: the median of ten calls, through the whole portal, with the record of the call."""
    Priority.objects.create(code="normal", name="Normal", rank=3, is_default=True)
    itx = Itx(make_desk("Northwind"))
    cases = many_cases(itx.desk)
    some = [case for case in cases if int(case.number) % 10][5000:5050]
    searches: dict[str, dict[str, Any]] = {
        "50 by eactIds": {"eactIds": [case.pk for case in some]},
        "one by seqNo": {"seqNo": int(some[0].number)},
        "a word in the title": {"text": "printer 77"},
        "the first 50 changes": {"changedFromTs": 0},
        "the newest changes": {"changedFromTs": str(cases[-20].listed_at)},
        "200 changes with all their parts": {"changedFromTs": 0, "limitTo": 200, **ALL},
    }
    print(f"\n{CASES} cases")  # noqa: T201 - that is what it is for
    for name, filters in searches.items():
        times = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            response = itx.post("itxems/cases/search", filters)
            times.append(time.perf_counter() - began)
            assert response.status_code == 200
        median = sorted(times)[ROUNDS // 2] * 1000
        print(f"{name:40} {len(response.json()):4} found {median:8.1f} ms")  # noqa: T201 - its result
