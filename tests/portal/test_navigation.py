"""The admin's sidebar: everything that one may see, and nothing else."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client, RequestFactory

from portal.navigation import CATALOGUE, GROUPS, sidebar
from tests.cast import Desk
from tests.tickets.admin.conftest import may


def links(user: Any, path: str = "/admin/", query: str = "") -> dict[str, dict[str, Any]]:
    request = RequestFactory().get(f"{path}{query}")
    request.user = user
    return {str(item["title"]): item for group in sidebar(request) for item in group["items"]}


def test_every_entry_names_a_model_and_leads_to_its_list(admin_client: Client, admin_user: User) -> None:
    found = links(admin_user)
    registered = 0
    for _title, entries in GROUPS:
        for title, _icon, label, _query in entries:
            if label == CATALOGUE or admin.site.is_registered(apps.get_model(label)):
                registered += 1
                assert admin_client.get(found[str(title)]["link"]).status_code == 200
            else:
                assert str(title) not in found
    assert registered >= 13


def test_people_are_offered_only_what_they_may_see(desk: Desk) -> None:
    may(desk.agent, "view")
    seen = set(links(desk.agent))
    assert {"Tickets", "Contacts", "Assignment groups"} <= seen
    assert not {"Users", "Catalogue of desks", "External systems", "Processes"} & seen
    assert set(links(AnonymousUser())) == {"Overview"}


@pytest.mark.parametrize(
    ("path", "query", "active"),
    [
        ("/admin/", "", "Overview"),
        ("/admin/tickets/ticket/", "", "Tickets"),
        ("/admin/tickets/ticket/", "?mine=1", "Assigned to me"),
        ("/admin/tickets/ticket/1/change/", "", "Tickets"),
        ("/admin/integrations/externalsystem/", "", "External systems"),
        ("/admin/integrations/externalsystem/catalogue/znuny-rest/", "", "Catalogue of desks"),
    ],
)
def test_one_entry_is_marked_as_the_place_where_one_is(admin_user: User, path: str, query: str, active: str) -> None:
    assert [title for title, item in links(admin_user, path, query).items() if item["active"]] == [active]
