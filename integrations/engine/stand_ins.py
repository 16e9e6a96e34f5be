"""Credentials at the place that a template names: `{{ auth.session }}` in a body, a query or a header.

A request is pinned, previewed and stored without credentials. So a stand-in holds their place until the moment of
sending, made up anew for each request: no text of a ticket can be taken for one.
"""

import html
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from integrations.app_fields import placeholders
from integrations.templating import Escape, TemplateFailed, content_type_escape, used_paths
from integrations.transports.http import Request

ROOT: Final = "auth"
# The random part of a stand-in, in bytes.
RANDOM: Final = 16


def stand_ins_for(sources: Iterable[str]) -> dict[str, str]:
    """A stand-in for each of the credentials that the templates name: name -> stand-in."""
    paths = {path for source in sources if ROOT in source for path in used_paths(source, placeholders())}
    names = sorted(path.removeprefix(f"{ROOT}.") for path in paths if path.startswith(f"{ROOT}."))
    # Letters and digits alone: every language of a template leaves them as they are.
    return {name: f"standinfor{name.replace('_', '')}{secrets.token_hex(RANDOM)}" for name in names}


def filled_in(request: Request, values: Mapping[str, str]) -> Request:
    """The request with the value of each stand-in at its place, written as that place demands."""
    kinds = {name.lower(): value for name, value in request.headers.items()}
    try:
        escape = content_type_escape(kinds.get("content-type", ""))
    except TemplateFailed:
        # A form with parts, or a file: what stands there is not escaped.
        escape = Escape.TEXT
    url, body, headers = request.url, request.body, dict(request.headers)
    for stand_in, value in values.items():
        url = url.replace(stand_in, quote(value, safe=""))
        body = body.replace(stand_in.encode(), _written(value, escape).encode())
        headers = {name: text.replace(stand_in, value) for name, text in headers.items()}
    return replace(request, url=url, body=body, headers=headers)


def forms_of(secret: str) -> list[str]:
    """How a secret may read in what is sent: what is stored must hold none of these."""
    return list(
        dict.fromkeys([secret, *(_written(secret, escape) for escape in (Escape.JSON, Escape.XML, Escape.FORM))])
    )


def _written(value: str, escape: Escape) -> str:
    if escape is Escape.JSON:
        return json.dumps(value, ensure_ascii=False)[1:-1]
    if escape in (Escape.XML, Escape.HTML):
        return html.escape(value)
    return quote(value, safe="") if escape is Escape.FORM else value
