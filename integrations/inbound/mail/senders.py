"""Whether a mail comes from whom it says it comes: what our own mail server has found out about DKIM and SPF."""

from email.message import Message as Mime
from enum import Enum
from functools import cache

from authres import AuthenticationResultsHeader, AuthResError, FeatureContext, dmarc
from publicsuffixlist import PublicSuffixList

from integrations.inbound.mail.headers import all_headers
from integrations.transports.addresses import normal_host

# DMARC is none of the methods that the library knows by itself.
READER = FeatureContext(dmarc)
# Ours is on top, or nearly so, if it is there.
MOST_HEADERS = 20


class Proof(Enum):
    """PROVED: DKIM, SPF or DMARC passed for the sender's own domain. DENIED: they failed. UNKNOWN: nobody says."""

    PROVED = "proved"
    DENIED = "denied"
    UNKNOWN = "unknown"


def proof_of(mime: Mime, sender: str, *, authserv_id: str) -> Proof:
    """What the trusted checker says about the sender's address.

    Only its own header counts, and of those the topmost: servers write on top, so what stands below came with the
    mail. RFC 8601, section 5, has the server remove such lines from outside; this does not rely on it alone.

    A DMARC that failed counts more than what passed: the owner of the domain asks for more than we do then.
    """
    domain = _domain(sender)
    if not authserv_id or not domain:
        return Proof.UNKNOWN
    results = _trusted(mime, authserv_id)
    if results is None:
        return Proof.UNKNOWN
    passed = failed = False
    for result in results.results:
        method, value = str(result.method or "").lower(), str(result.result or "").lower()
        if method not in ("dkim", "spf", "dmarc"):
            continue
        if method == "dmarc" and value == "fail":
            return Proof.DENIED
        aligned = _aligned(domain, _checked_domain(method, result), method)
        passed = passed or (value == "pass" and aligned)
        failed = failed or (method == "dmarc" and value == "permerror")
        failed = failed or (method == "spf" and value == "fail" and aligned)
    if passed:
        return Proof.PROVED
    return Proof.DENIED if failed else Proof.UNKNOWN


def _trusted(mime: Mime, authserv_id: str) -> AuthenticationResultsHeader | None:
    for value in all_headers(mime, "Authentication-Results")[:MOST_HEADERS]:
        try:
            parsed = READER.parse(f"Authentication-Results: {value}")
        except (AuthResError, ValueError, RecursionError):
            if value.lower().split(";")[0].split()[:1] == [authserv_id.lower()]:
                # It is the checker's, but unreadable: what stands below it is not asked instead.
                return None
            continue
        if str(parsed.authserv_id or "").lower() == authserv_id.lower():
            return parsed
    return None


def _checked_domain(method: str, result: object) -> str:
    """The domain that passed: of the signature, of the envelope's sender, or of the From that DMARC looked at."""
    names = {"dkim": ("header_d", "header_i"), "spf": ("smtp_mailfrom",), "dmarc": ("header_from",)}[method]
    for name in names:
        value = str(getattr(result, name, None) or "")
        if value:
            return _domain(value if "@" in value else f"@{value}")
    return ""


def _aligned(sender: str, checked: str, method: str) -> bool:
    """Whether what was checked speaks for the sender's domain: that domain itself or, for DKIM and SPF, one above it
    within the same organisation.

    Stricter than the relaxed alignment of RFC 7489, which also takes domains below and beside the sender's: those
    may be given away to customers, and whether they may speak for the domain is for its owner to say, which a DMARC
    that passed tells.
    """
    if sender == checked:
        return True
    if method == "dmarc" or not sender.endswith(f".{checked}"):
        return False
    organisation = suffixes().privatesuffix(sender)
    return bool(organisation) and f".{checked}".endswith(f".{organisation}")


@cache
def suffixes() -> PublicSuffixList:
    """The list of suffixes under which anybody may have a domain (publicsuffix.org), as the library brings it."""
    return PublicSuffixList()


def _domain(address: str) -> str:
    return normal_host(address.strip().strip("<>").rpartition("@")[2])
