"""What another desk's ticket shows against what it showed at the last look, and against ours: what follows from it.

Only what has changed over there counts. A value that we have set there ourselves is no change of theirs; one that the
value maps do not translate is not guessed at. Where both sides have changed the same thing since the last look, the
system's rule decides, and the ticket's history says how.
"""

import html
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from integrations.engine.outcome import TAG
from integrations.inbound.messages import (
    Cancellation,
    Closure,
    LocalAssignment,
    Message,
    Rejection,
    Reopening,
    Resolution,
    Update,
)
from integrations.models import (
    ENDED as RUNS_ENDED,
)
from integrations.models import (
    Direction,
    ExternalReference,
    ExternalSystem,
    ProcessRun,
    SentValue,
    StepRun,
    StepState,
    TheirTicket,
    ValueKind,
    ValueMapping,
    ValueWay,
)
from integrations.polling import conflicts
from integrations.polling.records import MODIFIED, Record, milliseconds, moment
from integrations.polling.sent import last_arrived
from integrations.snapshot import snapshot
from integrations.value_maps import Untranslated, ours_for, theirs_for
from tickets.actors import Actor
from tickets.lifecycle import CompletionCode, Phase
from tickets.models import Task

STATUS: Final = "status"
SOLUTION: Final = "solution"
EXPECTED: Final = "expected_resolution_at"
# What is set on our ticket when it changes there; named like its value map.
FACTS: Final = ("priority", "category", "group")
CANCELLED: Final = "cancelled"
REJECTED: Final = "rejected"
OPEN: Final = (Phase.INITIAL_SUPPORT, Phase.ESCALATE)
ENDED: Final = (Phase.REVIEW, Phase.CLOSE)
# What is kept beside our own values: our word for their status, the last that had one.
THEIR_STATUS: Final = "their_status"
# The operations with which we move their ticket, whatever the desk's process makes of them.
MOVES: Final = ("assign", "accept", "reopen", "resolve", "close", "cancel", "reject")
# For each of our words for a status of theirs, the phases of a task that agree with it already.
AGREES: Final[dict[str, tuple[str, ...]]] = {
    Phase.INITIAL_SUPPORT: OPEN,
    Phase.ESCALATE: OPEN,
    Phase.REVIEW: ENDED,
    Phase.CLOSE: (Phase.CLOSE,),
}


@dataclass
class Findings:
    """What a look comes to: messages in their order, remarks for the history, and what is remembered of the look.
    `taken` names what is set here, `kept` what was changed on both sides and stays ours."""

    messages: list[Message] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    untranslated: dict[str, dict[str, str]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)


def ours_of(task: Task) -> dict[str, str]:
    """What we have, in our own words."""
    ticket = task.ticket
    return {
        "priority": ticket.priority.code,
        "category": ticket.category.code if ticket.category else "",
        "group": task.group.code if task.group else "",
        "phase": str(task.phase),
        "solution": task.solution,
        "completion_code": str(task.completion_code),
    }


def ours_when_sent(said: dict[str, Any]) -> dict[str, str]:
    """What we had when an event was written down."""
    ticket, task = said["ticket"], said["task"]
    return {
        "priority": ticket["priority"]["code"],
        "category": (ticket["category"] or {}).get("code") or "",
        "group": (task["group"] or {}).get("code") or "",
        "phase": task["phase"],
        "solution": task["solution"],
    }


@dataclass
class Comparison:
    """One record against the last look. `looked_at` is when it was asked for, by our clock."""

    reference: ExternalReference
    task: Task
    seen: TheirTicket
    record: Record
    looked_at: datetime
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self.system: ExternalSystem = self.reference.system
        self.first = not self.seen.values
        self.ours = ours_of(self.task)
        self.before: dict[str, str] = self.seen.values
        self.ours_before: dict[str, str] = self.seen.ours
        if self.first:
            self.before, self.ours_before = self._created_with()
        rows = ValueMapping.objects.filter(system=self.system, way__in=[ValueWay.BOTH, ValueWay.IN])
        self.mapped = set(rows.values_list("kind", flat=True))
        self.out = theirs_for(self.system, self._context())
        sent = SentValue.objects.filter(task=self.task, system=self.system)
        self.sent = set(sent.values_list("kind", "value"))
        self.is_pending = self._pending().exists()

    def ours_kept_after(self, task: Task) -> dict[str, str]:
        """What counts as ours at this look. A change of ours that is still on its way to them is one since the last
        look, also for the next."""
        after = ours_of(task)
        if self.is_pending:
            before = {name: value for name, value in self.ours_before.items() if name in after}
            after |= {name: value for name, value in before.items() if after[name] == self.ours[name]}
        meaning = self._meaning(self.record.values.get(STATUS, "")) or self.ours_before.get(THEIR_STATUS, "")
        return after | {THEIR_STATUS: meaning}

    def to_be_told(self, task: Task) -> set[str]:
        """What they have to be told once more, after all was taken over: where our value counts, and where a request
        of an earlier time is still on its way, which would undo what was taken over."""
        names, taken, ours = set(self.findings.kept), self.findings.taken, ours_of(task)
        if SOLUTION in names and task.phase in ENDED:
            names = names - {SOLUTION} | {STATUS}
        for run in self._pending().select_related("version") if names or taken else ():
            then, written = ours_when_sent(run.snapshot), str(run.version.definition)
            moves = run.operation in MOVES and run.note_id is None and run.attachment_id is None
            if moves and all(then[name] == ours[name] for name in ("phase", SOLUTION)):
                names.discard(STATUS)
            elif moves and STATUS in taken:
                names.add(STATUS)
            changed = {name for name in taken - {STATUS, EXPECTED} if then[name] != ours[name]}
            names |= {name for name in changed if f"{'task' if name == SOLUTION else 'theirs'}.{name}" in written}
        return names

    def _pending(self) -> QuerySet[ProcessRun]:
        """What is still on its way to them. That a webhook is to be delivered changes nothing over there."""
        runs = ProcessRun.objects.filter(
            stream__task=self.task, stream__system=self.system, stream__subscription=None, direction=Direction.OUT
        )
        return runs.exclude(state__in=RUNS_ENDED).order_by("position")

    def compare(self) -> Findings:
        """All of it."""
        facts = self._facts()
        if facts:
            self.findings.messages.append(Update(**self._named(), **facts, synchronised=True, may_be_empty=True))
        moved = self._status()
        self.findings.taken = {*facts, *([STATUS] if moved else [])}
        if not moved and "group" not in facts and self._assigned_there():
            self.findings.messages.append(LocalAssignment(**self._named()))
        self.findings.messages += moved
        return self.findings

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for name in FACTS:
            if (value := self._fact(name)) is not None:
                facts[name] = value
        if not self._ends() and self._has_another_solution():
            facts[SOLUTION] = self.record.values[SOLUTION]
        expected = self.record.values.get(EXPECTED, "")
        if expected and expected != self.before.get(EXPECTED):
            try:
                facts[EXPECTED] = moment(expected)
            except ValueError as problem:
                self._untranslated(EXPECTED, expected, str(problem))
        return facts

    def _fact(self, name: str) -> str | None:
        """Our value for theirs, where it is to be set here."""
        theirs = self.record.values.get(name, "")
        if not theirs or name not in self.mapped:
            return None
        if theirs == self._base(name) and not self._is_set_back(name, theirs):
            return None
        if name not in self.before and name not in self.seen.untranslated:
            # The first look: nobody knows what it was before.
            return None
        try:
            ours = ours_for(self.system, name, theirs)
        except Untranslated as problem:
            self._untranslated(name, theirs, str(problem))
            return None
        if not ours or ours == self.ours[name] or theirs == self.out.get(name) or (name, theirs) in self.sent:
            return None
        if self.ours[name] != self.ours_before.get(name, self.ours[name]):
            here = self.task.group if name == "group" else getattr(self.task.ticket, name)
            said = {"theirs": self._in_words(name, theirs), "ours": str(here or "-")}
            if not self._theirs_count(name, name, str(ValueKind(name).label), **said):
                return None
        return ours

    def _is_set_back(self, name: str, theirs: str) -> bool:
        """Whether a value of ours has arrived since the last look and was changed back; no late list counts."""
        last = last_arrived(self.task, self.system, name, before=self.looked_at)
        before = str(self.before.get(MODIFIED, ""))
        return last not in (None, theirs) and bool(before) and milliseconds(before) < self.record.modified

    def _has_another_solution(self) -> bool:
        """Whether they have written another solution than before and than ours, and it counts."""
        theirs, ours = self.record.values.get(SOLUTION, ""), self.ours[SOLUTION]
        if not plain(theirs) or plain(theirs) in (plain(self.before.get(SOLUTION, "")), plain(ours)):
            return False
        if not plain(ours) or ours == self.ours_before.get(SOLUTION, ours):
            return True
        return self._theirs_count(SOLUTION, SOLUTION, _("Solution"), theirs=theirs, ours=ours)

    def _status(self) -> list[Message]:
        """What becomes of our task."""
        theirs = self.record.values.get(STATUS, "")
        if not theirs or STATUS not in self.mapped:
            return []
        try:
            target = ours_for(self.system, STATUS, theirs)
        except Untranslated as problem:
            self._untranslated(STATUS, theirs, str(problem))
            return []
        phase = self.ours["phase"]
        was, told = self._meaning(self._base(STATUS)), self.seen.ours.get(THEIR_STATUS, "")
        changed = target != was
        if self.first:
            changed = target != told if told else target not in OPEN
        # A status that is only shown may have come between, or a call that told of it.
        if target in OPEN and (was or told) not in (*ENDED, CANCELLED, REJECTED):
            # From one kind of working on it to another: no reopening, even where we have ended it meanwhile.
            changed = False
        answered = target not in OPEN and phase in OPEN and self._reopened_since()
        changed = changed or answered
        if not target:
            return []
        agrees = phase in AGREES.get(target, ()) or (target == CANCELLED and self._is_cancelled())
        if agrees:
            return self._solved_anew(target) if phase == Phase.REVIEW or changed else []
        if not changed or (STATUS, theirs) in self.sent:
            return []
        if phase != self.ours_before.get("phase", phase) and not self.first and not answered:
            said = {"theirs": self._in_words(STATUS, theirs), "ours": str(Phase(phase).label)}
            if not self._theirs_count(STATUS, "phase", str(ValueKind.STATUS.label), **said):
                return []
        return [self._operation(target)]

    def _operation(self, target: str) -> Message:
        by = self._named()
        match target:
            case Phase.REVIEW:
                return Resolution(**by, **self._solved())
            case Phase.CLOSE:
                return Closure(**by, **self._solved())
            case "cancelled":
                return Cancellation(**by)
            case "rejected":
                return Rejection(**by)
            case _:
                return Reopening(**by)

    def _solved_anew(self, target: str) -> list[Message]:
        """Another solution of a task that was solved before."""
        if target not in ENDED or not self._has_another_solution():
            return []
        return [self._operation(target)]

    def _solved(self) -> dict[str, Any]:
        values = {"solution": self.record.values.get(SOLUTION, ""), "completion_code": ""}
        code, kind = self.record.values.get("completion_code", ""), ValueKind.COMPLETION_CODE
        if code and kind in self.mapped:
            try:
                values["completion_code"] = ours_for(self.system, kind, code)
            except Untranslated as problem:
                self._untranslated(kind, code, str(problem))
        return values

    def _ends(self) -> bool:
        """Whether their ticket is solved: then the solution goes with that."""
        return self._meaning(self.record.values.get(STATUS, "")) in ENDED

    def _assigned_there(self) -> bool:
        """Whether somebody else has it there, while it is worked on here and there."""
        if self.first or self.ours["phase"] not in OPEN or self._ends():
            return False
        shown = {name: self.record.values.get(name, "") for name in ("assignee", "group")}
        if shown["group"] == self.out.get("group") or ("group", shown["group"]) in self.sent:
            # That we have set there ourselves.
            del shown["group"]
        return any(value and value != self.before.get(name, "") for name, value in shown.items())

    def _reopened_since(self) -> bool:
        """Whether they have solved it again after we had opened it again, and no look came between.

        The request counts from its answer on: the look that follows it need not wait for the rest of its run.
        """
        steps = StepRun.objects.filter(
            run__stream__task=self.task,
            run__stream__system=self.system,
            run__direction=Direction.OUT,
            run__operation="reopen",
            state=StepState.DONE,
            request__isnull=False,
            finished_at__lt=self.looked_at,
        )
        if self.seen.seen_at is not None:
            steps = steps.filter(finished_at__gt=self.seen.seen_at)
        if not steps.exists():
            return False
        another = self.record.values.get(SOLUTION, "") != self.before.get(SOLUTION, "")
        opened = SentValue.objects.filter(task=self.task, system=self.system, kind=STATUS, step__in=steps)
        return another or opened.exists()

    def _theirs_count(self, name: str, field: str, label: str, *, theirs: str, ours: str) -> bool:
        """Who wins where both sides have changed it; written into the history. `field` is our history's name for
        it."""
        wins = conflicts.theirs_counts(self.system, self.task, self.record, field)
        self.findings.remarks.append(
            conflicts.told(self.system, what=label, theirs=theirs, ours=ours, theirs_count=wins)
        )
        if not wins:
            self.findings.kept.add(name)
        return wins

    def _in_words(self, kind: str, theirs: str) -> str:
        """Their value as people read it."""
        row = ValueMapping.objects.filter(system=self.system, kind=kind, theirs=theirs).exclude(label="").first()
        return row.label if row else theirs

    def _untranslated(self, name: str, theirs: str, problem: str) -> None:
        before = self.seen.untranslated.get(name, {})
        if before.get("theirs") != theirs:
            self.findings.remarks.append(_("%(problem)s The ticket keeps its value.") % {"problem": problem})
        self.findings.untranslated[name] = {"theirs": theirs, "base": self._base(name)}

    def _base(self, name: str) -> str:
        """Their value at the last look that was taken over: what could not be translated is still to come."""
        waiting = self.seen.untranslated.get(name)
        return str(waiting["base"]) if waiting else str(self.before.get(name, ""))

    def _meaning(self, theirs: str) -> str:
        try:
            return ours_for(self.system, STATUS, theirs) if theirs else ""
        except Untranslated:
            return ""

    def _is_cancelled(self) -> bool:
        return self.ours["phase"] in ENDED and self.ours["completion_code"] == CompletionCode.ABANDONED

    def _named(self) -> dict[str, Any]:
        return {"task_number": self.task.number}

    def _context(self) -> dict[str, Any]:
        return snapshot(
            task=self.task, system=self.system, request_type="", direction="", operation="", actor=Actor.system()
        )

    def _created_with(self) -> tuple[dict[str, str], dict[str, str]]:
        """Before the first look: what the request that created their ticket said, and what we had then."""
        run = (
            ProcessRun.objects.filter(stream__task=self.task, stream__system=self.system, operation="assign")
            .select_related("version")
            .order_by("pk")
            .first()
        )
        if run is None:
            return {}, {}
        said = theirs_for(self.system, run.snapshot)
        written = str(run.version.definition)
        values = {name: value for name, value in said.items() if f"theirs.{name}" in written and name in FACTS}
        ours = {name: value for name, value in ours_when_sent(run.snapshot).items() if name in FACTS}
        return values, ours


def plain(text: str) -> str:
    """What a text says: a desk may keep what we have sent with other blanks, or as HTML."""
    return " ".join(html.unescape(TAG.sub(" ", text)).split())
