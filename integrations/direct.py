"""Calls of an operation outside of any stream, because a person asks for them: they are logged like all others.

Nobody may hold a transaction open around them, and a failure is a result, not an exception.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.definition import describe_request
from integrations.engine.outcome import captured
from integrations.engine.rendering import Prepared, render_request, sources_of
from integrations.engine.sending import Occasion, attempt
from integrations.models import Exchange, OperationTemplate, Outcome
from integrations.reading import records_of
from integrations.secrets import SecretUnreadable, readable
from integrations.templating import TemplateFailed, used_paths
from integrations.transports.errors import RequestInvalid, TransportError
from integrations.transports.soap_arguments import ArgumentProblem
from integrations.transports.wsdl import WsdlProblem

# So many records are asked for at a time, where a list comes in pages.
PAGE: Final = 100
# What may keep a request from being made; nothing has been sent then.
UNSENDABLE = (ArgumentProblem, RequestInvalid, SecretUnreadable, TemplateFailed, TransportError, WsdlProblem)


@dataclass(frozen=True)
class Called:
    """What a call came to. `problem` says in words why it did not succeed; `retryable` whether the same call may
    succeed later; `captures` and `records` are what the operation's lines found in the answer."""

    problem: str = ""
    retryable: bool = False
    exchange: Exchange | None = None
    captures: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """Whether it was sent, done over there, and its answer understood."""
        return not self.problem


def rendered(
    operation: OperationTemplate, context: Mapping[str, Any], *, credentials: Mapping[str, str] | None = None
) -> Prepared:
    """The request as it would be sent, without credentials; `credentials` are shown for those that its templates
    name. Raises one of `UNSENDABLE`."""
    request = describe_request(operation)
    return render_request(request, system=operation.system, context=dict(context), credentials=credentials)


def call(operation: OperationTemplate, context: Mapping[str, Any]) -> Called:
    """Call the operation with the names of `context`, once, with the credentials of its system."""
    system = operation.system
    request = describe_request(operation)
    try:
        readable(system.auth_secret)
        prepared = rendered(operation, context)
        occasion = Occasion(system=system, dialect=operation.protocol, operation=operation.name)
        done = attempt(occasion, prepared, request, dict(context))
    except UNSENDABLE as problem:
        return Called(_("Nothing was sent. %(problem)s") % {"problem": problem})
    verdict, exchange = done.verdict, done.exchange
    if verdict.outcome != Outcome.SUCCEEDED or done.response is None:
        later = verdict.outcome in (Outcome.RETRYABLE, Outcome.UNKNOWN)
        return Called(verdict.reason or _("There was no answer."), retryable=later, exchange=exchange)
    values, problems = captured(request, done.response, dict(context))
    try:
        records = records_of(operation, done.response, dict(context)) if operation.reads.strip() else []
    except TemplateFailed as problem:
        problems = "; ".join(filter(None, [problems, str(problem)]))
        records = []
    if problems:
        problems = _("It answered, but the answer could not be read: %(problems)s") % {"problems": problems}
    return Called(problems, exchange=exchange, captures=values, records=records)


def paths_of(operation: OperationTemplate) -> set[str]:
    """The names that the operation's templates use; those of a template that is broken are not known."""
    found: set[str] = set()
    for source in sources_of(describe_request(operation)):
        try:
            found |= used_paths(source, placeholders()) if source else set()
        except TemplateFailed:
            # Rendering it will say what is wrong.
            continue
    return found


def call_pages(operation: OperationTemplate, context: Mapping[str, Any], *, most: int = 20) -> Called:
    """Call a list page by page, if its template asks for pages: until one is short, or gives no `next` where it did
    before; `most` pages at most. What was read so far is lost when a later page fails: half a list is a wrong one."""
    paged = paths_of(operation) & {f"poll.{name}" for name in ("page", "offset", "next")}
    records: list[dict[str, Any]] = []
    following: Any = ""
    for page in range(most):
        poll = {"page": page + 1, "offset": page * PAGE, "size": PAGE, "next": following}
        called = call(operation, {**context, "poll": {**context.get("poll", {}), **poll}})
        if not called.succeeded:
            return called
        new = [record for record in called.records if record not in records]
        records += new
        before, following = following, called.captures.get("next") or ""
        short = not following if before or "poll.next" in paged else len(called.records) < PAGE
        # A desk that does not heed the page gives the same one for ever.
        if not paged or short or not new:
            break
    return replace(called, records=records)
