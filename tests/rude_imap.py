"""An IMAP server that breaks the rules in the ways that real ones were seen to: drops, lies about sizes, hangs."""

import base64
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pytest

from tests.mail_servers import PASSWORD, USER


@dataclass
class RudeImap:
    """`mails` by UID; `how` names what happens when one is fetched: drop, no, bad, empty, short, long, huge, hang.

    `header_too`: the same for its header. `idle`: told, drop or hang. What was asked is in `asked`.
    `token` is the one that is good, `tokens` are those that came.
    """

    listener: socket.socket
    mails: dict[int, bytes] = field(default_factory=dict)
    how: dict[int, str] = field(default_factory=dict)
    header_too: bool = False
    idle: str = "hang"
    validity: int = 1
    seen: set[int] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    token: str = ""
    tokens: list[str] = field(default_factory=list)
    ended: bool = False

    def settings(self, **values: Any) -> dict[str, Any]:
        """What a mailbox needs to be read here."""
        port = self.listener.getsockname()[1]
        account = {"username": USER, "secret": PASSWORD, "security": "none", "allow_private": True}
        return {"host": "127.0.0.1", "port": port, **account, **values}

    def serve(self) -> None:
        """Each connection by itself: one that hangs is left by its client, which comes again."""
        while not self.ended:
            with suppress(OSError):
                connection, _address = self.listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            connection.sendall(b"* OK ready\r\n")
            for line in lines:
                tag, _blank, rest = line.decode().strip().partition(" ")
                self.asked.append(rest)
                answer = self._by_token(rest, connection, lines) or self._answer(rest.upper(), connection)
                if answer is None:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                connection.sendall(b"".join(answer[:-1]) + f"{tag} ".encode() + answer[-1] + b"\r\n")

    def _by_token(self, asked: str, connection: socket.socket, lines: BinaryIO) -> list[bytes] | None:
        """XOAUTH2 as Google and Microsoft do it: what is wrong with a token is told in a challenge."""
        if not asked.startswith("AUTHENTICATE XOAUTH2"):
            return None
        connection.sendall(b"+ \r\n")
        self.tokens.append(base64.b64decode(lines.readline()).decode())
        if self.tokens[-1] == f"user={USER}\1auth=Bearer {self.token}\1\1":
            return [b"OK done"]
        refusal = b'{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}'
        connection.sendall(b"+ " + base64.b64encode(refusal) + b"\r\n")
        return [b"NO AUTHENTICATE failed" if lines.readline() == b"\r\n" else b"BAD what?"]

    def _answer(self, asked: str, connection: socket.socket) -> list[bytes] | None:
        """Untagged lines, and what the tagged one says; None: hang up."""
        if asked.startswith("CAPABILITY"):
            return [b"* CAPABILITY IMAP4rev1 IDLE\r\n", b"OK done"]
        if asked.startswith(("SELECT", "EXAMINE")):
            lines = f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}] valid\r\n"
            return [lines.encode(), b"OK [READ-WRITE]"]
        if asked.startswith("UID SEARCH"):
            one = re.search(r"UID (\d+)$", asked)
            found = [uid for uid in sorted(self.mails) if one is None or uid == int(one[1])]
            found = [uid for uid in found if one or uid not in self.seen]
            return [f"* SEARCH {' '.join(map(str, found))}".strip().encode() + b"\r\n", b"OK done"]
        if asked.startswith("UID FETCH"):
            uids = [int(uid) for uid in asked.split()[2].split(",")]
            if "RFC822.SIZE" in asked:
                rows = [f"* 1 FETCH (UID {uid} RFC822.SIZE {len(self.mails[uid])})\r\n".encode() for uid in uids]
                return [*rows, b"OK done"]
            return self._fetched(uids[0], "HEADER" in asked, connection)
        if asked.startswith("UID STORE"):
            self.seen.add(int(asked.split()[2]))
        if asked == "DONE":
            return [b"OK done"]
        if asked.startswith("IDLE"):
            connection.sendall(b"+ idling\r\n")
            if self.idle == "drop":
                return None
            if self.idle == "hang":
                return self._silence()
        return None if asked.startswith("LOGOUT") else [b"OK done"]

    def _fetched(self, uid: int, header: bool, connection: socket.socket) -> list[bytes] | None:
        raw = self.mails.get(uid, b"")
        raw = raw.partition(b"\n\n")[0] + b"\n\n" if header else raw
        how = self.how.get(uid, "") if self.header_too or not header else ""
        item = "BODY[HEADER]" if header else "BODY[]"
        match how:
            case "no":
                return [b"NO [SERVERBUG] this item is corrupt"]
            case "bad":
                return [b"BAD what?"]
            case "empty":
                return [b"OK done"]
            case "hang":
                return self._silence()
            case "drop":
                connection.sendall(f"* 1 FETCH (UID {uid} {item} {{{len(raw)}}}\r\n".encode() + raw[: len(raw) // 2])
                return None
        size = len(raw) + {"short": 40, "long": -40, "huge": 10**12}.get(how, 0)
        return [f"* 1 FETCH (UID {uid} {item} {{{size}}}\r\n".encode() + raw + b")\r\n", b"OK done"]

    def _silence(self) -> None:
        for _try in range(600):
            if self.ended:
                break
            time.sleep(0.05)


@pytest.fixture
def rude() -> Iterator[RudeImap]:
    """The server, for one test."""
    server = RudeImap(socket.create_server(("127.0.0.1", 0)))
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.ended = True
    # A closed socket does not wake who accepts on it.
    with suppress(OSError):
        socket.create_connection(server.listener.getsockname(), timeout=1).close()
    server.listener.close()
    thread.join(timeout=5)
