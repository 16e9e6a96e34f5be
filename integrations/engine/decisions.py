"""What a person decides about a run: retry, skip, hold, cancel, and what became of a request of unknown outcome.

Each decision is one transaction: the run changes under its stream's lock, the ticket's history says who decided, and
the stream is woken. A run that a worker is just executing cannot be decided about: `ActionRefused`.
"""

from collections.abc import Callable
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.definition import current_version
from integrations.engine import results
from integrations.engine.references import store_reference
from integrations.engine.streams import append, next_position, wake
from integrations.models import ProcessRun, ProcessVersion, Repeat, RunState, StepRun, StepState, Stream
from tickets.actions import add_remark
from tickets.actors import Actor
from tickets.errors import ActionRefused, InvalidInput

REFERENCE: Final = "external_reference"
WAITING: Final = (RunState.QUEUED, RunState.RETRYING, RunState.AWAITING, RunState.PARKED)

# decision -> the states in which it may be taken. The screens offer exactly these.
ALLOWED: Final[dict[str, tuple[RunState, ...]]] = {
    "retry": (RunState.RETRYING, RunState.ATTENTION, RunState.AWAITING),
    "rerender": (RunState.RETRYING, RunState.ATTENTION, RunState.QUEUED, RunState.HELD),
    "skip": (*WAITING, RunState.ATTENTION, RunState.HELD),
    "hold": (RunState.QUEUED, RunState.RETRYING, RunState.AWAITING, RunState.ATTENTION),
    "release": (RunState.HELD,),
    "cancel": (*WAITING, RunState.ATTENTION, RunState.HELD),
    "arrived": (RunState.ATTENTION, RunState.RETRYING),
    "send_again": (RunState.ATTENTION, RunState.RETRYING),
}
LABELS: Final = {
    "retry": gettext_lazy("Retry now"),
    "rerender": gettext_lazy("Retry with the current configuration"),
    "skip": gettext_lazy("Skip this step"),
    "hold": gettext_lazy("Hold"),
    "release": gettext_lazy("Release"),
    "cancel": gettext_lazy("Cancel"),
    "arrived": gettext_lazy("It arrived"),
    "send_again": gettext_lazy("Send again"),
}


def allowed_decisions(run: ProcessRun) -> list[str]:
    """What a person may decide about this run now. While the outcome of a request is unknown, nothing that would send
    it blindly: either it arrived, or a person says to send it again."""
    allowed = [name for name, states in ALLOWED.items() if run.state in states]
    if run.version.process.built_in:
        # Nobody has configured it, so there is nothing to make it anew from.
        allowed = [name for name in allowed if name != "rerender"]
    if not run.steps.filter(index=run.step_index, state=StepState.UNKNOWN).exists():
        return [name for name in allowed if name not in ("arrived", "send_again")]
    request = run.version.definition["steps"][run.step_index]["request"] or {}
    blind = ("rerender",) if request.get("repeat") in (Repeat.SAFE, Repeat.PROBE) else ("rerender", "retry")
    return [name for name in allowed if name not in blind]


def retry_now(run: ProcessRun, *, by: Actor) -> None:
    """Try again at once, with the same bytes under the same idempotency key; failures are counted anew."""

    def change(fresh: ProcessRun, stream: Stream) -> None:
        fresh.steps.filter(index=fresh.step_index).update(failures=0)
        _queue(fresh)

    _decide(run, "retry", by, change)


def retry_rerendered(run: ProcessRun, *, by: Actor) -> None:
    """Render the step anew with the process as it is configured now, and go on with the steps behind it.

    Steps that are done stay done: `ActionRefused` when the process has other steps before this one by now.
    """
    # Before the stream is locked: actions lock a process first and a stream after it.
    version = current_version(run.version.process)

    def change(fresh: ProcessRun, stream: Stream) -> None:
        if _names_before(fresh, version) != _names_before(fresh, fresh.version):
            raise ActionRefused(
                _(
                    "The steps before this one were changed, so that it cannot go on from here. Retry with what was "
                    "rendered, skip the step, or cancel the run."
                )
            )
        fresh.version = version
        fresh.save(update_fields=["version"])
        # Without its row the step begins from nothing: new request, new idempotency key. Its exchanges stay.
        fresh.steps.filter(index=fresh.step_index).delete()
        _queue(fresh)

    _decide(run, "rerender", by, change)


def skip_step(run: ProcessRun, *, by: Actor) -> None:
    """Go on with the next step without this one."""

    def change(fresh: ProcessRun, stream: Stream) -> None:
        definitions = fresh.version.definition["steps"]
        if fresh.step_index >= len(definitions):
            results.end(fresh, RunState.SKIPPED)
            return
        definition = definitions[fresh.step_index]
        step, _created = StepRun.objects.get_or_create(
            run=fresh, index=fresh.step_index, defaults={"name": definition["name"], "kind": definition["kind"]}
        )
        parked = fresh.state == RunState.PARKED
        results.write(fresh, step, results.skipped(_("Skipped by %(person)s.") % {"person": by.name}))
        if not fresh.has_ended:
            _queue(fresh)
            if parked:
                fresh.position = next_position(stream)
                fresh.save(update_fields=["position"])

    _decide(run, "skip", by, change)


def hold_run(run: ProcessRun, *, by: Actor) -> None:
    """Keep the run, and so everything behind it in its stream, until it is released."""

    def change(fresh: ProcessRun, stream: Stream) -> None:
        fresh.state = RunState.HELD
        fresh.reason = _("Held by %(person)s.") % {"person": by.name}
        fresh.due_at = None
        fresh.save(update_fields=["state", "reason", "due_at"])

    _decide(run, "hold", by, change)


def release_run(run: ProcessRun, *, by: Actor) -> None:
    """Let a held run go on."""
    _decide(run, "release", by, lambda fresh, stream: _queue(fresh))


def cancel_run(run: ProcessRun, *, by: Actor) -> None:
    """End the run without its remaining steps; what was sent stays sent."""

    def change(fresh: ProcessRun, stream: Stream) -> None:
        results.end(fresh, RunState.CANCELLED, reason=_("Cancelled by %(person)s.") % {"person": by.name})

    _decide(run, "cancel", by, change)


def it_arrived(run: ProcessRun, *, by: Actor, reference: str = "") -> None:
    """The request of unknown outcome did arrive; `reference` is the number that the other desk gave, if it did."""
    reference = reference.strip()

    def change(fresh: ProcessRun, stream: Stream) -> None:
        step = fresh.steps.get(index=fresh.step_index)
        definition = fresh.version.definition["steps"][fresh.step_index]
        if definition["creates"] and not reference:
            known = stream.task.external_references.filter(system=stream.system).exists()
            if not known:
                raise InvalidInput(_("Enter the number that the other desk gave the ticket."))
        if reference:
            store_reference(task=stream.task, system=stream.system, value=reference)
        reason = _("Arrived, says %(person)s.") % {"person": by.name}
        results.write(
            fresh, step, results.done(captures={"reference": reference} if reference else {}, reason=reason)
        )
        if not fresh.has_ended:
            _queue(fresh)

    _decide(run, "arrived", by, change)


def send_again(run: ProcessRun, *, by: Actor) -> None:
    """The request of unknown outcome did not arrive: send the same bytes again."""

    def change(fresh: ProcessRun, stream: Stream) -> None:
        fresh.steps.filter(index=fresh.step_index).update(state=StepState.FAILED, failures=0, probes=0)
        _queue(fresh)

    _decide(run, "send_again", by, change)


@transaction.atomic
def replay_step(step: StepRun, *, by: Actor, same_bytes: bool) -> ProcessRun:
    """Run a step that is done once more, at the tail of its stream: with the same bytes under the same idempotency
    key, or rendered anew with the process as it is configured now."""
    old = step.run
    stream = old.stream
    if step.state not in (StepState.DONE, StepState.SKIPPED) and not old.has_ended:
        raise ActionRefused(_("This step is still under way: use the decisions on its run instead."))
    if same_bytes and step.request is None:
        raise ActionRefused(_("Nothing was sent by this step, so there are no bytes to repeat."))
    version = old.version if same_bytes else current_version(old.version.process)
    # A run looks at the reference as it is when it begins: so does this one.
    snapshot = {**old.snapshot, "task": {k: v for k, v in old.snapshot["task"].items() if k != REFERENCE}}
    index = _index_of(step, version.definition["steps"])
    add_remark(
        actor=by,
        ticket=stream.task.ticket,
        task=stream.task,
        text=_("Step %(step)s of run %(run)d is replayed.") % {"step": step.name, "run": old.pk},
    )
    run = append(
        task=stream.task,
        system=stream.system,
        subscription=stream.subscription,
        version=version,
        group=old.group,
        operation=old.operation,
        request_type=old.request_type,
        direction=old.direction,
        snapshot=snapshot,
        note=old.note,
        attachment=old.attachment,
        replay_of=old,
        only_step=index,
    )
    if same_bytes:
        StepRun.objects.create(
            run=run,
            index=index,
            name=step.name,
            kind=step.kind,
            request=step.request,
            request_body=step.request_body,
            idempotency_key=step.idempotency_key,
        )
    return run


def _names_before(run: ProcessRun, version: ProcessVersion) -> list[str]:
    return [definition["name"] for definition in version.definition["steps"][: run.step_index]]


def _index_of(step: StepRun, definitions: list[dict[str, str]]) -> int:
    for index, definition in enumerate(definitions):
        if definition["name"] == step.name:
            return index
    raise ActionRefused(_('The process has no step "%(name)s" any more.') % {"name": step.name})


def _decide(run: ProcessRun, decision: str, by: Actor, change: Callable[[ProcessRun, Stream], None]) -> None:
    with transaction.atomic():
        task = run.stream.task
        add_remark(
            actor=by,
            ticket=task.ticket,
            task=task,
            text=_("%(decision)s: run %(run)d, %(operation)s.")
            % {"decision": LABELS[decision], "run": run.pk, "operation": run.operation},
        )
        stream = (
            Stream.objects.select_for_update(of=("self",), no_key=True)
            .select_related("system", "task__ticket")
            .get(pk=run.stream_id)
        )
        fresh = ProcessRun.objects.select_related("version__process").get(pk=run.pk)
        if decision not in allowed_decisions(fresh):
            raise ActionRefused(
                _('This run is in the state "%(state)s" by now: %(decision)s is not possible. Reload the page.')
                % {"state": fresh.get_state_display(), "decision": LABELS[decision]}
            )
        change(fresh, stream)
        wake(stream)


def _queue(run: ProcessRun) -> None:
    run.state = RunState.QUEUED
    run.due_at = None
    run.reason = ""
    run.save(update_fields=["state", "due_at", "reason"])
