"""An administrator in front of the catalogue and its guided form."""

import re
from collections.abc import Mapping

from playwright.sync_api import Page, expect

from tests.browser.administrator import Fields, fill_in, save


class GuidedForm:
    """Adds a desk, page by page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def choose(self, words: str, name: str) -> None:
        """Find an entry of the catalogue and begin."""
        self.page.goto("/admin/integrations/externalsystem/")
        self.page.get_by_role("link", name="Add from the catalogue").click()
        self.page.get_by_label("Search", exact=True).fill(words)
        self.page.get_by_role("button", name="Show", exact=True).click()
        self.page.get_by_role("link", name=f"Add {name}", exact=True).click()
        expect(self.page.get_by_role("heading", name=f"Add {name}")).to_be_visible()

    def fill(self, fields: Fields) -> None:
        """Fields of the page that is open."""
        fill_in(self.page, fields)

    def go_on(self, to: str, button: str = "Save and go on") -> None:
        """To the next step; whatever the page complains about fails here, in its own words."""
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.wait_for_load_state()
        complaints = [
            text for text in self.page.locator(".errorlist, .errornote, .problems").all_inner_texts() if text
        ]
        assert complaints == [], complaints
        expect(self.page.locator("[aria-current=step]")).to_contain_text(to)

    def operation(self, name: str, fields: Fields) -> None:
        """Change an operation, and come back to the step."""
        self.page.get_by_role("link", name=name, exact=True).first.click()
        fill_in(self.page, fields)
        save(self.page)
        self.page.get_by_role("link", name=re.compile("^Back to the guided form")).click()

    def remove_operation(self, name: str) -> None:
        """Delete an operation that the desk does not have, and come back to the step."""
        here = self.page.url
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.get_by_role("link", name="Delete operation template").click()
        self.page.get_by_role("button", name=re.compile("Yes")).click()
        self.page.goto(here)

    def fetch(self, kind: str) -> None:
        """Ask the other desk for its values of one kind."""
        self.page.get_by_role("button", name=re.compile(f"^Fetch their values.*{kind}$")).click()
        expect(self.page.get_by_text(re.compile(rf"{kind}: \d+ values were fetched"))).to_be_visible()

    def translate(self, kind: str, values: Mapping[str, str]) -> None:
        """In the table of one kind, write other values of theirs: former -> new; without a new one, the row goes."""
        table = self.page.get_by_role("region", name=kind, exact=True)
        rows = [row for row in table.locator("tbody tr").all() if row.locator("input[name$=-row]").input_value()]
        for row in rows:
            theirs = row.locator("input[name$=-theirs]")
            new = values[theirs.input_value()]
            if new:
                theirs.fill(new)
            else:
                row.locator("input[name$=-remove]").check()
