"""Files: uploaded by POST before a message names them, and fetched by GET."""

from django.http import FileResponse, HttpRequest, JsonResponse

from integrations.inbound.case_exchange.base import Endpoint
from integrations.inbound.exchanged_files import known_to, name_in, opened, upload

NAME_HEADER = "fs_filename"


class FileList(Endpoint):
    """`/frs/file-list`: the body is the file."""

    operation = "upload"

    def post(self, request: HttpRequest) -> JsonResponse:
        """Keep the file until a message names it. Servers in between drop names with an underscore, so that
        `fs-filename` is the same, and a file without a name gets that of the message."""
        assert self.call is not None  # noqa: S101 - `handle` recorded it, this is a POST
        row, created = upload(
            system=self.caller,
            name=name_in(request.headers.get(NAME_HEADER.replace("_", "-"), "")),
            content_type=request.headers.get("Content-Type", "").partition(";")[0].strip(),
            data=self.body,
        )
        self.call.repeated = not created
        return JsonResponse(
            {"guid": str(row.guid), "name": row.name, "size": row.size, "contentType": row.content_type}
        )

    def shown_body(self, request: HttpRequest) -> str:
        """Files are no text."""
        return f"[{len(self.body)} bytes]" if self.body else ""


class File(Endpoint):
    """`/frs/file-list/<guid>`."""

    def get(self, request: HttpRequest, *, guid: str) -> FileResponse:
        """The bytes, always as a download of the type application/octet-stream."""
        row = known_to(self.caller, guid)
        response = FileResponse(opened(row), as_attachment=True, filename=row.name or str(row.guid))
        response["Content-Type"] = "application/octet-stream"
        return response
