"""The check of webhooks and their rules before they are saved, and their form in presets and exports."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from integrations.configuration.lines import capture_lines
from integrations.configuration.requests import Problems
from integrations.models import ExternalSystem, Hook, HookAuthentication, HookOperation, HookRule
from integrations.models.hooks import WITH_HEADER
from integrations.templating import check_expression, used_paths
from integrations.transports.http import TOKEN

# What expressions may use; behind the open ones stands what the other desk sent.
NAMES: Final = frozenset({"method"})
OPEN: Final = ("body", "headers", "query")

ABOUT: Final = ("task", "reference", "external_id")
SAID_BY: Final = ("author", "message_id")
FILES: Final = ("attachments", "attachment.name", "attachment.content_base64", "attachment.content_type")
SAID: Final = ("text", "visibility", "written_at", *FILES)
PROPERTIES: Final = ("title", "description", "priority", "category")
SOLVED: Final = ("solution", "completion_code")
# Operation -> the fields that it takes. What a rule gives besides would be lost, so it cannot be saved.
TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    HookOperation.CREATE: (
        *ABOUT, *SAID_BY, *PROPERTIES, "queue", "contact_email", "contact_name", "text", *FILES,
    ),
    HookOperation.ACKNOWLEDGE: (*ABOUT, *SAID_BY),
    HookOperation.UPDATE: (*ABOUT, *SAID_BY, *SAID, "note_id", *PROPERTIES, "solution", "expected_resolution_at"),
    HookOperation.STATUS: (*ABOUT, *SAID_BY, *SAID, "note_id", *SOLVED, "status"),
    HookOperation.RESOLVE: (*ABOUT, *SAID_BY, *SAID, *SOLVED),
    HookOperation.CLOSE: (*ABOUT, *SAID_BY, *SAID, *SOLVED),
    HookOperation.REOPEN: (*ABOUT, *SAID_BY, "text", *FILES),
    HookOperation.ASSIGN: (*ABOUT, *SAID_BY, *SAID),
    HookOperation.REJECT: (*ABOUT, *SAID_BY, "text", *FILES),
    HookOperation.CANCEL: (*ABOUT, *SAID_BY, *SAID),
    HookOperation.REASSIGN: (*ABOUT, *SAID_BY, "text", *SOLVED),
    HookOperation.FETCH: ("reference", "external_id"),
    HookOperation.IGNORE: (),
}  # fmt: skip
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    HookOperation.CREATE: ("reference", "title", "contact_email"),
    HookOperation.ACKNOWLEDGE: ("task", "reference"),
    HookOperation.STATUS: ("status",),
}
# What a document of a webhook may hold, besides `rules`. Secrets are never in it.
DOCUMENT: Final = (
    "active", "recording_only", "authentication", "username", "header", "prefix", "algorithm", "encoding", "signed",
    "timestamp_header", "tolerance_seconds", "message_id", "unknown_tickets", "answer", "answers_strangers",
)  # fmt: skip
RULE: Final = ("name", "active", "condition", "operation", "fields")


def problems_of_hook(hook: Mapping[str, Any]) -> Problems:
    """What keeps a webhook from being saved: field -> sentences. `hook` holds the fields of `Hook` by name."""
    problems: Problems = defaultdict(list)
    kind = hook["authentication"]
    if kind in WITH_HEADER and not hook["header"]:
        problems["header"].append(_("Say which header or parameter carries it."))
    if kind == HookAuthentication.BASIC and not hook["username"]:
        problems["username"].append(_("This kind of authentication needs a user."))
    for field in ("header", "timestamp_header"):
        is_parameter = field == "header" and kind == HookAuthentication.KEY_QUERY
        if hook[field] and not is_parameter and not TOKEN.fullmatch(hook[field]):
            problems[field].append(_('"%(name)s" is not a name for a header.') % {"name": hook[field]})
    if kind == HookAuthentication.HMAC:
        if hook["signed"].count("{body}") != 1:
            problems["signed"].append(_("Write {body} once: the body has to be signed."))
        if bool(hook["timestamp_header"]) != ("{timestamp}" in hook["signed"]):
            problems["signed"].append(_("The time counts only if it is signed: give its header and {timestamp}."))
    for field in ("message_id", "answer"):
        problems[field].extend(_wrong(hook[field]))
    return {field: messages for field, messages in problems.items() if messages}


def doubts_about(hook: Mapping[str, Any]) -> list[str]:
    """What may be saved and should be known: how a call that somebody has seen could be sent again."""
    if hook["authentication"] != HookAuthentication.HMAC:
        return []
    doubts = []
    if not hook["timestamp_header"]:
        doubts.append(
            _(
                "No time is signed: whoever has seen a call can send it again at any time. It is known as a "
                "repetition for as long as ids are remembered. If the desk signs a time, name its header."
            )
        )
    source = hook["message_id"]
    if source.strip() and any(
        path.partition(".")[0].partition("[")[0] in ("headers", "query")
        for path in used_paths(source, expression=True)
    ):
        doubts.append(
            _(
                "The id of a call is taken from what is not signed: whoever has seen a call can send it again under "
                "another id. Take it from the body, if it is there."
            )
        )
    return doubts


def problems_of_rule(rule: Mapping[str, Any]) -> Problems:
    """What keeps a rule from being saved: field -> sentences. `rule` holds the fields of `HookRule` by name."""
    problems: Problems = defaultdict(list)
    problems["condition"].extend(_wrong(rule["condition"]))
    operation = rule["operation"]
    takes = TAKES.get(operation, ())
    seen: set[str] = set()
    for line in capture_lines(rule["fields"]):
        where = _("Line %(line)s: ") % {"line": line.number}
        if not line.separated or not line.name:
            problems["fields"].append(where + _("write the field as name = expression."))
            continue
        if line.name not in takes:
            known = ", ".join(takes) or _("none")
            message = _('this operation takes no field "%(name)s". It takes: %(known)s.')
            problems["fields"].append(where + message % {"name": line.name, "known": known})
        elif line.name in seen:
            problems["fields"].append(where + _('"%(name)s" is given twice.') % {"name": line.name})
        seen.add(line.name)
        if not line.value:
            problems["fields"].append(where + _("behind the = stands what to take from the call."))
        of_a_file = ("item",) if line.name.startswith("attachment.") else ()
        for message in _wrong(line.value, *of_a_file):
            problems["fields"].append(where + message[:1].lower() + message[1:])
    problems["fields"].extend(_missing(operation, takes, seen))
    return {field: messages for field, messages in problems.items() if messages}


def hook_document(system: ExternalSystem) -> dict[str, Any]:
    """The system's webhook as the key `hooks` of its document, defaults left out; empty without one. No secrets."""
    hook = Hook.objects.filter(system=system).prefetch_related("rules").first()
    if hook is None:
        return {}
    document = {"authentication": hook.authentication, **_told(hook, DOCUMENT)}
    return {**document, "rules": [_told(rule, RULE) for rule in hook.rules.all()]}


@transaction.atomic
def apply_hook(system: ExternalSystem, document: Mapping[str, Any]) -> Hook:
    """The system's webhook as the document describes it; its secrets stay. The same document again changes nothing.

    Raises `ValidationError` that says what is wrong, and where: an unknown word, too.
    """
    rules = document.get("rules") or []
    if not isinstance(rules, list):
        raise ValidationError(_("hooks: rules is a list."))
    hook = Hook.objects.filter(system=system).first() or Hook(system=system)
    given = {name: value for name, value in document.items() if name != "rules"}
    _require_known(given, DOCUMENT, _("hooks"))
    values = {name: _text(given.get(name, _default(Hook, name))) for name in DOCUMENT}
    _require_kinds(Hook, values, _("hooks"))
    _require_sound(problems_of_hook(values), _("hooks"))
    _store(hook, values, _("hooks"))
    kept = []
    for position, row in enumerate(rules, start=1):
        if not isinstance(row, Mapping):
            raise ValidationError(_("hooks: each rule is a mapping with name and operation."))
        where = _('hooks, rule "%(name)s"') % {"name": row.get("name", position)}
        _require_known(row, RULE, where)
        of_rule = {name: _text(row.get(name, _default(HookRule, name))) for name in RULE}
        _require_kinds(HookRule, of_rule, where)
        _require_sound(problems_of_rule(of_rule), where)
        rule = hook.rules.filter(name=of_rule["name"]).first() or HookRule(hook=hook)
        _store(rule, {**of_rule, "position": position}, where)
        kept.append(rule.pk)
    for left_over in hook.rules.exclude(pk__in=kept):
        left_over.delete()
    return hook


def _wrong(source: str, *further: str) -> list[str]:
    if not source.strip():
        return []
    return [problem.message for problem in check_expression(source, names=NAMES, open=(*OPEN, *further))]


def _missing(operation: str, takes: tuple[str, ...], seen: set[str]) -> list[str]:
    needed = [name for name in NEEDS.get(operation, ()) if name not in seen]
    found = [_('This operation needs the field "%(name)s".') % {"name": name} for name in needed]
    if takes and not needed and not seen & set(ABOUT):
        known = ", ".join(name for name in ABOUT if name in takes)
        found.append(_("Say which ticket it is about: give one of %(known)s.") % {"known": known})
    if any(name.startswith("attachment.") for name in seen) and "attachments" not in seen:
        found.append(_('The fields of a file need the field "attachments", which gives the list.'))
    return found


def _store(row: Hook | HookRule, values: Mapping[str, Any], where: str) -> None:
    """Save the row with these values, if they are others: what is the same leaves no trace in its history."""
    if row.pk is not None and all(getattr(row, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean(validate_unique=False)
    except ValidationError as error:
        _require_sound(error.message_dict, where)
    row.save()


def _require_known(given: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := sorted(str(name) for name in set(given) - set(known)):
        words = {"where": where, "names": ", ".join(unknown), "known": ", ".join(known)}
        raise ValidationError(_("%(where)s: not known: %(names)s. Known: %(known)s.") % words)


def _require_kinds(model: type[Hook] | type[HookRule], values: Mapping[str, Any], where: str) -> None:
    """Texts where texts belong, whole numbers and true or false where those do: YAML gives anything anywhere."""
    for name, value in values.items():
        default = _default(model, name)
        if type(value) is not type(default):
            words = {"where": where, "name": name, "example": json.dumps(default)}
            raise ValidationError(_("%(where)s, %(name)s: here stands something like %(example)s.") % words)


def _require_sound(problems: Problems, where: str) -> None:
    if problems:
        raise ValidationError(
            [f"{where}, {field}: {message}" for field, messages in problems.items() for message in messages]
        )


def _default(model: type[Hook] | type[HookRule], name: str) -> Any:
    field: Any = model._meta.get_field(name)
    value = field.get_default()
    return "" if value is None else _plain(value)


def _text(value: Any) -> Any:
    """The line end of a YAML block taken off."""
    return value.rstrip("\n") if isinstance(value, str) else value


def _told(row: Hook | HookRule, names: tuple[str, ...]) -> dict[str, Any]:
    """The row's values that are not the defaults."""
    values = {name: _plain(getattr(row, name)) for name in names}
    return {name: value for name, value in values.items() if value != _default(type(row), name)}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
