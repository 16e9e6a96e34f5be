"""The cast, and browsers that are signed in."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.tickets.views.cast import Cast, make_cast

TOKEN = re.compile(r'name="token" value="([0-9a-f-]{36})"[^>]*id="([a-z]+)-token"')


@pytest.fixture
def cast(db: None, settings: Any, tmp_path: Path) -> Cast:
    """Everybody, with files kept in a folder of this test."""
    settings.MEDIA_ROOT = tmp_path
    return make_cast()


@pytest.fixture
def owner(client: Client, cast: Cast) -> Client:
    """A browser in which the ticket's contact is signed in."""
    client.force_login(cast.owner)
    return client


@pytest.fixture
def outsider(cast: Cast) -> Client:
    """A browser in which another contact is signed in."""
    browser = Client()
    browser.force_login(cast.outsider)
    return browser


@pytest.fixture
def tokens() -> Callable[[Client, str], dict[str, str]]:
    """The one-time tokens on a page, by the name of their form."""

    def read(browser: Client, address: str) -> dict[str, str]:
        found = TOKEN.findall(browser.get(address).content.decode())
        return {name: token for token, name in found}

    return read
