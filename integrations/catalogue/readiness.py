"""Whether a system that is being set up can be activated, and what a person should know before."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from integrations.catalogue.hiding import HIDDEN, marks
from integrations.catalogue.rows import plain_fields
from integrations.catalogue.trials import trials
from integrations.catalogue.used_values import needed_kinds, sent_kinds
from integrations.connection import TEST, harmless_operations
from integrations.direct import UNSENDABLE, rendered
from integrations.levels import Level, missing_functions
from integrations.models import (
    Authentication,
    Exchange,
    ExternalSystem,
    GroupBinding,
    Mailbox,
    OperationTemplate,
    Outcome,
    Polling,
    Setup,
    SetupStep,
    ValueKind,
)
from integrations.models.systems import WS_SECURITY
from integrations.secrets import UnreadableSecret
from integrations.their_values import untold
from integrations.trial_values import TrialValues, context_for_trial
from tickets.actors import Actor


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `kind` is good, doubt or bad; what is bad refuses the activation. `step` mends it."""

    kind: str
    title: str
    words: str
    step: SetupStep

    @property
    def refuses(self) -> bool:
        """Whether the system cannot be activated because of it."""
        return self.kind == "bad"


def findings(system: ExternalSystem, setup: Setup) -> list[Finding]:
    """Everything that is looked at, in the order of the guided form."""
    return [
        _credentials(system),
        _level(system),
        *_left_out(system),
        *_wsdls(system),
        _test(system),
        *_values(system),
        *_polling(system),
        *_mailbox(system),
        _group(setup),
        *_preview(setup),
    ]


def _credentials(system: ExternalSystem) -> Finding:
    title, step = _("Credentials"), SetupStep.CONNECTION
    if isinstance(system.auth_secret, UnreadableSecret):
        return Finding("bad", title, _("The stored secret cannot be decrypted. Enter it again."), step)
    if not system.base_url:
        return Finding("good", title, _("It is reached by mail alone."), step)
    if system.auth_kind == Authentication.NONE:
        return Finding("doubt", title, _("None: the other desk asks nobody who they are."), step)
    if system.auth_secret:
        return Finding("good", title, str(system.get_auth_kind_display()), step)
    if system.auth_kind in NEEDS_SECRET:
        return Finding("bad", title, _("The password, token or key is missing."), step)
    return Finding("doubt", title, _("No password, token or key is stored."), step)


# Kinds that send nothing without one. A login request, or a template, may do without.
NEEDS_SECRET = (
    Authentication.BASIC,
    Authentication.BEARER,
    Authentication.KEY_HEADER,
    Authentication.KEY_QUERY,
    Authentication.OAUTH,
    *WS_SECURITY,
)


def _level(system: ExternalSystem) -> Finding:
    label = _("Level: %(level)s") % {"level": Level(system.level).label} if system.level else Level.NONE.label
    missing = missing_functions(system, system.level)
    if missing:
        words = ", ".join(str(function.label) for function in missing)
        return Finding("bad", str(label), _("It lacks: %(missing)s.") % {"missing": words}, SetupStep.LEVEL)
    if not system.base_url:
        return Finding("good", str(label), _("It is written to by mail, by its processes."), SetupStep.LEVEL)
    if not system.operations.exists():
        return Finding("doubt", str(label), _("It has no operations: nothing is sent."), SetupStep.LEVEL)
    if not system.level:
        return Finding("good", str(label), _("Nothing is needed: what its processes call is done."), SetupStep.LEVEL)
    return Finding("good", str(label), _("All operations that it needs are there."), SetupStep.LEVEL)


def _left_out(system: ExternalSystem) -> list[Finding]:
    """Where a mark of a file stands in the place of a secret."""
    words = _('Where "%(mark)s" stands, a secret was left out of the file or the copy: enter it there.')
    return [
        Finding("bad", operation.name, words % {"mark": HIDDEN}, SetupStep.LEVEL)
        for operation in system.operations.all()
        if any(marks(getattr(operation, field.name)) for field in plain_fields(OperationTemplate))
    ]


def _wsdls(system: ExternalSystem) -> list[Finding]:
    missing = system.wsdls.filter(fetched_at=None)
    words = _("It was not fetched yet.")
    return [Finding("bad", _("WSDL %(name)s") % {"name": wsdl.name}, words, SetupStep.TEST) for wsdl in missing]


def _test(system: ExternalSystem) -> Finding:
    title, step = _("Connection"), SetupStep.TEST
    if not system.base_url:
        return Finding("good", title, _("It is reached by mail alone: there is nothing to call."), step)
    if problem := _cannot_be_tested(system):
        # Nothing is in the log of a request that could not be made.
        return Finding("doubt", title, _("A test cannot be sent: %(problem)s") % {"problem": problem}, step)
    last = last_test(system)
    if last is None:
        return Finding("doubt", title, _("It was not tested."), step)
    if last.outcome == Outcome.SUCCEEDED and last.url == system.base_url and harmless_operations(system):
        words = _("Only its bare address was called: path and credentials were not tried.")
        return Finding("doubt", title, words, step)
    if last.outcome == Outcome.SUCCEEDED:
        return Finding("good", title, _("The last test succeeded."), step)
    return Finding("doubt", title, _("The last test failed: %(error)s") % {"error": last.error or last.status}, step)


def last_test(system: ExternalSystem) -> Exchange | None:
    """The last call by which the connection was tested."""
    return Exchange.objects.filter(system=system, operation=TEST).order_by("-pk").first()


def _cannot_be_tested(system: ExternalSystem) -> str:
    """Why the request with which the connection is tested cannot be made, such as a setting that is empty."""
    operation = next(iter(trials(system)), None)
    if operation is None:
        return ""
    try:
        rendered(operation, context_for_trial(operation, TrialValues(), actor=Actor.system()))
    except UNSENDABLE as problem:
        return str(problem)
    return ""


def _values(system: ExternalSystem) -> list[Finding]:
    """For each map that a template uses: our values without a translation, for which nothing could be sent."""
    used, needed = sent_kinds(system), needed_kinds(system)
    found = []
    for kind in [kind for kind in ValueKind.values if kind in used]:
        title = _("Value map: %(kind)s") % {"kind": ValueKind(kind).label}
        without = untold(system, kind).ours
        words = _("Without a translation: %(missing)s. Tasks with such a value cannot be sent.")
        if kind not in needed:
            words = _("Without a translation: %(missing)s. Tasks with such a value are sent without it.")
        if kind == ValueKind.GROUP:
            # Presets name a group where the map has it: without a map none is missing, nor are groups of other desks.
            if not system.value_mappings.filter(kind=kind).exists():
                continue
            theirs = set(system.bindings.values_list("group__code", flat=True))
            without = [pair for pair in without if pair[0] in theirs]
            words = _(
                "Without a translation: %(missing)s. Their tasks go without a group; where one is needed, not at all."
            )
        missing = [name for _code, name in without]
        if missing:
            words = words % {"missing": ", ".join(missing)}
            found.append(Finding("doubt" if kind in needed else "good", title, words, SetupStep.VALUES))
        else:
            found.append(Finding("good", title, _("Every value of ours has a translation."), SetupStep.VALUES))
    return found


def _group(setup: Setup) -> Finding:
    title = _("Group")
    binding = GroupBinding.objects.filter(group=setup.group_id).first() if setup.group_id else None
    if binding is None:
        return Finding("doubt", title, _("No group stands for it: nobody can give it a task."), SetupStep.GROUP)
    missing = binding.missing()
    if missing:
        return Finding("bad", title, " ".join(missing.values()), SetupStep.GROUP)
    words = _("Once it is active, tasks given to %(group)s go there.") % {"group": binding.group}
    return Finding("good", title, words, SetupStep.GROUP)


def _preview(setup: Setup) -> list[Finding]:
    """Whether somebody has looked at what would be sent: whoever passed that step has."""
    steps = list(SetupStep)
    if not setup.group_id or steps.index(SetupStep(setup.reached)) > steps.index(SetupStep.PREVIEW):
        return []
    words = _("Nobody has looked yet at what would be sent for a ticket.")
    return [Finding("bad", _("Preview"), words, SetupStep.PREVIEW)]


def _mailbox(system: ExternalSystem) -> list[Finding]:
    """Whether answers of a desk that is written to by mail are read at all."""
    if not system.mail_to or Mailbox.objects.filter(active=True).exists():
        return []
    words = _("No mailbox is read, so its answers do not come in: add one below Integrations, Mailboxes.")
    return [Finding("doubt", _("Mailbox"), words, SetupStep.CONNECTION)]


def _polling(system: ExternalSystem) -> list[Finding]:
    """Whether a desk that is to be asked for news can be: presets do not know its path and our name there."""
    polling = Polling.objects.filter(system=system).first()
    if polling is None:
        return []
    try:
        polling.full_clean()
    except ValidationError as error:
        words = _("Fill it in on the system's page: %(problems)s") % {"problems": " ".join(error.messages)}
        return [Finding("bad", _("Polling"), words, SetupStep.CONNECTION)]
    return [Finding("good", _("Polling"), _("It is asked for news."), SetupStep.CONNECTION)]
