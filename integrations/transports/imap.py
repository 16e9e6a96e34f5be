"""Reading mailboxes over IMAP: guarded addresses, time-outs, and answers of a size that we can hold."""

import imaplib
import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.utils.translation import gettext as _
from imap_tools import BaseMailBox
from imap_tools.consts import MailMessageFlags
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from integrations.transports import tls
from integrations.transports.addresses import Address, normal_host, permitted_addresses
from integrations.transports.deadline import Deadline
from integrations.transports.errors import (
    AddressRefused,
    CertificateRefused,
    ConnectFailed,
    LoginRefused,
    Misconfigured,
    OutcomeUnknown,
    RequestInvalid,
    ResponseTooLarge,
    TransportError,
)
from integrations.transports.http import refuse_inside_transaction

SIZE: Final = re.compile(rb"RFC822\.SIZE (\d{1,15})")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Account:
    """One folder of one mailbox. `security` is tls, starttls or none; times in seconds, `deadline` for each command.

    `largest` is the most bytes of one mail that are read. With a `token` of OAuth 2.0 it signs in by that (XOAUTH2),
    without a password.
    """

    host: str
    port: int
    security: str
    username: str
    secret: str
    token: str = ""
    folder: str = "INBOX"
    done_folder: str = ""
    verify_tls: bool = True
    allow_private: bool = False
    timeout: float = 15.0
    deadline: float = 60.0
    largest: int = 50 * 1024 * 1024


@dataclass(frozen=True)
class Waiting:
    """A mail that nobody has taken over yet."""

    uid: str
    size: int


class FolderRefused(Misconfigured):
    """The folder to read from, or to move to, is not there."""


class MailWithheld(TransportError):
    """The server lists a mail and does not hand it out."""


class Reader:
    """An open mailbox. Every method raises a `TransportError` where the server fails."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._box = self._limited(lambda limit: _sign_in(account, limit))

    def waiting(self) -> list[Waiting]:
        """What is to be taken over, oldest first: what is unread, or, where mail is moved away, all that is there."""
        criteria = "UNDELETED" if self.account.done_folder else "UNSEEN UNDELETED"

        def ask(limit: Deadline) -> list[Waiting]:
            uids = [uid for uid in self._box.uids(criteria) if uid.isdecimal()]
            sizes = self._sizes(uids)
            return [Waiting(uid, sizes.get(uid, 0)) for uid in sorted(uids, key=int)]

        return self._limited(ask)

    def fetch(self, uid: str, *, only_header: bool = False) -> bytes | None:
        """The mail as it came, without marking it; None where somebody has taken it away meanwhile.

        Raises `MailWithheld` where it is there, and the server refuses it or answers without it.
        """
        part = "BODY.PEEK[HEADER]" if only_header else "BODY.PEEK[]"

        def ask(limit: Deadline) -> bytes | None:
            said, parts = "", list[Any]()
            try:
                status, parts = self._box.client.uid("FETCH", uid, f"({part})")
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                status, said = "BAD", str(error)
            found = next((bytes(row[1]) for row in parts if isinstance(row, tuple) and len(row) > 1), None)
            if status == "OK" and found is not None:
                return found
            if status == "OK" and uid not in self._box.uids(f"UID {uid}"):
                return None
            said = said or _words_of(parts)
            words = {"uid": uid, "reason": said[:300] or status}
            raise MailWithheld(
                _("The mail server lists the mail with the number %(uid)s and does not hand it out: %(reason)s")
                % words
            )

        return self._limited(ask)

    def done(self, uid: str) -> None:
        """Move the mail away, or mark it as read, after it was taken over."""

        def ask(limit: Deadline) -> None:
            if self.account.done_folder:
                self._box.move(uid, self.account.done_folder)
            else:
                self._box.flag(uid, MailMessageFlags.SEEN, True)

        self._limited(ask)

    def wait(self, seconds: float) -> bool:
        """Until the server tells of a change, at most so long (IDLE). Whether it told of one."""
        return self._limited(lambda limit: bool(self._box.idle.wait(timeout=seconds)), extra=seconds)

    @property
    def generation(self) -> str:
        """What the numbers of its mails belong to (UIDVALIDITY)."""
        return _words_of((self._box.client.untagged_responses.get("UIDVALIDITY") or [])[-1:])

    @property
    def can_wait(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return "IDLE" in self._box.client.capabilities

    def close(self) -> None:
        """Take leave; a server that hangs up rudely changes nothing, as every command was answered by then."""
        try:
            self._limited(lambda limit: self._box.client.logout())
        except TransportError:
            with suppress(OSError):
                self._box.client.shutdown()

    def _sizes(self, uids: list[str]) -> dict[str, int]:
        sizes = {}
        for start in range(0, len(uids), 200):
            some = ",".join(uids[start : start + 200])
            _status, rows = self._box.client.uid("FETCH", some, "(UID RFC822.SIZE)")
            for row in rows:
                line = row if isinstance(row, bytes) else b""
                uid, size = re.search(rb"UID (\d{1,15})", line), SIZE.search(line)
                if uid and size:
                    sizes[uid.group(1).decode()] = int(size.group(1))
        return sizes

    def _limited(self, ask: Callable[[Deadline], Result], *, extra: float = 0.0) -> Result:
        """One command, or a few that belong together, within the deadline; its errors in our words."""
        with Deadline(self.account.deadline + extra) as limit:
            if hasattr(self, "_box"):
                limit.watch(self._box.client.sock)
            try:
                return ask(limit)
            except TransportError:
                raise
            except MailboxLoginError as error:
                raise LoginRefused(
                    _("The mail server refused the name and password: %(reason)s") % {"reason": _said(error)}
                ) from error
            except MailboxFolderSelectError as error:
                words = {"folder": self.account.folder, "reason": _said(error)}
                raise FolderRefused(_('The folder "%(folder)s" cannot be read: %(reason)s') % words) from error
            except ImapToolsError as error:
                raise FolderRefused(_("The mail server refused: %(reason)s") % {"reason": _said(error)}) from error
            except (OSError, imaplib.IMAP4.error, ValueError) as error:
                reason = _("the time was up") if limit.passed else str(error)[:300]
                raise OutcomeUnknown(
                    _("The connection to the mail server broke: %(reason)s") % {"reason": reason}
                ) from error


@contextmanager
def open_mailbox(account: Account) -> Iterator[Reader]:
    """Sign in and choose the folder. Raises `AddressRefused`, `ConnectFailed`, `CertificateRefused`, `LoginRefused`,
    `FolderRefused` or `OutcomeUnknown`; inside a database transaction `RuntimeError`."""
    refuse_inside_transaction()
    reader = Reader(account)
    try:
        yield reader
    finally:
        reader.close()


def _sign_in(account: Account, limit: Deadline) -> BaseMailBox:
    box = _connected(account, limit)
    try:
        limit.watch(box.client.sock)
        if account.security == "starttls":
            try:
                box.client.starttls(tls.context(account.verify_tls))
            except ssl.SSLCertVerificationError as error:
                raise _certificate(account, error) from error
            limit.watch(box.client.sock)
        _log_in(box, account)
        # What a server can do, many tell only to whom they know.
        box.client._get_capabilities()
        box.folder.set(account.folder)
    except BaseException:
        # A handshake that failed has taken the socket with it.
        with suppress(OSError):
            box.client.shutdown()
        raise
    return box


def _log_in(box: BaseMailBox, account: Account) -> None:
    if account.token:
        _log_in_by_token(box, account)
        return
    plain = (account.username + account.secret).isascii()
    try:
        (box.login if plain else box.login_utf8)(account.username, account.secret, initial_folder=None)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        # The library's `authenticate` raises this where its `login` raises an error of its own.
        raise LoginRefused(
            _("The mail server refused the name and password: %(reason)s") % {"reason": str(error)[:300]}
        ) from error


def _log_in_by_token(box: BaseMailBox, account: Account) -> None:
    """XOAUTH2, as Microsoft and Google have it. A refusal comes as a challenge, which is answered by nothing before
    the server says no."""
    given = f"user={account.username}\1auth=Bearer {account.token}\1\1".encode()
    refusal = b""

    def answer(challenge: bytes) -> bytes:
        nonlocal refusal
        refusal = challenge
        return b"" if challenge else given

    try:
        box.client.authenticate("XOAUTH2", answer)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        words = f"{error} {refusal.decode('utf-8', 'replace')}".replace(account.token, "…")
        raise LoginRefused(
            _("The mail server refused the access token: %(reason)s") % {"reason": words[:300].strip()}
        ) from error


def _connected(account: Account, limit: Deadline) -> BaseMailBox:
    host = normal_host(account.host)
    if any(c in account.username + account.secret + account.token for c in "\r\n\0\1"):
        raise RequestInvalid(_("Name and password of a mailbox are one line each."))
    addresses = permitted_addresses(
        host,
        account.port,
        allowed_hosts=[host],
        allow_private=account.allow_private,
        timeout=min(account.timeout, limit.remaining),
    )
    failure: Exception | None = None
    for address in addresses:
        if account.security == "none" and _is_global(address):
            raise AddressRefused(_("Name and password would go through the internet in clear. Choose TLS."))
        try:
            return _Box(account, host, address)
        except ssl.SSLCertVerificationError as error:
            raise _certificate(account, error) from error
        except (OSError, imaplib.IMAP4.error) as error:
            failure = error
    words = {"host": host, "port": account.port, "reason": getattr(failure, "strerror", "") or failure}
    raise ConnectFailed(_("No connection to %(host)s, port %(port)s: %(reason)s.") % words) from failure


class _Box(BaseMailBox):
    """The library's mailbox, on a connection that was opened here."""

    def __init__(self, account: Account, host: str, address: str) -> None:
        self._opened = (account, host, address)
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return _Client(*self._opened)


class _Client(imaplib.IMAP4):
    """Connects to the address that was checked, and reads no more than one mail's worth at once."""

    def __init__(self, account: Account, host: str, address: str) -> None:
        self._account, self._address = account, address
        super().__init__(host, account.port, timeout=account.timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        connection = socket.create_connection((self._address, self.port), timeout)
        if self._account.security != "tls":
            return connection
        try:
            return tls.context(self._account.verify_tls).wrap_socket(connection, server_hostname=self.host)
        except (OSError, ssl.SSLError):
            connection.close()
            raise

    def read(self, size: int) -> Any:
        """A literal of the announced size."""
        if size > self._account.largest:
            raise ResponseTooLarge(
                _("The mail server sends %(size)d bytes at once, which is more than is read here.") % {"size": size}
            )
        return super().read(size)


def _certificate(account: Account, error: ssl.SSLCertVerificationError) -> CertificateRefused:
    words = {"host": account.host, "reason": error.verify_message}
    return CertificateRefused(_("The certificate of %(host)s was refused: %(reason)s.") % words)


def _is_global(address: str) -> bool:
    found: Address = ipaddress.ip_address(address)
    return found.is_global


def _words_of(parts: Iterable[Any]) -> str:
    """What the server wrote in an answer, without literals."""
    return b" ".join(part for part in parts if isinstance(part, bytes)).decode("utf-8", "replace")


def _said(error: Exception) -> str:
    """What the server said, without the command's result around it."""
    result = getattr(error, "command_result", None)
    parts = result[1] if isinstance(result, tuple) and len(result) > 1 else []
    words = _words_of(parts or [])
    return words[:300] or str(error)[:300]
