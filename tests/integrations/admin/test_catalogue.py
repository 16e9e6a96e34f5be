"""The catalogue's screens: the list, what an entry brings, and the guided form step by step."""

import re
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from integrations.admin.catalogue.base import CONFIGURES
from integrations.catalogue import codes, load
from integrations.models import (
    ExternalSystem,
    GroupBinding,
    PresetOrigin,
    Process,
    Setup,
)
from tests.cast import make_partner
from tests.integrations.admin.conftest import Browser, messages_of
from tests.integrations.admin.guided import ADD, ENTERED, step, system, text
from tickets.models import AssignmentGroup, Priority

__all__ = ["system"]


def test_the_catalogue_lists_every_preset_with_how_far_it_was_tried(admin: Browser) -> None:
    page = text(admin.get("externalsystem/catalogue/"))
    for code in codes():
        assert load(code).name in page
    assert "Tried against its documented contract" in page
    assert f"{len(codes())} of {len(codes())} desks" in page


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ({"q": "zammad"}, "zammad", "zendesk"),
        ({"q": "articles REST"}, "zammad", "zendesk"),
        ({"tried": "real"}, "deskbridge", "zammad"),
        ({"level": "full"}, "zammad", "itx"),
    ],
)
def test_the_catalogue_can_be_searched(admin: Browser, query: dict[str, str], found: str, missing: str) -> None:
    page = text(admin.get("externalsystem/catalogue/", **query))
    assert f"/catalogue/{found}/" in page
    assert f"/catalogue/{missing}/" not in page


def test_a_preset_that_cannot_be_read_is_shown_and_does_not_hide_the_others(
    admin: Browser, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.yaml").write_text("preset: broken\nname: [")
    monkeypatch.setattr("integrations.catalogue.preset.FOLDER", tmp_path)
    page = text(admin.get("externalsystem/catalogue/"))
    assert "Cannot be read" in page
    assert "This is not YAML" in page
    assert admin.get("externalsystem/catalogue/broken/").status_code == 200
    assert admin.get("externalsystem/catalogue/broken/add/").status_code == 404


@pytest.mark.parametrize("code", codes())
def test_the_page_of_a_preset_says_what_it_brings(admin: Browser, code: str) -> None:
    preset = load(code)
    page = unescape(text(admin.get(f"externalsystem/catalogue/{code}/")))
    for name in preset.operations:
        assert f"<strong>{name}</strong>" in page
    assert {"real": "Tried against a real one", "contract": "Tried against its documented contract"}[
        preset.tried
    ] in page
    assert preset.tried_note.strip() in page
    assert preset.source.strip() in page
    # People read this: where the portal's own tests are is nothing to them.
    assert "tests/" not in page
    assert not re.search(r"<dt>[a-z_]+</dt>", page), "settings are named as the forms name them"
    assert admin.get("externalsystem/catalogue/nothing/").status_code == 404


def test_who_may_only_look_is_offered_no_button_and_cannot_add(browser_for: Any) -> None:
    reader = browser_for("view_externalsystem")
    assert "/add/" not in text(reader.get("externalsystem/catalogue/")).replace("externalsystem/add/", "")
    assert reader.get(ADD).status_code == 403
    assert reader.post(ADD, **ENTERED).status_code == 403
    assert not ExternalSystem.objects.exists()
    # All rights but one.
    almost = browser_for(*(name.removeprefix("integrations.") for name in CONFIGURES[1:]))
    assert almost.get(ADD).status_code == 403


def test_the_first_step_makes_the_system_switched_off_with_all_that_the_preset_brings(admin: Browser) -> None:
    Priority.objects.create(code="p1", name="High", rank=1)
    answer = admin.post(ADD, **ENTERED)
    system = ExternalSystem.objects.get()
    assert answer["Location"] == reverse("admin:integrations_setup_step", args=(system.pk, "level"))
    assert (system.active, system.auth_secret, system.preset) == (False, "t0ken", "generic-rest")
    assert system.settings == {"queue": "Second floor"}
    assert system.operations.filter(name="create_ticket").exists()
    assert system.value_mappings.filter(kind="priority", ours="p1").exists()
    assert Process.objects.filter(name="Acme: exchange").exists()
    assert PresetOrigin.objects.get().version == load("generic-rest").version
    assert "t0ken" not in text(admin.get(step(system, "connection")))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "This field is required"),
        ({"code": "a b"}, "Only letters"),
        ({"base_url": ""}, "This field is required"),
        ({"base_url": "desk"}, "This is no address"),
        ({"base_url": "https://me:secret@desk.test"}, "Give user and password below"),
        ({"secret": ""}, "needs a token or key"),
        ({"auth_kind": "key_header"}, "Say which header"),
        ({"auth_kind": "basic"}, "needs a user"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(
    admin: Browser, wrong: dict[str, str], says: str
) -> None:
    answer = admin.post(ADD, **{**ENTERED, **wrong})
    assert answer.status_code == 422
    assert says in text(answer)
    assert not ExternalSystem.objects.exists()
    assert not Setup.objects.exists()


def test_a_password_that_the_page_does_not_have_any_more_is_asked_for_again(admin: Browser) -> None:
    page = text(admin.post(ADD, **{**ENTERED, "code": "a b"}))
    assert "t0ken" not in page
    assert "Enter it again" in page
    assert "Enter it again" not in text(admin.post(ADD, **{**ENTERED, "code": "a b", "secret": ""}))


def test_a_desk_that_is_reached_by_mail_alone_asks_for_its_mail_address(admin: Browser) -> None:
    page = "externalsystem/catalogue/email-only/add/"
    entered = {"name": "Acme", "code": "acme", "setting-signature": "Us"}
    assert admin.get(page).context["forms"].form.fields["base_url"].widget.is_hidden
    assert admin.post(page, **entered).status_code == 422
    assert admin.post(page, **entered, mail_to="desk@acme.test").status_code == 302
    system = ExternalSystem.objects.get()
    assert (system.mail_to, system.base_url, system.active) == ("desk@acme.test", "", False)
    assert "reached by mail alone" in text(admin.get(step(system, "test")))
    last = text(admin.get(step(system, "activate")))
    assert "reached by mail alone" in last
    assert "It is written to by mail, by its processes." in last
    assert "No mailbox is read" in last
    assert "needs no operations" in text(admin.get(step(system, "level")))


def test_a_name_that_is_taken_by_another_system_or_process_is_told(admin: Browser, system: ExternalSystem) -> None:
    answer = admin.post(ADD, **{**ENTERED, "code": "other"})
    assert answer.status_code == 422
    assert "already exists" in text(answer)
    assert ExternalSystem.objects.count() == 1


def test_one_can_stop_and_go_on_where_one_was(admin: Browser, system: ExternalSystem) -> None:
    assert admin.post(step(system, "level"), level="log_only", go_on="1")["Location"].endswith("/setup/test/")
    assert admin.get(f"externalsystem/{system.pk}/setup/")["Location"].endswith("/setup/test/")
    assert "Back to the guided form" in text(admin.get(f"externalsystem/{system.pk}/change/"))
    # Going back loses nothing.
    assert admin.get(step(system, "connection")).status_code == 200
    assert admin.post(step(system, "connection"), **{**ENTERED, "secret": ""}).status_code == 302
    assert Setup.objects.get().reached == "test"
    system.refresh_from_db()
    assert system.auth_secret == "t0ken"
    assert admin.get(step(system, "nonsense")).status_code == 404
    Setup.objects.all().delete()
    # It has ended: whoever goes back into it is led to the system.
    assert admin.get(step(system, "level"))["Location"].endswith(f"/externalsystem/{system.pk}/change/")


def test_the_secret_does_not_go_to_another_host(admin: Browser, system: ExternalSystem) -> None:
    answer = admin.post(step(system, "connection"), **{**ENTERED, "secret": "", "base_url": "https://elsewhere.test"})
    assert answer.status_code == 422
    assert "leads to another host now" in text(answer)


def test_the_level_is_chosen_by_what_is_there(admin: Browser, system: ExternalSystem) -> None:
    system.operations.filter(name="update_contact").delete()
    page = text(admin.get(step(system, "level")))
    assert "1 operation is missing" in page
    assert f"operationtemplate/add/?system={system.pk}&amp;name=update_contact" in page
    answer = admin.post(step(system, "level"), level="full", look="1")
    assert answer["Location"].endswith("/setup/level/")
    assert admin.post(step(system, "level"), level="total", go_on="1").status_code == 422
    system.refresh_from_db()
    assert system.level == "full"


def test_an_operation_leads_back_to_the_form(admin: Browser, system: ExternalSystem) -> None:
    operation = system.operations.get(name="find_ticket")
    page = f"operationtemplate/{operation.pk}/change/"
    assert "Back to the guided form" in text(admin.get(page))
    assert admin.send(page, description="By number")["Location"].endswith("/setup/level/")


def test_the_connection_is_tested_with_what_was_entered(
    transactional_db: None, admin: Browser, httpserver: Any
) -> None:
    httpserver.expect_request("/states", headers={"Authorization": "Bearer t0ken"}).respond_with_json({"states": []})
    admin.post(ADD, **{**ENTERED, "base_url": httpserver.url_for("").rstrip("/"), "allow_private": "on"})
    system = ExternalSystem.objects.get()
    operation = system.operations.get(name="fetch_statuses")
    assert "The other desk answered." in text(admin.post(step(system, "test"), operation=str(operation.pk)))
    assert admin.post(step(system, "test"), operation="999999").status_code == 422
    assert admin.post(step(system, "test"), fetch="999999").status_code == 404


def test_a_new_group_is_bound_and_integrated_only_when_the_system_is_activated(
    admin: Browser, system: ExternalSystem
) -> None:
    exchange = Process.objects.get()
    page = admin.get(step(system, "group"))
    assert page.context["form"]["assignment"].value() == exchange.pk
    entered = {"group": "", "name": "Acme", **dict.fromkeys(("assignment", "update", "closure"), exchange.pk)}
    assert admin.post(step(system, "group"), **{**entered, "name": ""}).status_code == 422
    assert admin.post(step(system, "group"), **{**entered, "assignment": ""}).status_code == 422
    assert not AssignmentGroup.objects.exists()
    admin.post(step(system, "group"), **entered)
    binding = GroupBinding.objects.get()
    assert (binding.group.code, binding.integrated, binding.system) == ("acme", False, system)
    assert admin.post(step(system, "group"), **{**entered, "group": binding.group_id}).status_code == 302
    assert GroupBinding.objects.count() == 1
    admin.post(step(system, "level"), level="", go_on="1")
    refused = admin.post(step(system, "activate"))
    assert refused.status_code == 422
    assert "Nobody has looked yet at what would be sent" in text(refused)
    assert admin.post(step(system, "preview"))["Location"].endswith("/setup/activate/")
    answer = admin.post(step(system, "activate"))
    assert answer.status_code == 302, text(answer)
    binding.refresh_from_db()
    system.refresh_from_db()
    assert (binding.integrated, system.active, Setup.objects.exists()) == (True, True, False)
    assert admin.get(f"externalsystem/{system.pk}/setup/")["Location"].endswith(f"/{system.pk}/change/")


def test_a_group_of_another_desk_is_not_offered(admin: Browser, system: ExternalSystem) -> None:
    partner = make_partner("other", "https://other.test")
    answer = admin.post(step(system, "group"), group=partner.group.pk, name="")
    assert answer.status_code == 422
    assert "Select a valid choice" in text(answer)


def test_activation_is_refused_with_its_reasons(admin: Browser, system: ExternalSystem) -> None:
    system.operations.filter(name="update_contact").delete()
    system.level, system.auth_secret = "full", ""
    system.save()
    page = text(admin.get(step(system, "activate")))
    assert "It lacks: Update a contact." in page
    assert "The password, token or key is missing." in page
    assert "It was not tested." in page
    answer = admin.post(step(system, "activate"))
    assert answer.status_code == 422
    assert "It cannot be activated yet" in text(answer)
    system.refresh_from_db()
    assert not system.active


def test_nothing_in_a_step_is_open_to_who_may_not_configure(browser_for: Any, system: ExternalSystem) -> None:
    reader = browser_for("view_externalsystem", "change_externalsystem")
    for name in ("connection", "level", "test", "values", "group", "preview", "activate"):
        assert reader.get(step(system, name)).status_code == 403
        assert reader.post(step(system, name)).status_code == 403
    assert reader.get(f"externalsystem/{system.pk}/clone/").status_code == 403


def test_a_message_says_that_one_can_stop(admin: Browser) -> None:
    assert "You can stop here and go on at any time." in messages_of(admin.post(ADD, **ENTERED))[0]
