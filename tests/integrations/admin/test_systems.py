"""External systems: the secret goes in and never comes out; what is missing is said at its field."""

import re

import pytest

from integrations.models import ExternalSystem, OperationTemplate
from tests.integrations.admin.conftest import Browser, errors

SECRET = "s3cret-t0ken-value"


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return ExternalSystem.objects.create(
        name="Acme", code="acme", base_url="https://desk.acme.test/api", auth_kind="bearer", auth_secret=SECRET
    )


def page_of(system: ExternalSystem) -> str:
    return f"externalsystem/{system.pk}/change/"


def test_a_system_is_added(admin: Browser) -> None:
    answer = admin.send("externalsystem/add/", name="Acme", code="acme", base_url="https://desk.acme.test")
    assert answer.status_code == 302
    assert ExternalSystem.objects.get().base_url == "https://desk.acme.test"


def test_the_secret_is_stored_and_in_no_page(admin: Browser) -> None:
    admin.send(
        "externalsystem/add/",
        name="Acme",
        code="acme",
        base_url="https://desk.acme.test",
        auth_kind="bearer",
        secret=SECRET,
    )
    system = ExternalSystem.objects.get()
    assert system.auth_secret == SECRET
    for path in (page_of(system), f"externalsystem/{system.pk}/history/", "externalsystem/"):
        assert SECRET not in admin.get(path).content.decode()


def test_a_secret_in_a_refused_form_is_not_sent_back(admin: Browser) -> None:
    answer = admin.send("externalsystem/add/", name="", code="acme", base_url="https://a.test", secret=SECRET)
    assert "name" in errors(answer)
    assert SECRET not in answer.content.decode()


def test_an_empty_secret_keeps_the_stored_one(admin: Browser, system: ExternalSystem) -> None:
    assert admin.send(page_of(system), name="Acme Ltd").status_code == 302
    system.refresh_from_db()
    assert (system.name, system.auth_secret) == ("Acme Ltd", SECRET)


def test_the_stored_secret_can_be_removed(admin: Browser, system: ExternalSystem) -> None:
    assert admin.send(page_of(system), auth_kind="none", remove_secret="on").status_code == 302
    system.refresh_from_db()
    assert system.auth_secret == ""


def test_a_token_is_needed_where_the_authentication_needs_one(admin: Browser, system: ExternalSystem) -> None:
    assert "secret" in errors(admin.send(page_of(system), remove_secret="on"))
    answer = admin.send("externalsystem/add/", name="B", code="b", base_url="https://b.test", auth_kind="bearer")
    assert "secret" in errors(answer)


def test_the_secret_does_not_follow_the_address_to_another_host(admin: Browser, system: ExternalSystem) -> None:
    answer = admin.send(page_of(system), base_url="https://evil.test/api")
    assert "leads to another host" in errors(answer)["secret"][0]
    assert admin.send(page_of(system), base_url="https://desk.acme.test/v2").status_code == 302


def test_the_history_names_what_changed_and_holds_no_secret(admin: Browser, system: ExternalSystem) -> None:
    admin.send(page_of(system), deadline="30", secret="another-secret")
    page = admin.get(f"externalsystem/{system.pk}/history/").content.decode()
    assert "deadline" in page.lower()
    assert "another-secret" not in page
    record = system.history.first()
    assert record.history_user == admin.user
    assert not hasattr(record, "auth_secret")


def test_the_history_says_values_as_the_form_names_them(admin: Browser, system: ExternalSystem) -> None:
    system.active, system.auth_kind, system.auth_username = False, "basic", "us"
    system.save()
    page = admin.get(f"externalsystem/{system.pk}/history/").content.decode()
    changes = dict(re.findall(r"<strong>(.*?)</strong>: (.*?)</li>", page))
    assert changes["Active"] == "<del>yes</del> → <ins>no</ins>"
    assert changes["Authentication"].endswith("<ins>User and password (HTTP Basic)</ins>")
    assert changes["User"] == "<del>nothing</del> → <ins>us</ins>"


def test_an_old_version_cannot_be_opened_as_a_form(admin: Browser, system: ExternalSystem) -> None:
    record = system.history.first()
    assert admin.get(f"externalsystem/{system.pk}/history/{record.pk}/").status_code == 404


def test_its_operations_are_a_click_away(admin: Browser, system: ExternalSystem) -> None:
    operation = OperationTemplate.objects.create(system=system, name="create_ticket", path="/tickets")
    text = admin.get(page_of(system)).content.decode()
    assert f'href="/admin/integrations/operationtemplate/{operation.pk}/change/"' in text
    assert "POST /tickets" in text


def test_the_code_stays_as_it_is(admin: Browser, system: ExternalSystem) -> None:
    admin.post(page_of(system), code="changed")
    system.refresh_from_db()
    assert system.code == "acme"


def test_the_login_request_is_one_of_its_own_with_a_session(admin: Browser, system: ExternalSystem) -> None:
    other = ExternalSystem.objects.create(name="Other", code="other", base_url="https://other.test")
    foreign = OperationTemplate.objects.create(system=other, name="login", captures="session = response.text")
    without = OperationTemplate.objects.create(system=system, name="login_old", captures="x = response.text")
    good = OperationTemplate.objects.create(system=system, name="login", captures="session = response.text")
    login = {"auth_kind": "login", "auth_name": "X-Session", "auth_username": "portal"}
    assert "auth_login" in errors(admin.send(page_of(system), **login, auth_login=str(foreign.pk)))
    answer = admin.send(page_of(system), **login, auth_login=str(without.pk))
    assert "no capture named session" in errors(answer)["auth_login"][0]
    assert admin.send(page_of(system), **login, auth_login=str(good.pk)).status_code == 302


def test_what_cannot_be_decrypted_can_be_entered_again(
    admin: Browser, system: ExternalSystem, settings: object
) -> None:
    settings.ENCRYPTION_KEYS = ["dGhpcyBpcyBub3QgdGhlIGtleSB0aGF0IHdhcyB1c2U="]
    page = admin.get(page_of(system)).content.decode()
    assert "cannot be decrypted" in page
    assert admin.send(page_of(system), secret="new-secret").status_code == 302
    assert ExternalSystem.objects.get(pk=system.pk).auth_secret == "new-secret"
