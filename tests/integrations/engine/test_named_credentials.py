"""Credentials at the place that a template names: written as the place demands, and never stored."""

import json
from urllib.parse import parse_qs

import pytest
from lxml import etree

from integrations.engine.authentication import authorise
from integrations.engine.stand_ins import filled_in, stand_ins_for
from integrations.models import OperationTemplate, RunState, StepRun
from integrations.preview import Occurrence, preview
from integrations.transports.errors import RequestInvalid
from integrations.transports.http import Request
from tests.integrations.engine.conftest import only_run, pass_time, respond, work_everything
from tests.integrations.engine.test_authentication import SECRET, configure, everything_stored
from tickets.actors import Actor
from tickets.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)

SESSION = 'se"ss<io>n&'
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><a><sid>{{ auth.session }}</sid>'
    "<pw>{{ auth.password }}</pw></a></s:Body></s:Envelope>"
)


@pytest.fixture
def web_forms(partner, other_desk):
    """A desk with a web form: signing in answers with a redirect and a cookie, a page of its own has a token."""
    login = OperationTemplate.objects.create(
        system=partner.system,
        name="login",
        path="/sign-in",
        content_type="application/x-www-form-urlencoded",
        body="user={{ auth.username }}&password={{ auth.password }}",
        success='"welcome" in response.headers.location | default("")',
        captures='session = (response.headers["set-cookie"] | replace("sid=", ""))[0:11]',
    )
    OperationTemplate.objects.create(
        system=partner.system,
        name="login_page",
        method="GET",
        path="/page",
        headers="Cookie: sid={{ auth.session }}",
        captures="token = response.text",
    )
    configure(partner, "login", auth_name="", auth_login=login)
    headers = {"Location": "/welcome", "Set-Cookie": f"sid={SESSION}; HttpOnly"}
    other_desk.answers("/sign-in", (302, "", headers))
    other_desk.answers("/page", (200, "to+ken"), method="GET")
    return partner


def sends(partner, **values):
    for name, value in values.items():
        setattr(partner.create, name, value)
    partner.create.save()


def test_session_and_token_stand_where_the_template_names_them(desk, web_forms, other_desk):
    sends(
        web_forms,
        path="/tickets?s={{ auth.session }}",
        headers="X-Token: {{ auth.token }}",
        body='{"session": "{{ auth.session }}", "password": {{ auth.password }}, "title": "{{ ticket.title }}"}',
    )
    other_desk.answers("/tickets", (201, {"number": "A-1"}))
    desk.task(web_forms.group)
    work_everything()
    assert other_desk.paths == ["POST /sign-in", "GET /page", "POST /tickets"]
    assert parse_qs(other_desk.bodies[0].decode()) == {"user": ["agent"], "password": [SECRET]}
    assert other_desk.sent[1].headers["Cookie"] == f"sid={SESSION}"
    sent = other_desk.sent[2]
    assert (sent.args["s"], sent.headers["X-Token"]) == (SESSION, "to+ken")
    assert json.loads(other_desk.bodies[2]) == {
        "session": SESSION,
        "password": SECRET,
        "title": Ticket.objects.get().title,
    }
    assert only_run().state == RunState.DONE
    stored = everything_stored()
    for secret in (SECRET, json.dumps(SECRET)[1:-1], SESSION, json.dumps(SESSION)[1:-1]):
        assert secret not in stored


def test_in_xml_they_are_escaped_as_xml(desk, web_forms, other_desk):
    sends(web_forms, protocol="soap", body=ENVELOPE)
    other_desk.answers("/tickets", (200, "<a/>"))
    desk.task(web_forms.group)
    work_everything()
    texts = {etree.QName(e).localname: e.text for e in etree.fromstring(other_desk.bodies[-1]).iter()}
    assert (texts["sid"], texts["pw"]) == (SESSION, SECRET)


def test_what_is_tried_again_is_the_same_request_with_the_session_of_then(desk, web_forms, other_desk):
    sends(web_forms, body='{"s": "{{ auth.session }}"}', retry_when='response.text == "who?"', repeat="safe")
    other_desk.answers("/tickets", (200, "who?"), (201, {"number": "A-1"}))
    desk.task(web_forms.group)
    work_everything()
    assert only_run().state == RunState.RETRYING
    pinned = bytes(StepRun.objects.earliest("pk").request_body)
    other_desk.server.clear_all_handlers()
    other_desk.answers("/sign-in", (302, "", {"Location": "/welcome", "Set-Cookie": "sid=the-new-one"}))
    other_desk.answers("/tickets", (201, {"number": "A-1"}))
    pass_time()
    assert bytes(StepRun.objects.earliest("pk").request_body) == pinned
    assert json.loads(other_desk.bodies[-1]) == {"s": "the-new-one"}
    assert only_run().state == RunState.DONE


def test_only_what_names_the_session_signs_in(desk, web_forms, other_desk):
    other_desk.answers("/tickets", (201, {"number": "A-1"}))
    desk.task(web_forms.group)
    work_everything()
    assert other_desk.paths == ["POST /tickets"]


@pytest.mark.parametrize("body", ['"{{ auth.nothing }}"', '"{{ auth.round }}"'])
def test_what_no_login_request_captures_is_told(desk, web_forms, other_desk, body):
    for name, other in (("round", "and_round"), ("and_round", "round")):
        OperationTemplate.objects.create(
            system=web_forms.system, name=f"login_{name}", path=f"/{{{{ auth.{other} }}}}", captures=f"{name} = 1"
        )
    sends(web_forms, body=body)
    desk.task(web_forms.group)
    work_everything()
    assert other_desk.paths == []
    assert only_run().state == RunState.ATTENTION
    assert "login request" in only_run().reason


def test_a_redirect_counts_only_for_a_rule_that_looks_where_it_leads(desk, web_forms, other_desk):
    sends(web_forms, success="response.json.error is not defined", repeat="safe")
    other_desk.answers("/tickets", (302, "", {"Location": "/done?number=A-1"}))
    desk.task(web_forms.group)
    work_everything()
    assert only_run().state == RunState.ATTENTION
    sends(web_forms, success='"/done" in response.headers.location')
    desk.task(web_forms.group)
    work_everything()
    states = StepRun.objects.filter(request__isnull=False).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["failed", "done"]
    assert other_desk.count("POST /done") == 0


def test_only_the_desk_itself_gets_them(web_forms):
    stand_ins = stand_ins_for(["{{ auth.password }}"])
    request = Request("POST", "http://other.test/x", body=stand_ins["password"].encode())
    with pytest.raises(RequestInvalid, match="desk itself"):
        authorise(request, web_forms.system, lambda *_a: None, stand_ins={stand_ins["password"]: "password"})


def test_a_form_carries_them_percent_encoded():
    token = stand_ins_for(["{{ auth.session }}"])["session"]
    request = Request("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, f"a={token}&b=1".encode())
    assert filled_in(request, {token: "x&b=2 ü"}).body == b"a=x%26b%3D2%20%C3%BC&b=1"


def test_two_requests_have_different_stand_ins():
    assert stand_ins_for(["{{ auth.session }}"]) != stand_ins_for(["{{ auth.session }}"])


def test_a_preview_names_them_and_does_not_show_them(desk, web_forms, other_desk):
    sends(web_forms, body='{"s": "{{ auth.session }}"}')
    task = desk.task(web_forms.group)
    shown = preview(
        web_forms.process,
        task=task,
        system=web_forms.system,
        occurrence=Occurrence("Submit Request", "assign", "Out"),
        actor=Actor.system(),
    )
    assert any('"[auth.session]"' in step.body for step in shown)
    assert other_desk.paths == []


def test_cookies_of_several_headers_are_all_seen(desk, web_forms, other_desk):
    def two(_request):
        answer = respond(201, {"number": "A-1"})
        answer.headers.add("Set-Cookie", "a=1")
        answer.headers.add("Set-Cookie", "b=2")
        return answer

    sends(web_forms, success='response.headers["set-cookie"] == "a=1, b=2"')
    other_desk.answers("/tickets", two)
    desk.task(web_forms.group)
    work_everything()
    assert only_run().state == RunState.DONE
