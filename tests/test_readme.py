"""README and docs lead where they say: pictures, links and the map of the code."""

import re

import pytest
from django.conf import settings

README = (settings.BASE_DIR / "README.md").read_text(encoding="utf-8")
MAP = README.partition("## The map of the code")[2]
FIRST_CELLS = re.findall(r"^\| (`[^|]+) \|", MAP, re.MULTILINE)
PAGES = [settings.BASE_DIR / "README.md", *sorted((settings.BASE_DIR / "docs").glob("*.md"))]
PICTURES = sorted((settings.BASE_DIR / "docs" / "images").glob("*.png"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text) + re.findall(r'<img src="([^"]+)"', text)
    assert [target for target in targets if not (page.parent / target).is_file()] == []


@pytest.mark.parametrize("path", [path for cell in FIRST_CELLS for path in re.findall("`([^`]+)`", cell)])
def test_what_the_map_names_is_there(path):
    assert (settings.BASE_DIR / path).exists()


@pytest.mark.parametrize("package", ["tickets", "integrations", "portal"])
def test_the_map_shows_every_package(package):
    assert f"| `{package}/` |" in MAP


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_enough_to_be_looked_at_over_a_slow_line(picture):
    assert picture.stat().st_size < 250_000
