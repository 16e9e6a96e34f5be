"""The app fields: a list to read and copy from, rebuilt by its button."""

from integrations.app_fields import APPS
from integrations.models import AppField
from tests.integrations.admin.conftest import Browser, messages_of


def test_the_button_rebuilds_the_list_and_says_what_has_changed(admin: Browser) -> None:
    answer = admin.post("appfield/sync/")
    count = AppField.objects.count()
    assert messages_of(answer) == [f"The app fields are in sync: {count} added, 0 changed, 0 removed."]
    assert set(AppField.objects.values_list("app", flat=True)) == set(APPS)
    AppField.objects.filter(app=APPS[0], name="Task_Number").update(label="old")
    AppField.objects.create(app=APPS[0], name="Gone", path="gone", label="gone")
    AppField.objects.filter(app=APPS[1], name="Task_Number").delete()
    again = messages_of(admin.post("appfield/sync/"))
    assert again[-1] == "The app fields are in sync: 1 added, 1 changed, 1 removed."


def test_both_spellings_are_there_to_copy(admin: Browser) -> None:
    admin.post("appfield/sync/")
    page = admin.get("appfield/", q="Task_ExternalRequestType").content.decode()
    assert 'data-copy="{{ event.request_type }}"' in page
    assert 'data-copy="#REPLACE-EXTAPPFIELD-Ticketing.TaskAssignment-Task_ExternalRequestType#"' in page
    assert "Ticket_Title" not in page


def test_the_list_is_for_reading(admin: Browser) -> None:
    admin.post("appfield/sync/")
    field = AppField.objects.first()
    assert field is not None
    assert admin.get("appfield/add/").status_code == 403
    assert admin.post(f"appfield/{field.pk}/change/", label="x").status_code == 403
    assert admin.get("appfield/sync/").status_code == 405
