"""`make test-znuny`: a real Znuny, a real portal, and a task's life between them, over REST and over SOAP.

Everything is done over the network: the portal's pages, Znuny's web service and pages. As root, on Debian 12.
STATE says where to keep configuration, logs and the portal's data; ZNUNY_PORT and PORT which ports to use.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.znuny.pages import Pages
from tests.znuny.partner import Partner
from tests.znuny.portal import Portal
from tests.znuny.story import Log, Story

HERE = Path(__file__).parent
# Where a person finds it again afterwards.
STATE = Path(os.environ.get("STATE") or Path(tempfile.gettempdir()) / "deskbridge-znuny")
ZNUNY_PORT = os.environ.get("ZNUNY_PORT", "8301")
PORT = int(os.environ.get("PORT", "8000"))
ZNUNY = f"http://127.0.0.1:{ZNUNY_PORT}/otrs"
PRIORITIES = (("critical", "Critical"), ("high", "High"), ("normal", "Normal"), ("low", "Low"), ("later", "Later"))


def main() -> None:
    """Set up both sides, tell the story twice, and write the log."""
    # Told to end, as by Ctrl-C: what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_given: sys.exit(1))
    log = Log()
    folder = STATE / "portal"
    shutil.rmtree(folder, ignore_errors=True)
    znuny()
    try:
        with Portal(folder, PORT) as portal:
            log.title("Setting up")
            pages = Pages(portal.url)
            pages.open("/admin/").send(has="username", username=portal.user, password=portal.password)
            for rank, (code, name) in enumerate(PRIORITIES, start=1):
                pages.open("/admin/tickets/priority/add/").send(has="rank", code=code, name=name, rank=str(rank))
            log.tell("Here: an empty portal; its administrator signs in and adds five priorities.")
            for channel, preset in (("REST", "znuny-rest"), ("SOAP", "znuny-soap")):
                contact, email = person(pages)
                group = f"Znuny over {channel}"
                connect(pages, log, group, preset)
                Story(pages, Partner(ZNUNY), log, channel, group, contact, email).tell()
    finally:
        (STATE / "log.md").write_text("\n".join(log.lines).strip() + "\n")
        print(f"The log is {STATE / 'log.md'}; the programs' own are in {folder}.")  # noqa: T201 - its result


def znuny(*, hook: str = "", password: str = "") -> None:
    """Installed and running; or its webhook told where the portal is."""
    given = {"ZNUNY_PORT": ZNUNY_PORT, "PARTNER": f"http://127.0.0.1:{PORT}", "HOOK": hook}
    given |= {"HOOK_USER": "znuny", "HOOK_PASSWORD": password}
    action = ["hook"] if hook else []
    subprocess.run([HERE / "setup.sh", STATE, *action], env={**os.environ, **given}, check=True)


def person(pages: Pages) -> tuple[str, str]:
    """A contact whom Znuny does not know: the row, and the address."""
    email = f"emil-{secrets.token_hex(3)}@peerdesk.test"
    pages.open("/admin/tickets/contact/add/")
    pages.send(has="email", button="_continue", name="Emil Øst & Söhne", email=email)
    return pages.address.rstrip("/").split("/")[-2], email


def connect(pages: Pages, log: Log, name: str, preset: str) -> None:
    """Add the desk from the catalogue by its guided form, with a group of the same name, and its webhook."""
    pages.open(f"/admin/integrations/externalsystem/catalogue/{preset}/add/")
    values = {"name": name, "code": preset, "base_url": ZNUNY, "auth_username": "apiagent", "secret": "apipw"}
    pages.send(has="base_url", allow_private=True, **values, **{"setting-customer": "ACME"})
    log.tell(f"Here: {name} is added from the catalogue; address, user and password, customer of new accounts.")
    pages.send(has="level", button="go_on", level="full")
    pages.send(has="operation", operation=pages.choose("operation", "operation", "fetch_priorities"))
    assert "The other desk answered." in pages.text, pages.text
    log.tell("Here: level full: no operation is missing. The test call of fetch_priorities is answered.")
    pages.send(has="go_on", button="go_on")
    for kind, value in (("priority", "5 very high"), ("status", "closed successful"), ("queue", "Postmaster")):
        if f"fetch={kind}" in pages.buttons:
            pages.send(has="go_on", button=f"fetch={kind}")
            assert value in pages.text, (kind, pages.text)
            log.tell(f"Here: Znuny's values for {kind} are fetched and offered, “{value}” among them.")
    pages.send(has="go_on", button="go_on")
    pages.send(has="group", button="go_on", name=name)
    pages.send(has="go_on", button="go_on")
    pages.send(has="go_on", button="go_on")
    log.tell(f"Here: the group {name} is bound, with the preset's process; the desk is activated.")
    password = secrets.token_urlsafe(16)
    pages.open("/admin/integrations/hook/")
    rows = [int(found) for link in pages.links("/change/") for found in re.findall(r"/hook/(\d+)/", link)]
    pages.open(f"/admin/integrations/hook/{max(rows)}/change/").send(has="new_secret", new_secret=password)
    znuny(hook=f"/hooks/{preset}/", password=password)
    log.tell("Both: the webhook has a password, and Znuny posts each new article to it.")


if __name__ == "__main__":
    sys.exit(main())
