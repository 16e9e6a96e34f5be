"""How a value is written at its place in a template, and what the finished result must be."""

import enum
import html
import json
import re
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from lxml import etree

from .errors import TemplateFailed
from .plain import as_json, as_text


class Escape(enum.Enum):
    """The language that a template writes, which decides how its values are escaped.

    TEXT  as they are (notes, subjects).
    MAIL  as they are, but for tags: what somebody writes into a ticket must not come back in the answer of a desk,
          which quotes our mail, as if the desk had said it.
    JSON  inside quotes as the content of a string, elsewhere as a JSON value (null, number, list, quoted string).
    XML   in text, CDATA and quoted attributes; characters that XML 1.0 cannot carry become U+FFFD.
    URL   percent-encoded, `/` too; no value in the path may be empty (it would address something else).
    FORM  the same for a body of type application/x-www-form-urlencoded, where a value may be empty.
    HEADER  control characters and line breaks are refused.
    HTML  in text and quoted attributes.
    """

    TEXT = "text"
    MAIL = "mail"
    JSON = "json"
    XML = "xml"
    URL = "url"
    FORM = "form"
    HEADER = "header"
    HTML = "html"


_XML_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
# What opens a tag of a mail, with its label: see `mail_words`.
_TAG = re.compile(r"\[(?=\[[^\[\]\r\n]{1,60}\]\])")
_TYPES = {
    "application/json": Escape.JSON,
    "text/json": Escape.JSON,
    "application/xml": Escape.XML,
    "text/xml": Escape.XML,
    "application/x-www-form-urlencoded": Escape.FORM,
    "text/html": Escape.HTML,
    "": Escape.TEXT,
}


def content_type_escape(content_type: str) -> Escape:
    """The escaping that a body of this content type needs (parameters such as the charset are ignored).

    A type that is none of JSON, XML, form, HTML or text raises TemplateFailed: a body whose values nobody escapes
    must not be sent by mistake.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.endswith("+json"):
        return Escape.JSON
    if kind.endswith("+xml"):
        return Escape.XML
    if kind.startswith("text/"):
        return Escape.TEXT
    raise TemplateFailed(
        _('a body of type "%(type)s" is not supported. Use JSON, XML, a form, HTML or plain text.')
        % {"type": content_type},
        name=content_type,
    )


def write(value: Any, place: str) -> str:
    """`value` as it must read at `place`, one of the places that `places.py` tells apart."""
    if place == "json value":
        return as_json(value)
    text = as_text(value)
    if place == "json string":
        return json.dumps(text, ensure_ascii=False)[1:-1]
    if place == "xml cdata":
        # Closing the section first means that no value, whatever stands around it, can end it early.
        return "]]>" + _xml(text) + "<![CDATA["
    if place == "xml text":
        return _xml(text)
    if place == "xml attribute":
        # A parser reads bare line feeds and tabs in attributes as spaces.
        return _xml(text).replace("\n", "&#10;").replace("\t", "&#9;")
    if place == "url path" and not text:
        raise ValueError(_("it is empty, and an address without it would mean something else"))
    if place in ("url path", "url query", "form"):
        return quote(text, safe="")
    if place == "header":
        if _CONTROL.search(text):
            raise ValueError(_("it contains a line break or a control character, which a header cannot carry"))
        return text
    if place == "html":
        return html.escape(text)
    if place == "mail":
        return untagged(text)
    if place == "text":
        return text
    raise ValueError(f"unknown place {place!r}")


def untagged(text: str) -> str:
    """The text with a blank in what would open a tag of a mail."""
    return _TAG.sub("[ ", text)


def require_valid(result: str, escape: Escape) -> None:
    """Raise TemplateFailed, saying where, unless the finished result is what its language demands."""
    if escape is Escape.JSON:
        _require_json(result)
    elif escape is Escape.XML:
        _require_xml(result)
    elif escape is Escape.URL:
        path = re.split(r"[?#]", result, maxsplit=1)[0]
        if any(segment in (".", "..") for segment in re.split(r"[/\\]", path)):
            raise TemplateFailed(_('the address contains "." or ".." as a step, which would leave its folder'))
        if re.search(r"[\x00-\x20\x7f]", result):
            raise TemplateFailed(_("the address contains a space or a line break; write a space as %20"))
    elif escape is Escape.HEADER and _CONTROL.search(result):
        raise TemplateFailed(_("the header contains a line break or a control character"))


def _xml(text: str) -> str:
    text = _XML_ILLEGAL.sub("\ufffd", text)
    # A parser reads a bare carriage return as a line feed.
    return html.escape(text).replace("\r", "&#13;")


def _require_json(result: str) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(_("%(constant)s is not JSON") % {"constant": constant})

    try:
        json.loads(result, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise TemplateFailed(
            _("the result is not valid JSON: %(reason)s at line %(line)s, column %(column)s of the result")
            % {"reason": error.msg, "line": error.lineno, "column": error.colno}
        ) from error
    except (ValueError, RecursionError) as error:
        raise TemplateFailed(_("the result is not valid JSON: %(reason)s") % {"reason": error}) from error


def _require_xml(result: str) -> None:
    if "<!DOCTYPE" in result:
        raise TemplateFailed(_("the result must not contain a DOCTYPE"))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, encoding="utf-8"
    )
    try:
        etree.fromstring(result.encode(), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise TemplateFailed(
            _("the result is not well-formed XML: %(reason)s (line %(line)s, column %(column)s of the result)")
            % {"reason": error.msg, "line": line, "column": column}
        ) from error
