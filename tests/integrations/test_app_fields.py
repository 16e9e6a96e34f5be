"""The app fields: two spellings of the same value, and the list that the sync rebuilds."""

import pytest

from integrations.app_fields import APPS, MESSAGE_APPS, fields, known_paths, placeholders, sync_app_fields
from integrations.engine.rendering import context_for
from integrations.models import AppField, ProcessRun
from integrations.templating import Escape, check_template, evaluate, render
from tickets.models import PropertyDefinition

pytestmark = pytest.mark.django_db


def test_there_are_the_six_apps_of_the_document():
    assert APPS == (
        "Ticketing.TaskAssignment",
        "Ticketing.TaskClosure",
        "Ticketing.TaskExternalAcknowledgement",
        "Ticketing.TaskExternalReassignment",
        "Ticketing.TaskExternalUpdateMessage",
        "Ticketing.TaskUpdateMessage",
    )


def test_names_and_paths_are_unique():
    assert len({field.name for field in fields()}) == len({field.path for field in fields()}) == len(fields())


def test_both_spellings_give_the_same_in_every_app(desk, partner):
    desk.task(partner.group)
    context = context_for(ProcessRun.objects.get())
    compared = 0
    for (app, name), path in placeholders().items():
        # The one is read when it is sent, the others are there for values that are translated.
        if path == "attachment.content_base64" or path.startswith("theirs."):
            continue
        legacy = f"#REPLACE-EXTAPPFIELD-{app}-{name}#"
        known = placeholders()
        assert render(legacy, context, escape=Escape.TEXT, fields=known) == render(
            f"{{{{ {path} }}}}", context, escape=Escape.TEXT, fields=known
        ), legacy
        compared += 1
    left_out = ("attachment.content_base64", "theirs.")
    everywhere = [field for field in fields() if "[]" not in field.path and not field.path.startswith(left_out)]
    assert compared == len(APPS) * len(everywhere)


def test_the_request_type_of_the_document_can_be_compared(desk, partner):
    desk.task(partner.group)
    context = context_for(ProcessRun.objects.get())
    condition = '"#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_ExternalRequestType#" == "Submit Request"'
    assert evaluate(condition, context, fields=placeholders()) is True


@pytest.mark.parametrize(
    "template", ["{{ task.nonsense }}", "#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Nonsense#"]
)
def test_a_name_that_is_no_field_is_a_problem(template):
    assert check_template(template, names=known_paths(), fields=placeholders())


def test_the_sync_fills_mends_and_clears_the_list():
    counts = sync_app_fields()
    assert counts == {"added": AppField.objects.count(), "changed": 0, "removed": 0}
    assert sync_app_fields() == {"added": 0, "changed": 0, "removed": 0}
    AppField.objects.filter(app=APPS[0], name="Task_Number").update(path="wrong")
    AppField.objects.filter(app=APPS[0], name="Task_Title").delete()
    AppField.objects.create(app=APPS[0], name="Gone", path="gone", label="gone")
    assert sync_app_fields() == {"added": 1, "changed": 1, "removed": 1}


def test_the_text_of_a_message_is_listed_with_the_apps_about_messages_only():
    sync_app_fields()
    assert set(AppField.objects.filter(name="Task_UpdateMessage").values_list("app", flat=True)) == set(MESSAGE_APPS)
    assert AppField.objects.filter(name="Task_Number").count() == len(APPS)
    assert str(AppField.objects.get(app=APPS[0], name="Task_ExternalRequestType")) == (
        "#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_ExternalRequestType#"
    )


def test_a_property_is_an_app_field_and_has_a_legacy_spelling():
    PropertyDefinition.objects.create(code="floor", name="Floor", kind="number")
    assert "ticket.properties.floor" in known_paths()
    source = "{{ ticket.properties.floor }} #REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Ticket_Property_floor#"
    assert check_template(source, names=known_paths(), fields=placeholders()) == []
    assert (
        render(source, {"ticket": {"properties": {"floor": 2}}}, escape=Escape.TEXT, fields=placeholders()) == "2 2"
    )


def test_a_property_that_does_not_exist_is_an_unknown_name_in_both_spellings():
    for source in (
        "{{ ticket.properties.floor }}",
        "#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Ticket_Property_floor#",
    ):
        assert check_template(source, names=known_paths(), fields=placeholders()) != []


def test_properties_are_listed_when_the_fields_are_synced():
    PropertyDefinition.objects.create(code="floor", name="Floor")
    sync_app_fields()
    assert AppField.objects.filter(path="ticket.properties.floor").count() == 6
