"""JSON, and forms with files, which become the same JSON: behind the parsers there is one form of each body."""

import base64
import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from integrations.inbound.bodies import charset_of, decode
from integrations.inbound.problems import Malformed

FILES = "attachments"


class JsonBody(BaseParser):
    """A JSON object in the caller's character set; refuses what is no JSON by the standard (NaN, Infinity)."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The object. Raises `Malformed`."""
        text = decode(stream.read(), media_type or "")
        try:
            data = json.loads(text, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise Malformed(_("The JSON is nested too deeply.")) from error
        except ValueError as error:
            raise Malformed(_("The body is not readable JSON: %(reason)s") % {"reason": error}) from error
        if not isinstance(data, dict):
            raise Malformed(_("The body must be a JSON object."))
        return data


class FormBody(MultiPartParser):
    """multipart/form-data: fields, and files in parts named `attachments`."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The same object that the JSON form would be."""
        context = {**(parser_context or {}), "encoding": charset_of(b"", media_type or "")}
        parsed = super().parse(stream, media_type, context)
        assert isinstance(parsed, DataAndFiles)  # noqa: S101 - that is what it returns
        data: dict[str, Any] = {}
        for name, values in parsed.data.lists():
            if len(values) > 1:
                raise Malformed(_('The field "%(name)s" is there more than once.') % {"name": name})
            data[name] = values[0]
        for name, files in parsed.files.lists():
            data[name] = [
                {
                    "name": file.name or "",
                    "content_type": file.content_type or "",
                    "content": base64.b64encode(file.read()).decode(),
                }
                for file in files
            ]
        return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
