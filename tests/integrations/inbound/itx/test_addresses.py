"""Every address: no key, each of the three values wrong, another's record, malformed, oversized, repeated."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import Exchange, ExternalSystem, Outcome, SystemKey
from tests.integrations.inbound.itx.addresses import ROWS, Row, call
from tests.integrations.inbound.itx.conftest import Itx, refused
from tests.integrations.inbound.test_addresses import changed
from tickets.models import Attachment, Task

every = pytest.mark.parametrize("row", ROWS, ids=str)
every_post = pytest.mark.parametrize("row", [row for row in ROWS if row.body or row.upload], ids=str)
every_write = pytest.mark.parametrize("row", [row for row in ROWS if row.writes], ids=str)


@pytest.fixture
def case(itx: Itx, given: Task) -> int:
    """A case of Northwind with a file."""
    from integrations.inbound.operations import attach
    from tickets.actions import FileContent

    attach(system=itx.desk.system, task=given, files=(FileContent("a.txt", b"hello"),))
    return given.ticket_id


def file() -> int:
    return Attachment.objects.values_list("pk", flat=True).get()


@pytest.mark.portable
@every
@pytest.mark.parametrize("query", [False, True], ids=["headers", "query"])
@pytest.mark.parametrize("slash", [False, True], ids=["without slash", "with slash"])
def test_the_three_values_let_in_from_either_place(row: Row, itx: Itx, case: int, query: bool, slash: bool):
    response = call(row, itx, case=case, file=file(), query=query, slash=slash)
    assert response.status_code in (200, 201), getattr(response, "content", "")
    response.close()


@pytest.mark.portable
@every
@pytest.mark.parametrize("wrong", ["none", "tokenv2", "rcntrl", "ccntrl", "revoked", "expired", "off", "key header"])
def test_no_key_or_a_bad_one_is_401_without_saying_which_value_it_was(
    row: Row, wrong: str, itx: Itx, stranger: Itx, case: int
):
    values = itx.values
    match wrong:
        case "none" | "key header":
            values = {}
        case "revoked":
            SystemKey.objects.update(revoked=True)
        case "expired":
            SystemKey.objects.update(expiry_date=timezone.now())
        case "off":
            ExternalSystem.objects.update(active=False)
        case name:
            values = values | {name: stranger.values[name]}
    headers = {"Authorization": f"Api-Key {itx.desk.key}"} if wrong == "key header" else {}
    before = changed()
    answers = [call(row, None, case=case, values=values, headers=headers, query=query) for query in (False, True)]
    assert [refused(answer) for answer in answers] == [(401, "unauthenticated", set())] * 2
    assert answers[0]["WWW-Authenticate"] == 'ITX realm="Deskbridge"'
    # The same words whatever was wrong.
    assert len({answer.content for answer in (*answers, call(row, None, case=case))}) == 1
    for exchange in Exchange.objects.all():
        assert (exchange.dialect, exchange.outcome, exchange.system) == ("itx", Outcome.REFUSED, None)
    assert changed() == before


@every
def test_values_from_two_places_twice_or_incomplete_are_refused(row: Row, itx: Itx, case: int):
    tokens = {"tokenv2": itx.desk.key}
    others = {name: value for name, value in itx.values.items() if name not in tokens}
    query = "&".join(f"{name}={value}" for name, value in others.items())
    address = f"/rest/{row.path.partition('?')[0]}"
    for path, headers in (
        (f"{address}?{query}", tokens),
        (f"{address}?{query}", itx.values),
        (f"{address}?{query}", {}),
        (f"{address}?{query}&tokenv2={itx.desk.key}&tokenv2={itx.desk.key}", {}),
        (address, others),
        (address, tokens),
    ):
        assert Client().generic("POST" if row.body else "GET", path, headers=headers).status_code == 401


@pytest.mark.portable
@every
@pytest.mark.parametrize("query", [False, True], ids=["headers", "query"])
@pytest.mark.parametrize("let_in", [False, True], ids=["refused", "let in"])
def test_none_of_the_three_values_reaches_the_log(row: Row, itx: Itx, case: int, query: bool, let_in: bool):
    values = itx.values if let_in else {**itx.values, "rcntrl": "wrong"}
    response = call(row, None, case=case, file=file(), values=values, query=query)
    assert response.getvalue()
    for exchange in Exchange.objects.all():
        kept = f"{exchange.url} {exchange.request_headers} {exchange.request_body} {exchange.response_body}"
        assert itx.desk.key not in kept
        assert values["rcntrl"] not in kept
        assert "ccntrl" not in kept or "[removed]" in kept
        assert f"ccntrl={itx.desk.system.code}" not in kept


@pytest.mark.parametrize("row", [row for row in ROWS if "{case}" in f"{row.path}{row.body}"], ids=str)
def test_another_desk_s_case_is_not_there(row: Row, itx: Itx, stranger: Itx, case: int):
    before = changed()
    foreign, unknown = (call(row, stranger, case=number) for number in (case, 9999))
    if "cases" in row.path:
        assert foreign.json() == unknown.json() == []
    else:
        assert refused(foreign) == refused(unknown) == (404, "not_found", set())
        assert foreign.content.replace(b"%d" % case, b"9999") == unknown.content
    assert changed() == before


MALFORMED = [b"", b"{", b"[1]", b"\xff\xfe\x00", b'{"text": NaN}', b"[" * 100_000, b'{"x": ' + b"9" * 10_000 + b"}"]
MALFORMED += [b'{"text": "\\u0000", "description": "\\u0000"}', b'{"text": "\\ud800", "description": "\\ud800"}']


@every_post
@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_malformed_is_400_in_the_log_and_changes_nothing(row: Row, body: bytes, itx: Itx, case: int):
    before = changed()
    response = call(row, itx, case=case, body=body)
    if "search" in row.path and not body:
        # No body, no filter: all cases.
        assert [found["eactId"] for found in response.json()] == [case]
        return
    status, code, _fields = refused(response)
    assert (status, code in ("malformed", "invalid")) == (400, True)
    exchange = Exchange.objects.get()
    assert (exchange.outcome, exchange.system, exchange.dialect) == (Outcome.REFUSED, itx.desk.system, "itx")
    assert changed() == before


@every
def test_a_parameter_or_field_that_is_not_known_is_named(row: Row, itx: Itx, case: int):
    values = {"colour": "red"}
    if row.body is not None:
        response = call(row, itx, case=case, body=b'{"colour": "red"}')
        assert "colour" in refused(response)[2]
        assert response.status_code == 400
    mark = "&" if "?" in row.path else "?"
    path = Row(f"{row.path}{mark}colour=red", row.body, row.upload)
    response = call(path, itx, case=case, file=file(), **values)
    assert refused(response) == (400, "invalid", {"colour"})


@pytest.mark.portable
@every_post
def test_what_is_oversized_is_413(row: Row, itx: Itx, case: int, settings: Any):
    settings.MAX_REQUEST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    response = call(row, itx, case=case, body=b'{"text": "' + b"x" * 2000 + b'"}')
    assert refused(response) == (413, "too_large", set())
    assert Exchange.objects.get().request_body == ""


@every_write
def test_what_is_repeated_gets_the_same_answer_and_changes_nothing(row: Row, itx: Itx, case: int):
    headers = {"Idempotency-Key": "k1"}
    first = call(row, itx, case=case, headers=headers)
    before = changed()
    second = call(row, itx, case=case, headers=headers)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second["Idempotency-Replayed"] == "true"
    assert changed() == before
    assert Exchange.objects.order_by("pk").last().outcome == Outcome.REPEATED


@pytest.mark.portable
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@every
def test_other_methods_are_refused(row: Row, method: str, itx: Itx, case: int):
    response = Client().generic(method, f"/rest/{row.path.partition('?')[0]}", headers=itx.values)
    assert refused(response)[:2] == (405, "method_not_allowed")
    assert Exchange.objects.get().outcome == Outcome.REFUSED


@pytest.mark.parametrize("path", ["itxems/", "itxems/case/5", "itxems/\n", "itxpbx/queues"])
def test_an_address_that_is_none_answers_in_the_same_form_and_strangers_leave_no_trace(itx: Itx, path: str):
    for headers, traces in (({}, 0), (itx.values, 1)):
        response = Client().get(f"/rest/{path}", headers=headers)
        assert refused(response) == (404, "not_found", set())
        assert Exchange.objects.count() == traces
