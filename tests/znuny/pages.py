"""The portal's pages as a browser without scripts sees them: forms are filled in and sent as they stand."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import requests
from lxml import html

TIMEOUT = 60
Files = Mapping[str, tuple[str, bytes, str]]


class Refused(AssertionError):
    """A page said no; `str()` has what it says."""


class Pages:
    """One person's browser, at one portal."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.address = base
        self.page: Any = None

    def open(self, path: str) -> "Pages":
        """Go to a page."""
        return self._came(self.session.get(urljoin(self.base, path), timeout=TIMEOUT))

    def send(
        self, *, has: str, button: str = "", files: Files | None = None, extra: bool = False, **values: str | bool
    ) -> "Pages":
        """Fill in the form that has a field or button of this name (or a hidden `name=value`), and send it.

        A value that is a bool ticks a box. `extra`: fields that a script would add are sent, too.
        """
        form = self._form(has)
        sent = dict(form.form_values())
        for name, value in values.items():
            if name not in form.inputs.keys() and not extra:  # noqa: SIM118 - no mapping
                raise AssertionError(f"{self.address} has no field {name}: {list(form.inputs.keys())}")
            if value is False:
                sent.pop(name, None)
            else:
                sent[name] = "on" if value is True else value
        if button:
            name, _equals, value = button.partition("=")
            sent[name] = value or "1"
        target = urljoin(self.address, form.action or self.address)
        if (form.method or "GET").upper() == "GET":
            return self._came(self.session.get(target, params=sent, timeout=TIMEOUT))
        headers = {"Referer": self.address}
        return self._came(self.session.post(target, data=sent, files=files, headers=headers, timeout=TIMEOUT))

    def choose(self, has: str, name: str, text: str) -> str:
        """The value of the option whose text holds this."""
        field = self._form(has).inputs[name]
        for option in field.iter("option"):
            if text in "".join(option.itertext()):
                return str(option.get("value"))
        raise AssertionError(f"{name} of {self.address} offers no {text!r}")

    @property
    def text(self) -> str:
        """What can be read on the page."""
        for hidden in self.page.iter("script", "style"):
            hidden.text = ""
        return " ".join(self.page.text_content().split())

    def links(self, part: str) -> list[str]:
        """The addresses of links that hold this."""
        return [str(link.get("href")) for link in self.page.iter("a") if part in str(link.get("href"))]

    @property
    def buttons(self) -> list[str]:
        """Each button of the page as `name=value`."""
        return [f"{button.get('name')}={button.get('value')}" for button in self.page.iter("button")]

    def _form(self, has: str) -> Any:
        name, is_value, value = has.partition("=")
        for form in self.page.forms:
            if is_value and form.xpath(f".//input[@name='{name}' and @value='{value}']"):
                return form
            if has in form.inputs.keys() or form.xpath(f".//button[@name='{has}']"):  # noqa: SIM118 - no mapping
                return form
        raise AssertionError(f"{self.address} has no form with {has}")

    def _came(self, answer: requests.Response) -> "Pages":
        self.address = answer.url
        self.page = html.fromstring(answer.content.decode(), base_url=answer.url)
        said = self.page.xpath("//*[contains(@class, 'errorlist') or contains(@class, 'problems')]")
        errors = [" ".join(node.text_content().split()) for node in said]
        if answer.status_code >= 400 or any(errors):
            raise Refused(
                f"{answer.status_code} {self.address}: {'; '.join(filter(None, errors)) or self.text[:500]}"
            )
        return self
