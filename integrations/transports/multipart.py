"""Bodies of type multipart/form-data (RFC 7578), as browsers write them, with file names in any script."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote

CONTENT_TYPE = "multipart/form-data"
END_OF_LINE = b"\r\n"
# What a quoted name may not hold is percent-encoded, as the HTML standard has it.
_QUOTED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True)
class Part:
    """One field of a form. Without a `content_type` it is a text in UTF-8."""

    name: str
    value: bytes
    content_type: str = ""


@dataclass(frozen=True)
class FilePart:
    """The field of a form that is a file. Its bytes are not here; `sha256` says which they are."""

    name: str
    file_name: str
    content_type: str
    sha256: str


@dataclass(frozen=True)
class Form:
    """What stands before the bytes of the file and after them; without a file all of it is before."""

    before: bytes
    after: bytes
    content_type: str


def is_multipart(content_type: str) -> bool:
    """Whether a content type, parameters ignored, is that of a form with parts."""
    return content_type.partition(";")[0].strip().lower() == CONTENT_TYPE


def multipart(parts: Sequence[Part], file: FilePart | None = None) -> Form:
    """The form with these fields, the file last.

    The boundary follows from the content: it cannot occur in it, and the same content gives the same bytes.
    """
    boundary = _boundary(parts, file)
    pieces = [_field(boundary, _head(part), part.value) for part in parts]
    after = f"--{boundary}--\r\n".encode()
    if file is not None:
        pieces.append(_field(boundary, _head_of_file(file), b"").removesuffix(END_OF_LINE))
        return Form(b"".join(pieces), END_OF_LINE + after, f"{CONTENT_TYPE}; boundary={boundary}")
    return Form(b"".join([*pieces, after]), b"", f"{CONTENT_TYPE}; boundary={boundary}")


def _boundary(parts: Sequence[Part], file: FilePart | None) -> str:
    digest = hashlib.sha256()
    fields = [(part.name.encode(), part.value) for part in parts]
    if file is not None:
        fields.append((f"{file.name}/{file.file_name}".encode(), file.sha256.encode()))
    for value in chain.from_iterable(fields):
        digest.update(f"{len(value)}:".encode())
        digest.update(value)
    return f"deskbridge-{digest.hexdigest()[:40]}"


def _field(boundary: str, head: str, value: bytes) -> bytes:
    return f"--{boundary}\r\n{head}\r\n\r\n".encode() + value + END_OF_LINE


def _head(part: Part) -> str:
    return _disposition(part.name) + (f"\r\nContent-Type: {part.content_type}" if part.content_type else "")


def _head_of_file(file: FilePart) -> str:
    """A name that is not ASCII is given twice: in UTF-8, as browsers do, and as `filename*` (RFC 5987) for readers
    that take the first for Latin-1; whoever knows both prefers the second."""
    disposition = f'{_disposition(file.name)}; filename="{file.file_name.translate(_QUOTED)}"'
    if not file.file_name.isascii():
        disposition += f"; filename*=UTF-8''{quote(file.file_name, safe='')}"
    return f"{disposition}\r\nContent-Type: {file.content_type}"


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name.translate(_QUOTED)}"'
