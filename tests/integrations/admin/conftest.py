"""The admin as a browser uses it: pages are read, and the forms found in them are sent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lxml.html
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@dataclass
class Browser:
    """A signed-in person in front of the admin."""

    client: Client
    user: User

    def get(self, path: str, **query: Any) -> Any:
        """Open a page of the admin; `path` is below /admin/integrations/."""
        return self.client.get(address(path), query)

    def send(self, path: str, /, button: str = "_save", **changes: Any) -> Any:
        """Open the page with a form, change fields of it as they are found there, and press a button."""
        page = self.client.get(address(path))
        assert page.status_code == 200, page.status_code
        values = form_values(page)
        unknown = set(changes) - set(values) - set(unchecked(page))
        assert not unknown, f"the form has no {unknown}"
        values.update({name: value for name, value in changes.items() if value is not None})
        for name, value in changes.items():
            if value is None:
                values.pop(name, None)
        return self.client.post(address(path).partition("?")[0], {**values, button: "1"})

    def post(self, path: str, **data: Any) -> Any:
        """Send data without looking at a form first."""
        return self.client.post(address(path), data)


def address(path: str) -> str:
    """The address of a page of the admin."""
    return path if path.startswith("/") else f"/admin/integrations/{path}"


def form_of(page: Any) -> Any:
    """The page's main form."""
    forms = lxml.html.fromstring(page.content.decode()).xpath("//form[.//input[@name='csrfmiddlewaretoken']]")
    return max(forms, key=lambda form: len(form.fields))


def form_values(page: Any) -> dict[str, str]:
    """What the browser would send for the page's main form."""
    values = {name: value for name, value in form_of(page).form_values() if "__prefix__" not in name}
    values.pop("csrfmiddlewaretoken", None)
    return values


def unchecked(page: Any) -> list[str]:
    """Names of fields that send nothing unless they are ticked or chosen."""
    return [name for name in form_of(page).fields if name]


def errors(page: Any) -> dict[str, list[str]]:
    """The errors of the page's form and inlines: field -> sentences."""
    assert page.status_code == 200, f"it was accepted and leads to {page.headers.get('Location')}"
    found = {name: list(texts) for name, texts in page.context["adminform"].form.errors.items()}
    for inline in page.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found.update({form.add_prefix(name): list(texts) for name, texts in form.errors.items()})
    return found


def messages_of(page: Any) -> list[str]:
    """The messages that the next page would show."""
    from django.contrib.messages import get_messages

    return [str(message) for message in get_messages(page.wsgi_request)]


@pytest.fixture
def browser_for(db: None) -> Callable[..., Browser]:
    """Signs in a member of staff with these permissions (`view_process`; other apps as `tickets.view_task`)."""

    def make(*permissions: str, superuser: bool = False) -> Browser:
        user = User.objects.create_user(f"person{User.objects.count()}", is_staff=True, is_superuser=superuser)
        for name in permissions:
            app, _dot, codename = name.rpartition(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app or "integrations", codename=codename)
            )
        client = Client()
        client.force_login(user)
        return Browser(client, user)

    return make


@pytest.fixture
def admin(browser_for: Callable[..., Browser]) -> Browser:
    """An administrator who may do everything."""
    return browser_for(superuser=True)
