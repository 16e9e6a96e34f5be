"""A task's life at Znuny, told while it happens: what is done on which side, and what is seen on the other."""

import base64
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.znuny.pages import Pages, Refused
from tests.znuny.partner import Partner

PATIENCE = 180
FILE = ("Gebührenübersicht, 料金.txt", "Smoke on floor 2 ☁\n".encode(), "text/plain")


@dataclass
class Log:
    """What happened, as lines of a Markdown list."""

    lines: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        """A new chapter."""
        self._add(f"\n### {text}\n")

    def tell(self, text: str) -> None:
        """A step that was done, or seen to be so."""
        self._add(f"- {datetime.now(UTC):%H:%M:%S} {text}")

    def _add(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)  # noqa: T201 - a program on a terminal


def wait(what: str, holds: Callable[[], Any]) -> Any:
    """Look until it holds; what it gave."""
    until = time.monotonic() + PATIENCE
    while not (found := holds()):
        if time.monotonic() > until:
            raise TimeoutError(f"Waited for {PATIENCE} seconds: {what}")
        time.sleep(1)
    return found


@dataclass
class Story:
    """One task at Znuny, over one of its interfaces. `group` is the integrated group, `contact` the contact's row."""

    pages: Pages
    partner: Partner
    log: Log
    channel: str
    group: str
    contact: str
    email: str
    ticket: str = ""
    number: str = ""
    task: str = ""

    def tell(self) -> None:
        """From the task that is given away to the ticket that is closed on both sides."""
        self.log.title(f"A task's life over {self.channel}")
        there = self._given_away()
        self._words_both_ways(there)
        self._solved(there, "Replaced the fuser.")
        self._declined(there)
        self._solved(there, "Replaced the toner, too.")
        self._accepted(there)
        self._counted(there)

    def _given_away(self) -> str:
        mark = secrets.token_hex(3)
        title = f"The printer burns, {self.channel} {mark}"
        self.pages.open("/admin/tickets/ticket/add/")
        group = self.pages.choose("title_text", "group", self.group)
        values = {"title_text": title, "description": "Smoke on floor 2", "contact": self.contact, "group": group}
        self.pages.send(has="title_text", files={"files": FILE}, **values)
        found = re.search(r"/ticket/(\d+)/change/", self.pages.address)
        assert found, self.pages.address
        self.ticket = found.group(0)
        self.number = str(self._seen(r"\b(\d{4,})\b"))
        self.task = str(wait("a task", lambda: self._shows(r"\b(\d+-\d+)\b")))
        self.log.tell(
            f"Here: ticket {self.number} with the file “{FILE[0]}”, task {self.task} given to {self.group}."
        )
        there = wait("the ticket at Znuny", lambda: self._made(f"{mark} [{self.task}]"))
        ticket = self.partner.ticket(there)
        reference = ticket["TicketNumber"]
        assert ticket["CustomerUserID"] == self.email, ticket["CustomerUserID"]
        wait("its number here", lambda: reference in self._text())
        self.log.tell(
            f"Znuny: customer user {self.email} was created, then ticket {reference} in the queue {ticket['Queue']}, "
            f"priority {ticket['Priority']}. Its number is stored here."
        )
        article = wait("the file at Znuny", lambda: self._article(there, lambda each: "Attachment" in each))
        (attached,) = article["Attachment"]
        assert attached["Filename"] == FILE[0], attached["Filename"]
        assert base64.b64decode(attached["Content"]) == FILE[1]
        self.log.tell(f"Znuny: the file has arrived, byte by byte, as “{attached['Filename']}”.")
        return there

    def _words_both_ways(self, there: str) -> None:
        text = "We are on our way.\nIs it the one at the window? 窓"
        content = base64.b64encode(b"\x89PNG not really").decode()
        self.partner.write(
            there, text, file={"Filename": "plan ü.png", "ContentType": "image/png", "Content": content}
        )
        self.log.tell("Znuny: an agent writes an article with a file.")
        wait("the article as a note", lambda: "Is it the one at the window? 窓" in self._text())
        wait("its file", lambda: "plan ü.png" in self._text())
        link = (self._open().links("/files/") or self._open().links("attachment"))[-1]
        assert self.pages.session.get(self.pages.base + link, timeout=60).content == b"\x89PNG not really"
        self.log.tell("Here: it has arrived as a note of Znuny's, with the file, byte by byte.")
        self.partner.write(there, "Only for us: a regular.", visible=0)
        self._open().send(has="body", body="Yes, the one at the window.\n„Danke“ & <schön>")
        self.log.tell("Here: an agent answers with a note.")
        body = "Yes, the one at the window.\n„Danke“ & <schön>"
        answer = wait("the note at Znuny", lambda: self._article(there, lambda each: normal(each["Body"]) == body))
        assert int(answer["IsVisibleForCustomer"]) == 1, answer
        self.log.tell(f"Znuny: it has arrived as article {answer['ArticleID']}, “{answer['Subject']}”.")

    def _solved(self, there: str, solution: str) -> None:
        self.partner.write(there, solution, state="closed successful")
        self.log.tell(f"Znuny: the agent closes the ticket successfully: “{solution}”")
        wait("the task in review", lambda: self._can("accept"))
        wait("the solution, beside the note that says the same", lambda: self._text().count(solution) > 1)
        self.log.tell("Here: the task is in review, with this solution.")

    def _declined(self, there: str) -> None:
        self._do("decline", has="reason", reason="It still smokes.")
        self.log.tell("Here: the solution is declined: “It still smokes.”")
        wait("the ticket open at Znuny", lambda: self.partner.ticket(there)["State"] == "open")
        article = self._article(there, lambda each: each["Body"].strip() == "It still smokes.")
        assert article
        self.log.tell(f"Znuny: the ticket is open again, with article {article['ArticleID']} that says why.")

    def _accepted(self, there: str) -> None:
        self._do("accept", has="do=accept")
        self.log.tell("Here: the solution is accepted; the ticket is closed.")
        article = wait("the end at Znuny", lambda: self._article(there, lambda each: "/close]" in each["Subject"]))
        ticket = self.partner.ticket(there)
        assert ticket["StateType"] == "closed", ticket["State"]
        self.log.tell(
            f"Znuny: the ticket is {ticket['State']}; article {article['ArticleID']} says: “{article['Body']}”"
        )

    def _counted(self, there: str) -> None:
        time.sleep(15)
        text = self._text()
        for words in ("Is it the one at the window? 窓", "Yes, the one at the window."):
            assert text.count(words) == 1, f"{words!r} stands here {text.count(words)} times"
        articles = self.partner.ticket(there)["Article"]
        bodies = [normal(article["Body"]) for article in articles]
        assert len(bodies) == len(set(bodies)), bodies
        names = [file["Filename"] for article in articles for file in article.get("Attachment", [])]
        assert names == [FILE[0], "plan ü.png"], names
        self.log.tell(
            f"Counted: {len(bodies)} articles and {len(names)} files there, none twice; each note once here."
        )

    def _open(self) -> Pages:
        return self.pages.open(f"/admin/tickets{self.ticket}")

    def _do(self, what: str, **form: str) -> None:
        """What a person does with the task; where news came in between, the page is read again first."""
        for last in (False, False, True):
            try:
                self.pages.open(f"/admin/tickets{self.ticket}?do={what}&task={self.task}").send(**form)
            except Refused:
                if last:
                    raise
                time.sleep(3)
            else:
                return

    def _text(self) -> str:
        return self._open().text

    def _can(self, what: str) -> bool:
        return any(f"do={what}" in link for link in self._open().links("do="))

    def _shows(self, pattern: str) -> str | None:
        found = re.search(pattern, self._text())
        return found.group(1) if found else None

    def _seen(self, pattern: str) -> str:
        found = self._shows(pattern)
        assert found, f"{self.pages.address} does not show {pattern}"
        return found

    def _made(self, title: str) -> str | None:
        try:
            return self.partner.by_title(title)
        except KeyError:
            return None

    def _article(self, there: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
        return next((each for each in self.partner.ticket(there)["Article"] if holds(each)), None)


def normal(text: str) -> str:
    """The text with plain line ends, as forms send others."""
    return text.replace("\r\n", "\n").strip()
