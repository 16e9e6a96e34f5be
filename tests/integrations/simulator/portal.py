"""A stand-in for the portal's Case Exchange on a real socket: it takes what is brought and lists what it is given."""

import json
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.integrations.simulator.conftest import SIGN_IN
from tests.practice_desk import PracticeDesk

KEY = "southwind-key"


class StandIn:
    """What it was sent, and what its feed holds; `refuse` answers every message with that status."""

    def __init__(self, server: HTTPServer, desk: PracticeDesk) -> None:
        self.seen: list[Request] = []
        self.entries: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.sign_ins = 0
        self.refuse = 0
        self.looks_at_the_time = True
        self.answers_html = False
        server.expect_request(SIGN_IN, method="POST").respond_with_handler(self._sign_in)
        server.expect_request("/rest/deskbridge/ces").respond_with_handler(self._checked(self._ces))
        server.expect_request("/rest/deskbridge/frs/file-list").respond_with_handler(self._checked(self._upload))
        server.expect_request("/rest/deskbridge/frs/file-list/theirs").respond_with_handler(
            self._checked(lambda request: Response(self.files["theirs"], 200, content_type="image/png"))
        )
        desk.configure(portal_url=server.url_for("/").rstrip("/"), case_exchange_key=KEY, channel="case_exchange")

    @property
    def brought(self) -> list[dict[str, Any]]:
        """The entities that were brought, in order."""
        bodies = [json.loads(request.get_data()) for request in self.seen if request.path.endswith("/ces")]
        return [entity for body in bodies for entity in body["entities"]]

    def end_sessions(self) -> None:
        """No session that was given is valid any more."""
        self.sign_ins += 1000

    def list_entry(self, operation: str, *, comments: Any = (), reference: str = "", **properties: Any) -> None:
        """Put an entry about our task 1001-1 at the end of the feed."""
        at = 1_700_000_000_000 + len(self.entries)
        external = {"ExternalSystem": "southwind", "Operation": operation, "ExternalId": reference}
        entity = {"entity_type": "Incident", "properties": {"Id": "1001-1", "LastUpdateTime": at, **properties}}
        self.entries.append({**entity, "Comments": list(comments), "ext_properties": external})

    def _sign_in(self, request: Request) -> Response:
        self.sign_ins += 1
        if self.answers_html:
            return Response("<html>\nSign in here</html>", 200, content_type="text/html")
        right = request.json == {"login": "southwind", "password": KEY} and request.args["TENANTID"] == "deskbridge"
        return Response(f"token-{self.sign_ins}" if right else "no", 200 if right else 401, content_type="text/plain")

    def _checked(self, handler: Any) -> Any:
        def checked(request: Request) -> Response:
            request.get_data()
            expected = {"LWSSO_COOKIE_KEY": f"token-{self.sign_ins}", "TENANTID": "deskbridge"}
            if request.cookies.to_dict() != expected:
                return Response("sign in", 401)
            response: Response = handler(request)
            return response

        return checked

    def _ces(self, request: Request) -> Response:
        if request.method == "POST":
            if self.refuse:
                return Response('{"meta": {"completion_status": "FAILED"}}', self.refuse)
            self.seen.append(request)
            return Response('{"meta": {"completion_status": "OK"}}', 200, content_type="application/json")
        assert (request.args["type"], request.args["system"], request.args["skip"]) == ("Incident", "southwind", "0")
        after, size = int(request.args["time"]) if self.looks_at_the_time else 0, int(request.args["size"])
        page = [entry for entry in self.entries if entry["properties"]["LastUpdateTime"] > after][:size]
        return Response(json.dumps({"entities": page}), 200, content_type="application/json")

    def _upload(self, request: Request) -> Response:
        self.seen.append(request)
        return Response(json.dumps({"guid": f"guid-{len(self.seen)}"}), 200, content_type="application/json")
