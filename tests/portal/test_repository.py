"""What is documented, and what must not be in the repository."""

import re

from tests.source_tree import ROOT, project_files

# Written in parts, so that this file does not find itself.
REGISTRIES = ("pypi." + "org", "python" + "hosted.org", "npm" + "js.org", "debian" + ".org", "golang" + ".org/")
MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/tm" + "p/", ".py" + "env/")
SETTING = re.compile(r"""\b(?:env(?:\.\w+)?|get)\(\s*["']([A-Z][A-Z0-9_]+)["']""")
READ_IN = ("portal/settings.py", "integrations/simulator/settings.py", "integrations/simulator/__main__.py")


def settings_read():
    """The name of every variable of the environment that portal and practice desk read."""
    return {name for path in READ_IN for name in SETTING.findall((ROOT / path).read_text())}


def documented():
    """The names that have a row in a table of the operators' page."""
    text = (ROOT / "docs/operators.md").read_text()
    return {
        name for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }


def test_every_setting_is_documented_for_operators():
    assert len(settings_read()) > 20
    assert settings_read() - documented() == set()


def test_no_setting_is_documented_that_does_not_exist():
    assert documented() - settings_read() == set()


def found_in_files(needles):
    """Where a text occurs in the files of the repository."""
    found = []
    for path in project_files():
        content = (ROOT / path).read_bytes()
        found += [f"{path}: {needle}" for needle in needles if needle.encode() in content]
    return found


def test_no_address_of_a_package_registry_is_in_the_repository():
    assert found_in_files(REGISTRIES) == []


def test_no_path_of_a_developers_machine_is_in_the_repository():
    assert found_in_files(MACHINE_PATHS) == []


def test_what_a_run_leaves_behind_is_never_committed():
    listed = {path.parts[0] for path in project_files()}
    assert listed.isdisjoint({"var", ".venv", ".venv-313", "staticfiles"})
