"""A person at the portal's own pages, over HTTP as a browser without scripts."""

from typing import Any

import requests
from lxml import html

TIMEOUT = 30


class EndUser:
    """Signs in and uses the forms that the pages offer; anything but a good answer fails the test."""

    def __init__(self, portal: str, *, user: str, password: str) -> None:
        self.portal = portal
        self.http = requests.Session()
        self.http.trust_env = False
        page = self.send("/accounts/login/", "", username=user, password=password)
        assert page.url.endswith("/tickets/"), page.text

    def read(self, path: str) -> str:
        """The words of a page, as they are read: without markup, runs of blanks as one."""
        return " ".join(html.fromstring(self._get(path).text).find(".//main").text_content().split())

    def download(self, number: str, name: str) -> bytes:
        """A file of the ticket, by the link with its name."""
        page = html.fromstring(self._get(f"/tickets/{number}/").text)
        [link] = [a for a in page.iterfind(".//a") if a.text_content() == name]
        return self._get(link.get("href")).content

    def raise_ticket(self, title: str, description: str, **files: bytes) -> str:
        """Raise a ticket; its number."""
        page = self.send("/tickets/new/", "/new/", files=files, title=title, description=description)
        return page.url.rstrip("/").rsplit("/", 1)[-1]

    def respond(self, number: str, form: str, *, files: dict[str, bytes] | None = None, **values: str) -> None:
        """Fill in a form of the ticket's page: note, accept, decline, close or reopen."""
        self.send(f"/tickets/{number}/", f"/{form}/", files=files, **values)

    def send(
        self, path: str, ending: str, *, files: dict[str, bytes] | None = None, **values: str
    ) -> requests.Response:
        """Open a page and send its form whose address ends like that, hidden fields included."""
        page = html.fromstring(self._get(path).text)
        offered = [form for form in page.iterfind(".//main//form") if (form.action or path).endswith(ending)]
        assert offered, f"{path} offers no form {ending}"
        data: dict[str, Any] = {**dict(offered[0].form_values()), **values}
        uploads = [("files", (name, content)) for name, content in (files or {}).items()]
        headers = {"Referer": self.portal + path}
        address = self.portal + (offered[0].action or path)
        response = self.http.post(address, data=data, files=uploads or None, headers=headers, timeout=TIMEOUT)
        assert response.ok, response.text
        return response

    def _get(self, path: str) -> requests.Response:
        response = self.http.get(self.portal + path, timeout=TIMEOUT)
        assert response.ok, response.text
        return response
