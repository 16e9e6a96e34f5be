"""Lists ask the database as often for many rows as for few."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrations.app_fields import sync_app_fields
from integrations.models import GroupBinding, WsdlDocument
from tests.cast import Partner, make_partner
from tests.integrations.admin.conftest import Browser
from tickets.models import AssignmentGroup

pytestmark = pytest.mark.portable


def count(admin: Browser, path: str) -> int:
    admin.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert admin.get(path).status_code == 200
    return len(captured)


def add_more() -> None:
    for number in range(5):
        partner = make_partner(f"more-{number}", "https://more.test")
        WsdlDocument.objects.create(system=partner.system, name="W", url="https://more.test/?wsdl")
        partner.key()


@pytest.mark.parametrize("path", ["externalsystem/", "operationtemplate/", "process/", "wsdldocument/"])
def test_lists_cost_the_same_for_many_rows(admin: Browser, partner: Partner, path: str) -> None:
    WsdlDocument.objects.create(system=partner.system, name="W", url="https://acme.test/?wsdl")
    few = count(admin, path)
    add_more()
    assert count(admin, path) == few


def test_the_list_of_app_fields_costs_the_same_when_it_is_full(admin: Browser) -> None:
    sync_app_fields()
    assert count(admin, "appfield/") <= 8


def test_a_system_costs_the_same_with_many_operations(admin: Browser, partner: Partner) -> None:
    page = f"externalsystem/{partner.system.pk}/change/"
    partner.key()
    few = count(admin, page)
    for number in range(10):
        partner.system.operations.create(name=f"op_{number}", path="/x")
        partner.key()
    assert count(admin, page) == few


def test_a_group_costs_the_same_with_many_processes(admin: Browser, partner: Partner) -> None:
    page = f"/admin/tickets/assignmentgroup/{partner.group.pk}/change/"
    few = count(admin, page)
    add_more()
    GroupBinding.objects.create(group=AssignmentGroup.objects.create(name="Further", code="further"))
    assert count(admin, page) == few
