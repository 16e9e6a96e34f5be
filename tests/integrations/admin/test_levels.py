"""The levels on a system's page: what is there, what is missing, what was proved; and no activation without it."""

import json
import re

import pytest

from integrations.catalogue import add, read
from integrations.levels import FUNCTIONS, lacks_for_level
from integrations.models import (
    ContactReference,
    Exchange,
    ExternalReference,
    OperationProof,
    OperationTemplate,
    ValueMapping,
)
from tests.integrations.admin.conftest import errors
from tickets.models import Priority

PAGE = "externalsystem/{}/change/"
NAMES = [function.operations[0] for function in FUNCTIONS]


@pytest.fixture
def system(partner):
    return partner.system


def give(system, *names):
    for name in names:
        OperationTemplate.objects.get_or_create(system=system, name=name, defaults={"method": "GET"})


def rows(page):
    """The matrix as text, a line a function."""
    import lxml.html

    body = lxml.html.fromstring(page.content.decode()).xpath("//section[@id='levels']//tbody/tr")
    return {row.xpath("string(th)").strip(): " ".join(row.text_content().split()) for row in body}


@pytest.mark.django_db
def test_the_matrix_says_what_is_there_and_what_is_missing(admin, system):
    give(system, "fetch_notes")
    type(system).objects.filter(pk=system.pk).update(level="log_only", active=False)
    page = admin.get(PAGE.format(system.pk))
    found = rows(page)
    assert len(found) == len(FUNCTIONS)
    notes = next(line for label, line in found.items() if "notes" in label)
    assert "PPP fetch_notes Not yet Prove" in notes
    assert "Missing" in next(line for label, line in found.items() if label.startswith("Query"))
    fetch = next(line for label, line in found.items() if "by its number" in label)
    assert "OPP" in fetch
    assert "Missing" not in fetch
    assert "6 functions are missing" in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("level", "without", "says"),
    [
        ("log_only", "delete_contact", "Delete a contact (delete_contact)"),
        ("status_sync", "fetch_modified_since", "modified since a time"),
        ("full", "add_note", "Add a note to a ticket (add_note)"),
    ],
)
def test_it_is_not_active_at_a_level_that_lacks_a_function(admin, system, level, without, says):
    give(system, *NAMES)
    OperationTemplate.objects.filter(system=system, name=without).exclude(steps__isnull=False).delete()
    OperationTemplate.objects.filter(system=system, name=without).update(name="renamed")
    answer = admin.send(PAGE.format(system.pk), level=level)
    [said] = errors(answer)["level"]
    assert says in said
    assert admin.send(PAGE.format(system.pk), level=level, active=None).status_code == 302
    give(system, without)
    assert admin.send(PAGE.format(system.pk), active="on").status_code == 302
    system.refresh_from_db()
    assert (system.active, system.level) == (True, level)


@pytest.mark.django_db
def test_without_a_level_nothing_is_needed(admin, system):
    assert lacks_for_level(system) == ""
    assert admin.send(PAGE.format(system.pk)).status_code == 302


@pytest.mark.django_db
def test_an_active_system_keeps_what_its_level_needs(admin, system):
    give(system, *NAMES)
    type(system).objects.filter(pk=system.pk).update(level="log_only")
    needed = OperationTemplate.objects.get(system=system, name="query_contacts")
    answer = admin.send(f"operationtemplate/{needed.pk}/change/", name="search_people", path="/people")
    assert "is active at a level that needs this" in errors(answer)["name"][0]
    page = admin.get(f"operationtemplate/{needed.pk}/delete/")
    assert "which is active, needs it" in page.content.decode()
    admin.post(f"operationtemplate/{needed.pk}/delete/", post="yes")
    assert OperationTemplate.objects.filter(pk=needed.pk).exists()
    free = OperationTemplate.objects.get(system=system, name="fetch_ticket")
    admin.post(f"operationtemplate/{free.pk}/delete/", post="yes")
    assert not OperationTemplate.objects.filter(pk=free.pk).exists()


@pytest.mark.django_db
def test_a_preset_that_lacks_something_is_added_switched_off(db):
    text = (
        "{preset: p, name: P, version: 1, summary: s, source: s, tried: contract, tried_note: n, "
        "system: {level: full}}"
    )
    system = add(read(text), name="Acme", code="acme-desk", base_url="https://desk.acme.test")
    assert (system.level, system.active) == ("full", False)


@pytest.mark.django_db
def test_settings_are_rows_of_name_and_value(admin, system):
    values = {"settings-0-name": "queue", "settings-0-value": "First line", "settings-1-name": "kind"}
    admin.send(PAGE.format(system.pk), **values)
    system.refresh_from_db()
    assert system.settings == {"queue": "First line", "kind": ""}
    answer = admin.send(PAGE.format(system.pk), **{"settings-2-name": "Big Name"})
    assert "no name for a setting" in errors(answer)["settings"][0]
    answer = admin.send(PAGE.format(system.pk), **{"settings-2-name": "queue"})
    assert "there twice" in errors(answer)["settings"][0]
    # In the order of their names.
    admin.send(PAGE.format(system.pk), **{"settings-1-name": "", "settings-1-value": ""})
    system.refresh_from_db()
    assert system.settings == {"kind": ""}


# --- proofs: over the network, so no transaction may be open -----------------------------------------------


@pytest.fixture
def prove(admin, system):
    """Opens the page of an operation and presses a button of it."""

    def press(name, button="send", **values):
        return admin.post(f"externalsystem/{system.pk}/prove/{name}/", **{button: "1"}, **values)

    return press


def shown(page):
    return re.search(r'name="shown" value="([0-9a-f]{64})"', page.content.decode())[1]


@pytest.mark.django_db(transaction=True)
def test_a_reading_operation_is_proved_and_shows_what_it_read(admin, system, prove, httpserver):
    OperationTemplate.objects.create(
        system=system, name="fetch_priorities", method="GET", path="/p", items="response.json",
        reads="value = item.id\nlabel = item.name",
    )  # fmt: skip
    OperationTemplate.objects.create(
        system=system, name="fetch_notes", method="GET", path="/t/{{ task.external_id }}", items="response.json",
        reads="id = item.id\ntext = item.text",
    )  # fmt: skip
    httpserver.expect_request("/t/A-1").respond_with_json([{"id": 7, "text": "<b>On our way</b>"}])
    page = admin.get(f"externalsystem/{system.pk}/prove/fetch_notes/")
    assert "only reads" in page.content.decode()
    assert "Enter the number of a ticket there" in prove("fetch_notes").content.decode()
    content = prove("fetch_notes", reference="A-1").content.decode()
    assert "Proved." in content
    assert "&lt;b&gt;On our way&lt;/b&gt;" in content
    proof = OperationProof.objects.get()
    assert (proof.proved_by, proof.exchange) == (admin.user.username, Exchange.objects.get())
    line = next(line for line in rows(admin.get(PAGE.format(system.pk))).values() if "fetch_notes" in line)
    assert f"by {admin.user.username}, exchange {proof.exchange_id} Prove again" in line


@pytest.mark.django_db(transaction=True)
def test_a_proof_is_void_when_the_template_or_the_address_has_changed(admin, system, prove, httpserver):
    operation = OperationTemplate.objects.get(system=system, name="find_ticket")
    httpserver.expect_request("/tickets").respond_with_json({"tickets": [{"number": "A-1"}]})
    OperationTemplate.objects.filter(pk=operation.pk).update(name="fetch_ticket")
    prove("fetch_ticket")

    def state():
        return next(line for line in rows(admin.get(PAGE.format(system.pk))).values() if "fetch_ticket" in line)

    assert "Yes:" in state()
    OperationTemplate.objects.filter(pk=operation.pk).update(captures="reference = response.json.tickets[0].id")
    assert "Changed since:" in state()
    OperationTemplate.objects.filter(pk=operation.pk).update(captures=operation.captures)
    assert "Yes:" in state()
    type(system).objects.filter(pk=system.pk).update(base_url="https://elsewhere.test")
    assert "Changed since:" in state()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"tickets": []}, "could not be read"),
        ({"tickets": [{"number": ""}]}, "nothing to read"),
        (None, "Answered with status 500"),
    ],
)
def test_what_did_not_work_proves_nothing(system, prove, httpserver, answer, says):
    OperationTemplate.objects.filter(system=system, name="find_ticket").update(name="fetch_ticket")
    if answer is None:
        httpserver.expect_request("/tickets").respond_with_data("no", status=500)
    else:
        httpserver.expect_request("/tickets").respond_with_json(answer)
    content = prove("fetch_ticket").content.decode()
    assert "Not proved." in content
    assert says in content
    assert not OperationProof.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_writes_is_shown_before_it_is_sent(desk, partner, system, prove, httpserver):
    httpserver.expect_request("/tickets", method="POST").respond_with_json({"number": "A-9"})
    task = desk.task()
    page = prove("create_ticket", task=task.number)
    content = page.content.decode()
    assert "This creates a ticket at Partner acme" in content
    assert "The printer is on fire" in content
    assert httpserver.log == []
    changed = prove("create_ticket", task="", shown=shown(page))
    assert "This will be sent" in changed.content.decode()
    assert httpserver.log == []
    sent = prove("create_ticket", task=task.number, shown=shown(page)).content.decode()
    assert "Proved." in sent
    assert "A-9" in sent
    assert len(httpserver.log) == 1
    assert not ExternalReference.objects.exists(), "a trial links nothing"


@pytest.mark.django_db(transaction=True)
def test_made_up_values_say_that_they_are_a_test_and_hurry_nobody(desk, system, prove):
    Priority.objects.create(code="p1", name="Urgent", rank=1)
    Priority.objects.create(code="p5", name="Some day", rank=5)
    for ours, theirs in [("p1", "now"), ("p3", "soon"), ("p5", "later")]:
        ValueMapping.objects.create(system=system, kind="priority", ours=ours, theirs=theirs)
    body = '{"all": "{{ ticket.title }}: {{ task.description or ticket.description }} {{ ticket.priority.name }}'
    body += ' {{ theirs.priority }}{% for note in ticket.notes %}{{ note.text }}{% endfor %}"}'
    system.operations.filter(name="create_ticket").update(body=body)
    said = json.loads(prove("create_ticket").context["body"])["all"]
    assert said.startswith("Test by Deskbridge, please ignore and close: A test of the connection")
    assert said.endswith("Some day later")
    assert "sample" not in said


@pytest.mark.django_db(transaction=True)
def test_what_the_desk_tells_of_a_real_contact_is_kept(desk, system, prove, httpserver):
    OperationTemplate.objects.create(
        system=system, name="find_contact", method="GET", path="/people?m={{ ticket.contact.email }}",
        captures="contact = response.json.id",
    )  # fmt: skip
    httpserver.expect_request("/people", query_string={"m": "emil@customer.test"}).respond_with_json({"id": "u7"})
    assert "None of our contacts" in prove("find_contact", contact="nobody@x.test").content.decode()
    assert "Proved." in prove("find_contact", contact="emil@customer.test").content.decode()
    assert ContactReference.objects.get().value == "u7"


@pytest.mark.django_db(transaction=True)
def test_a_name_without_a_value_sends_nothing(system, prove, httpserver):
    OperationTemplate.objects.filter(system=system, name="find_ticket").update(
        name="fetch_ticket", path="/tickets?p={{ theirs.priority }}&q={{ system.settings.queue }}"
    )
    content = prove("fetch_ticket").content.decode()
    assert "Nothing was sent." in content
    assert httpserver.log == []


@pytest.mark.django_db
def test_who_may_not_change_systems_proves_nothing(browser_for, system):
    reader = browser_for("view_externalsystem", "view_operationtemplate")
    assert "Prove" not in " ".join(rows(reader.get(PAGE.format(system.pk))).values()).replace("Proved", "")
    assert reader.get(f"externalsystem/{system.pk}/prove/create_ticket/").status_code == 403
    assert reader.post(f"externalsystem/{system.pk}/prove/find_ticket/", send="1").status_code == 403


@pytest.mark.django_db
def test_an_operation_that_is_not_there_is_not_found(admin, system):
    assert admin.get(f"externalsystem/{system.pk}/prove/fetch_moon/").status_code == 404


@pytest.mark.django_db
def test_the_page_asks_as_often_however_many_operations_there_are(admin, system, django_assert_max_num_queries):
    admin.get(PAGE.format(system.pk))
    with django_assert_max_num_queries(80) as few:
        admin.get(PAGE.format(system.pk))
    give(system, *NAMES)
    for operation in system.operations.all():
        OperationProof.objects.create(operation=operation, digest="0", proved_by="Ada")
    with django_assert_max_num_queries(len(few)):
        admin.get(PAGE.format(system.pk))
