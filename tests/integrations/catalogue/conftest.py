"""Desks of the catalogue, played by a local server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from integrations.engine import authentication
from tests.cast import Desk
from tests.integrations.catalogue.contract import Contract, adopted
from tickets.models import Priority


@pytest.fixture
def adopt(desk: Desk, httpserver: HTTPServer) -> Iterator[Callable[..., Contract]]:
    """Add a preset: `adopt("servicenow", settings={...})`. All ranks from 1 to 5 have a priority of ours."""
    for rank in (1, 2, 4, 5):
        Priority.objects.create(code=f"p{rank}", name=f"Rank {rank}", rank=rank)
    authentication._sessions.clear()

    def make(code: str, **values: Any) -> Contract:
        return adopted(code, server=httpserver, desk=desk, **values)

    yield make
    authentication._sessions.clear()
    httpserver.check_handler_errors()
