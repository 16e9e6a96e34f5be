"""The event as plain data: everything that templates may use, and no word that the desk may not read."""

import json

import pytest

from integrations.app_fields import known_paths
from integrations.engine.references import store_reference
from integrations.engine.rendering import context_for
from integrations.inbound import operations
from integrations.models import ProcessRun, ValueMapping
from integrations.snapshot import NOTES_IN_SNAPSHOT, current_reference
from integrations.templating.plain import require_plain
from tickets import actions
from tickets.actors import Actor
from tickets.models import Category, Organisation, PropertyDefinition, Queue, Visibility

pytestmark = pytest.mark.django_db


def latest():
    return ProcessRun.objects.latest("pk")


def notes_in(run):
    return [note["text"] for note in run.snapshot["ticket"]["notes"]]


@pytest.fixture
def full_run(desk, partner):
    """A run of a ticket in which every field has a value."""
    ticket = desk.ticket(
        category=Category.objects.create(code="printing", name="Printing"),
        queue=Queue.objects.create(code="first", name="First line"),
    )
    PropertyDefinition.objects.create(code="floor", name="Floor", kind="number")
    actions.set_properties(actor=desk.by_agent, ticket=ticket, values={"floor": 2})
    actions.set_tags(actor=desk.by_agent, ticket=ticket, names=["fire"])
    partner.group.members.add(desk.agent)
    codes = {
        "priority": ticket.priority.code,
        "status": "initial_support",
        "category": "printing",
        "queue": "first",
        "group": partner.group.code,
    }
    for kind, ours in codes.items():
        ValueMapping.objects.create(system=partner.system, kind=kind, ours=ours, theirs=f"their {kind}")
    actions.add_note(actor=desk.by_end_user, ticket=ticket, body="It smells")
    task = desk.task(partner.group, ticket)
    store_reference(task=task, system=partner.system, value="A-1")
    file = actions.FileContent("photo.jpg", b"JPEG", "image/jpeg")
    actions.attach(actor=desk.by_end_user, ticket=ticket, content=file)
    return latest()


def test_every_app_field_is_in_the_context(full_run):
    context = context_for(full_run)
    # The file is large, so it is read when it is sent; no completion code is there to be translated yet.
    for path in known_paths() - {"attachment.content_base64", "theirs.completion_code"}:
        value = context
        for part in path.replace("[]", ".0").split("."):
            value = value[int(part)] if part.isdigit() else value[part]


def test_it_is_plain_data_and_survives_the_database(full_run):
    context = context_for(full_run)
    require_plain(context)
    assert json.loads(json.dumps(full_run.snapshot)) == full_run.snapshot


def test_what_it_says(full_run, desk, partner):
    context = context_for(full_run)
    assert context["event"]["text"] == ""
    assert context["event"]["author"] == "Emil"
    assert context["event"]["message_id"] == f"file-{full_run.attachment_id}"
    assert context["task"]["external_reference"] == "A-1"
    assert context["task"]["group"] == {"code": "acme-group", "name": "acme group"}
    assert context["ticket"]["status"] == {"code": 1, "name": "Open"}
    assert context["ticket"]["own_status"] == {"code": "open", "name": "Open"}
    assert (context["ticket"]["tags"], context["ticket"]["properties"]) == (["fire"], {"floor": 2})
    assert context["ticket"]["category"]["code"] == "printing"
    assert context["attachment"]["name"] == "photo.jpg"
    assert context["system"]["code"] == "acme"
    assert context["process"]["name"] == partner.process.name


def test_what_is_missing_is_none_and_not_left_out(desk, partner):
    desk.task(partner.group)
    snapshot = latest().snapshot
    assert snapshot["ticket"]["category"] == {"code": None, "name": None}
    assert snapshot["task"]["expected_resolution_at"] is None
    assert set(snapshot["attachment"].values()) == {None}


def test_the_contact_may_have_an_organisation(desk, partner):
    desk.task(partner.group)
    organisation = Organisation.objects.get()
    desk.contact.organisation = organisation
    desk.contact.save()
    desk.task(partner.group)
    names = [run.snapshot["ticket"]["contact"]["organisation"] for run in ProcessRun.objects.order_by("pk")]
    assert names == [organisation.name] * 2


@pytest.mark.parametrize("relay", [False, True])
def test_a_create_tells_only_what_the_desk_may_read(desk, partner, other_partner, relay):
    partner.binding.relay = relay
    partner.binding.save()
    ticket = desk.ticket()
    other_task = desk.task(other_partner.group, ticket)
    actions.add_note(actor=desk.by_end_user, ticket=ticket, body="public")
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="internal", visibility=Visibility.INTERNAL)
    actions.add_note(actor=desk.by_agent, ticket=ticket, task=other_task, body="for globex")
    actions.add_note(actor=Actor.system(), ticket=ticket, body="by the portal")
    operations.update(system=other_partner.system, task=other_task, text="by globex")
    desk.task(partner.group, ticket)
    expected = ["public", "for globex", "by globex"] if relay else ["public"]
    assert notes_in(latest()) == expected


def test_the_newest_notes_are_told_oldest_first(desk, partner):
    ticket = desk.ticket()
    for number in range(NOTES_IN_SNAPSHOT + 3):
        actions.add_note(actor=desk.by_end_user, ticket=ticket, body=str(number))
    desk.task(partner.group, ticket)
    assert notes_in(latest()) == [str(number) for number in range(3, NOTES_IN_SNAPSHOT + 3)]


def test_the_reference_is_that_of_the_asking_desk(desk, partner, other_partner):
    task = desk.task(partner.group)
    store_reference(task=task, system=other_partner.system, value="B-1")
    assert current_reference(task.pk, partner.system.pk) == ""
    assert current_reference(task.pk, other_partner.system.pk) == "B-1"
