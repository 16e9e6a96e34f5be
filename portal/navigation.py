"""The admin's sidebar."""

from django.http import HttpRequest


def sidebar(request: HttpRequest) -> list[dict[str, object]]:
    """The sidebar's groups and links."""
    return []
