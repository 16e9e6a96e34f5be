"""Steps of the guided form in depth: the test of the connection, the preview, and the ways back to it."""

from typing import Any

import pytest
from django.urls import reverse

from integrations.catalogue import load
from integrations.catalogue.originals import compare_with_original
from integrations.models import (
    Exchange,
    ExternalSystem,
    OperationProof,
    Outcome,
    Process,
    Setup,
    SetupStep,
    ValueMapping,
    Way,
    WsdlDocument,
)
from integrations.proofs import digest_of
from tests.cast import Desk
from tests.integrations.admin.conftest import Browser, form_values, messages_of
from tests.integrations.admin.guided import ADD, ENTERED, bind, step, system, text
from tickets.models import Contact, Priority, Ticket

__all__ = ["system"]


def test_the_feed_of_case_exchange_is_polled_as_its_settings_say(admin: Browser) -> None:
    page = "externalsystem/catalogue/opentext-case-exchange/add/"
    entered = {**ENTERED, "auth_kind": "login", "auth_name": "Cookie", "auth_username": "us"}
    entered |= {"setting-tenant": "", "setting-our_name": "deskbridge"}
    assert admin.post(page, **entered).status_code == 302
    system = ExternalSystem.objects.get()
    assert (system.polling.path, system.polling.our_name) == ("", "deskbridge")
    assert "Fill it in on the system" in text(admin.get(step(system, "activate")))
    again = admin.post(
        step(system, "connection"), **{**entered, "setting-tenant": "4711", "auth_login": system.auth_login_id}
    )
    assert again.status_code == 302, text(again)
    system.polling.refresh_from_db()
    assert system.polling.path == "/rest/4711/ces"
    assert not any(part.to_original for part in compare_with_original(ExternalSystem.objects.get()))


def test_the_pages_that_the_form_leads_to_lead_back(admin: Browser, system: ExternalSystem) -> None:
    back = "Back to the guided form"
    process = Process.objects.get()
    assert f"/process/{process.pk}/change/" in text(admin.get(step(system, "group")))
    assert back in text(admin.get(f"process/{process.pk}/change/"))
    assert back in text(admin.get("process/add/", setup=system.pk))
    wsdl = WsdlDocument.objects.create(system=system, name="T", url="https://desk.acme.test/?wsdl")
    assert f"/wsdldocument/{wsdl.pk}/change/" in text(admin.get(step(system, "test")))
    assert back in text(admin.get(f"wsdldocument/{wsdl.pk}/change/"))
    assert back in text(admin.get(f"externalsystem/{system.pk}/prove/find_ticket/"))
    assert admin.send(f"process/{process.pk}/change/", description="x")["Location"].endswith("/setup/group/")
    Setup.objects.all().delete()
    for path in (f"process/{process.pk}/change/", "process/add/", f"wsdldocument/{wsdl.pk}/change/"):
        assert back not in text(admin.get(path))


def test_the_step_of_levels_says_what_was_proved(admin: Browser, system: ExternalSystem) -> None:
    page = text(admin.get(step(system, "level")))
    assert "Not yet" in page
    assert f"/externalsystem/{system.pk}/prove/create_ticket/" in page
    operation = system.operations.get(name="create_ticket")
    OperationProof.objects.create(operation=operation, digest=digest_of(operation), proved_by="Ada")
    assert "by Ada" in text(admin.get(step(system, "level")))


def test_what_is_offered_first_finds_a_wrong_path(transactional_db: None, admin: Browser, httpserver: Any) -> None:
    httpserver.expect_request("/tickets").respond_with_json({"tickets": []})
    httpserver.expect_request("/wrong/tickets").respond_with_data("no such page", status=404)
    httpserver.expect_request("/wrong").respond_with_data("no such page", status=404)
    admin.post(ADD, **{**ENTERED, "base_url": httpserver.url_for("/wrong"), "allow_private": "on"})
    system = ExternalSystem.objects.get()
    page = admin.get(step(system, "test"))
    chosen = page.context["form"]["operation"].value()
    assert system.operations.get(pk=chosen).name == load("generic-rest").test
    failed = text(admin.post(step(system, "test"), operation=str(chosen)))
    assert "The other desk refused." in failed
    assert "Check the address of the system, then the path" in failed
    address = reverse("admin:integrations_setup_step", args=(system.pk, "connection"))
    assert f'<a class="config-link" href="{address}">Address and credentials</a>' in failed
    assert "<dt>Called</dt>" in failed
    # The bare address answers all the same, and that is no proof.
    assert "Only that something answers" in text(admin.post(step(system, "test"), operation=""))
    assert "path and credentials were not tried" in text(admin.get(step(system, "activate")))
    ExternalSystem.objects.update(base_url=httpserver.url_for("").rstrip("/"))
    assert "The other desk answered." in text(admin.post(step(system, "test"), operation=str(chosen)))
    assert {request.method for request, _answer in httpserver.log} == {"GET"}


def test_their_values_are_fetched_and_offered(transactional_db: None, admin: Browser, httpserver: Any) -> None:
    answer = {"priorities": [{"code": "7", "name": "Very high"}]}
    httpserver.expect_request("/priorities").respond_with_json(answer)
    admin.post(ADD, **{**ENTERED, "base_url": httpserver.url_for("").rstrip("/"), "allow_private": "on"})
    system = ExternalSystem.objects.get()
    assert admin.send(step(system, "values"), button="fetch").status_code == 404
    page = admin.client.get(reverse("admin:integrations_setup_step", args=(system.pk, "values")))
    assert "Very high" not in text(page)
    fetched = admin.post(step(system, "values"), **{**form_values(page), "fetch": "priority"})
    assert fetched.status_code == 302, fetched.content
    assert "Very high" in text(admin.get(step(system, "values")))


def test_the_last_test_is_what_the_last_page_tells(admin: Browser, system: ExternalSystem) -> None:
    row = {"system": system, "way": Way.OUT, "dialect": "http", "operation": "test_connection"}
    Exchange.objects.create(**row, outcome=Outcome.SUCCEEDED, status=200)
    assert "The last test succeeded." in text(admin.get(step(system, "activate")))
    Exchange.objects.create(**row, outcome=Outcome.PERMANENT, status=404, error="gone")
    assert "The last test failed: gone" in text(admin.get(step(system, "activate")))


def test_ready_is_said_only_where_nothing_is_in_doubt(admin: Browser, system: ExternalSystem, desk: Desk) -> None:
    page = admin.get(step(system, "activate"))
    assert [row.finding.title for row in page.context["rows"] if row.finding.kind == "doubt"] == [
        "Connection",
        "Value map: Priority",
        "Group",
    ]
    shown = text(page)
    assert "It can be activated, with 3 warnings" in shown and "<h2>Ready</h2>" not in shown
    assert "From now on" not in shown and "Once it is active, tasks" in shown
    bind(admin, system)
    Setup.objects.update(reached=SetupStep.ACTIVATE)
    ValueMapping.objects.create(system=system, kind="priority", ours=desk.priority.code, theirs="3")
    assert "Once it is active, tasks given to Acme go there." in text(admin.get(step(system, "activate")))
    Exchange.objects.create(
        system=system, way=Way.OUT, dialect="http", operation="test_connection", outcome=Outcome.SUCCEEDED, status=200
    )
    assert "<h2>Ready</h2>" in text(admin.get(step(system, "activate")))


def test_the_test_is_ticked_only_after_it_succeeded(admin: Browser, system: ExternalSystem) -> None:
    Setup.objects.update(reached=SetupStep.VALUES)

    def state() -> str:
        marks = admin.get(step(system, "values")).context["progress"]
        return str(next(mark.state for mark in marks if mark.label == SetupStep.TEST.label))

    assert state() == "open"
    row = {"system": system, "way": Way.OUT, "dialect": "http", "operation": "test_connection"}
    Exchange.objects.create(**row, outcome=Outcome.SUCCEEDED, status=200)
    assert state() == "done"
    Exchange.objects.create(**row, outcome=Outcome.PERMANENT, status=404, error="gone")
    assert state() == "open"


def test_a_test_that_cannot_be_sent_for_a_missing_setting_is_told(admin: Browser) -> None:
    entered = {"name": "Jira", "code": "jira", "base_url": "https://jira.test", "verify_tls": "on", "secret": "x"}
    page = "externalsystem/catalogue/jira-service-management/add/"
    answer = admin.send(page, **entered, auth_username="us")
    assert answer.status_code == 302
    system = ExternalSystem.objects.get()
    shown = text(admin.get(step(system, "activate")))
    assert "A test cannot be sent" in shown and "system.settings.project" in shown


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ('{"p": "{{ theirs.priority }}"}', "doubt", "cannot be sent"),
        ('{% if theirs.priority is defined %}{"p": "{{ theirs.priority }}"}{% endif %}', "good", "sent without it"),
        ('{"p": "{{ theirs.priority | default(ticket.priority.name) }}"}', "good", "sent without it"),
    ],
)
def test_only_what_a_template_needs_is_said_to_keep_a_task_back(
    admin: Browser, system: ExternalSystem, desk: Desk, body: str, kind: str, words: str
) -> None:
    system.operations.update(body="", path="/x")
    system.operations.filter(name="create_ticket").update(body=body)
    system.value_mappings.all().delete()
    rows = admin.get(step(system, "activate")).context["rows"]
    [row] = [row.finding for row in rows if "Priority" in row.finding.title]
    assert (row.kind, words in row.words) == (kind, True)


def test_the_preview_shows_a_real_ticket(admin: Browser, desk: Desk, system: ExternalSystem) -> None:
    task = desk.task()
    assert "There is nothing to preview" in text(admin.get(step(system, "preview")))
    exchange = Process.objects.get()
    bound = dict.fromkeys(("assignment", "update", "closure"), exchange.pk)
    admin.post(step(system, "group"), group="", name="Acme", **bound)
    page = text(admin.get(step(system, "preview"), task=task.number, event="Out|Submit Request|assign"))
    assert "POST https://desk.acme.test/api/contacts" in page
    assert "There is no task" in text(admin.get(step(system, "preview"), task="0-0", event="Out|Update|update"))
    assert not Exchange.objects.exists()


def test_each_request_is_shown_for_the_newest_ticket_without_secrets(
    admin: Browser, desk: Desk, system: ExternalSystem
) -> None:
    bind(admin, system)
    task = desk.task()
    page = admin.get(step(system, "preview"))
    shown = text(page)
    assert f'value="{task} ' in shown or f'value="{task}"' in shown
    for line in ("POST https://desk.acme.test/api/tickets", "/tickets/900000001/close", "900000001/notes"):
        assert line in shown
    assert "The printer is on fire" in shown
    assert "t0ken" not in shown
    assert not Exchange.objects.exists()


def test_the_preview_is_passed_with_a_ticket_and_not_without(
    admin: Browser, desk: Desk, system: ExternalSystem
) -> None:
    bind(admin, system)
    task = desk.task()
    for wrong in ({}, {"task": "0-0"}):
        answer = admin.post(step(system, "preview"), **wrong)
        assert answer.status_code == 422
        assert "Choose a ticket first" in text(answer)
    assert Setup.objects.get().reached != "activate"
    assert admin.post(step(system, "preview"), task=task.number).status_code == 302
    assert Setup.objects.get().reached == "activate"


def test_a_portal_without_tickets_shows_a_made_up_one_and_keeps_nothing(
    admin: Browser, system: ExternalSystem
) -> None:
    bind(admin, system)
    assert "There are no priorities yet" in text(admin.get(step(system, "preview")))
    Priority.objects.create(code="p3", name="Normal", rank=3, is_default=True)
    ValueMapping.objects.create(system=system, kind="priority", ours="p3", theirs="normal")
    page = text(admin.get(step(system, "preview")))
    assert "There is no ticket yet" in page
    assert "A made-up ticket" in page
    assert "POST https://desk.acme.test/api/tickets" in page
    assert not Ticket.objects.exists()
    assert not Contact.objects.exists()
    assert admin.post(step(system, "preview")).status_code == 302


def test_whoever_goes_back_into_a_form_that_has_ended_is_led_to_the_system(
    admin: Browser, system: ExternalSystem
) -> None:
    Setup.objects.all().delete()
    page = f"/admin/integrations/externalsystem/{system.pk}/change/"
    assert admin.get(step(system, "level"))["Location"] == page
    # Pressed twice: the first press has done it.
    answer = admin.post(step(system, "activate"))
    assert answer["Location"] == page
    assert "Nothing was saved" not in " ".join(messages_of(answer))
    answer = admin.post(step(system, "level"), level="log_only", go_on="1")
    assert answer["Location"] == page
    assert "Nothing was saved" in " ".join(messages_of(answer))
    system.refresh_from_db()
    assert system.level == "full"
    assert admin.get(step(system, "nonsense")).status_code == 404
