"""A webhook as the part of a preset: read, written, and the same again changes nothing."""

import copy
from typing import Any

import pytest
import yaml
from django.core.exceptions import ValidationError

from integrations.catalogue import PresetProblem, add, read
from integrations.configuration.hooks import apply_hook, hook_document
from integrations.models import Hook, HookRule
from tests.cast import Partner
from tests.integrations.catalogue.test_building import YAML

HOOKS = """
hooks:
  authentication: hmac
  header: X-Hub-Signature-256
  algorithm: sha512
  prefix: "sha256="
  message_id: headers['x-delivery']
  unknown_tickets: ignore
  rules:
    - name: comments
      condition: body.event == 'comment'
      operation: update
      fields: |
        reference = body.issue.key
        text = body.comment.body
    - {name: the rest, operation: ignore}
"""
DOCUMENT: dict[str, Any] = yaml.safe_load(HOOKS)["hooks"]


def test_a_preset_brings_its_webhook(db: None) -> None:
    system = add(read(YAML + HOOKS), name="Desk", code="desk", base_url="https://desk.example.com")
    hook = Hook.objects.get(system=system)
    assert (hook.header, hook.algorithm, hook.prefix) == ("X-Hub-Signature-256", "sha512", "sha256=")
    rules = [(rule.position, rule.name, rule.operation) for rule in hook.rules.all()]
    assert rules == [(1, "comments", "update"), (2, "the rest", "ignore")]
    assert hook.rules.first().fields == "reference = body.issue.key\ntext = body.comment.body"


def test_a_preset_whose_webhook_is_wrong_makes_nothing(db: None) -> None:
    with pytest.raises(PresetProblem, match="colour"):
        add(read(YAML + HOOKS + "  colour: red\n"), name="Desk", code="desk", base_url="https://desk.example.com")
    assert not Hook.objects.exists()


def test_what_is_written_is_what_was_read_without_secrets(partner: Partner) -> None:
    hook = apply_hook(partner.system, DOCUMENT)
    hook.secret = hook.former_secret = "s3cret"
    hook.save()
    document = hook_document(partner.system)
    expected = copy.deepcopy(DOCUMENT)
    expected["rules"][0]["fields"] = expected["rules"][0]["fields"].rstrip("\n")
    assert document == expected
    assert yaml.safe_load(yaml.safe_dump(document)) == document


def test_the_same_again_changes_nothing_and_keeps_the_secret(partner: Partner) -> None:
    hook = apply_hook(partner.system, DOCUMENT)
    Hook.objects.filter(pk=hook.pk).update(secret="s3cret")
    apply_hook(partner.system, hook_document(partner.system))
    assert Hook.objects.get().secret == "s3cret"
    assert (hook.history.count(), HookRule.history.count()) == (1, 2)


def test_another_document_takes_the_place_of_the_rules(partner: Partner) -> None:
    first = apply_hook(partner.system, DOCUMENT)
    changed = copy.deepcopy(DOCUMENT)
    changed["rules"] = [changed["rules"][1], {**changed["rules"][0], "condition": "body.event == 'note'"}]
    apply_hook(partner.system, changed)
    assert [rule.name for rule in first.rules.all()] == ["the rest", "comments"]
    apply_hook(partner.system, {**changed, "rules": changed["rules"][:1]})
    assert [rule.name for rule in first.rules.all()] == ["the rest"]


def test_a_system_without_a_webhook_has_no_document(partner: Partner) -> None:
    assert hook_document(partner.system) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"authentication": "rot13"}, "authentication"),
        ({"secret": "x"}, "secret"),
        ({"header": ""}, "header"),
        ({"rules": ["comments"]}, "mapping"),
        ({"rules": [{"name": "x", "operation": "explode"}]}, "explode"),
        ({"rules": [{"name": "x", "operation": "close"}]}, "Say which ticket"),
        ({"rules": [{"name": "x", "operation": "ignore", "colour": "red"}]}, "colour"),
        ({"rules": [{"operation": "ignore"}]}, "rule"),
    ],
)
def test_what_is_wrong_with_a_document_is_told_and_nothing_is_changed(
    partner: Partner, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        apply_hook(partner.system, DOCUMENT | change)
    assert said in " ".join(refused.value.messages)
    assert not Hook.objects.exists()
