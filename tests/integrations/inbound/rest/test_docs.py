"""The browsable description in a real browser: nothing from elsewhere, nothing that the content policy stops."""

from typing import Any

import pytest


@pytest.mark.browser
def test_the_description_can_be_read_without_the_internet_and_within_the_policy(browser_page: Any, live_server: Any):
    complaints: list[str] = []
    elsewhere: list[str] = []
    browser_page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    browser_page.on("pageerror", lambda error: complaints.append(str(error)))
    browser_page.on(
        "request",
        lambda request: None if request.url.startswith((live_server.url, "data:")) else elsewhere.append(request.url),
    )
    browser_page.goto("/api/v1/docs/")
    browser_page.get_by_text("Acknowledge a task").first.wait_for()
    browser_page.get_by_text("Acknowledge a task").first.click()
    browser_page.get_by_text("Idempotency-Key").first.wait_for()
    browser_page.get_by_role("button", name="Authorize").first.click()
    browser_page.get_by_text("with the word and the blank").wait_for()
    assert elsewhere == []
    assert complaints == []
