"""The practice desk's pages in a real browser: the work of a person, and accessibility."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from pytest_httpserver import HTTPServer

from tests.practice_desk import PracticeDesk

pytestmark = pytest.mark.browser


@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=["light desktop", "dark phone"])
def page(browser: Any, practice_desk: PracticeDesk, request: pytest.FixtureRequest) -> Iterator[Any]:
    scheme, width = request.param
    context = browser.new_context(
        base_url=practice_desk.url, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def number(practice_desk: PracticeDesk) -> str:
    body = {"caller_reference": "1001-1", "title": "Printer " * 20, "contact": {"name": "Ann"}}
    number = practice_desk.post("/api/tickets", json=body).json()["number"]
    practice_desk.post(f"/api/tickets/{number}/notes", json={"text": "x" * 300, "public": False})
    practice_desk.post(f"/api/tickets/{number}/attachments", json={"name": "a.txt", "content": "eA=="})
    practice_desk.set_fault("refuse", count=-1, operation="login")
    return number


def test_a_person_answers_the_portal_over_both_of_its_interfaces(
    page: Any, number: str, practice_desk: PracticeDesk, httpserver: HTTPServer
) -> None:
    soap = "/Workflow/WebService/WorkflowService.asmx"
    httpserver.expect_request(soap).respond_with_data("<ok/>", content_type="text/xml")
    httpserver.expect_request("/api/v1/tasks/1001-1/reassign/").respond_with_json({"ok": True})
    practice_desk.configure(portal_url=httpserver.url_for("/").rstrip("/"))
    page.goto("/")
    page.get_by_role("link", name=number).click()
    acknowledge = page.locator("details", has_text="Our number:")
    acknowledge.get_by_label("SOAP").check()
    acknowledge.get_by_role("button", name="Send acknowledgement").click()
    page.get_by_text("Acknowledgement delivered: the portal answered 200.").wait_for()
    page.locator("summary", has_text="Solution").first.click()
    solution = page.locator("details", has_text="Report as:")
    solution.get_by_label("Solution").fill("Filled in the toner.")
    solution.get_by_label("REST").check()
    solution.get_by_role("button", name="Send solution").click()
    page.get_by_text("Solution delivered: the portal answered 200.").wait_for()
    assert [request.path for request, _ in httpserver.log] == [soap, "/api/v1/tasks/1001-1/reassign/"]
    assert practice_desk.state()[0]["state"] == "solved"


def test_a_person_switches_a_fault_on(page: Any, practice_desk: PracticeDesk) -> None:
    page.goto("/faults/")
    fault = page.get_by_role("group", name="Answer 500")
    fault.get_by_label("Happens").select_option(label="At the next …")
    fault.get_by_label("Calls").fill("3")
    page.get_by_role("button", name="Set the faults").first.click()
    page.get_by_text("Answer 500 (next 3 calls)").wait_for()
    assert practice_desk.control("GET", "/api/faults")["faults"]["server_error"]["count"] == 3


@pytest.mark.appearance
@pytest.mark.parametrize("path", ["/", "/tickets/{number}/", "/calls/", "/faults/", "/settings/"])
def test_pages_are_accessible_fit_and_load_without_complaint(page: Any, number: str, path: str) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.format(number=number))
    for summary in page.locator("details:not([name]) > summary").all():
        summary.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert complaints == []
