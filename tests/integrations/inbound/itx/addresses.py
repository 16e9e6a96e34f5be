"""Every address of the dialect and one call of each."""

from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import MULTIPART_CONTENT

from tests.integrations.inbound.itx.conftest import Itx


@dataclass(frozen=True)
class Row:
    """One thing that can be done at one address. `{case}` is the case's number, `{file}` a file's."""

    path: str
    body: Any = None
    upload: bool = False

    @property
    def writes(self) -> bool:
        """Whether it has an effect."""
        return self.upload or (self.body is not None and "search" not in self.path)

    @property
    def route(self) -> str:
        """The address alone."""
        return f"rest/{self.path.partition('?')[0]}"

    def __str__(self) -> str:
        return f"{'POST' if self.body is not None or self.upload else 'GET'} {self.path}"


ROWS = [
    Row("itxems/case", {"description": "No delivery"}),
    Row("itxems/case", {"eactId": "{case}", "status": 2}),
    Row("itxems/cases/search", {"eactIds": ["{case}"]}),
    Row("itxems/cases?eactId={case}&getMembers=true"),
    Row("itxems/categories"),
    Row("itxems/statuses?type=35013"),
    Row("itxems/priorities"),
    Row("itxpbx/queue"),
    Row("itxems/activitytexts", {"text": "Hello", "activity": {"eactId": "{case}"}}),
    Row("core/corefile?tblId=35007&type=3&id={case}", upload=True),
    Row("core/corefile?id={file}"),
    Row("api/state"),
]
ROUTES = {spelling for row in ROWS for spelling in (row.route, f"{row.route}/")}
ROUTES.add(r"^rest/(?:itxems|itxpbx)/[\s\S]*$")


def call(row: Row, caller: Itx | None, *, case: int, file: int = 1, body: Any = None, **options: Any) -> Any:
    """Do it, as `caller` or nobody; `options`: `slash`, `query` (the three values there), `headers`."""
    path = row.path.format(case=case, file=file)
    if options.get("slash"):
        address, mark, query = path.partition("?")
        path = f"{address}/{mark}{query}"
    values = caller.values if caller else {}
    values |= options.get("values", {})
    headers = dict(options.get("headers", {}))
    if options.get("query"):
        path += ("&" if "?" in path else "?") + "&".join(f"{name}={value}" for name, value in values.items())
    else:
        headers |= values
    if row.upload:
        content = {"files": SimpleUploadedFile("a.txt", b"hello", "text/plain")} if body is None else body
        client = Client()
        if isinstance(content, bytes):
            return client.generic("POST", f"/rest/{path}", content, content_type=MULTIPART_CONTENT, headers=headers)
        return client.post(f"/rest/{path}", content, headers=headers)
    if row.body is None:
        return Client().get(f"/rest/{path}", headers=headers)
    if body is not None:
        return Client().generic("POST", f"/rest/{path}", body, content_type="application/json", headers=headers)
    return Client().post(f"/rest/{path}", _filled(row.body, case), content_type="application/json", headers=headers)


def _filled(value: Any, case: int) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, case) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, case) for inner in value]
    return case if value == "{case}" else value
