"""Both sides have changed the same thing between two looks: which of the two counts, and in words why."""

from datetime import UTC, datetime
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext as _

from integrations.models import ConflictRule, ExternalSystem
from integrations.polling.records import Record
from tickets.models import History, Task

# Of a solution, which may be long, the history quotes so much.
LONGEST_QUOTED: Final = 200


def theirs_counts(system: ExternalSystem, task: Task, record: Record, field: str) -> bool:
    """By the rule of the system; `field` is what our history calls it."""
    rule = ConflictRule(system.conflict_rule)
    if rule != ConflictRule.NEWER:
        return rule == ConflictRule.THEIRS
    # What another task of the ticket has done does not count; the ticket's own fields are without a task.
    rows = History.objects.filter(Q(task=task) | Q(task=None), field=field, ticket=task.ticket_id)
    here = rows.order_by("-pk").first()
    there = datetime.fromtimestamp(record.modified / 1000, UTC)
    return here is None or (record.modified > 0 and there > here.created_at)


def told(system: ExternalSystem, *, what: str, theirs: str, ours: str, theirs_count: bool) -> str:
    """What the ticket's history says of it: both values, which of them counts, and by which rule."""
    verdict = _("The other desk's value counts.") if theirs_count else _("Our value counts.")
    reason = _("(Rule: %(rule)s.)") % {"rule": ConflictRule(system.conflict_rule).label}
    return _('%(what)s was changed on both sides: "%(theirs)s" at %(system)s, "%(ours)s" here. %(verdict)s') % {
        "what": what,
        "theirs": quoted(theirs),
        "system": system,
        "ours": quoted(ours),
        "verdict": f"{verdict} {reason}",
    }


def quoted(text: str) -> str:
    """The text, or how it begins."""
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]} …"
