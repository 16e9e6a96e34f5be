"""What the desk's tests listen with."""

from collections.abc import Iterator

import pytest

from tickets.events import Event, happened


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """Every event published during the test, in order."""
    heard: list[Event] = []

    def listen(event: Event, **_kwargs: object) -> None:
        heard.append(event)

    happened.connect(listen)
    yield heard
    happened.disconnect(listen)
