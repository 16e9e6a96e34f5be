"""An administrator at the guided form: what is entered first, and the addresses of its steps."""

from typing import Any

import pytest

from integrations.models import (
    ExternalSystem,
    Process,
)
from tests.integrations.admin.conftest import Browser

ADD = "externalsystem/catalogue/generic-rest/add/"
ENTERED = {
    "name": "Acme",
    "code": "acme",
    "base_url": "https://desk.acme.test/api",
    "auth_kind": "bearer",
    "secret": "t0ken",
    "setting-queue": "Second floor",
    "oauth_client_authentication": "basic",
    "verify_tls": "on",
}


@pytest.fixture
def system(admin: Browser) -> ExternalSystem:
    """A system at its second step."""
    assert admin.post(ADD, **ENTERED).status_code == 302
    return ExternalSystem.objects.get()


def step(system: ExternalSystem, name: str) -> str:
    return f"externalsystem/{system.pk}/setup/{name}/"


def bind(admin: Browser, system: ExternalSystem) -> None:
    bound = dict.fromkeys(("assignment", "update", "closure"), Process.objects.get().pk)
    assert admin.post(step(system, "group"), group="", name="Acme", **bound).status_code == 302


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())
