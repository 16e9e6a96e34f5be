"""API keys for calling us: shown once, several at once, revoked for good."""

import datetime

import pytest
from django.utils import timezone

from integrations.models import ExternalSystem, SystemKey
from tests.integrations.admin.conftest import Browser


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return ExternalSystem.objects.create(name="Acme", code="acme", base_url="https://desk.acme.test")


def make_key(admin: Browser, system: ExternalSystem, **values: str) -> str:
    answer = admin.post(f"externalsystem/{system.pk}/keys/new/", **{"name": "one", **values})
    return str(answer.context["key"])


def test_a_new_key_is_shown_once_and_works(admin: Browser, system: ExternalSystem) -> None:
    answer = admin.post(f"externalsystem/{system.pk}/keys/new/", name="in their vault")
    key = answer.context["key"]
    assert key in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert SystemKey.objects.get_from_key(key).system == system
    for path in (f"externalsystem/{system.pk}/change/", f"externalsystem/{system.pk}/history/"):
        page = admin.get(path).content.decode()
        assert key not in page
        assert SystemKey.objects.get().hashed_key not in page


def test_several_keys_are_in_use_at_once(admin: Browser, system: ExternalSystem) -> None:
    first, second = make_key(admin, system), make_key(admin, system)
    assert SystemKey.objects.is_valid(first)
    assert SystemKey.objects.is_valid(second)


def test_revoking_asks_first_and_then_ends_only_that_key(admin: Browser, system: ExternalSystem) -> None:
    first, second = make_key(admin, system), make_key(admin, system)
    path = f"externalsystem/{system.pk}/keys/{first.partition('.')[0]}/revoke/"
    assert "cannot be undone" in admin.get(path).content.decode()
    assert SystemKey.objects.is_valid(first)
    assert admin.post(path).status_code == 302
    assert not SystemKey.objects.is_valid(first)
    assert SystemKey.objects.is_valid(second)
    assert "Revoked" in admin.get(f"externalsystem/{system.pk}/change/").content.decode()


def test_revoking_the_only_key_warns(admin: Browser, system: ExternalSystem) -> None:
    key = make_key(admin, system)
    page = admin.get(f"externalsystem/{system.pk}/keys/{key.partition('.')[0]}/revoke/").content.decode()
    assert "only key in use" in page


def test_a_key_works_until_the_end_of_its_last_day(admin: Browser, system: ExternalSystem) -> None:
    today = timezone.localdate()
    make_key(admin, system, expires=today.isoformat())
    expires = SystemKey.objects.get().expiry_date
    assert expires is not None
    assert timezone.localtime(expires).date() == today
    assert expires > timezone.now() or expires.time() >= datetime.time(23, 59)


def test_a_key_cannot_expire_in_the_past(admin: Browser, system: ExternalSystem) -> None:
    answer = admin.post(f"externalsystem/{system.pk}/keys/new/", name="late", expires="2020-01-01")
    assert "This day is over" in answer.content.decode()
    assert not SystemKey.objects.exists()


def test_a_key_of_another_system_is_not_found(admin: Browser, system: ExternalSystem) -> None:
    key = make_key(admin, system)
    other = ExternalSystem.objects.create(name="Other", code="other", base_url="https://other.test")
    assert admin.post(f"externalsystem/{other.pk}/keys/{key.partition('.')[0]}/revoke/").status_code == 404
    assert SystemKey.objects.is_valid(key)
