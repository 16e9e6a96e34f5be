"""Carry out a form once, however often it is sent: a double click, a reload, a browser that tries again."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from tickets.models import Submission
from tickets.views.access import person

# Long enough for a page that stayed open overnight.
REMEMBERED = timedelta(days=2)


def once(request: HttpRequest, act: Callable[[], str]) -> tuple[str, bool]:
    """Do `act`, which returns the address to go to, in one transaction with the note that it was done.

    Returns the address, and whether this was the first time. What `act` raises undoes both, so that a form which was
    refused can be mended and sent again. The same token with another text is another submission: who goes back in
    the browser and writes something else must not lose it.
    """
    key = _key(request)
    with transaction.atomic():
        Submission.objects.filter(user=person(request), created_at__lt=timezone.now() - REMEMBERED).delete()
        submission, is_first = Submission.objects.get_or_create(user=person(request), key=key)
        if is_first:
            submission.answer = act()
            submission.save(update_fields=["answer"])
    return submission.answer, is_first


def _key(request: HttpRequest) -> str:
    digest = hashlib.sha256()
    for part in _parts(request):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _parts(request: HttpRequest) -> Iterator[bytes]:
    yield request.path.encode()
    for name, values in sorted(request.POST.lists()):
        if name != "csrfmiddlewaretoken":
            yield from (text.encode() for text in (name, *map(str, values)))
    for name, files in sorted(request.FILES.lists()):
        yield name.encode()
        for file in files:
            content = hashlib.sha256()
            for chunk in file.chunks():
                content.update(chunk)
            yield str(file.name).encode()
            yield content.digest()
