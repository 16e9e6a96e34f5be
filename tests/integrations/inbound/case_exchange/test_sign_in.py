"""Signing in: a key for a session, which ends with the key."""

from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.models import Exchange, Outcome, SystemKey
from tests.integrations.inbound.case_exchange.conftest import CES, LOGIN, CaseDesk, problem
from tests.integrations.inbound.conftest import Desk

TOKEN = LOGIN.replace("/login", "/token")


@pytest.mark.parametrize("path", [LOGIN, TOKEN])
def test_the_answer_is_the_token_as_text_and_as_a_cookie(northwind: Desk, path: str):
    response = CaseDesk(northwind).sign_in(path)
    assert (response.status_code, response["Content-Type"]) == (200, "text/plain; charset=utf-8")
    cookie = response.cookies["LWSSO_COOKIE_KEY"]
    assert cookie.value == response.content.decode()
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Strict", "")
    assert "TENANTID" not in response.cookies
    assert northwind.key not in response.content.decode()


def test_the_tenant_is_a_cookie_where_it_is_named(northwind: Desk):
    assert CaseDesk(northwind).sign_in().cookies["TENANTID"].value == "deskbridge"


def test_cookies_go_over_https_alone_where_the_portal_does(northwind: Desk, settings: Any):
    settings.SESSION_COOKIE_SECURE = True
    assert CaseDesk(northwind).sign_in().cookies["LWSSO_COOKIE_KEY"]["secure"] is True


def test_the_login_is_the_code_whatever_its_case(northwind: Desk):
    assert CaseDesk(northwind).sign_in(login="NorthWind").status_code == 200


def test_a_key_of_another_system_is_refused(northwind: Desk, outsider: Desk):
    assert problem(CaseDesk(northwind).sign_in(password=outsider.key)) == (401, "unauthenticated")


def test_what_is_refused_is_in_the_log_without_the_password(northwind: Desk):
    response = CaseDesk(northwind).sign_in(password="not.theKeyThatItShouldBe")
    assert problem(response) == (401, "unauthenticated")
    assert response["WWW-Authenticate"]
    exchange = Exchange.objects.get()
    assert (exchange.operation, exchange.outcome, exchange.system) == ("sign_in", Outcome.REFUSED, None)
    assert "theKey" not in f"{exchange.request_body}{exchange.request_headers}{exchange.response_body}"
    assert '"login": "northwind"' in exchange.request_body


@pytest.mark.parametrize("body", ["", "[]", "{", '{"login": "northwind"}', '{"login": 1, "password": []}', "s3cret"])
def test_a_malformed_body_is_400_and_nothing_of_it_is_kept(northwind: Desk, body: str):
    response = Client().post(LOGIN, body, content_type="application/json")
    assert response.status_code == 400
    assert "s3cret" not in Exchange.objects.get().request_body


def test_an_oversized_body_is_413(northwind: Desk, settings: Any):
    settings.MAX_REQUEST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert problem(CaseDesk(northwind).sign_in(password="x" * 2000)) == (413, "too_large")


def test_another_tenant_is_401_with_the_right_key(northwind: Desk):
    response = CaseDesk(northwind).sign_in(f"{LOGIN}?TENANTID=other")
    assert problem(response) == (401, "unauthenticated")
    assert not response.cookies


def test_only_post_signs_in(northwind: Desk):
    response = Client().get(LOGIN)
    assert problem(response) == (405, "method_not_allowed")
    assert response["Allow"] == "POST"


def test_a_successful_sign_in_is_no_message_and_not_in_the_log(cases: CaseDesk):
    assert not Exchange.objects.exists()


def test_a_session_ends_when_its_time_is_over(northwind: Desk):
    cases = CaseDesk(northwind)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = cases.sign_in().content.decode()
        header = {"Cookie": f"LWSSO_COOKIE_KEY={token}"}
        clock.shift(29 * 60)
        assert Client().get(CES, headers=header).status_code == 200
        clock.shift(2 * 60)
        assert problem(Client().get(CES, headers=header)) == (401, "unauthenticated")


def test_a_session_of_another_tenant_is_401(cases: CaseDesk):
    cases.client.cookies["TENANTID"] = "other"
    assert problem(cases.poll()) == (401, "unauthenticated")


def test_the_tenant_cookie_may_be_left_out(cases: CaseDesk):
    del cases.client.cookies["TENANTID"]
    assert cases.poll().status_code == 200


def test_another_tenant_in_the_address_is_404_and_in_the_log(cases: CaseDesk):
    assert problem(cases.client.get("/rest/other/ces")) == (404, "not_found")
    exchange = Exchange.objects.get()
    assert (exchange.operation, exchange.system) == ("read", cases.desk.system)


@pytest.mark.parametrize("change", ["revoked", "expired", "switched_off", "deleted"])
def test_a_session_ends_at_once_with_its_key(cases: CaseDesk, change: str):
    token = cases.client.cookies["LWSSO_COOKIE_KEY"].value
    match change:
        case "revoked":
            SystemKey.objects.update(revoked=True)
        case "expired":
            SystemKey.objects.update(expiry_date=timezone.now())
        case "switched_off":
            type(cases.desk.system).objects.update(active=False)
        case "deleted":
            SystemKey.objects.all().delete()
    assert problem(cases.poll()) == (401, "unauthenticated")
    exchange = Exchange.objects.get()
    assert exchange.system is None
    assert token not in f"{exchange.request_headers}"


def test_a_key_is_no_session(northwind: Desk):
    for header in ({"Authorization": f"Api-Key {northwind.key}"}, {"Cookie": f"LWSSO_COOKIE_KEY={northwind.key}"}):
        assert problem(Client().get(CES, headers=header)) == (401, "unauthenticated")


def test_the_tenant_is_a_setting(northwind: Desk, settings: Any):
    settings.CASE_EXCHANGE_TENANT = "4711"
    cases = CaseDesk(northwind)
    assert cases.sign_in(f"{LOGIN}?TENANTID=4711").status_code == 200
    assert cases.client.get("/rest/4711/ces").status_code == 200
    assert cases.poll().status_code == 404
