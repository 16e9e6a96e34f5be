"""Take the pictures of the README and of docs/: `make screenshots`.

Starts a demo of its own, in a temporary folder and on free ports, plays the story at both desks and photographs it.
Needs Chromium.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.administrator import fill_in, sign_in
from tests.conftest import browser_path
from tests.practice_desk import PracticeDesk, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "docs" / "images"
WIDE, PHONE = 1280, 390
LARGEST_BYTES = 250_000
PATIENCE_SECONDS = 120
PASSWORDS = {"admin": "demo-admin", "agent": "demo-agent", "emma": "demo-emma"}
BADGES, EDITOR = "The badge reader at the east door is dead", "Which editor may I install?"
PRINTER, VPN = "The printer on floor 2 is on fire", "VPN drops every ten minutes"
PHOTO = {"name": "tray-3.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8" + bytes(183_000)}


def until(condition: Callable[[], Any], what: str) -> Any:
    """Look again and again; what the condition gives once it holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        if time.monotonic() > end:
            raise SystemExit(f"Waited {PATIENCE_SECONDS} s in vain: {what}")
        time.sleep(0.2)
    return found


def a_port(usual: int) -> int:
    """The usual port, so that the pictures show what the README says; another one if it is taken."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", usual))
        except OSError:
            return free_port()
    return usual


@contextlib.contextmanager
def running_demo(folder: Path) -> Iterator[tuple[str, PracticeDesk]]:
    """The demo, ready; the portal's address and the practice desk."""
    ports = {"PORT": str(a_port(8000)), "PRACTICE_DESK_PORT": str(a_port(8001))}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = kept | {"ENVIRONMENT": "demo", "VAR_DIR": str(folder)} | ports
    output = folder / "output.txt"
    with output.open("w") as written:
        command = [sys.executable, "manage.py", "run_demo"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT)
    try:
        until(lambda: "Deskbridge is ready" in output.read_text() or process.poll() is not None, "the demo is ready")
        if process.poll() is not None:
            raise SystemExit(output.read_text())
        yield f"http://127.0.0.1:{ports['PORT']}", PracticeDesk(f"http://127.0.0.1:{ports['PRACTICE_DESK_PORT']}")
    finally:
        if process.poll() is not None:
            sys.stderr.write(output.read_text())
        process.terminate()
        process.wait(timeout=60)


class Window:
    """One person's browser, at one size and in one colour scheme."""

    def __init__(self, browser: Browser, portal: str, user: str, *, width: int = WIDE, scheme: Any = "light") -> None:
        context = browser.new_context(
            base_url=portal, viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.width = width
        self.page: Page = context.new_page()
        if user:
            start = "/tickets/" if user == "emma" else "/admin/"
            sign_in(self.page, user=user, password=PASSWORDS[user], start=start)

    def take(self, name: str, path: str = "", *, height: int | None = None, top: str = "") -> None:
        """The picture of a page, as high as it is unless told otherwise; `top` is scrolled to first."""
        page = self.page
        if path:
            page.goto(path)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        if height is None:
            height = min(1500, page.evaluate("document.documentElement.scrollHeight"))
        page.set_viewport_size({"width": self.width, "height": max(500, height)})
        if top:
            page.locator(top).first.evaluate("element => element.scrollIntoView({block: 'start'})")
        page.mouse.move(0, 0)
        page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")
        page.set_viewport_size({"width": self.width, "height": 800})
        size = (IMAGES / f"{name}.png").stat().st_size
        sys.stdout.write(f"{name}.png  {size // 1000} kB\n")
        if size > LARGEST_BYTES:
            raise SystemExit(f"{name}.png is too large")


class Story:
    """What happens in the demo before and between the pictures."""

    def __init__(self, there: PracticeDesk, emma: Page, agent: Page) -> None:
        self.there, self.emma, self.agent = there, emma, agent
        self.numbers = until(self._numbers, "the tickets are at the practice desk")

    def _numbers(self) -> dict[str, str] | None:
        known = {ticket["title"]: ticket["number"] for ticket in self.there.state()}
        return known if {PRINTER, VPN, BADGES} <= known.keys() else None

    def notes(self, title: str) -> list[str]:
        """The texts that the practice desk has."""
        return [note["text"] for ticket in self.there.state() if ticket["title"] == title for note in ticket["notes"]]

    def is_there(self, title: str, text: str) -> None:
        """Wait until the practice desk has this text."""
        until(lambda: text in self.notes(title), f"the practice desk has: {text}")

    def send(self, title: str, kind: str, channel: str, **message: Any) -> None:
        """The practice desk sends, and the portal takes it."""
        sent = self.there.send(self.numbers[title], kind, channel=channel, **message)
        if sent["state"] != "sent":
            raise SystemExit(f"The portal refused: {sent}")

    def open_as_emma(self, title: str) -> str:
        """Emma opens her ticket; its address."""
        self.emma.goto("/tickets/")
        self.emma.get_by_role("link", name=title).click()
        self.emma.wait_for_url("**/tickets/1*/")
        return self.emma.url

    def emma_writes(self, label: str, text: str, button: str, file: Any = None) -> None:
        """Into a form of the page that is open."""
        fill_in(self.emma, {label: text})
        if file:
            self.emma.get_by_label("Files").set_input_files(file)
        self.emma.get_by_role("button", name=button).click()
        expect(self.emma.locator(".timeline").get_by_text(text)).to_be_visible()

    def open_as_agent(self, title: str) -> str:
        """The agent opens the ticket; its address."""
        self.agent.goto("/admin/tickets/ticket/")
        row = self.agent.get_by_role("row").filter(has_text=title)
        row.get_by_role("link").first.click()
        self.agent.wait_for_url("**/change/")
        return self.agent.url

    def agent_writes(self, text: str, *, internal: bool = False) -> None:
        """A note on the ticket that is open."""
        form = self.agent.locator("#write")
        fill_in(form, {"Text": text})
        if internal:
            form.get_by_label("Internal").check()
        form.get_by_role("button", name="Add the note").click()
        expect(self.agent.locator("#conversation").get_by_text(text)).to_be_visible()


def play(story: Story) -> None:
    """Questions, a file, a fault that passes, a declined solution; then one message that is refused."""
    story.send(PRINTER, "message", "rest", text="Which tray is it? A photo would help.", author="Nils (Northwind)")
    story.open_as_emma(PRINTER)
    story.emma_writes("Your message", "Tray 3, the lower one.", "Send", PHOTO)
    story.is_there(PRINTER, "Tray 3, the lower one.")
    story.open_as_agent(PRINTER)
    story.agent_writes("Emma's team prints the payroll today, so be quick.", internal=True)
    story.there.set_fault("server_error", operation="note")
    story.agent_writes("The porter lets you in at gate 2.")
    story.is_there(PRINTER, "The porter lets you in at gate 2.")
    story.send(PRINTER, "solution", "rest", solution="We changed the fuser.", author="Nora (Northwind)")
    story.open_as_emma(PRINTER)
    story.emma.get_by_text("No, something is still wrong").click()
    story.emma_writes("What is still wrong?", "It still smells of smoke.", "Decline the solution")
    story.is_there(PRINTER, "It still smells of smoke.")
    solution = "The cable behind tray 3 had melted. We replaced it and ran 50 test pages without a trace of smoke."
    story.send(PRINTER, "solution", "rest", solution=solution, author="Nora (Northwind)")

    story.send(VPN, "message", "soap", text="Does it also drop on a wired connection?", author="Nils (Northwind)")
    story.open_as_agent(VPN)
    story.there.set_fault("refuse", operation="note")
    story.agent_writes("Yes, on cable and on Wi-Fi.")
    until(lambda: story.there.calls(operation="note")[-1]["fault"] == "refuse", "a note is refused")


def take_all(browser: Browser, portal: str, there: PracticeDesk) -> None:
    """Play, then every picture."""
    emma, agent = Window(browser, portal, "emma"), Window(browser, portal, "agent")
    story = Story(there, emma.page, agent.page)
    play(story)
    until(lambda: BADGES in [ticket["title"] for ticket in there.state() if ticket["state"] == "closed"], BADGES)
    admin = Window(browser, portal, "admin")
    ticket = story.open_as_agent(PRINTER)
    page = admin.page

    admin.take("overview", "/admin/")
    agent.take("ticket", ticket, height=1000)
    admin.take("exchanges-of-a-ticket", f"{ticket}?tab=exchanges", height=900)
    admin.take("case-exchange-of-a-ticket", f"{story.open_as_agent(BADGES)}?tab=exchanges", height=900)
    vpn = story.open_as_agent(VPN).rstrip("/").rsplit("/", 2)[-2]
    agent.take("merge", story.open_as_agent(EDITOR).replace("/change/", f"/merge/?into={vpn}"))
    admin.take("exchange-log", "/admin/integrations/exchange/", height=1000)
    page.get_by_role("link", name="create_ticket").first.click()
    admin.take("exchange", height=1000)
    page.goto("/admin/")
    page.get_by_role("link", name="1 process run needs a person").click()
    page.locator("#result_list tbody").get_by_role("link").filter(has_not_text="1002").first.click()
    page.get_by_role("heading", name="Northwind over SOAP: update").wait_for()
    admin.take("process-run")
    page.goto("/admin/integrations/externalsystem/")
    page.get_by_role("link", name="Northwind Support").click()
    admin.take("external-system", height=900)
    page.goto("/admin/integrations/operationtemplate/?q=soap_create_ticket")
    page.get_by_role("link", name="soap_create_ticket").click()
    admin.take("soap-operation", height=1000, top="h2:has-text('The request')")
    page.goto("/admin/integrations/process/")
    page.get_by_role("link", name="Northwind over REST").click()
    process = page.url
    page.locator("h3.step-toggle").first.click()
    admin.take("process", height=900)
    task = f"{emma.page.url.rstrip('/').rsplit('/', 1)[-1]}-1"
    page.goto(process)
    page.get_by_role("link", name="Preview").click()
    fill_in(page, {"Task": task, "Event": "Update (update, Out)", "Message": "It is getting warm in here."})
    page.get_by_role("button", name="Show").click()
    page.locator("li.config-card.good").wait_for()
    admin.take("preview", height=900, top="li.config-card.good")
    page.goto("/admin/tickets/assignmentgroup/")
    page.get_by_role("link", name="Northwind (REST)").click()
    admin.take("integrated-group", height=1000)

    emma.take("end-user", story.open_as_emma(PRINTER), height=1000)
    desk = Window(browser, there.url, "")
    desk.page.goto(f"/tickets/{story.numbers[PRINTER]}/")
    desk.page.locator("details[name=send] > summary").get_by_text("Message", exact=True).click()
    desk.take("practice-desk", height=1000)
    phone = Window(browser, portal, "emma", width=PHONE)
    phone.take("end-user-phone", emma.page.url, height=844)
    dark_phone = Window(browser, portal, "admin", width=PHONE, scheme="dark")
    dark_phone.take("overview-phone-dark", "/admin/", height=844)
    dark = Window(browser, portal, "admin", scheme="dark")
    dark.take("exchanges-of-a-ticket-dark", f"{ticket}?tab=exchanges", height=900)


def main() -> None:
    """Start, play, take, stop."""
    path = browser_path()
    if path is None:
        raise SystemExit("No Chromium found: install one.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        tempfile.TemporaryDirectory(prefix="deskbridge-pictures-") as folder,
        running_demo(Path(folder)) as (portal, there),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        take_all(browser, portal, there)
        browser.close()


if __name__ == "__main__":
    main()
