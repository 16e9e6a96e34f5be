"""The requests of a poll: a page of the feed, and the files that its entries name. Each is in the exchange log."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import IO, Any, Final
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from integrations.engine.rendering import Prepared
from integrations.engine.sending import Occasion, Try, attempt, finish, write_rest
from integrations.inbound.problems import Invalid
from integrations.models import Exchange, ExternalSystem, Outcome, Polling
from integrations.polling.answer import Entry, Unreadable, entries_of
from integrations.transports.errors import ResponseTooLarge

DIALECT: Final = "case_exchange"
POLL: Final = "poll"
DOWNLOAD: Final = "download"
# A file that is not there will not be there at the next poll either.
GONE: Final = (404, 410)
# Any 2xx counts as success, as for a template that says nothing else.
PLAIN: Final[dict[str, Any]] = {"protocol": "http", "success": "", "retry_when": "", "captures": ""}


class PollFailed(Exception):
    """This poll ends here, the next one begins at the same place; `str()` is for people."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


@dataclass
class Asking:
    """How one desk is asked. `before_send` may refuse; `exchanges` are the rows in the log so far, `problems`
    what a person should know although the poll went on."""

    polling: Polling
    before_send: Callable[[], None] = lambda: None
    exchanges: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def system(self) -> ExternalSystem:
        """The desk."""
        return self.polling.system

    def page(self, *, time: int, skip: int) -> tuple[list[Entry], Exchange]:
        """The entries after `time` (milliseconds of the other desk's clock) but for the first `skip`. Raises
        `PollFailed`, and what `before_send` raises."""
        query: dict[str, str | int] = {"type": "Incident", "system": self.polling.our_name, "time": time}
        query |= {"skip": skip, "size": self.polling.page_size}
        if self.polling.layout:
            # Without these two nobody can tell one entry from another.
            wanted = ["Id", "LastUpdateTime", *self.polling.layout.replace(",", " ").split()]
            query["layout"] = ",".join(dict.fromkeys(wanted))
        came = self._get(f"{self.polling.path}?{urlencode(query)}", POLL)
        if came.verdict.outcome != Outcome.SUCCEEDED or came.response is None:
            raise self._failed(came)
        try:
            return entries_of(came.response.text), came.exchange
        except Unreadable as problem:
            finish(came.exchange, self.system, outcome=Outcome.MISCONFIGURED, error=str(problem))
            raise PollFailed(str(problem)) from problem

    def file(self, their_id: str, into: IO[bytes]) -> None:
        """Fetch a file by the id that an entry names, and write it. Raises `Invalid` where that desk has none or it
        is larger than an attachment may be, which no other poll will change; else as `page` does."""
        came = self._get(f"{self.polling.files_path}/{quote(their_id, safe='')}", DOWNLOAD, into)
        if came.verdict.outcome == Outcome.SUCCEEDED and came.response is not None:
            write_rest(came.response, into)
            return
        failed = self._failed(came)
        if isinstance(came.error, ResponseTooLarge) or came.exchange.status in GONE:
            raise Invalid(_("The file %(id)s cannot be had: %(reason)s") % {"id": their_id, "reason": failed})
        raise failed

    def _get(self, path: str, operation: str, into: IO[bytes] | None = None) -> Try:
        occasion = Occasion(
            system=self.system,
            dialect=DIALECT,
            operation=operation,
            before_send=self.before_send,
            into=into,
        )
        accept = {"Accept": "*/*" if operation == DOWNLOAD else "application/json"}
        prepared = Prepared("GET", self.system.base_url.rstrip("/") + path, accept)
        came = attempt(occasion, prepared, PLAIN, {})
        self.exchanges.append(came.exchange.pk)
        return came

    def _failed(self, came: Try) -> PollFailed:
        """Reading changes nothing, so it is never unknown what became of it: it is done again."""
        if came.verdict.outcome == Outcome.UNKNOWN:
            finish(came.exchange, self.system, outcome=Outcome.RETRYABLE, error=came.verdict.reason)
        return PollFailed(came.verdict.reason, came.verdict.retry_after)
