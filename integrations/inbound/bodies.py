"""Bodies from outside: read up to the limit, in the caller's character set, fit to be stored."""

import codecs
import io
import re
import secrets
from collections.abc import Collection
from typing import Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from integrations.inbound.problems import Malformed, TooLarge
from integrations.secrets import redact_body

# Python knows codecs that are no character sets (zip, rot13, idna): only these are honoured.
CHARSETS: Final = re.compile(r"ascii|utf-8(-sig)?|utf-(16|32)(-[lb]e)?|iso8859-\d{1,2}|latin-1|cp125\d|mac-roman")
CHARSET_PARAMETER: Final = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
# A file in base64, as one line or in lines (whose ends JSON escapes). Possessive: it never looks twice.
FILE: Final = re.compile(r"(?<![A-Za-z0-9+/=_-])(?:[A-Za-z0-9+/=_-]{60,}+(?:\s|\\[rn])*+)++")
LONG_FILE: Final = 100_000
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_body(request: HttpRequest) -> bytes:
    """The whole body, also when it comes in chunks without a length. Raises `TooLarge` before it reads more."""
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    if chunked and request.META.get("wsgi.input_terminated"):
        # Django reads as many bytes as Content-Length says, so none; .NET clients send chunks unless told otherwise.
        chunks = request.META["wsgi.input"].read(settings.MAX_REQUEST_BYTES + 1)
        request.META["CONTENT_LENGTH"] = str(len(chunks))
        request._stream = io.BytesIO(chunks)
    try:
        return request.body
    except RequestDataTooBig as error:
        limit = settings.MAX_REQUEST_BYTES // 1024**2
        raise TooLarge(_("The request is larger than %(limit)d MB.") % {"limit": limit}) from error
    except UnreadablePostError as error:
        raise Malformed(_("The request ended too early.")) from error


def charset_of(body: bytes, content_type: str, declared: str = "") -> str:
    """The character set: byte order mark, then content type, then what the document itself declares, then UTF-8."""
    for mark, charset in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return charset
    parameter = CHARSET_PARAMETER.search(content_type)
    name = parameter.group(1) if parameter else declared or "utf-8"
    try:
        charset = codecs.lookup(name).name
    except LookupError:
        charset = ""
    if not CHARSETS.fullmatch(charset):
        raise Malformed(_('"%(name)s" is not a character set that is read here: use UTF-8.') % {"name": name})
    return charset


def decode(body: bytes, content_type: str, declared: str = "") -> str:
    """The body as text. Raises `Malformed` where it is not in its character set."""
    charset = charset_of(body, content_type, declared)
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        raise Malformed(_("The body is not %(charset)s text.") % {"charset": charset}) from error


def readable(body: bytes, content_type: str) -> str:
    """The body as text for the log, whatever it is."""
    try:
        charset = charset_of(body, content_type)
    except Malformed:
        charset = "utf-8"
    return storable(body.decode(charset, errors="replace"))


def storable(text: str) -> str:
    """Text that every database takes: PostgreSQL refuses NUL, and no encoder takes half a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", errors="replace").decode()


def redacted(text: str, content_type: str, names: Collection[str]) -> str:
    """The body without secrets. Files in it are passed over: they take a second for each 8 MB and name nothing."""
    token = secrets.token_hex(8)
    files: list[str] = []

    def cut(match: re.Match[str]) -> str:
        if len(match.group()) < LONG_FILE:
            return match.group()
        files.append(match.group())
        return f"{token}x{len(files) - 1}x"

    cleaned = redact_body(FILE.sub(cut, text), content_type, names=names)
    return re.sub(f"{token}x([0-9]+)x", lambda match: files[int(match.group(1))], cleaned)


def without_files(text: str) -> str:
    """The body with its long files replaced by their length, for the log of what was done: the files are attached."""
    return FILE.sub(
        lambda match: f"[{len(match.group())} characters]" if len(match.group()) >= LONG_FILE else match.group(), text
    )
