"""ITX bodies to messages: when they arrive, and again when a refused one is replayed."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import Serializer

from integrations.inbound import messages
from integrations.inbound.itx import incoming
from integrations.inbound.itx.authentication import NAMES as CREDENTIALS
from integrations.inbound.problems import Malformed, Refused
from integrations.models import Exchange
from tickets.actions import FileContent
from tickets.models import PropertyDefinition

# What a case calls it -> what a message calls it. Those below an object are its key there.
OWN_NAMES: Final[Mapping[str, str]] = {
    "description": "title",
    "details": "details",
    "status": "status",
    "deadlineTs": "deadline_at",
    "onHoldToTs": "on_hold_until",
    "onHoldComment": "on_hold_comment",
    "emsTags": "tags",
}
KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "entityExtension": ("contact", "eeexId"),
    "category": ("category", "ctnoId"),
    "priority": ("priority", "emprId"),
    "queue": ("queue", "ucquId"),
    "emsStatus": ("own_status", "emstId"),
}
# Null empties these; for all others it means the same as leaving them out.
MAY_BE_EMPTY: Final = ("details", "contact", "category", "queue", "deadline_at", "on_hold_until", "on_hold_comment")
THEIR_NAMES: Final = {
    **{own: theirs for theirs, own in OWN_NAMES.items()},
    **{own: theirs for theirs, (own, _key) in KEYS.items()},
    "properties": "propValues",
}


def case_message(data: Any) -> messages.CaseCreation | messages.CaseChange:
    """A case to be created, or changed where it has an `eactId`. Raises a `ValidationError` that names the fields."""
    body = valid(incoming.CaseBody, data)
    values, reference = _values(body), (body.get("externalId") or "").strip()
    if body.get("eactId"):
        return messages.CaseChange(case=body["eactId"], external_reference=reference, values=values)
    if "title" not in values:
        raise ValidationError({"description": [_("A case needs a description: its title.")]})
    return messages.CaseCreation(external_reference=reference, values=values)


def text_message(data: Any) -> messages.CaseUpdate:
    """A text for a case."""
    body = valid(incoming.TextBody, data)
    return messages.CaseUpdate(
        case=body["activity"]["eactId"], text=body["text"], visibility=body["visibility"], author=body["author"]
    )


def files_message(data: Any, query: QueryDict) -> messages.CaseUpdate:
    """Files for the case that the query names."""
    body = valid(incoming.FilesBody, data)
    case = valid(incoming.FilesQuery, parameters(query))["id"]
    files = tuple(
        FileContent(name=file["name"], data=file["content"], content_type=file["content_type"])
        for file in body["files"]
    )
    return messages.CaseUpdate(case=case, files=files)


def read_again(exchange: Exchange) -> messages.Message:
    """The message of a recorded call. Raises as the functions above, and `Malformed` if nothing usable was stored."""
    address = urlsplit(exchange.url)
    try:
        data = json.loads(exchange.request_body)
    except (ValueError, RecursionError) as error:
        raise Malformed(_("What is stored of this message cannot be read again.")) from error
    match address.path.rstrip("/").rpartition("/")[2]:
        case "case":
            return case_message(data)
        case "activitytexts":
            return text_message(data)
        case "corefile":
            return files_message(data, QueryDict(address.query))
    raise Malformed(_("This call is not a message that could be read again."))


def parameters(query: QueryDict, *, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """The query's parameters but for the credentials; `lists` are given repeatedly or with commas between. Raises
    `ValidationError` for one of the others that is given twice."""
    found: dict[str, Any] = {}
    twice = {}
    for name, given in query.lists():
        if name in CREDENTIALS:
            continue
        if name in lists:
            found[name] = [part.strip() for value in given for part in value.split(",")]
        elif len(given) > 1:
            twice[name[:100]] = [_("Give it once.")]
        else:
            found[name] = given[0]
    if twice:
        raise ValidationError(twice)
    return found


def valid(body: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The values. Raises `ValidationError`."""
    found = body(data=data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


def use_their_names(problem: Refused) -> None:
    """Its fields by the names that a case has for them."""
    if any(name in THEIR_NAMES for name in problem.fields):
        problem.fields = {THEIR_NAMES.get(name, name): texts for name, texts in problem.fields.items()}
        problem.detail = " ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in problem.fields.items())


def _values(body: dict[str, Any]) -> messages.CaseValues:
    found: dict[str, Any] = {own: body[theirs] for theirs, own in OWN_NAMES.items() if theirs in body}
    for theirs, (own, key) in KEYS.items():
        if theirs in body:
            found[own] = body[theirs][key] if body[theirs] else None
    found = {name: value for name, value in found.items() if value is not None or name in MAY_BE_EMPTY}
    if body.get("members") is not None:
        found["members"] = [_member(member) for member in body["members"]]
    if body.get("propValues") is not None:
        found["properties"] = properties_by_code(body["propValues"])
    return found  # type: ignore[return-value]  # built key by key


def _member(member: dict[str, Any]) -> messages.MemberValue:
    return {
        "role": int(member["role"]),
        "user": member["user"]["userId"] if member.get("user") else None,
        "contact": member["contact"]["eeexId"] if member.get("contact") else None,
        "member": member.get("id"),
        "ended": member.get("endTs") is not None,
    }


def properties_by_code(given: list[dict[str, Any]]) -> dict[str, Any]:
    """The values by their property's code. Raises `ValidationError` for a property that there is not, or twice."""
    names = [value["name"] for value in given if not value.get("code")]
    codes = dict(PropertyDefinition.objects.filter(name__in=names).values_list("name", "code")) if names else {}
    known = set(
        PropertyDefinition.objects.filter(
            code__in=[value.get("code") or codes.get(value["name"], "") for value in given]
        ).values_list("code", flat=True)
    )
    found: dict[str, Any] = {}
    for value in given:
        code = value.get("code") or codes.get(value["name"], "")
        if code not in known:
            text = _('There is no property "%(name)s".') % {"name": value.get("code") or value["name"]}
            raise ValidationError({"propValues": [text]})
        if code in found:
            raise ValidationError({"propValues": [_('"%(name)s" is there twice.') % {"name": code}]})
        found[code] = value["value"]
    return found
