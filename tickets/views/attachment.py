"""Download a file of one's own ticket."""

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from tickets.models import Attachment, Visibility
from tickets.panels import contact_limits
from tickets.views.access import contact_page, ticket_or_404

# Never shown inside the portal, whatever the sender said that it is.
DOWNLOAD_POLICY = "sandbox; default-src 'none'"


@require_safe
@contact_page
def attachment(request: HttpRequest, number: str, attachment_id: int) -> HttpResponseBase:
    """The file, always as a download. Internal ones do not exist here, nor those that are not theirs to read."""
    ticket = ticket_or_404(request, number)
    readable = Attachment.objects.exclude(actor_key__in=contact_limits(ticket).unread)
    found = get_object_or_404(readable, ticket=ticket, pk=attachment_id, visibility=Visibility.PUBLIC)
    return download(found)


def download(attachment: Attachment) -> FileResponse:
    """The file as a download, for a person who was found to be allowed to read it."""
    response = FileResponse(
        attachment.file.open("rb"),
        as_attachment=True,
        filename=attachment.name,
        content_type=attachment.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = DOWNLOAD_POLICY
    return response
