"""Value maps in the admin: rows, what has no translation, and the other desk's values fetched and offered."""

import pytest

from integrations.models import Exchange, OperationTemplate, TheirValues, ValueMapping
from integrations.their_values import our_values, untold
from tests.integrations.admin.conftest import form_values, messages_of
from tickets.models import Priority


@pytest.fixture
def page(desk, partner):
    """The address of the map of priorities; there are two of ours."""
    Priority.objects.create(code="p1", name="Urgent", rank=1)
    return f"externalsystem/{partner.system.pk}/values/priority/"


def held(partner, kind="priority"):
    rows = ValueMapping.objects.filter(system=partner.system, kind=kind)
    return {(row.ours, row.theirs, row.way) for row in rows}


def problems(answer):
    return [texts for form in answer.context["rows"].forms for texts in form.errors.values()]


@pytest.mark.django_db
def test_what_has_no_translation_is_offered_and_can_be_left_alone(admin, partner, page):
    content = admin.get(page).content.decode()
    assert "Of ours without a translation" in content
    values = form_values(admin.get(page))
    assert [values["priority-0-ours"], values["priority-1-ours"]] == ["p1", "p3"]
    assert admin.send(page, **{"priority-0-theirs": "1 - Critical"}).status_code == 302
    assert held(partner) == {("p1", "1 - Critical", "both")}
    assert [code for code, _name in untold(partner.system, "priority").ours] == ["p3"]


@pytest.mark.django_db
def test_rows_are_changed_exchanged_and_removed(admin, partner, page):
    for ours, theirs in (("p1", "1"), ("p3", "3")):
        ValueMapping.objects.create(system=partner.system, kind="priority", ours=ours, theirs=theirs)
    admin.send(page, **{"priority-0-theirs": "3", "priority-1-theirs": "1", "priority-0-label": "Low"})
    assert held(partner) == {("p1", "3", "both"), ("p3", "1", "both")}
    assert "Low" in admin.get(page).content.decode()
    admin.send(page, **{"priority-0-remove": "on"})
    assert held(partner) == {("p3", "1", "both")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"priority-2-ours": "p1", "priority-2-theirs": "2"}, "what is sent for this"),
        ({"priority-2-ours": "p3", "priority-2-theirs": "1"}, "what this means when it comes"),
        ({"priority-2-theirs": "2"}, "Choose what it is here"),
        ({"priority-0-theirs": ""}, "Enter what it is there"),
        ({"priority-2-ours": "moon", "priority-2-theirs": "2"}, "not one of the available choices"),
        ({"priority-2-theirs": "x" * 201, "priority-2-ours": "p3"}, "at most 200"),
    ],
)
def test_what_is_ambiguous_or_half_is_told(admin, partner, page, values, says):
    ValueMapping.objects.create(system=partner.system, kind="priority", ours="p1", theirs="1")
    answer = admin.send(page, **values)
    assert says in str(problems(answer))
    assert held(partner) == {("p1", "1", "both")}


@pytest.mark.django_db
def test_a_status_may_be_shown_and_have_no_effect(admin, partner, page):
    page = page.replace("priority", "status")
    last = max(int(name.split("-")[1]) for name in form_values(admin.get(page)) if name.endswith("-way"))
    given = {f"status-{last}-theirs": "pending", f"status-{last}-ours": "-"}
    assert "can only be received" in str(problems(admin.send(page, **given)))
    assert admin.send(page, **given, **{f"status-{last}-way": "in"}).status_code == 302
    assert held(partner, "status") == {("", "pending", "in")}
    assert form_values(admin.get(page))["status-0-ours"] == "-"


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["priority", "status", "category", "queue", "group", "completion_code"])
def test_every_kind_has_its_page(admin, partner, page, kind):
    assert admin.get(page.replace("priority", kind)).status_code == 200
    if kind in ("status", "completion_code"):
        assert our_values(kind)


@pytest.mark.django_db(transaction=True)
def test_their_values_are_fetched_and_offered(admin, partner, page, httpserver):
    assert "fetch_priorities" in admin.get(page).content.decode()
    OperationTemplate.objects.create(
        system=partner.system,
        name="fetch_priorities",
        method="GET",
        path="/priorities",
        items="response.json",
        reads="value = item.id\nlabel = item.name",
    )
    found = [
        {"id": 1, "name": "Critical <b>"},
        {"id": 2, "name": None},
        {"id": 1, "name": "again"},
        {"id": "", "name": ""},
    ]
    httpserver.expect_request("/priorities").respond_with_json(found)
    answer = admin.post(page, fetch="1")
    assert messages_of(answer) == ["2 values were fetched."]
    assert TheirValues.objects.get().values == [["1", "Critical <b>"], ["2", "2"]]
    content = admin.get(page).content.decode()
    assert '<option value="1">Critical &lt;b&gt;</option>' in content
    assert "Of theirs without a translation" in content
    admin.send(page, **{"priority-2-ours": "p1", "priority-3-ours": "p3"})
    assert held(partner) == {("p1", "1", "in"), ("p3", "2", "in")}
    assert untold(partner.system, "priority").theirs == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("status", "body", "says"), [(500, "no", "500"), (200, "[]", "no values"), (200, "{", "")])
def test_what_could_not_be_fetched_is_told(admin, partner, page, httpserver, status, body, says):
    values = {"method": "GET", "path": "/p", "items": "response.json", "reads": "value = item.id"}
    OperationTemplate.objects.create(system=partner.system, name="fetch_priorities", **values)
    httpserver.expect_request("/p").respond_with_data(body, status=status, content_type="application/json")
    [said] = messages_of(admin.post(page, fetch="1"))
    assert says in said
    assert not TheirValues.objects.exists()
    assert Exchange.objects.count() == 1


@pytest.mark.django_db
def test_who_may_not_change_systems_changes_no_map(browser_for, page):
    reader = browser_for("view_externalsystem")
    assert reader.get(page).status_code == 403
    assert reader.post(page, fetch="1").status_code == 403


@pytest.mark.django_db
def test_a_row_of_another_system_cannot_be_taken(admin, partner, other_partner, page):
    theirs = ValueMapping.objects.create(system=other_partner.system, kind="priority", ours="p1", theirs="9")
    answer = admin.send(page, **{"priority-0-row": str(theirs.pk), "priority-0-theirs": "1"})
    assert "Select a valid choice" in str(problems(answer))
    theirs.refresh_from_db()
    assert theirs.theirs == "9"
