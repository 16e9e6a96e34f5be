"""Who may only read sees no buttons, and what they send is refused."""

from collections.abc import Callable

import pytest

from integrations.models import ExternalSystem, SystemKey, WsdlDocument
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser

VIEW = ("view_externalsystem", "view_operationtemplate", "view_process", "view_wsdldocument", "view_appfield")


@pytest.fixture
def reader(browser_for: Callable[..., Browser]) -> Browser:
    return browser_for(*VIEW, "view_systemkey", "view_step")


@pytest.fixture
def wsdl(partner: Partner) -> WsdlDocument:
    return WsdlDocument.objects.create(system=partner.system, name="W", url="http://127.0.0.1:9/?wsdl")


@pytest.fixture
def key(partner: Partner) -> SystemKey:
    return SystemKey.objects.get_from_key(partner.key())


def test_a_reader_sees_the_pages_without_their_buttons(
    reader: Browser, partner: Partner, wsdl: WsdlDocument, key: SystemKey
) -> None:
    system = reader.get(f"externalsystem/{partner.system.pk}/change/")
    assert system.status_code == 200
    text = system.content.decode()
    for words in ("Test connection", "New key", "Revoke …", 'name="secret"', "_save"):
        assert words not in text, words
    assert key.prefix in text
    assert f"{wsdl.pk}/fetch/" not in reader.get(f"wsdldocument/{wsdl.pk}/change/").content.decode()
    assert "Sync the external" not in reader.get("appfield/").content.decode()
    process = reader.get(f"process/{partner.process.pk}/change/").content.decode()
    assert "Preview" not in process
    assert "_save" not in process


def test_what_a_reader_sends_is_refused(
    reader: Browser, partner: Partner, wsdl: WsdlDocument, key: SystemKey
) -> None:
    system = f"externalsystem/{partner.system.pk}"
    refused = [
        f"{system}/change/",
        f"{system}/test_connection/",
        f"{system}/keys/new/",
        f"{system}/keys/{key.prefix}/revoke/",
        f"operationtemplate/{partner.create.pk}/change/",
        f"process/{partner.process.pk}/change/",
        f"process/{partner.process.pk}/open_preview/",
        f"wsdldocument/{wsdl.pk}/fetch/",
        "appfield/sync/",
    ]
    assert {path: reader.post(path, name="x").status_code for path in refused} == dict.fromkeys(refused, 403)
    assert SystemKey.objects.filter(revoked=False).count() == 1


def test_pages_that_only_read_are_refused_without_their_permission(
    browser_for: Callable[..., Browser], partner: Partner, desk: Desk
) -> None:
    nobody = browser_for()
    pages = [
        f"externalsystem/{partner.system.pk}/change/",
        f"externalsystem/{partner.system.pk}/test_connection/",
        f"externalsystem/{partner.system.pk}/history/",
        f"process/{partner.process.pk}/open_preview/",
        "process/suggest-tasks/",
        "operationtemplate/soap-arguments/",
        f"groupbinding/{partner.binding.pk}/history/",
    ]
    assert {path: nobody.get(path).status_code for path in pages} == dict.fromkeys(pages, 403)


def test_a_preview_needs_the_right_to_read_tickets(browser_for: Callable[..., Browser], partner: Partner) -> None:
    page = f"process/{partner.process.pk}/open_preview/"
    assert browser_for("view_process").get(page).status_code == 403
    assert browser_for("view_process", "tickets.view_task", "tickets.view_ticket").get(page).status_code == 200


def test_end_users_are_sent_to_sign_in(desk: Desk, partner: Partner) -> None:
    from django.test import Client

    client = Client()
    client.force_login(desk.end_user)
    assert client.get(f"/admin/integrations/process/{partner.process.pk}/open_preview/").status_code == 302


@pytest.mark.parametrize("path", ["test_connection/", "keys/new/", "keys/abc/revoke/"])
def test_a_system_that_is_not_there_is_404(admin: Browser, path: str) -> None:
    assert admin.get(f"externalsystem/999/{path}").status_code == 404


def test_every_form_is_protected_against_other_sites(admin: Browser, partner: Partner) -> None:
    admin.client.handler.enforce_csrf_checks = True
    for path in (f"externalsystem/{partner.system.pk}/test_connection/", "appfield/sync/"):
        assert admin.post(path).status_code == 403
    assert ExternalSystem.objects.get(pk=partner.system.pk)
