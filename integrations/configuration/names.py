"""Which names a template may use at which place, and sample values for them."""

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.app_fields import known_paths

LOGIN_PREFIX = "login"
AUTH_NAMES = frozenset({"auth.username", "auth.password"})
# What is sent may name credentials: user, password, and what login requests capture.
AUTH_OPEN = "auth"
# Operations that read, and what else they may name: how far a poll is, and the file to fetch.
READING = ("fetch_", "find_", "query_", "download_")
POLL_NAMES = frozenset(
    f"poll.{name}" for name in ("since", "since_seconds", "since_ms", "page", "offset", "size", "next")
)
# What was typed, where the other desk's people are searched.
QUERY_NAMES = frozenset({"query.text"})
FILE_NAMES = frozenset(f"file.{name}" for name in ("id", "url", "name"))
# A session is kept for all tasks, so the request that begins it cannot depend on one.
LOGIN_ROOTS = ("system.",)
# What an expression over an answer may use; behind the open ones stands what the other desk sent.
ANSWER_NAMES = frozenset({"response.status", "response.text"})
ANSWER_OPEN = ("response.json", "response.soap", "response.xml", "response.headers")
# What one record of an answer is called where an operation reads many.
RECORD = "item"

# Where a text would not do as a sample: filters and places ask for these kinds.
SAMPLES: Mapping[str, Any] = {
    "event.request_type": "Submit Request",
    "event.direction": "Out",
    "event.operation": "assign",
    "event.visibility": "public",
    "event.at": "2026-01-31T09:30:00+00:00",
    "task.phase": "initial_support",
    "task.expected_resolution_at": "2026-02-28T17:00:00+00:00",
    "task.created_at": "2026-01-31T09:30:00+00:00",
    "ticket.status.code": 1,
    "ticket.priority.code": "P3",
    "ticket.priority.rank": 3,
    "ticket.created_at": "2026-01-31T09:30:00+00:00",
    "ticket.notes[].at": "2026-01-31T09:30:00+00:00",
    "attachment.size": 6,
    "attachment.content_base64": "c2FtcGxl",
    "poll.since": "2026-01-31T09:30:00+00:00",
    "poll.since_seconds": 1769851800,
    "poll.since_ms": 1769851800000,
    "poll.page": 1,
    "poll.offset": 0,
    "poll.size": 50,
    "process.id": 1,
    "portal.url": "https://desk.example.com",
}


def is_login(operation: str) -> bool:
    """Whether an operation of this name is a login request: it belongs to no task, and what it captures is secret."""
    return operation.startswith(LOGIN_PREFIX)


def names_for_operation(operation: str) -> set[str]:
    """The names that an operation template of this name may use. It serves many processes, so it knows no step."""
    if is_login(operation):
        return {path for path in known_paths() if path.startswith(LOGIN_ROOTS)} | AUTH_NAMES
    if operation.startswith(READING):
        return known_paths() | AUTH_NAMES | POLL_NAMES | FILE_NAMES | QUERY_NAMES
    return known_paths() | AUTH_NAMES


def names_for_step(captures: Mapping[str, Iterable[str]]) -> set[str]:
    """The names that a step may use: the app fields, and what earlier steps captured (step name -> captures)."""
    return known_paths() | {f"steps.{step}.{name}" for step, names in captures.items() for name in names}


def sample_context(names: Iterable[str]) -> dict[str, Any]:
    """A context in which each of these names has a value, of the kind that it has in life."""
    context: dict[str, Any] = {}
    for name in names:
        node: Any = context
        *parents, last = name.split(".")
        for parent in parents:
            key, is_list = parent.removesuffix("[]"), parent.endswith("[]")
            node = node.setdefault(key, [{}] if is_list else {})
            node = node[0] if is_list else node
        sample = SAMPLES.get(name, "sample")
        node[last.removesuffix("[]")] = [sample] if last.endswith("[]") else sample
    return context
