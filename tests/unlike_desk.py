"""A desk that the catalogue does not know, with a REST API unlike the others, played over a socket.

Nested JSON with German names, a header of its own for the key, whole numbers as references, states and urgencies as
codes, times in milliseconds. People have numbers, and a case needs that of its person.
"""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

KEY = "kontor-7f3a9c"
STATES = {10: "Neu", 20: "In Arbeit", 30: "Gelöst", 40: "Zu"}
URGENCIES = {1: "Stillstand", 2: "Dringend", 3: "Üblich", 4: "Irgendwann"}


class UnlikeDesk:
    """Its cases and people, and what a clerk there does."""

    def __init__(self) -> None:
        self.cases: list[dict[str, Any]] = []
        self.people: list[dict[str, Any]] = []
        self.refused: list[str] = []
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self._answer(json.loads(self.rfile.read(length) or b"null"))

            def _answer(self, body: Any) -> None:
                address = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                status, answer = 401, {"fehler": {"text": "Schlüssel fehlt"}}
                if self.headers.get("X-Kontor-Schluessel") == KEY:
                    status, answer = desk.answer(self.command, address.path, query, body)
                if status >= 400:
                    desk.refused.append(f"{status} {self.command} {self.path} {body}")
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: Any) -> None:
                """Nothing on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v2"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """What the API answers."""
        match method, path.removeprefix("/v2").strip("/").split("/"):
            case "GET", ["stammdaten", "zustaende"]:
                return _result([{"kode": code, "text": text} for code, text in STATES.items()])
            case "GET", ["stammdaten", "dringlichkeiten"]:
                return _result([{"kode": code, "text": text} for code, text in URGENCIES.items()])
            case "GET", ["personen"]:
                return _result([row for row in self.people if row["person"]["post"] == query.get("post")])
            case "POST", ["personen"]:
                self.people.append({"person": {"nr": 900 + len(self.people), **body["person"]}})
                return 201, {"ergebnis": self.people[-1]}
            case "GET", ["vorgaenge"]:
                since, foreign = int(query.get("seit", 0)), query.get("fremdnummer")
                found = [case for case in self.cases if case["geaendert"] >= since]
                if foreign:
                    found = [case for case in found if case["kopf"]["fremdnummer"] == foreign]
                return _result(found if query.get("seite", "1") == "1" else [])
            case "POST", ["vorgaenge"]:
                return self._create(body["vorgang"])
            case "GET", ["vorgaenge", number]:
                return 200, {"ergebnis": {"vorgang": self.case(int(number))}}
            case "GET", ["vorgaenge", number, "notizen"]:
                return _result(self.case(int(number))["notizen"])
            case "POST", ["vorgaenge", number, "notizen"]:
                return self._note(self.case(int(number)), body["notiz"])
        return 404, {"fehler": {"text": "Unbekannte Adresse"}}

    def case(self, number: int) -> dict[str, Any]:
        """The case with that number."""
        return next(case for case in self.cases if case["kopf"]["nummer"] == number)

    def writes(self, number: int, text: str) -> None:
        """A clerk adds a note for the customer."""
        self._note(self.case(number), {"text": text, "sichtbar": True, "marke": ""}, author="Kurt Kontor")

    def solves(self, number: int, solution: str) -> None:
        """A clerk solves the case."""
        case = self.case(number)
        case["zustand"]["kode"] = 30
        case["abschluss"] = {"text": solution}
        case["geaendert"] = _now()

    def _create(self, given: dict[str, Any]) -> tuple[int, Any]:
        if not any(row["person"]["nr"] == given["melder"]["nr"] for row in self.people):
            return 422, {"fehler": {"text": "Melder unbekannt"}}
        if given["kopf"]["dringlichkeit"] not in URGENCIES:
            return 422, {"fehler": {"text": "Dringlichkeit unbekannt"}}
        case = {
            **given,
            "kopf": {**given["kopf"], "nummer": 4711 + len(self.cases)},
            "zustand": {"kode": 10},
            "abschluss": None,
            "geaendert": _now(),
            "notizen": [],
        }
        self.cases.append(case)
        return 201, {"ergebnis": {"vorgang": case}}

    def _note(self, case: dict[str, Any], note: dict[str, Any], author: str = "Deskbridge") -> tuple[int, Any]:
        row = {"nr": 1 + len(case["notizen"]), "von": author, "zeit": _now(), **note}
        case["notizen"].append(row)
        case["geaendert"] = row["zeit"]
        return 201, {"ergebnis": {"notiz": row}}


def _result(rows: list[Any]) -> tuple[int, Any]:
    return 200, {"ergebnis": {"anzahl": len(rows), "treffer": rows}}


def _now() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def unlike_desk() -> Iterator[UnlikeDesk]:
    """The desk, listening."""
    desk = UnlikeDesk()
    thread = threading.Thread(target=desk.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield desk
    desk.server.shutdown()
    desk.server.server_close()
    thread.join()
