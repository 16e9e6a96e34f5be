"""Calls over HTTP and SOAP: the desk's own, a step's own, and side calls to other systems."""

import pytest
from lxml import etree

from integrations.demo.northwind_soap import WSDL
from integrations.engine.rendering import policy_for
from integrations.engine.runner import work_off
from integrations.inbound import operations
from integrations.models import (
    Direction,
    Exchange,
    ExternalReference,
    ProcessRun,
    RunState,
    StepRun,
    StepState,
    Stream,
    WsdlDocument,
)
from tests.integrations.engine.conftest import only_run, only_steps, run_states, work_everything
from tickets import actions

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    "<CreateResponse><number>S-1</number></CreateResponse></s:Body></s:Envelope>"
)


def test_captures_serve_later_steps_and_the_one_named_reference_is_stored(desk, partner, other_desk):
    other_desk.answers("/one", (200, {"id": 7, "items": [{"n": "x"}]}, {"X-Trace": "t-1"}))
    other_desk.answers("/two/7", (200, {"number": "A-5"}))
    only_steps(
        partner,
        {
            "kind": "request",
            "name": "one",
            "path": "/one",
            "captures": "id = response.json.id\nfirst = response.json.items[0].n\n"
            "trace = response.headers['x-trace']",
        },
        {
            "kind": "request",
            "path": "/two/{{ steps.one.id }}",
            "body": '{"a": "{{ steps.one.first }}", "b": "{{ steps.one.trace }}"}',
            "captures": "reference = response.json.number",
        },
    )
    desk.task(partner.group)
    work_everything()
    assert other_desk.bodies[1] == b'{"a": "x", "b": "t-1"}'
    assert ExternalReference.objects.get().value == "A-5"
    assert StepRun.objects.get(name="one").captures == {"id": 7, "first": "x", "trace": "t-1"}


def test_a_capture_that_fails_is_no_reason_to_send_again_but_for_the_step_that_needs_it(desk, partner, other_desk):
    other_desk.answers("/one", (200, {}))
    only_steps(
        partner,
        {"kind": "request", "name": "one", "path": "/one", "captures": "id = response.json.id"},
        {"kind": "request", "path": "/two/{{ steps.one.id }}"},
    )
    desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /one"]
    one = StepRun.objects.get(name="one")
    assert (one.state, "Not captured: id" in one.reason) == (StepState.DONE, True)
    assert run_states() == [RunState.ATTENTION]


def test_a_number_that_cannot_be_one_is_not_stored_and_awaited_instead(desk, partner, other_desk):
    other_desk.answers("/tickets", (201, {"number": "A-1\n"}), (201, {"number": ""}), (201, {"number": None}))
    for _ in range(3):
        desk.task(partner.group)
    work_everything()
    assert list(ExternalReference.objects.values_list("value", flat=True)) == ["A-1"]
    assert Stream.objects.exclude(awaiting_since=None).count() == 2


def test_a_soap_request_of_its_own(desk, partner, other_desk):
    other_desk.answers("/soap", (200, ANSWER))
    only_steps(
        partner,
        {
            "kind": "request",
            "protocol": "soap",
            "path": "/soap",
            "soap_action": "urn:create",
            "body": "<Envelope><Body><title>{{ ticket.title }}</title></Body></Envelope>",
            "captures": "reference = response.soap.number",
        },
    )
    task = desk.task(partner.group, desk.ticket(title="<&> fire"))
    work_everything()
    assert b"&lt;&amp;&gt; fire" in other_desk.bodies[0]
    assert other_desk.sent[0].headers["SOAPAction"] == '"urn:create"'
    assert ExternalReference.objects.get(task=task).value == "S-1"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_an_operation_of_a_wsdl(desk, partner, other_desk, version):
    stored = WsdlDocument.objects.create(
        system=partner.system,
        name="desk",
        url="http://d.test/t?wsdl",
        documents={"http://d.test/t?wsdl": WSDL.read_text()},
    )
    namespace = etree.fromstring(WSDL.read_bytes()).get("targetNamespace")
    other_desk.answers("/soap", (200, ANSWER.replace("<CreateResponse>", f'<CreateResponse xmlns="{namespace}">')))
    operation = "FindTicket"
    only_steps(
        partner,
        {
            "kind": "request",
            "protocol": "soap",
            "path": "/soap",
            "wsdl": stored,
            "soap_operation": operation,
            "soap_version": version,
            "soap_arguments": {"CallerReference": "{{ task.number }}"},
        },
    )
    task = desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /soap"], only_run().reason
    sent = etree.fromstring(other_desk.bodies[0])
    assert task.number in [element.text for element in sent.iter()]
    kind = other_desk.sent[0].headers["Content-Type"]
    assert ("application/soap+xml" in kind) == (version == "1.2")


def test_a_wsdl_that_was_deleted_or_never_fetched_asks_a_person(desk, partner, other_desk):
    stored = WsdlDocument.objects.create(system=partner.system, name="desk", url="http://d.test/t?wsdl")
    request = {"kind": "request", "protocol": "soap", "path": "/s", "wsdl": stored, "soap_operation": "X"}
    only_steps(partner, request)
    desk.task(partner.group)
    later = desk.task(partner.group)
    work_off(Stream.objects.exclude(task=later).get().pk)
    partner.process.steps.all().delete()
    stored.delete()
    work_everything()
    assert run_states() == [RunState.ATTENTION] * 2
    reasons = list(ProcessRun.objects.order_by("pk").values_list("reason", flat=True))
    assert "not been fetched" in reasons[0]
    assert "deleted" in reasons[1]


def test_a_side_call_never_sets_the_reference_of_the_task(desk, partner, other_partner, other_desk):
    other_desk.answers("/other/tickets", (201, {"number": "SIDE-1"}))
    other_desk.answers("/tickets", (201, {"number": "A-1"}))
    only_steps(partner, {"operation": other_partner.create}, {"operation": partner.create})
    task = desk.task(partner.group)
    work_everything()
    assert other_desk.paths == ["POST /other/tickets", "POST /tickets"]
    assert list(ExternalReference.objects.values_list("task", "system", "value")) == [
        (task.pk, partner.system.pk, "A-1")
    ]
    assert [e.system for e in Exchange.objects.order_by("pk")] == [other_partner.system, partner.system]
    assert Stream.objects.get().system == partner.system


def test_a_side_call_awaits_no_acknowledgement(desk, partner, other_partner, other_desk):
    other_desk.answers("/other/tickets", (202, {}))
    only_steps(partner, {"operation": other_partner.create})
    desk.task(partner.group)
    work_everything()
    assert (run_states(), Stream.objects.get().awaiting_since) == ([RunState.DONE], None)


def test_a_side_call_to_a_system_that_is_switched_off_waits(desk, partner, other_partner, other_desk):
    other_partner.system.active = False
    other_partner.system.save()
    only_steps(partner, {"operation": other_partner.create})
    desk.task(partner.group)
    work_everything()
    assert (other_desk.paths, run_states()) == ([], [RunState.RETRYING])
    assert "switched off" in only_run().reason


def test_an_incoming_process_does_not_call_the_desk_that_caused_it(
    desk, partner, other_partner, exchanged_task, friendly
):
    friendly.answers("/other/tickets", (201, {"number": "SIDE-1"}))
    only_steps(
        partner,
        {"operation": partner.note, "name": "back"},
        {"operation": other_partner.create, "name": "side"},
        {"kind": "note", "name": "local", "text": "{{ event.request_type }} {{ event.direction }}: {{ event.text }}"},
    )
    partner.binding.incoming_process = partner.process
    partner.binding.save()
    friendly.sent.clear()
    operations.update(system=partner.system, task=exchanged_task, text="We look into it")
    run = ProcessRun.objects.latest("pk")
    assert (run.direction, run.request_type) == (Direction.IN, "Update")
    work_everything()
    assert friendly.paths == ["POST /other/tickets"]
    back, _side, local = run.steps.order_by("index")
    assert (back.state, "caused this event" in back.reason, local.state) == ("skipped", True, "done")
    assert exchanged_task.notes.latest("pk").body == "Update In: We look into it"


@pytest.mark.parametrize(
    ("call", "request_type"),
    [
        (lambda s, t: operations.acknowledge(system=s, task=t, reference="A-1"), "Acknowledgement"),
        (lambda s, t: operations.update(system=s, task=t, text="Hello"), "Update"),
        (lambda s, t: operations.reassign(system=s, task=t, solution="Done"), "Reassigned"),
        (lambda s, t: operations.reassign(system=s, task=t, status="rejected", solution="No"), "Reassigned"),
    ],
)
def test_every_incoming_operation_starts_the_incoming_process(desk, partner, call, request_type):
    partner.binding.incoming_process = partner.process
    partner.binding.save()
    task = desk.task(partner.group)
    call(partner.system, task)
    run = ProcessRun.objects.latest("pk")
    assert (run.direction, run.request_type, run.snapshot["event"]["direction"]) == ("In", request_type, "In")


def test_a_file_travels_with_its_content(desk, partner, exchanged_task, friendly):
    partner.note.body = '{"name": "{{ attachment.name }}", "content": "{{ attachment.content_base64 }}"}'
    partner.note.save()
    actions.attach(actor=desk.by_agent, ticket=exchanged_task.ticket, content=actions.FileContent("a.txt", b"hello"))
    work_everything()
    assert friendly.bodies[-1] == b'{"name": "a.txt", "content": "aGVsbG8="}'
    assert "content_base64" not in ProcessRun.objects.latest("pk").snapshot["attachment"]


def test_our_certificate_is_shown_to_the_desk_and_its_token_endpoint_alone(partner) -> None:
    system = partner.system
    system.client_certificate, system.client_key, system.ca_bundle = "certificate", "key", "authorities"
    system.oauth_token_url, system.allowed_hosts = "https://login.acme.test/token", "files.acme.test"
    for url, shown in (
        (f"{system.base_url}/tickets", True),
        ("https://login.acme.test/token", True),
        ("https://login.acme.test/other", False),
        ("https://files.acme.test/", False),
    ):
        policy = policy_for(system, url, deadline=1)
        assert bool(policy.client_certificate and policy.client_key) is shown, url
        assert policy.ca_bundle == ("" if url.endswith("/token") else "authorities")
        assert ("login.acme.test" in policy.allowed_hosts) is url.endswith("/token")


def test_the_largest_file_there_may_be_travels_in_base64(desk, partner, exchanged_task, friendly, settings):
    settings.MAX_ATTACHMENT_BYTES = 26 * 1024**2
    partner.note.body = '{"name": "{{ attachment.name }}", "content": "{{ attachment.content_base64 }}"}'
    partner.note.save()
    file = actions.FileContent("a.bin", b"\xff" * settings.MAX_ATTACHMENT_BYTES)
    actions.attach(actor=desk.by_agent, ticket=exchanged_task.ticket, content=file)
    work_everything()
    assert ProcessRun.objects.latest("pk").state == RunState.DONE
    assert len(friendly.bodies[-1]) > settings.MAX_ATTACHMENT_BYTES * 4 // 3
