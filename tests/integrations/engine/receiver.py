"""Somebody to whom webhooks are delivered, who verifies each signature with the package of the standard."""

import json
from typing import Any

from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.integrations.engine.conftest import OtherDesk, respond


class Receiver(OtherDesk):
    """Takes deliveries as a careful receiver does: it verifies first, and knows a repeat by its id."""

    def __init__(self, server: HTTPServer, secret: str) -> None:
        super().__init__(server)
        self.secret = secret
        self.status = 200
        self.answers("/hook", self.take)

    def take(self, request: Any) -> Any:
        """Refuses what is not signed by its secret."""
        try:
            Webhook(self.secret).verify(request.get_data(), dict(request.headers))
        except WebhookVerificationError as problem:
            return respond(401, str(problem))
        return respond(self.status, "")

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """What was delivered."""
        return [json.loads(body) for body in self.bodies]

    @property
    def types(self) -> list[str]:
        """The events that were delivered."""
        return [payload["type"] for payload in self.payloads]

    @property
    def ids(self) -> list[str]:
        """Of which delivery each request was a try."""
        return [request.headers["webhook-id"] for request in self.sent]
