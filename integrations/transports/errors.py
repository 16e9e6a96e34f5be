"""What can go wrong on the way to another desk, told apart by what the engine must know."""


class TransportError(Exception):
    """An exchange that brought no usable answer.

    `reached` is False when the other side surely processed nothing (so that repeating is safe) and True when
    it may have: then only the operation template knows what repeating means.
    `status` is the HTTP status, where the status line had arrived before the failure. `accepted` are the recipients
    for whom the mail server took a mail before, or besides, the failure.
    """

    reached: bool = False
    accepted: tuple[str, ...] = ()

    def __init__(self, message: str, *, reached: bool | None = None, status: int | None = None) -> None:
        super().__init__(message)
        if reached is not None:
            self.reached = reached
        self.status = status


class Misconfigured(TransportError):
    """Repeating cannot help before a person has changed the configuration; nothing was sent."""


class AddressRefused(Misconfigured):
    """The address is not on the system's allow-list, or leads into a network that it must not reach."""


class RedirectRefused(Misconfigured):
    """A redirect of a file leads where it is not followed to."""


class RequestInvalid(Misconfigured):
    """The request or the mail cannot be put on the wire as it was rendered."""


class ClientCertificateRefused(Misconfigured):
    """The other side does not take our TLS certificate, or demands one; it has read nothing of the request."""


class LoginRefused(Misconfigured):
    """The mail server refused the portal's own name and password."""


class ConnectFailed(TransportError):
    """No connection came about: name not found, refused, timed out. Nothing was sent."""


class CertificateRefused(ConnectFailed):
    """The other side's TLS certificate is not valid for it, so nothing was sent."""


class OutcomeUnknown(TransportError):
    """The request left, or began to leave, and no complete answer came back."""

    reached = True


class ResponseTooLarge(TransportError):
    """The other side answered with more than the policy lets in; the request has been received."""

    reached = True


class MailRefused(TransportError):
    """The mail server refused the message or a recipient for good (5xx)."""


class MailDelayed(TransportError):
    """The mail server cannot take the message now (4xx) and asks to try later; nobody got it."""
