"""An administrator, an agent and a person at the partner's desk, as they use the screens: by labels and buttons."""

import re
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Locator, Page, expect

Fields = Mapping[str, str | bool]


def sign_in(page: Page, *, user: str, password: str, start: str) -> None:
    """Through the page on which one is asked to sign in."""
    page.goto(start)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=re.compile("sign in|log in", re.IGNORECASE)).click()
    expect(page.get_by_label("Password")).to_have_count(0)


def fill_in(place: Page | Locator, fields: Fields) -> None:
    """Write, choose or tick what stands beside each label, in this order."""
    for label, value in fields.items():
        named = place.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$")).locator("visible=true")
        if isinstance(value, bool):
            named.set_checked(value)
        elif named.evaluate("element => element.tagName") == "SELECT":
            named.select_option(label=value)
        else:
            named.fill(value)


def save(page: Page) -> None:
    """Save and stay; whatever the form complains about fails here, in its own words."""
    page.get_by_role("button", name="Save and continue editing").click()
    page.wait_for_load_state()
    complaints = [text for text in page.locator(".errorlist, .errornote, .problems").all_inner_texts() if text]
    assert complaints == [], complaints
    expect(page.get_by_text(re.compile("was (added|changed) successfully"))).to_be_visible()


class Administrator:
    """Configures an external system, from nothing to an integrated group."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, model: str) -> None:
        """The form for a new row."""
        self.page.goto(f"/admin/{model.replace('.', '/')}/add/")

    def sync_app_fields(self) -> None:
        """The list of fields that templates may use, filled by its button."""
        self.page.goto("/admin/integrations/appfield/")
        self.page.get_by_role("button", name="Sync the external app fields").click()
        expect(self.page.get_by_text("Task_ExternalRequestType").first).to_be_visible()

    def system(self, fields: Fields) -> str:
        """A new external system; the address of its page."""
        self.open("integrations.externalsystem")
        fill_in(self.page, fields)
        save(self.page)
        return self.page.url

    def key(self, system: str, name: str) -> str:
        """A new key for calling us, read on the one page that shows it."""
        self.page.goto(system)
        self.page.get_by_role("link", name="New key").click()
        fill_in(self.page, {"Name": name})
        self.page.get_by_role("button", name="Make the key").click()
        key = self.page.locator("#new-key").inner_text()
        self.page.get_by_role("link", name="I have copied it").click()
        expect(self.page.get_by_text(f"{key.partition('.')[0]}…")).to_be_visible()
        assert key not in self.page.content()
        return key

    def wsdl(self, system: str, name: str, url: str) -> None:
        """A WSDL, fetched."""
        self.open("integrations.wsdldocument")
        fill_in(self.page, {"External system": system, "Name": name, "Address": url})
        save(self.page)
        self.page.get_by_role("button", name=re.compile("Fetch$")).click()
        expect(self.page.get_by_text(re.compile(r"Fetched: \d+ document"))).to_be_visible()

    def operation(self, system: str, name: str, fields: Fields, arguments: Mapping[str, str] | None = None) -> None:
        """An operation template; over SOAP the arguments appear once the operation is chosen."""
        self.open("integrations.operationtemplate")
        fill_in(self.page, {"External system": system, "Name": name, **fields})
        for path, template in (arguments or {}).items():
            self.page.locator(f"[name='soap_arguments:{path}']").fill(template)
        save(self.page)

    def process(self, name: str, steps: list[Fields]) -> None:
        """A process with these steps."""
        self.open("integrations.process")
        fill_in(self.page, {"Name": name})
        for number, step in enumerate(steps):
            if number:
                self.page.get_by_role("link", name=re.compile("Add another step", re.IGNORECASE)).click()
            name = self.page.locator(f"[name=steps-{number}-name]")
            form = self.page.locator(".form-group").filter(has=name)
            toggle = form.locator("h3[role=button]")
            expect(toggle).to_have_attribute("aria-expanded", "true" if number else "false")
            if not number:
                toggle.click()
            fill_in(form, step)
        save(self.page)

    def preview(self, fields: Fields) -> Locator:
        """What the process that is open would do; its steps."""
        self.page.get_by_role("link", name="Preview").click()
        fill_in(self.page, fields)
        self.page.get_by_role("button", name="Show").click()
        expect(self.page.get_by_role("list").locator("li.config-card").first).to_be_visible()
        return self.page.locator("li.config-card")

    def group(self, fields: Fields) -> None:
        """An assignment group with its integration."""
        self.open("tickets.assignmentgroup")
        fill_in(self.page, fields)
        save(self.page)


class Partner:
    """The person at the practice desk."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def connect(self, portal: str, name: str, key: str) -> None:
        """Enter where the portal is and the key that its administrator has handed over."""
        self.page.goto(f"{self.url}/settings/")
        fields = {"Address of the portal": portal, "Our name at the portal": name, "Our API key at the portal": key}
        form = self.page.locator("form", has=self.page.get_by_label("Address of the portal"))
        fill_in(form, {f"{label}:": value for label, value in fields.items()})
        form.get_by_role("button", name="Save").click()
        expect(self.page.get_by_text(re.compile("saved", re.IGNORECASE))).to_be_visible()

    def open(self, title: str) -> str:
        """Open the ticket with that title from the list; its number."""
        self.page.goto(self.url)
        link = self.page.get_by_role("row", name=title).get_by_role("link")
        number = link.inner_text()
        link.click()
        return number

    def send(self, kind: str, channel: str, fields: Fields | None = None, file: Any = None) -> None:
        """Send from the ticket's page, and see that the portal took it."""
        title = self.page.get_by_text(kind, exact=True)
        form = self.page.locator("details[name=send]").filter(has=self.page.locator("summary").and_(title))
        form.locator("summary").wait_for()  # else a page that is still to come counts as closed
        if not form.get_by_role("button").first.is_visible():
            form.locator("summary").click()
        form.get_by_label(channel, exact=True).check()
        fill_in(form, {f"{label}:": value for label, value in (fields or {}).items()})
        if file:
            form.get_by_label("File").set_input_files(file)
        form.get_by_role("button", name=f"Send {kind.lower()}").click()
        expect(self.page.get_by_text(f"{kind} delivered: the portal answered 20")).to_be_visible()
