"""Document, picture and tables of the life cycle say the same. A table that differs is shown as it should stand."""

import re
from collections.abc import Iterable

from django.conf import settings

from tickets.lifecycle import (
    STATUS_TRANSITIONS,
    TASK_TRANSITIONS,
    TASKS_FOLLOW,
    TICKET_FOLLOWS,
    WOKEN_BY_UPDATES,
    CompletionCode,
    Phase,
    TaskMove,
    TasksAre,
    TasksThen,
    TicketStatus,
)

DOCS = settings.BASE_DIR / "docs"
PAGE = (DOCS / "administrators.md").read_text(encoding="utf-8")
PICTURE = (DOCS / "images" / "life-of-a-ticket.svg").read_text(encoding="utf-8")


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def names(statuses: Iterable[int]) -> str:
    return ", ".join(str(TicketStatus(status).label) for status in statuses)


def by_hand(status: TicketStatus) -> str:
    """What it may be set to."""
    allowed = STATUS_TRANSITIONS[status]
    if set(allowed) == {*TicketStatus} - {TicketStatus.MERGED}:
        return "all but Merged"
    return names(allowed) or "nothing"


def test_every_status_is_described_with_its_number_and_what_it_may_be_set_to() -> None:
    rows = re.findall(r"^\| (\d) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert [(number, name, hand) for number, name, _what, hand in rows] == [
        (str(status.value), str(status.label), by_hand(status)) for status in TicketStatus
    ]
    assert all(len(what) > 20 for _number, _name, what, _hand in rows)


def test_the_moves_of_a_task() -> None:
    def cell(phase: Phase, move: TaskMove) -> str:
        after = TASK_TRANSITIONS.get((phase, move))
        return str(after.label) if after else "-"

    head = ["", *(f"in {phase.label}" for phase in Phase)]
    assert table(head, [[str(move.label), *(cell(phase, move) for phase in Phase)] for move in TaskMove]) in PAGE


def test_how_the_ticket_follows_its_tasks() -> None:
    def cell(status: TicketStatus, tasks: TasksAre) -> str:
        then = TICKET_FOLLOWS.get((status, tasks))
        return str(then.label) if then else "-"

    head = ["the ticket is", *(f"tasks: {tasks.label}" for tasks in TasksAre)]
    rows = [[str(status.label), *(cell(status, tasks) for tasks in TasksAre)] for status in TicketStatus]
    followed = [row for row in rows if set(row[1:]) != {"-"}]
    assert table(head, followed) in PAGE


def test_how_the_tasks_follow_the_ticket() -> None:
    rows = []
    for then in TasksThen:
        pairs = [pair for pair, found in TASKS_FOLLOW.items() if found == then]
        before, after = ({pair[end]: None for pair in pairs} for end in (0, 1))
        assert len(pairs) == len(before) * len(after), "one line can no longer say it"
        rows.append([names(before), names(after), str(then.label)])
    assert table(["the ticket was", "it is set to", "its tasks"], rows) in PAGE


def test_what_wakes_and_why_tasks_end() -> None:
    assert f"wakes a ticket that is {' or '.join(f'*{status.label}*' for status in WOKEN_BY_UPDATES)}" in PAGE
    codes = ", ".join(f"*{code.label}* (`{code}`)" for code in CompletionCode)
    assert codes in " ".join(PAGE.split())


def test_the_picture_shows_every_row_of_the_tables_and_no_other() -> None:
    shown = {row for rows in re.findall(r'data-rows="([^"]+)"', PICTURE) for row in rows.split()}
    moves = {f"{before}:{move}:{after}" for (before, move), after in TASK_TRANSITIONS.items() if after != before}
    follows = {f"follows:{status}:{tasks}:{then}" for (status, tasks), then in TICKET_FOLLOWS.items()}
    follow = {f"tasks:{before}:{after}:{then}" for (before, after), then in TASKS_FOLLOW.items()}
    woken = {f"woken:{status.value}" for status in WOKEN_BY_UPDATES}
    beside = {row for row in shown if row.split(":")[0] in ("hand", "hold", "merge")}
    assert shown - beside == {str(row) for row in (*moves, *follows, *follow, *woken)}
    for row in beside - {"hold", "merge"}:
        _hand, before, after = row.split(":")
        assert TicketStatus(int(after)) in STATUS_TRANSITIONS[int(before)]
    for name in (*TicketStatus.labels, *Phase.labels):
        assert all(word in PICTURE for word in str(name).split()), name
