"""docs/catalogue.md says what the presets say."""

import pytest
from django.conf import settings

from integrations.catalogue import codes, load
from integrations.catalogue.documenting import BEGIN, END, covered, documented


def test_the_document_agrees_with_the_presets():
    text = (settings.BASE_DIR / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert text == documented(text), "run: python manage.py document_catalogue"
    assert all(f"`{code}`" in text for code in codes())


def test_a_document_without_a_place_for_the_tables_is_told():
    with pytest.raises(ValueError, match="needs the lines"):
        documented("# Nothing")
    assert documented(f"a\n{BEGIN}\nold\n{END}\nb").startswith(f"a\n{BEGIN}\n\n| desk |")


def test_what_a_preset_covers_follows_from_its_operations():
    assert covered(load("smartertrack")) == ["create", "update", "notes out"]
    assert {"people", "files in", "webhooks"} <= set(covered(load("zammad")))
