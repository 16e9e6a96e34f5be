"""Who may read the figures, and that they are figures."""

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.django_db


def test_the_figures_are_in_the_format_of_prometheus(client: Client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = {family.name: family for family in text_string_to_metric_families(answer.content.decode())}
    up = {sample.labels["service"]: sample.value for sample in families["deskbridge_service_up"].samples}
    assert up == {"database": 1, "migrations": 1, "broker": 1}


@pytest.mark.parametrize("address", ["10.0.0.7", "", "2001:db8::1"])
def test_without_a_token_other_machines_are_refused(client: Client, address):
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_a_proxy_on_the_same_machine_does_not_make_the_world_local(client: Client, header):
    assert client.get("/metrics", headers={header: "for=203.0.113.9"}).status_code == 403


def test_with_a_token_its_bearer_is_served_from_anywhere(client: Client, settings):
    settings.METRICS_TOKEN = "tokén"
    headers = {"Authorization": "Bearer tokén"}
    assert client.get("/metrics", headers=headers, REMOTE_ADDR="10.0.0.7").status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic token"])
def test_with_a_token_nobody_else_is_served_not_even_this_machine(client: Client, settings, authorization):
    settings.METRICS_TOKEN = "token-of-the-operator"
    assert client.get("/metrics", headers={"Authorization": authorization}).status_code == 403
