"""The files of another desk's ticket: each is fetched once, and is attached once however often it is listed."""

import base64
import binascii
import hashlib
import mimetypes
import re
from io import BufferedRandom
from tempfile import TemporaryFile
from typing import IO, Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.inbound.exchanged_files import ListedFile
from integrations.inbound.messages import Files
from integrations.inbound.problems import InProgress, Invalid, Refused, TooLarge
from integrations.models import ExternalReference, TheirMessageOrigin, TheirTicket
from integrations.polling.asking import PollFailed
from integrations.polling.delivering import deliver, refuse
from integrations.polling.operations import DOWNLOAD, FILES, Brought, NotToBeHad, Operations
from integrations.polling.records import text
from integrations.their_messages import FILE, LONGEST, known, remember
from tickets.actions import FileContent, add_remark
from tickets.actions.attachment import PIECE, refuse_kind, safe_name
from tickets.actors import Actor
from tickets.errors import InvalidInput
from tickets.models import Attachment

BLANKS: Final = re.compile(r"\s+")
DATA_ADDRESS: Final = re.compile(r"^data:[^,]{0,200};base64,")
FOR_ADDRESSES: Final = str.maketrans("-_", "+/")
# Hexadecimal digits -> checksum. They tell a file that came whole from one that did not, no more.
SUMS: Final = {
    32: lambda: hashlib.md5(usedforsecurity=False),
    40: lambda: hashlib.sha1(usedforsecurity=False),
    64: hashlib.sha256,
    128: hashlib.sha512,
}


class NotGiven(Invalid):
    """The desk lists the file and does not give it; it may give it later. `passing`: at the next time already."""

    passing = False


def take_files(asking: Operations, reference: ExternalReference, *, url: str) -> Brought:
    """Fetch and attach the files that are not known yet. Raises `PollFailed`."""
    if not asking.has(FILES):
        return Brought()
    broken: list[str] = []
    try:
        listed = list(asking.all_pages(FILES, task=reference.task, broken=broken))
    except NotToBeHad as problem:
        asking.problems.append(_("The files of %(ticket)s: %(problem)s") % _said(reference, problem))
        return Brought(later=True, refused=((_("The list of files"), problem),))
    seen = known(reference.task, asking.system, FILE)
    if broken:
        asking.problems.append(_("A file of %(ticket)s: %(problem)s") % _said(reference, broken[0]))
    brought = Brought(later=bool(broken))
    for record in listed:
        file = {name: text(value) for name, value in record.items()}
        file["id"] = (file.get("id") or file.get("url") or file.get("name") or "").strip()[:LONGEST]
        before = seen.get(file["id"], TheirMessageOrigin.LATER)
        if file["id"] and before == TheirMessageOrigin.LATER:
            told = file["id"] in seen
            seen[file["id"]] = TheirMessageOrigin.THEIRS
            brought += _take(asking, reference, file, url=url, told=told)
    return brought


def _take(asking: Operations, reference: ExternalReference, file: dict[str, str], *, url: str, told: bool) -> Brought:
    name = safe_name(file.get("name", "") or file["id"])
    with TemporaryFile() as fetched:
        content = ListedFile(
            name=name,
            data=b"",
            content_type=file.get("content_type", ""),
            file=fetched,
            reference_id=reference.pk,
            their_id=file["id"],
        )
        try:
            refuse_kind(name, content.content_type)
            _check_size(name, file.get("size", ""))
            _fetch(asking, reference, file, into=fetched)
            _check_size(name, str(content.size))
            _check_sum(file.get("checksum", ""), fetched)
        except InvalidInput as kind:
            return _refused(reference, file, content, Invalid(str(kind)), told=told, url=url)
        except Refused as problem:
            if isinstance(problem, NotGiven) and problem.passing and _is_first_refusal(reference):
                # Nobody needs to read of what is mended by the next time.
                asking.problems.append(_("A file of %(ticket)s: %(problem)s") % _said(reference, problem))
                return Brought(later=True)
            return _refused(reference, file, content, problem, told=told, url=url)
        return _attach(reference, content, url=url)


def _is_first_refusal(reference: ExternalReference) -> bool:
    return not TheirTicket.objects.filter(reference=reference, refused_since__isnull=False).exists()


def _said(reference: ExternalReference, problem: object) -> dict[str, object]:
    return {"ticket": reference, "problem": problem}


def _refused(
    reference: ExternalReference,
    file: dict[str, str],
    content: FileContent,
    problem: Refused,
    *,
    told: bool,
    url: str,
) -> Brought:
    task, system = reference.task, reference.system
    later = isinstance(problem, NotGiven)
    remember(task, system, FILE, file["id"], TheirMessageOrigin.LATER if later else TheirMessageOrigin.REFUSED)
    if told and later:
        return Brought(later=True)
    refuse(system, Files(task_number=task.number, files=(content,)), problem, task=task, url=url)
    _remark(reference, content.name, problem)
    return Brought(1, later=later)


def _attach(reference: ExternalReference, content: ListedFile, *, url: str) -> Brought:
    task, system = reference.task, reference.system
    if _is_here(reference, content):
        return Brought()
    try:
        receipt = deliver(system, Files(task_number=task.number, files=(content,)), url=url)
    except InProgress as busy:
        raise PollFailed(_("A ticket is being worked on at this moment.")) from busy
    if receipt is None:
        remember(task, system, FILE, content.their_id, TheirMessageOrigin.REFUSED)
    elif not receipt.attachments:
        # A call has brought it while it was being fetched.
        _is_here(reference, content)
        return Brought()
    return Brought(1)


def _is_here(reference: ExternalReference, content: ListedFile) -> bool:
    """Whether the ticket has the file: what we have sent, or they, or the same once more. From now on it is known."""
    task, system = reference.task, reference.system
    here = Attachment.objects.filter(ticket=task.ticket, sha256=content.sha256, name=content.name).first()
    if here is None:
        return False
    origin = TheirMessageOrigin.THEIRS if here.actor_key == system.actor_key else TheirMessageOrigin.OURS
    remember(task, system, FILE, content.their_id, origin, attachment=here)
    return True


def _fetch(asking: Operations, reference: ExternalReference, file: dict[str, str], *, into: IO[bytes]) -> None:
    """Write the bytes: brought along in base64, or downloaded. Raises `Refused` where this poll cannot get them."""
    encoded: Any = file.get("content_base64", "")
    if not encoded:
        if not asking.has(DOWNLOAD):
            raise Invalid(_("There is no operation download_attachment with which to fetch it."))
        names = {name: file.get(name, "") for name in ("id", "url", "name")}
        try:
            encoded = asking.file(task=reference.task, file=names, into=into, may_be_page=_is_html(file))
        except NotToBeHad as problem:
            if problem.for_good:
                raise Invalid(str(problem)) from problem
            not_given = NotGiven(str(problem))
            not_given.passing = problem.passing
            raise not_given from problem
    if not encoded:
        return
    try:
        into.write(base64.b64decode(plain_base64(encoded), validate=True))
    except (binascii.Error, ValueError) as error:
        raise Invalid(_("Its content is not base64.")) from error


def plain_base64(encoded: str) -> str:
    """Without line breaks, the head of a data address, and the letters of the kind for addresses."""
    text = DATA_ADDRESS.sub("", BLANKS.sub("", encoded)).translate(FOR_ADDRESSES).rstrip("=")
    return text + "=" * (-len(text) % 4)


def _check_sum(checksum: str, fetched: BufferedRandom) -> None:
    """Raises `NotGiven` where the content is not the one that the desk has: the rest of it may come later. Which sum
    it is, its length says."""
    expected = checksum.strip().lower()
    if len(expected) not in SUMS:
        return
    digest = SUMS[len(expected)]()
    fetched.seek(0)
    while piece := fetched.read(PIECE):
        digest.update(piece)
    if digest.hexdigest() != expected:
        raise NotGiven(
            _("Its content is not the one of which the desk gives the checksum %(sum)s.") % {"sum": expected}
        )


def _is_html(file: dict[str, str]) -> bool:
    """Whether the desk says that the file is a page in HTML."""
    guessed = mimetypes.guess_type(file.get("name", ""))[0] or ""
    return "html" in f"{file.get('content_type', '')} {guessed}".lower()


def _check_size(name: str, size: str) -> None:
    if size.strip().isdecimal() and int(size[:18]) > settings.MAX_ATTACHMENT_BYTES:
        limit = settings.MAX_ATTACHMENT_BYTES // 1024**2
        raise TooLarge(_("%(name)s is larger than %(limit)d MB.") % {"name": name, "limit": limit})


def _remark(reference: ExternalReference, name: str, problem: Refused) -> None:
    system, task = reference.system, reference.task
    add_remark(
        actor=Actor.external(key=system.actor_key, name=system.name),
        ticket=task.ticket,
        task=task,
        text=_("The file %(name)s of %(system)s was not taken over: %(reason)s")
        % {"name": name, "system": system, "reason": problem.detail},
    )
