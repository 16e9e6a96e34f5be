"""The configuration as a file on the command line: what the commands print, and with which status they end."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from integrations.catalogue.exporting import configuration_of
from tests.cast import Partner, make_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme() -> Partner:
    """A partner whose configuration goes into files."""
    return make_partner("acme", "https://desk.acme.test/api")


@pytest.fixture
def changed(acme: Partner, tmp_path: Path) -> Path:
    """A file in which one method is not as it is here."""
    file = tmp_path / "desks.yaml"
    file.write_text(run("export_configuration").replace("method: GET", "method: DELETE"))
    return file


def run(command: str, *arguments: Any) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def method_of(acme: Partner) -> str:
    return acme.system.operations.get(name="find_ticket").method


def test_the_commands_write_and_read_files(acme: Partner, changed: Path):
    file = changed.with_name("as-it-is.yaml")
    run("export_configuration", "--output", file)
    assert file.read_text() == run("export_configuration") == run("export_configuration", "--system", "acme")
    assert "Nothing to change" in run("import_configuration", file)
    told = run("import_configuration", changed, "--dry-run")
    assert "systems/acme/operations/find_ticket (changed)" in told
    assert "  -method: GET" in told
    assert "1 objects would change" in told
    assert method_of(acme) == "GET"
    assert "1 objects changed." in run("import_configuration", changed)
    assert method_of(acme) == "DELETE"


def test_a_check_changes_nothing_and_ends_with_a_status_of_its_own_where_something_would(
    acme: Partner, changed: Path
):
    out = StringIO()
    with pytest.raises(CommandError) as told:
        call_command("import_configuration", changed, "--check", stdout=out)
    assert told.value.returncode == 3
    assert "  -method: GET" in out.getvalue()
    assert method_of(acme) == "GET"
    run("import_configuration", changed)
    assert "Nothing to change" in run("import_configuration", changed, "--check")


def test_the_commands_say_what_is_wrong(acme: Partner, tmp_path: Path):
    file = tmp_path / "desks.yaml"
    with pytest.raises(CommandError, match="no external system with the code nobody"):
        run("export_configuration", "--system", "acme", "nobody")
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_configuration", "--output", tmp_path / "missing" / "desks.yaml")
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run("import_configuration", file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="not UTF-8"):
        run("import_configuration", file)
    file.write_text(yaml.safe_dump({**configuration_of(), "further": 1}))
    with pytest.raises(CommandError, match=r'desks.yaml: Not known: "further"[.]\nNothing was changed') as told:
        run("import_configuration", file)
    assert told.value.returncode == 1
