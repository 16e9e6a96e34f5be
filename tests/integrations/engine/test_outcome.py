"""What an answer means, in the promised order: SOAP fault, the template's rule, the status."""

from datetime import timedelta

import pytest
import time_machine
from django.utils.datastructures import CaseInsensitiveMapping

from integrations.engine import outcome as engine
from integrations.engine.outcome import captured, of_error, response_context
from integrations.models import Outcome
from integrations.transports.errors import (
    AddressRefused,
    ConnectFailed,
    OutcomeUnknown,
    RequestInvalid,
    ResponseTooLarge,
)
from integrations.transports.http import Response

RETRYABLE, PERMANENT = Outcome.RETRYABLE, Outcome.PERMANENT
SUCCEEDED, MISCONFIGURED, UNKNOWN = Outcome.SUCCEEDED, Outcome.MISCONFIGURED, Outcome.UNKNOWN
CLIENT, SERVER = "soap:Client", "soap:Server"


def of_response(template, response, context):
    return engine.of_response(template, response, context, shown=lambda shown: shown.text)


def request(**values):
    return {"success": "", "retry_when": "", "captures": "", "protocol": "http", "wsdl_id": None, **values}


def answer(status=200, body="", **headers):
    data = body if isinstance(body, bytes) else body.encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=CaseInsensitiveMapping(named), body=data, elapsed_ms=1)


def fault(code, text="No", version="1.1"):
    if version == "1.1":
        return (
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
            f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring></soap:Fault></soap:Body></soap:Envelope>"
        )
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code>'
        f"<e:Value>e:{code}</e:Value></e:Code><e:Reason><e:Text>{text}</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>"
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, SUCCEEDED) for status in (200, 201, 202, 204, 299)),
        *((status, MISCONFIGURED) for status in (301, 302, 303, 304, 307, 308, 401, 403)),
        *((status, PERMANENT) for status in (400, 402, 404, 405, 409, 410, 413, 415, 422, 451)),
        *((status, RETRYABLE) for status in (408, 425, 429, 500, 501, 502, 503, 504, 507, 599)),
    ],
)
def test_the_status_decides_where_nothing_else_does(status, outcome):
    assert of_response(request(), answer(status, "{}"), {}).outcome == outcome


@pytest.mark.parametrize(
    ("values", "response", "outcome"),
    [
        # The fault comes first: a status or a rule that says otherwise does not count.
        ({}, answer(200, fault(CLIENT)), PERMANENT),
        ({}, answer(500, fault(CLIENT)), PERMANENT),
        ({}, answer(500, fault("soap:Client.Authentication")), PERMANENT),
        ({}, answer(500, fault("Sender", version="1.2")), PERMANENT),
        ({}, answer(200, fault(SERVER)), RETRYABLE),
        ({}, answer(400, fault("Receiver", version="1.2")), RETRYABLE),
        ({"success": "true"}, answer(200, fault(CLIENT)), PERMANENT),
        ({"success": "true"}, answer(200, fault(SERVER)), RETRYABLE),
        ({"retry_when": "'busy' in response.text"}, answer(500, fault(CLIENT, "busy")), RETRYABLE),
        # Then the template's own rule.
        ({"success": "response.json.ok"}, answer(200, '{"ok": true}'), SUCCEEDED),
        ({"success": "response.json.ok"}, answer(200, '{"ok": false}'), PERMANENT),
        ({"success": "response.json.ok"}, answer(409, '{"ok": true}'), SUCCEEDED),
        ({"success": "response.json.ok"}, answer(503, '{"ok": false}'), RETRYABLE),
        ({"success": "response.json.ok"}, answer(401, '{"ok": false}'), MISCONFIGURED),
        ({"success": "true"}, answer(302, ""), MISCONFIGURED),
        ({"retry_when": "response.json.busy"}, answer(200, '{"busy": true}'), RETRYABLE),
        ({"retry_when": "response.json.busy"}, answer(400, '{"busy": true}'), RETRYABLE),
        ({"retry_when": "response.json.busy", "success": "true"}, answer(200, '{"busy": true}'), RETRYABLE),
        # A rule that cannot be applied is a mistake in the configuration, or leaves the status to decide.
        ({"success": "response.json.ok"}, answer(200, "{}"), MISCONFIGURED),
        ({"success": "response.json.ok"}, answer(500, "{}"), RETRYABLE),
        ({"retry_when": "response.json.busy"}, answer(404, "gone"), PERMANENT),
    ],
)
def test_first_the_fault_then_the_rule_then_the_status(values, response, outcome):
    assert of_response(request(**values), response, {}).outcome == outcome


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b"\n  "])
def test_a_fault_behind_a_byte_order_mark_is_a_fault(mark):
    assert of_response(request(), answer(200, mark + fault(CLIENT).encode()), {}).outcome == PERMANENT
    assert response_context(answer(200, mark + b'{"number": 7}'))["json"] == {"number": 7}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ConnectFailed("refused"), RETRYABLE),
        (OutcomeUnknown("no answer"), UNKNOWN),
        (ResponseTooLarge("too large"), UNKNOWN),
        (AddressRefused("not allowed"), MISCONFIGURED),
        (RequestInvalid("line break"), MISCONFIGURED),
    ],
)
def test_without_an_answer_it_counts_whether_the_request_may_have_arrived(error, outcome):
    verdict = of_error(error)
    assert (verdict.outcome, verdict.doubtful) == (outcome, outcome == UNKNOWN)


@pytest.mark.parametrize(
    ("status", "doubtful"), [(500, True), (502, True), (504, True), (408, True), (503, False), (429, False)]
)
def test_a_server_that_failed_may_have_done_it_and_one_that_is_busy_has_not(status, doubtful):
    assert of_response(request(), answer(status), {}).doubtful is doubtful


@time_machine.travel("2026-03-01T12:00:00Z", tick=False)
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Sun, 01 Mar 2026 12:05:00 GMT", 300),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("999999999", 86_400),
        ("9" * 5000, 86_400),
        ("Sun, 01 Mar 2099 12:00:00 GMT", 86_400),
        ("soon", None),
        ("²", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_and_is_a_day_at_most(value, seconds):
    verdict = of_response(request(), answer(429, Retry_After=value), {})
    assert verdict.retry_after == (None if seconds is None else timedelta(seconds=seconds))


def test_a_capture_that_fails_is_told_and_the_others_are_kept():
    values, problems = captured(
        request(captures="a = response.json.a\nb = response.json.b\nnot a line\nc = response.json.c"),
        answer(200, '{"a": 1, "c": "x"}'),
        {},
    )
    assert values == {"a": 1, "c": "x"}
    assert problems.startswith("b: ")


@pytest.mark.parametrize(
    "body", ['{"a": NaN}', '{"a": Infinity}', "[" * 100_000, '{"a":' * 200 + "1" + "}" * 200, "{"]
)
def test_an_answer_that_is_hardly_json_is_no_data_and_breaks_nothing(body):
    assert response_context(answer(200, body))["json"] == {}
    assert of_response(request(success="response.status == 200"), answer(200, body), {}).outcome == SUCCEEDED


def test_what_no_database_keeps_is_replaced_in_captures():
    values, _problems = captured(
        request(captures="a = response.json.a"), answer(200, '{"a": ["x\\u0000\\ud800"]}'), {}
    )
    assert values["a"][0].startswith("x\ufffd")
    values["a"][0].encode()


def test_the_reason_quotes_how_the_answer_begins_in_one_line():
    reason = of_response(request(), answer(400, "no\n\n such  priority" + "!" * 1000), {}).reason
    assert "no such priority!" in reason
    assert len(reason) < 300


def test_secrets_are_removed_before_the_answer_is_cut_off():
    secret = "s3cr3t"
    body = "x" * 197 + secret

    def shown(response):
        return response.text.replace(secret, "[removed]")

    assert "s3c" not in engine.of_response(request(), answer(400, body), {}, shown=shown).reason


PAGE = '\ufeff\n<!-- proxy --><!DOCTYPE html>\n<html><body><form action="/login"></form></body></html>'


@pytest.mark.parametrize(
    ("template", "outcome"),
    [
        ({"method": "POST"}, MISCONFIGURED),
        ({"method": "PATCH", "captures": "reference = response.json.number"}, MISCONFIGURED),
        ({"method": "GET", "captures": 'contact = response . json.people | default("")'}, MISCONFIGURED),
        ({"method": "POST", "protocol": "soap", "captures": "seen = response.text"}, MISCONFIGURED),
        # Whoever expects a page has said so.
        ({"method": "POST", "success": "'<form' in response.text"}, SUCCEEDED),
        ({"method": "POST", "captures": "token = response.text | after('token=')"}, SUCCEEDED),
        ({"method": "POST", "headers": "Accept: text/html"}, SUCCEEDED),
        # What only reads says itself what it cannot read.
        ({"method": "GET"}, SUCCEEDED),
    ],
)
def test_a_page_in_html_is_no_answer(template, outcome):
    verdict = of_response(request(**template), answer(200, PAGE), {})
    assert verdict.outcome == outcome
    # It may have been done all the same: a person looks, and it is not sent again blindly.
    assert verdict.doubtful == (outcome == MISCONFIGURED)


@pytest.mark.parametrize("body", ["", "OK", "<ok/>", "<htmlish/>", '{"note": "<html>"}', "<!-- -->" * 500 + "<p>"])
def test_what_is_no_page_is_an_answer(body):
    said = answer(200, body, Content_Type="text/html")
    assert of_response(request(method="POST"), said, {}).outcome == SUCCEEDED
