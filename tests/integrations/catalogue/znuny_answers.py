"""What Znuny 6.5 answered when it was asked the same, shortened: its pages, its JSON and its SOAP messages."""

from collections.abc import Callable
from typing import Any, Final
from xml.sax.saxutils import escape

from werkzeug import Request, Response

from tests.integrations.catalogue.contract import Contract

SESSION: Final = "crxsWKuhLukMkx7hILD7p9BTLfBCwUnB"
TOKEN: Final = "RWKJsZK3MRaUHyrKbd7skZecdHGODJaQ"
NUMBER: Final = "2026112510000017"
REST: Final = "/otrs/nph-genericinterface.pl/Webservice/PartnerREST"
SOAP: Final = "/otrs/nph-genericinterface.pl/Webservice/PartnerSOAP"

LOGIN_PAGE: Final = '<title>Login - Znuny</title><body class=" LoginScreen"><div id="LoginBox" class="LoginBox">'
FORM: Final = (
    '<form class="SearchBox" action="/otrs/index.pl" method="post">'
    f'<input type="hidden" name="ChallengeToken" value="{TOKEN}"/>'
)
NOBODY: Final = '<tbody>\n<tr>\n<td colspan="6">\nNo data found.\n</td>\n</tr>\n</tbody>'
SOMEBODY: Final = """<span class="Pagination">
                    1-1 of 1

                </span><tbody>
                <tr class="MasterAction">
                    <td class="Checkbox NonTextContent">
                        <input class="Checkbox" type="checkbox" name="RecipientUserLogin" \
value="emil@customer.test"  data-customer-ticket-text="&quot;Emil O'Brien &amp; Ende&quot; \
&lt;emil@customer.test&gt;" autocomplete="off"/>
                    </td>
                    <td><span title="Emil">Emil</span></td>
                    <td><span title="O'Brien &amp; Ende">O'Brien &amp; Ende</span></td>
                    <td><span title="emil@customer.test">emil@customer.test</span></td>
                    <td><span title="emil@customer.test">emil@customer.test</span></td>
                    <td><span title="ACME">ACME</span></td>
                </tr>
            </tbody>"""
ADDED: Final = (
    f'Core.Config.AddConfig({{"Action":"AdminCustomerUser","ChallengeToken":"{TOKEN}",'
    '"Customer":"emil@customer.test","Nav":"None"});'
)
EXISTS: Final = """<div class="MessageBox Error">
    <p>
            Customer user &quot;emil@customer.test&quot; already exists.
    </p>
</div>"""
NEW_TICKET: Final = """<select name="Dest" id="Dest" class="Validate_Required Modernize" data-tree="true"   >
<option value="||-">-</option>
<option value="3||Junk">Junk</option>
<option value="2||Raw">Raw</option>
</select>
<select class="Modernize" id="NextStateID" name="NextStateID">
  <option value="2">closed successful</option>
  <option value="4" selected="selected">open</option>
</select>
<select class="Modernize" id="PriorityID" name="PriorityID">
  <option value="3" selected="selected">3 normal</option>
  <option value="5">5 very high</option>
</select>"""

REFUSED: Final = {
    "Error": {
        "ErrorCode": "TicketCreate.InvalidParameter",
        "ErrorMessage": "TicketCreate: Ticket->QueueID or Ticket->Queue parameter is invalid!",
    }
}
AUTH_FAIL: Final = {
    "Error": {
        "ErrorCode": "TicketCreate.AuthFail",
        "ErrorMessage": "TicketCreate: User could not be authenticated!",
    }
}
CREATED: Final = {"ArticleID": "2", "TicketID": "2", "TicketNumber": NUMBER}
ARTICLE: Final = {"ArticleID": 4, "TicketID": "2", "TicketNumber": NUMBER}
UPDATED: Final = {"TicketID": "2", "TicketNumber": NUMBER}
TICKET: Final[dict[str, Any]] = {
    "Changed": "2026-11-25 02:45:55",
    "CustomerUserID": "emil@customer.test",
    "Owner": "apiagent",
    "Priority": "3 normal",
    "Queue": "Raw",
    "State": "closed successful",
    "StateType": "closed",
    "TicketID": 2,
    "TicketNumber": NUMBER,
}


def articles(task_number: str) -> list[dict[str, Any]]:
    """The description, a file of ours, an answer of an agent, one with a file, and one for agents only."""
    described = {
        "CreateTime": "2026-11-25 02:44:57",
        "From": "emil@customer.test",
        "IsVisibleForCustomer": 1,
        "SenderType": "customer",
        "Subject": "The printer is on fire",
        "Body": "Smoke on floor 2",
    }
    agent = {"From": '"Admin OTRS" <root@localhost>', "SenderType": "agent", "IsVisibleForCustomer": 1}
    rows = [
        described,
        {**described, "From": "Api Agent", "Subject": f"[{task_number}/attachment-1] Ada", "Body": "über 日.txt"},
        {**agent, "CreateTime": "2026-11-25 02:45:55", "Subject": "Note", "Body": "On our way\nsoon"},
        {
            **agent,
            "CreateTime": "2026-11-25 02:46:55",
            "Subject": f"Re: [{task_number}/note-1] Ada",
            "Body": "See it",
        },
        {**agent, "CreateTime": "2026-11-25 02:47:55", "Subject": "x", "Body": "ours", "IsVisibleForCustomer": 0},
    ]
    files = {1: ("über 日.txt", "text/plain", "5"), 3: ("a.bin", "application/octet-stream; charset=x", "4")}
    numbered = []
    for index, row in enumerate(rows):
        article = {"ArticleID": index + 2, "ArticleNumber": index + 1, "TicketID": 2, **row}
        if index in files:
            name, kind, size = files[index]
            article["Attachment"] = [{"ContentType": kind, "FileID": "1", "Filename": name, "FilesizeRaw": size}]
        numbered.append(article)
    return numbered


class Pages:
    """The agents' pages: signing in, the address book, the forms for customer users and for a new ticket."""

    def __init__(self, contract: Contract) -> None:
        self.book = NOBODY
        self.saved: str | None = None  # a page instead of the redirect after saving
        self.sessions = [SESSION]
        self.ended: set[str] = set()
        for method in ("GET", "POST"):
            contract.answers(f"{method} /otrs/index.pl", self.page)

    def page(self, request: Request) -> Response:
        """What the page answers to this form or address."""
        given = {**request.args, **request.form}
        if not request.args and "?" in request.environ["RAW_URI"]:
            given = {}
        given |= dict(part.partition("=")[::2] for part in request.query_string.decode().split(";"))
        if given.get("Action") == "Login":
            return self._login(given)
        if request.headers.get("Cookie") not in {f"OTRSAgentInterface={session}" for session in self.sessions}:
            response = html(LOGIN_PAGE)
            response.headers["X-OTRS-Login"] = "/otrs/index.pl?"
            return response
        subaction = given.get("Subaction")
        if given.get("Action") == "AdminCustomerUser" and subaction == "Search":
            return html(FORM)
        if given.get("Action") == "AdminCustomerUser":
            return self._saved(given, subaction or "")
        return html(NEW_TICKET if given.get("Action") == "AgentTicketPhone" else self.book)

    def _login(self, given: dict[str, str]) -> Response:
        if (given.get("User"), given.get("Password")) != ("bridge", "s3cret-of-the-desk"):
            return html(LOGIN_PAGE)
        session = self.sessions[-1]
        response = Response("moved", 302, {"Location": f"/otrs/index.pl?OTRSAgentInterface={session}"})
        response.headers.add("Set-Cookie", "OTRSBrowserHasCookie=; path=/otrs/; HttpOnly")
        response.headers.add("Set-Cookie", f"OTRSAgentInterface={session}; path=/otrs/; HttpOnly")
        return response

    def _saved(self, given: dict[str, str], subaction: str) -> Response:
        if given.get("ChallengeToken") != TOKEN:
            return html("<p>Invalid Challenge Token!</p>")
        if self.saved is not None:
            return html(self.saved)
        if subaction == "AddAction":
            return html(ADDED)
        return Response("moved", 302, {"Location": "/otrs/index.pl?Action=AdminCustomerUser;Notification=Update"})


def html(text: str) -> Response:
    """A page."""
    return Response(text, 200, content_type="text/html; charset=utf-8;")


def envelope(operation: str, content: str) -> str:
    """An answer of the web service over SOAP; without content it is nil."""
    name = f'{operation}Response xmlns="http://www.otrs.org/TicketConnector/"'
    inside = f"<{name}>{content}</{operation}Response>" if content else f'<{name} xsi:nil="true" />'
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope '
        'soap:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" '
        'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soap:Body>{inside}</soap:Body></soap:Envelope>'
    )


def as_soap(operation: str, content: dict[str, Any]) -> Callable[[Request], Response]:
    """The answer with this content, as `REST` would give it in JSON."""
    text = envelope(operation, _elements(content))
    return lambda _request: Response(text, 200, content_type="text/xml; charset=UTF-8")


def _elements(content: dict[str, Any]) -> str:
    found = ""
    for name, value in content.items():
        for each in value if isinstance(value, list) else [value]:
            inside = _elements(each) if isinstance(each, dict) else escape(str(each))
            found += f"<{name}>{inside}</{name}>" if inside else f"<{name} />"
    return found
