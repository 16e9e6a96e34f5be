"""Configuration as files in the browser: export, the difference before an import, compare, clone."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from integrations.catalogue import PresetProblem, add, codes, load, preset, read
from integrations.catalogue.exporting import configuration_of
from integrations.catalogue.originals import compare_with_original, remember
from integrations.catalogue.yaml_text import MOST_BYTES, dump
from integrations.models import ExternalSystem, GroupBinding, PresetOrigin, Process, Setup
from tests.cast import Partner, make_partner
from tests.integrations.admin.conftest import Browser, messages_of

IMPORT = "externalsystem/import/"


@pytest.fixture
def acme(db: None) -> ExternalSystem:
    """A system from the catalogue."""
    made = add(
        load("generic-rest"), name="Acme", code="acme", base_url="https://acme.test/api", secret="hunter2-hunter2"
    )
    remember(made, load("generic-rest"))
    return made


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def upload(admin: Browser, content: str | bytes) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return admin.client.post(reverse("admin:integrations_import"), {"file": SimpleUploadedFile("desks.yaml", data)})


def test_one_or_all_are_exported_without_secrets(admin: Browser, acme: ExternalSystem) -> None:
    make_partner("other", "https://other.test")
    one = admin.get(f"externalsystem/{acme.pk}/export/")
    assert one["Content-Disposition"] == 'attachment; filename="acme.yaml"'
    assert list(yaml.safe_load(one.content)["systems"]) == ["acme"]
    both = admin.get("externalsystem/export/").content
    assert set(yaml.safe_load(both)["systems"]) == {"acme", "other"}
    assert b"hunter2" not in one.content + both


def test_the_difference_is_shown_before_it_is_applied(admin: Browser, acme: ExternalSystem) -> None:
    wanted = dump(configuration_of([acme])).replace("path: /states", "path: /status")
    page = upload(admin, wanted)
    assert "systems/acme/operations/fetch_statuses" in text(page)
    assert "-path: /states" in text(page)
    operation = acme.operations.get(name="fetch_statuses")
    assert operation.path == "/states"
    answer = admin.post(IMPORT, text=page.context["text"], seen=page.context["seen"])
    assert answer.status_code == 302
    assert "Imported: 1 objects changed." in messages_of(answer)
    operation.refresh_from_db()
    assert operation.path == "/status"
    assert "Nothing changes" in text(upload(admin, wanted))


def test_what_changed_meanwhile_is_shown_again_and_not_applied(admin: Browser, acme: ExternalSystem) -> None:
    page = upload(admin, dump(configuration_of([acme])).replace("path: /states", "path: /status"))
    acme.operations.filter(name="fetch_statuses").update(method="POST")
    answer = admin.post(IMPORT, text=page.context["text"], seen=page.context["seen"])
    assert "The configuration was changed meanwhile" in text(answer)
    assert acme.operations.get(name="fetch_statuses").path == "/states"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "It is not UTF-8."),
        (b"", "The submitted file is empty."),
        (b"a: [", "This is not YAML"),
        (b"a: &a [1]\nb: *a", "Aliases (*name) are not accepted."),
        (b"deskbridge_configuration: 1\nsystems: {acme: {nam: x}}", "systems/acme: Not known: &quot;nam&quot;."),
        (b"a: " + b"x" * MOST_BYTES, "It is larger than"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(admin: Browser, content: bytes, says: str) -> None:
    answer = upload(admin, content)
    assert answer.status_code == 422
    assert says in text(answer)
    assert not ExternalSystem.objects.exists()


def test_nothing_is_sent_without_a_file(admin: Browser) -> None:
    assert admin.get(IMPORT).status_code == 200
    answer = admin.post(IMPORT)
    assert (answer.status_code, "Choose a file." in text(answer)) == (422, True)


def test_files_are_for_those_who_may_configure(browser_for: Callable[..., Browser], acme: ExternalSystem) -> None:
    reader = browser_for("view_externalsystem")
    for path in ("externalsystem/export/", IMPORT, f"externalsystem/{acme.pk}/export/"):
        assert reader.get(path).status_code == 403
    assert reader.client.post(reverse("admin:integrations_import"), {"file": BytesIO(b"x")}).status_code == 403


def test_an_unchanged_system_is_as_its_original(admin: Browser, acme: ExternalSystem) -> None:
    assert "Everything is as in the original." in text(admin.get(f"externalsystem/{acme.pk}/compare/"))


@pytest.fixture
def newer(acme: ExternalSystem, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue's next version: one operation changed, one new; here another was changed, and one of both."""
    source = (preset.FOLDER / "generic-rest.yaml").read_text()
    source = source.replace("version: 1\n", "version: 2\n").replace("path: /states", "path: /v2/states")
    source = source.replace("path: /priorities", "path: /v2/priorities")
    source = source.replace("operations:\n", "operations:\n  ping: {method: GET, path: /ping, repeat: safe}\n", 1)
    (tmp_path / "generic-rest.yaml").write_text(source)
    monkeypatch.setattr("integrations.catalogue.preset.FOLDER", tmp_path)
    load.cache_clear()
    acme.operations.filter(name="fetch_priorities").update(path="/urgencies")
    acme.operations.filter(name="update_ticket").update(method="PUT")
    yield
    load.cache_clear()


def test_changes_here_and_there_are_told_apart_and_taken_over_one_by_one(
    admin: Browser, acme: ExternalSystem, newer: None
) -> None:
    found = {part.place: part for part in compare_with_original(acme)}
    told = {place: (bool(part.here), bool(part.there)) for place, part in found.items()}
    assert told == {
        "operations/fetch_statuses": (False, True),
        "operations/fetch_priorities": (True, True),
        "operations/update_ticket": (True, False),
        "operations/ping": (False, True),
    }
    page = f"externalsystem/{acme.pk}/compare/"
    assert "+path: /v2/states" in text(admin.get(page))
    answer = admin.post(page, take=["operations/fetch_statuses", "operations/ping"])
    assert answer.status_code == 302, text(answer)
    assert acme.operations.get(name="fetch_statuses").path == "/v2/states"
    assert acme.operations.filter(name="ping").exists()
    # What was not chosen is as it was, the secret included.
    assert acme.operations.get(name="fetch_priorities").path == "/urgencies"
    acme.refresh_from_db()
    assert (acme.auth_secret, acme.active) == ("hunter2-hunter2", True)
    assert PresetOrigin.objects.get().version == 1
    admin.post(page, take=["operations/fetch_priorities", "operations/update_ticket"])
    assert "Everything is as in the original." in text(admin.get(page))
    assert PresetOrigin.objects.get().version == 2
    assert admin.post(page).status_code == 422


def test_a_part_that_would_break_a_process_is_not_taken_over(admin: Browser, acme: ExternalSystem) -> None:
    process = Process.objects.get()
    step = process.steps.get(name="note")
    step.captures = ""
    step.save()
    operation = acme.operations.create(name="extra", path="/extra")
    step.operation = operation
    step.save()
    answer = admin.post(f"externalsystem/{acme.pk}/compare/", take=["operations/extra"])
    assert answer.status_code == 422
    assert "cannot be removed" in text(answer) or "there is no" in text(answer)
    assert acme.operations.filter(name="extra").exists()


def test_a_system_of_ones_own_has_no_original(admin: Browser, partner: Partner) -> None:
    page = text(admin.get(f"externalsystem/{partner.system.pk}/compare/"))
    assert "was not made from the catalogue" in page


def test_a_clone_has_everything_but_secrets_keys_and_groups(admin: Browser, partner: Partner) -> None:
    partner.system.auth_kind, partner.system.auth_secret = "bearer", "hunter2-hunter2"
    partner.system.save()
    partner.key()
    answer = admin.post(f"externalsystem/{partner.system.pk}/clone/", name="Acme East", code="acme-east")
    clone = ExternalSystem.objects.get(code="acme-east")
    assert answer["Location"] == reverse("admin:integrations_setup_step", args=(clone.pk, "connection"))
    assert (clone.active, clone.auth_secret, clone.auth_kind) == (False, "", "bearer")
    assert clone.keys.count() == 0
    assert set(clone.operations.values_list("name", flat=True)) == set(
        partner.system.operations.values_list("name", flat=True)
    )
    # Its processes call its own operations: those of the first would go on to call the first.
    process = Process.objects.get(name__startswith="Acme East: ")
    called = {step.operation.system for step in process.steps.select_related("operation__system")}
    assert called == {clone}
    assert process.steps.count() == partner.process.steps.count()
    assert GroupBinding.objects.filter(system=clone).count() == 0
    assert Setup.objects.get().system == clone


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("Partner acme", "new", "Another external system has it."),
        ("New", "acme", "has it"),
        ("New", "a b", "Only letters"),
    ],
)
def test_a_clone_needs_a_name_and_a_code_of_its_own(
    admin: Browser, partner: Partner, name: str, code: str, says: str
) -> None:
    answer = admin.post(f"externalsystem/{partner.system.pk}/clone/", name=name, code=code)
    assert (answer.status_code, says in text(answer)) == (422, True)
    assert ExternalSystem.objects.count() == 1


def test_an_exported_preset_makes_the_same_system_elsewhere(admin: Browser, acme: ExternalSystem) -> None:
    acme.operations.filter(name="fetch_statuses").update(path="/status")
    answer = admin.get(f"externalsystem/{acme.pk}/export-preset/")
    exported = read(answer.content.decode())
    assert (exported.code, exported.version, exported.bindings["assignment"]) == ("acme", 2, "exchange")
    assert exported.test == load("generic-rest").test
    assert "acme.test" not in answer.content.decode()
    again = add(exported, name="Again", code="again", base_url="https://again.test")
    assert again.operations.get(name="fetch_statuses").path == "/status"
    first, second = (configuration_of([system])["systems"][system.code]["operations"] for system in (acme, again))
    assert first == second


def test_an_exported_preset_is_offered_by_the_catalogue_where_it_is_put_and_says_that_it_is_untried(
    admin: Browser, acme: ExternalSystem, settings: Any, tmp_path: Any
) -> None:
    settings.CATALOGUE_DIR = tmp_path
    before = len(codes())
    (tmp_path / "acme.yaml").write_bytes(admin.get(f"externalsystem/{acme.pk}/export-preset/").content)
    try:
        assert len(codes()) == before + 1
        page = text(admin.get("externalsystem/catalogue/", tried="untried"))
        assert "/catalogue/acme/" in page
        assert "Not tried" in page
        assert "/catalogue/zammad/" not in page
        assert admin.get("externalsystem/catalogue/acme/add/").status_code == 200
        # One of the operator's own stands before ours.
        own = (tmp_path / "acme.yaml").read_text().replace("preset: acme", "preset: zammad")
        (tmp_path / "zammad.yaml").write_text(own)
        load.cache_clear()
        assert (len(codes()), load("zammad").tried) == (before + 1, "untried")
    finally:
        load.cache_clear()


def test_a_preset_that_is_gone_is_said_not_crashed(admin: Browser, acme: ExternalSystem) -> None:
    ExternalSystem.objects.filter(pk=acme.pk).update(preset="gone")
    with pytest.raises(PresetProblem):
        load("gone")
    assert "has no preset" in text(admin.get(f"externalsystem/{acme.pk}/compare/"))
    assert admin.get(f"externalsystem/{acme.pk}/export-preset/").status_code == 200
