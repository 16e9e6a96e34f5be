"""Calls as plain data for rules: JSON, XML and forms become `body`, beside `headers`, `query` and `method`."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from integrations.inbound.bodies import decode
from integrations.inbound.problems import Malformed
from integrations.inbound.workflow_service.envelope import DECLARATION, DECLARED_CHARSET
from integrations.models import Exchange
from integrations.templating.plain import require_plain
from integrations.transports.safe_xml import XmlRefused, xml_to_data

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 1000
# A field of a form in which several desks put a whole JSON document.
PAYLOAD: Final = "payload"


def text_of(request: HttpRequest, body: bytes) -> tuple[str, str]:
    """The body as text, and its content type. A form with files becomes the JSON that means the same, as files are
    no text. Raises `Malformed`."""
    content_type = request.headers.get("Content-Type", "")
    if content_type.lower().startswith("multipart/"):
        return json.dumps(_multipart(request), ensure_ascii=False), JSON
    declared = DECLARED_CHARSET.match(body)
    return decode(body, content_type, declared.group(1).decode() if declared else ""), content_type


def context_of(*, method: str, url: str, headers: Mapping[str, str], text: str) -> dict[str, Any]:
    """What rules know of a call: plain data. Header names are in small letters. Raises `Malformed`."""
    names = {name.lower(): str(value) for name, value in headers.items()}
    context = {
        "body": _body(text, names.get("content-type", "")),
        "headers": names,
        "query": _fields(urlsplit(url).query),
        "method": method,
    }
    try:
        require_plain(context)
    except TypeError as error:
        raise Malformed(_("The body is nested too deeply or holds a number that is none.")) from error
    return context


def context_again(exchange: Exchange) -> dict[str, Any]:
    """The same for a recorded call, whose secrets read `[removed]`. Raises `Malformed`."""
    return context_of(
        method=exchange.method, url=exchange.url, headers=exchange.request_headers, text=exchange.request_body
    )


def _body(text: str, content_type: str) -> Any:
    kind = content_type.partition(";")[0].strip().lower()
    text = text.lstrip("\ufeff")
    if kind == FORM:
        return _form(text)
    start = text.lstrip()[:1]
    if not start:
        return {}
    if start == "<":
        try:
            # Its declaration spoke of bytes that are text by now.
            return xml_to_data(DECLARATION.sub("", text, count=1).strip())
        except XmlRefused as error:
            raise Malformed(str(error)) from error
    return _json(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise Malformed(_("The JSON is nested too deeply.")) from error
    except ValueError as error:
        raise Malformed(_("The body is not readable JSON, XML or form: %(reason)s") % {"reason": error}) from error


def _form(text: str) -> dict[str, Any]:
    fields = _fields(text)
    if str(fields.get(PAYLOAD, "")).lstrip()[:1] in ("{", "["):
        fields[PAYLOAD] = _json(fields[PAYLOAD])
    return fields


def _fields(encoded: str) -> dict[str, Any]:
    """Fields by name; one that is there more than once is a list."""
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise Malformed(_("The form or query is not readable: %(reason)s") % {"reason": error}) from error
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def _multipart(request: HttpRequest) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = {
            name: values[0] if len(values) == 1 else values for name, values in request.POST.lists()
        }
        files = request.FILES
    except (MultiPartParserError, SuspiciousOperation, RequestDataTooBig) as error:
        raise Malformed(_("The form is not readable: %(reason)s") % {"reason": error}) from error
    for name, uploads in files.lists():
        fields[name] = [
            {
                "name": upload.name or "",
                "content_type": upload.content_type or "",
                "content_base64": base64.b64encode(upload.read()).decode(),
            }
            for upload in uploads
        ]
    if str(fields.get(PAYLOAD, "")).lstrip()[:1] in ("{", "["):
        fields[PAYLOAD] = _json(fields[PAYLOAD])
    return fields


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
