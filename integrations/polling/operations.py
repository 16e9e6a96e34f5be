"""Asking a desk by its operation templates: tickets, notes and files. Each request is in the exchange log."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import SEEK_END
from typing import IO, Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.definition import describe_request
from integrations.engine.outcome import LONGEST_BEFORE_PAGE, captured, is_page
from integrations.engine.rendering import render_request, sources_of
from integrations.engine.sending import Occasion, Try, attempt, finish, write_rest
from integrations.models import Exchange, ExternalSystem, OperationTemplate, Outcome, Polling
from integrations.polling.asking import PollFailed
from integrations.reading import records_of
from integrations.snapshot import numbers_there, snapshot
from integrations.templating import TemplateFailed, used_paths
from integrations.transports.errors import AddressRefused, RedirectRefused, ResponseTooLarge, TransportError
from integrations.transports.http import Response
from integrations.transports.soap_arguments import ArgumentProblem
from integrations.transports.wsdl import WsdlProblem
from tickets.actors import Actor
from tickets.models import Task

LISTING: Final = "fetch_modified_since"
TICKET: Final = "fetch_ticket"
NOTES: Final = "fetch_notes"
FILES: Final = "fetch_attachments"
DOWNLOAD: Final = "download_attachment"
READS: Final = (LISTING, TICKET, NOTES, FILES, DOWNLOAD)
PAGED: Final = frozenset({"poll.page", "poll.offset", "poll.next"})
# Notes or files of one ticket: more pages than this are a list without an end.
MOST_PAGES: Final = 200
# What is forbidden, unreadable or broken for one ticket holds up no other; for so many in a row, it is so for all.
FORBIDDEN: Final = 403
BROKEN: Final = 500
MOST_IN_A_ROW: Final = 3


class NotToBeHad(Exception):
    """What was asked for of one ticket is not there, or not for us. It may be given later; `for_good`: no other poll
    will change that; `passing`: it may be gone at the next time already, so that nobody needs to read of it yet."""

    def __init__(self, reason: str, *, for_good: bool = False, passing: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good
        self.passing = passing


@dataclass(frozen=True)
class Brought:
    """How many messages of a ticket were new; `later`: the desk refused something that it may give later. `refused`
    is what a person should know of that: what it is, and why."""

    count: int = 0
    later: bool = False
    refused: tuple[tuple[str, NotToBeHad], ...] = ()

    def __add__(self, other: "Brought") -> "Brought":
        return Brought(self.count + other.count, self.later or other.later, self.refused + other.refused)


@dataclass(frozen=True)
class Page:
    """One answer: its records, and what its capture named next gave (None: the template has none). `broken` says what
    is wrong with those that cannot be read."""

    records: list[dict[str, Any]]
    next: str | None
    exchange: Exchange
    broken: list[str]

    @property
    def length(self) -> int:
        """How many records the desk has listed."""
        return len(self.records) + len(self.broken)


@dataclass
class Operations:
    """How one desk is asked by its templates. `before_send` may refuse; `exchanges` are the rows in the log so far,
    `problems` what a person should know although the poll went on. `answered`: there was a whole answer; `unanswered`
    is the latest failure that may be the desk's and not only one ticket's."""

    polling: Polling
    before_send: Callable[[], None] = lambda: None
    exchanges: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    answered: bool = False
    unanswered: str = ""
    _in_a_row: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _templates: dict[str, OperationTemplate] | None = None
    _task_id: int | None = None
    _said: dict[str, Any] = field(default_factory=dict)

    @property
    def system(self) -> ExternalSystem:
        """The desk."""
        return self.polling.system

    def has(self, name: str) -> bool:
        """Whether the desk has this operation."""
        return name in self.templates

    @property
    def templates(self) -> dict[str, OperationTemplate]:
        """The desk's operations that read, by name."""
        if self._templates is None:
            rows = OperationTemplate.objects.filter(system=self.system, name__in=READS).select_related("wsdl")
            self._templates = {row.name: row for row in rows}
        return self._templates

    @property
    def is_in_doubt(self) -> bool:
        """Whether something has just failed for one ticket or two, and the next ones have to show whether for all."""
        return any(0 < len(tickets) < MOST_IN_A_ROW for tickets in self._in_a_row.values())

    def is_paged(self, name: str) -> bool:
        """Whether the template asks for one page at a time; else its one answer is all."""
        request = describe_request(self.templates[name], with_probe=False)
        fields = placeholders()
        used = {path for source in sources_of(request) if source for path in used_paths(source, fields)}
        return bool(used & PAGED)

    def page(self, name: str, *, task: Task | None = None, **context: Any) -> Page:
        """One answer of an operation that reads. `context` as `context_of` takes it.

        Raises `PollFailed`, `NotToBeHad`, and what `before_send` raises.
        """
        template = self.templates[name]
        built = self.context_of(task=task, **context)
        came = self._ask(template, built, task=task)
        assert came.response is not None  # noqa: S101 - a success has an answer
        broken: list[str] = []
        try:
            records = records_of(template, came.response, built, broken=broken)
        except TemplateFailed as problem:
            raise self._unreadable(template, came, built, str(problem)) from problem
        if broken and not records and name in (LISTING, TICKET):
            raise self._unreadable(template, came, built, broken[0])
        following = self._next(template, came, built)
        self._in_a_row[f"{name} unreadable"].clear()
        return Page(records, following, came.exchange, broken)

    def all_pages(self, name: str, *, task: Task, broken: list[str]) -> Iterator[dict[str, Any]]:
        """The records of a list that belongs to one ticket, page after page; those that cannot be read are left out
        and told in `broken`. Raises as `page`."""
        size, seen, following = self.polling.page_size, set(), ""
        followed: set[str] = set()
        paged = self.is_paged(name)
        for number in range(1, MOST_PAGES + 1):
            page = self.page(name, task=task, number=number, following=following)
            written = repr(page.records)
            if page.records and written in seen:
                raise NotToBeHad(same_page())
            seen.add(written)
            broken += page.broken
            yield from page.records
            following = page.next or ""
            # A page may bring nothing and yet have another behind it: comments without files, where files are wanted.
            if not paged or (not following if page.next is not None else page.length < size):
                return
            if following and following in followed:
                raise NotToBeHad(same_page())
            followed.add(following)
        raise NotToBeHad(_("%(operation)s has more than %(count)d pages.") % {"operation": name, "count": MOST_PAGES})

    def file(self, *, task: Task, file: dict[str, str], into: IO[bytes], may_be_page: bool) -> str:
        """Write the content of a file, or give it in base64 where a capture named content_base64 does. Raises as
        `page`; `NotToBeHad` also where a page in HTML comes and the file is none."""
        template = self.templates[DOWNLOAD]
        context = self.context_of(task=task, file=file)
        came = self._ask(template, context, task=task, into=into)
        assert came.response is not None  # noqa: S101 - a success has an answer
        write_rest(came.response, into)
        if not may_be_page and "html" in came.response.headers.get("Content-Type", "").lower():
            into.seek(0)
            begins = into.read(LONGEST_BEFORE_PAGE).decode(errors="replace")
            into.seek(0, SEEK_END)
            if is_page(begins):
                reason = _("The other desk answers with a page in HTML, not with the file.")
                finish(came.exchange, self.system, outcome=Outcome.MISCONFIGURED, error=reason)
                raise NotToBeHad(reason)
        if "content_base64" in template.captures:
            # Within something else it cannot be read piece by piece.
            into.seek(0)
            whole = replace(came.response, body=into.read())
            into.seek(0)
            into.truncate()
            values, problems = captured(describe_request(template, with_probe=False), whole, context)
            if not isinstance(values.get("content_base64"), str):
                reason = problems or _("There is no content_base64 in the answer.")
                raise self._unreadable(template, came, context, reason)
            self._in_a_row[f"{DOWNLOAD} unreadable"].clear()
            return str(values["content_base64"])
        return ""

    def context_of(
        self,
        *,
        task: Task | None = None,
        numbers: dict[str, str] | None = None,
        since: int = 0,
        number: int = 1,
        following: str = "",
        file: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """What templates may name. `since` in milliseconds of the desk's clock, `number` of the page from 1,
        `numbers` of a ticket that is not known here."""
        size = self.polling.page_size
        poll = {
            "since": f"{datetime.fromtimestamp(since // 1000, UTC):%Y-%m-%dT%H:%M:%S}Z",
            "since_seconds": since // 1000,
            "since_ms": since,
            "page": number,
            "offset": (number - 1) * size,
            "size": size,
            "next": following,
        }
        system = {"code": self.system.code, "name": self.system.name, "settings": self.system.settings}
        context: dict[str, Any] = {"system": system, "portal": {"url": settings.PORTAL_URL}}
        if task is not None:
            context = self._said_of(task)
            context["task"] |= numbers_there(task.pk, self.system.pk)
        elif numbers is not None:
            context["task"] = numbers
        return {**context, "poll": poll, "file": file or {"id": "", "url": "", "name": ""}}

    def _said_of(self, task: Task) -> dict[str, Any]:
        """What templates may say of a task: the same for all requests of one look."""
        if self._task_id != task.pk:
            self._task_id = task.pk
            self._said = snapshot(
                task=task, system=self.system, request_type="", direction="", operation="", actor=Actor.system()
            )
        return {**self._said, "task": dict(self._said["task"])}

    def _ask(
        self,
        template: OperationTemplate,
        context: dict[str, Any],
        *,
        task: Task | None,
        into: IO[bytes] | None = None,
    ) -> Try:
        request = describe_request(template, with_probe=False)
        try:
            prepared = render_request(request, system=self.system, context=context)
        except (TemplateFailed, TransportError, ArgumentProblem, WsdlProblem) as problem:
            reason = _("The request of %(operation)s could not be made: %(problem)s")
            raise self._failed(
                f"{template.name} unmade",
                template,
                context,
                reason % {"operation": template.name, "problem": problem},
            ) from problem
        occasion = Occasion(
            system=self.system,
            dialect=template.protocol,
            operation=template.name,
            task=task,
            before_send=self.before_send,
            into=into,
            encoded="content_base64" in template.captures,
        )
        came = attempt(occasion, prepared, request, context)
        self.exchanges.append(came.exchange.pk)
        if came.verdict.outcome == Outcome.SUCCEEDED and came.response is not None:
            self._in_a_row[template.name].clear()
            self.answered = True
            return came
        if came.verdict.outcome == Outcome.UNKNOWN:
            # Reading changes nothing, so it is never unknown what became of it: it is done again.
            finish(came.exchange, self.system, outcome=Outcome.RETRYABLE, error=came.verdict.reason)
        raise self._refusal(template, context, came, is_file=into is not None)

    def _refusal(
        self, template: OperationTemplate, context: dict[str, Any], came: Try, *, is_file: bool
    ) -> Exception:
        """What an answer that is no success means for the poll."""
        verdict, status = came.verdict, came.exchange.status
        is_asked = came.exchange.operation == template.name  # else it was the login that failed
        if is_asked and template.name != LISTING and isinstance(came.error, ResponseTooLarge):
            self.answered = True
            if is_file:
                return NotToBeHad(verdict.reason, for_good=True)
            hint = _("How large an answer may be says the field largest answer of the system.")
            return NotToBeHad(f"{verdict.reason} {hint}")
        if is_file and isinstance(came.error, AddressRefused | RedirectRefused):
            # One file that stands elsewhere holds up nothing else; it comes when its host is allowed.
            return NotToBeHad(verdict.reason)
        if verdict.outcome == Outcome.PERMANENT:
            self.answered = True
            return NotToBeHad(verdict.reason)
        if is_asked and (status == FORBIDDEN or (status or 0) >= BROKEN or verdict.doubtful):
            passing = status != FORBIDDEN
            return self._failed(
                template.name, template, context, verdict.reason, verdict.retry_after, passing=passing
            )
        return PollFailed(verdict.reason, verdict.retry_after)

    def _failed(
        self,
        what: str,
        template: OperationTemplate,
        context: dict[str, Any],
        reason: str,
        retry_after: timedelta | None = None,
        *,
        passing: bool = False,
    ) -> Exception:
        """Whether it is this one ticket's failure: then the others must not wait for it. For several tickets in a
        row, it is the desk's, and nothing may be passed over."""
        self.unanswered = reason
        told = context.get("task")
        if template.name == LISTING or told is None or (passing and not told["number"] and not self._is_stuck):
            return PollFailed(reason, retry_after)
        self._in_a_row[what].add(f"{told['number']} {told['external_reference']} {told['external_id']}")
        if len(self._in_a_row[what]) < MOST_IN_A_ROW:
            return NotToBeHad(reason, passing=passing)
        return PollFailed(reason, retry_after)

    @property
    def _is_stuck(self) -> bool:
        """Whether the polls before have failed, too. A ticket that is not known here cannot be noted for later, so
        it is waited for some polls before it is passed over."""
        return self.polling.failures >= MOST_IN_A_ROW

    def _next(self, template: OperationTemplate, came: Try, context: dict[str, Any]) -> str | None:
        """What the capture named next gives; one that fails would end a list in its middle, so it is told."""
        response: Response | None = came.response
        names = {line.partition("=")[0].strip() for line in template.captures.splitlines()}
        if response is None or "next" not in names:
            return None
        values, problems = captured(describe_request(template, with_probe=False), response, context)
        if "next" not in values:
            hint = _('On the last page it has to be empty, for example with | default("").')
            raise self._unreadable(template, came, context, f"{problems} {hint}")
        return str(values["next"] or "")

    def _unreadable(self, template: OperationTemplate, came: Try, context: dict[str, Any], reason: str) -> Exception:
        """Of one ticket it may be its own fault; of several in a row the template is at fault."""
        finish(came.exchange, self.system, outcome=Outcome.MISCONFIGURED, error=reason)
        return self._failed(f"{template.name} unreadable", template, context, reason)


def same_page() -> str:
    """Why a list that goes in a circle is not followed."""
    return _("The other desk gives the same page again and again: it does not heed page, offset or next.")
