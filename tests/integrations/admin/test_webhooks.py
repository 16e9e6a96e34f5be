"""Webhooks in the admin: made, tried, their secret shown once and replaced, ended and begun again."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook

from integrations.admin.webhooks import EVENTS
from integrations.models import Exchange, ExternalSystem, Outcome, WebhookSubscription
from integrations.webhooks import end, new_secret
from tests.integrations.admin.conftest import Browser, errors
from tickets.events import EventName


@pytest.fixture
def system(db: None) -> ExternalSystem:
    return ExternalSystem.objects.create(
        name="Acme", code="acme", base_url="https://desk.acme.test", allow_private=True
    )


@pytest.fixture
def webhook(system: ExternalSystem, httpserver: HTTPServer) -> WebhookSubscription:
    return WebhookSubscription.objects.create(
        system=system, name="all", url=httpserver.url_for("/hook"), events=["note_added"], secret=new_secret()
    )


def page_of(webhook: WebhookSubscription, name: str = "change") -> str:
    return f"webhooksubscription/{webhook.pk}/{name}/"


def test_every_event_can_be_chosen_and_is_explained() -> None:
    assert list(EVENTS) == list(EventName)


def test_a_webhook_is_added_from_its_system_and_its_secret_is_shown_once(
    admin: Browser, system: ExternalSystem
) -> None:
    assert "Outgoing webhook" in admin.get(f"externalsystem/{system.pk}/change/").content.decode()
    answer = admin.post(
        "webhooksubscription/add/",
        system=str(system.pk),
        name="all",
        url="https://hooks.acme.test/in",
        events=["note_added", "task_closed"],
    )
    row = WebhookSubscription.objects.get()
    assert row.secret.startswith("whsec_") and row.secret in answer.content.decode()
    assert (row.events, row.system) == (["note_added", "task_closed"], system)
    assert "no-store" in answer["Cache-Control"]
    of_system = f"externalsystem/{system.pk}/change/"
    for path in (page_of(row), page_of(row, "history"), "webhooksubscription/", of_system):
        text = admin.get(path).content.decode()
        assert row.secret not in text
    assert "note_added, task_closed" in text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"events": []}, "events"),
        ({"events": ["nonsense"]}, "events"),
        ({"url": "ftp://hooks.acme.test"}, "url"),
        ({"url": "https://a:b@hooks.acme.test"}, "url"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(admin: Browser, system: ExternalSystem, values: dict, field: str) -> None:
    fine = {"system": str(system.pk), "name": "all", "url": "https://hooks.acme.test/in", "events": ["note_added"]}
    answer = admin.post("webhooksubscription/add/", **{**fine, **values})
    assert field in errors(answer)
    assert not WebhookSubscription.objects.exists()


def test_a_test_event_is_signed_logged_and_told_in_words(
    admin: Browser, webhook: WebhookSubscription, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    assert "Nothing about any ticket" in admin.get(page_of(webhook, "test")).content.decode()
    assert not Exchange.objects.exists()
    shown = admin.post(page_of(webhook, "test")).content.decode()
    assert "The other desk took it." in shown
    [(request, _answer)] = httpserver.log
    told = Webhook(webhook.secret).verify(request.get_data(), dict(request.headers))
    assert (told["type"], told["data"]) == ("webhook_test", {"subscription": "all"})
    assert Exchange.objects.get().outcome == Outcome.SUCCEEDED


def test_a_test_that_fails_says_why_and_leaves_the_webhook_as_it_is(
    admin: Browser, webhook: WebhookSubscription, httpserver: HTTPServer
) -> None:
    httpserver.expect_oneshot_request("/hook").respond_with_data("no", status=410)
    assert "The other desk refused." in admin.post(page_of(webhook, "test")).content.decode()
    httpserver.expect_oneshot_request("/hook").respond_with_data("no", status=401)
    assert "Is the secret in place" in admin.post(page_of(webhook, "test")).content.decode()
    httpserver.expect_oneshot_request("/hook").respond_with_data("no", status=404)
    assert "Is its path right?" in admin.post(page_of(webhook, "test")).content.decode()
    WebhookSubscription.objects.update(url="http://127.0.0.1:1/")
    assert "There was no answer." in admin.post(page_of(webhook, "test")).content.decode()
    webhook.refresh_from_db()
    assert webhook.is_active


def test_a_new_secret_is_shown_once_and_the_old_one_signs_beside_it(
    admin: Browser, webhook: WebhookSubscription
) -> None:
    old = webhook.secret
    assert old not in admin.get(page_of(webhook, "rotate")).content.decode()
    answer = admin.post(page_of(webhook, "rotate"), keep="24")
    webhook.refresh_from_db()
    assert webhook.secret != old and webhook.secret in answer.content.decode()
    assert webhook.secrets_at() == [webhook.secret, old]
    assert webhook.secrets_at(timezone.now() + timedelta(hours=25)) == [webhook.secret]
    shown = admin.get(page_of(webhook)).content.decode()
    assert "signs, too, until" in shown and webhook.secret not in shown
    asked = admin.post(page_of(webhook, "rotate"), keep="0")
    assert "is to sign until" in asked.content.decode()
    assert "end_promised" in asked.context["form"].errors
    webhook.refresh_from_db()
    assert webhook.secrets_at()[1:] == [old], "one that was promised is not ended unasked"
    admin.post(page_of(webhook, "rotate"), keep="0", end_promised="on")
    webhook.refresh_from_db()
    assert len(webhook.secrets_at()) == 1
    assert "end_promised" not in admin.get(page_of(webhook, "rotate")).context["form"].fields
    assert admin.post(page_of(webhook, "rotate"), keep="99999").context["form"].errors


def test_a_webhook_is_ended_and_begun_again(admin: Browser, webhook: WebhookSubscription) -> None:
    assert "Nothing is due." in admin.get(page_of(webhook, "state")).content.decode()
    assert admin.post(page_of(webhook, "state")).status_code == 302
    webhook.refresh_from_db()
    assert webhook.ended_reason == f"Ended by {admin.user.get_username()}."
    assert "Ended by" in admin.get(page_of(webhook)).content.decode()
    assert "ended" in admin.get(f"externalsystem/{webhook.system_id}/change/").content.decode()
    admin.post(page_of(webhook, "state"))
    webhook.refresh_from_db()
    assert webhook.is_active and webhook.ended_reason == ""


@pytest.mark.parametrize("name", ["rotate", "test", "state"])
def test_who_may_only_look_can_change_nothing(browser_for, webhook: WebhookSubscription, name: str) -> None:
    browser = browser_for("view_webhooksubscription")
    assert browser.get(page_of(webhook)).status_code == 200
    assert browser.post(page_of(webhook, name)).status_code == 403
    assert browser.get(f"webhooksubscription/99999/{name}/").status_code == 404


def test_the_portals_own_process_is_not_among_the_processes(admin: Browser, webhook: WebhookSubscription) -> None:
    from integrations.webhooks import webhook_process

    own = webhook_process()
    assert "Webhooks" not in [row.name for row in admin.get("process/").context["cl"].result_list]
    assert admin.get(f"process/{own.pk}/change/").status_code == 302


def test_the_page_says_why_the_desk_has_ended_it(admin: Browser, webhook: WebhookSubscription) -> None:
    end(webhook, "The other desk answered 410 (gone).", by_desk=True)
    # In its state, and as its last failure.
    assert admin.get(page_of(webhook)).content.decode().count("The other desk answered 410 (gone).") == 2
    WebhookSubscription.objects.update(ended_by_desk=False, ended_reason="Ended by Ada.", last_error="It is busy.")
    page = admin.get(page_of(webhook)).content.decode()
    assert (page.count("Ended by Ada."), page.count("It is busy.")) == (1, 1)
