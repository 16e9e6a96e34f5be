"""The people at Znuny, by its own interfaces: an agent who answers, and a look at what has arrived."""

from typing import Any

import requests

TIMEOUT = 60


class Partner:
    """Znuny as its agent uses it, over REST."""

    def __init__(self, base: str) -> None:
        self.url = f"{base}/nph-genericinterface.pl/Webservice/PartnerREST"
        self.headers = {"X-OTRS-Header-UserLogin": "root@localhost", "X-OTRS-Header-Password": "rootpw"}

    def ticket(self, ticket_id: str) -> dict[str, Any]:
        """A ticket with its articles and files."""
        query = {"AllArticles": "1", "Attachments": "1"}
        found: dict[str, Any] = self._asked("GET", f"/Ticket/{ticket_id}", params=query)["Ticket"][0]
        return found

    def by_title(self, part: str) -> str:
        """The id of the only ticket with this in its title."""
        (found,) = self._asked("GET", "/Ticket", params={"Title": f"*{part}*"})["TicketID"]
        return str(found)

    def write(
        self, ticket_id: str, text: str, *, state: str = "", file: dict[str, str] | None = None, visible: int = 1
    ) -> str:
        """An article by the agent; with a state, the ticket gets it. The article's id."""
        article = {
            "CommunicationChannel": "Internal",
            "SenderType": "agent",
            "Subject": "Answer",
            "Body": text,
            "ContentType": "text/plain; charset=utf8",
            "IsVisibleForCustomer": visible,
        }
        asked: dict[str, Any] = {"Article": article}
        if state:
            asked["Ticket"] = {"State": state}
        if file:
            asked["Attachment"] = [file]
        return str(self._asked("PATCH", f"/Ticket/{ticket_id}", json=asked)["ArticleID"])

    def _asked(self, method: str, path: str, **values: Any) -> Any:
        answer = requests.request(method, self.url + path, headers=self.headers, timeout=TIMEOUT, **values)
        data = answer.json()
        assert answer.ok and "Error" not in data, data
        return data
