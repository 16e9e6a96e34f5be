"""What a worker does soon because somebody asks for it on a page: they stay there, and the page shows it when it is
done. static/js/admin.js loads it again a few times, as long as the page says that it is still awaited."""

from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.safestring import SafeString

# So often the page is loaded again before that is left to the person: a worker may be down.
ROUNDS: Final = 6
# Where the page shows what is awaited.
MARK: Final = SafeString('<span data-awaited=""></span>')


def awaiting(page: str, place: str) -> str:
    """The address of the page, at this place of it, that loads itself again while something on it is awaited."""
    return f"{page}{'&' if '?' in page else '?'}awaited={ROUNDS}#{place}"


def is_under_way(due_at: datetime | None, lease_until: datetime | None) -> bool:
    """Whether a visit of a worker is due or going on."""
    now = timezone.now()
    return (due_at is not None and due_at <= now) or (lease_until is not None and lease_until > now)
