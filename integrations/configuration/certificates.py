"""The check of a system's certificates, and what is said about them."""

from collections import defaultdict
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrations.transports.tls import PemProblem, read_certificates, read_key, require_pair

# From here on the end of our certificate is warned of: to get a new one takes partners weeks.
WARN_BEFORE = timedelta(days=30)


def problems_of_certificates(*, ca_bundle: str, certificate: str, key: str) -> dict[str, list[str]]:
    """What keeps certificates from being saved: field -> sentences. `key` is without passphrase."""
    problems: dict[str, list[str]] = defaultdict(list)
    if ca_bundle.strip():
        try:
            read_certificates(ca_bundle)
        except PemProblem as problem:
            problems["ca_bundle"].append(str(problem))
    if not certificate.strip():
        if key.strip():
            problems["client_certificate"].append(_("The key is of no use without its certificate."))
        return dict(problems)
    try:
        own = read_certificates(certificate)[0]
    except PemProblem as problem:
        problems["client_certificate"].append(str(problem))
        return dict(problems)
    if own.not_valid_after_utc < timezone.now():
        problems["client_certificate"].append(
            _("This certificate has ended on %(date)s.") % {"date": _date(own.not_valid_after_utc)}
        )
    if not key.strip():
        problems["client_key"].append(_("A certificate is of no use without its key."))
        return dict(problems)
    try:
        require_pair(own, read_key(key))
    except PemProblem as problem:
        problems["client_key"].append(str(problem))
    return dict(problems)


def certificate_until(certificate: str) -> datetime | None:
    """When the first certificate of a PEM text ends; None where there is none that can be read."""
    try:
        return read_certificates(certificate)[0].not_valid_after_utc if certificate.strip() else None
    except PemProblem:
        return None


def describe_certificate(certificate: str) -> str:
    """Whose it is, who vouches for it, until when, and its fingerprint; empty where there is none to be read."""
    until = certificate_until(certificate)
    if until is None:
        return ""
    own = read_certificates(certificate)[0]
    parts = {
        "subject": _name(own.subject),
        "issuer": _name(own.issuer),
        "until": until_words(until),
        "fingerprint": own.fingerprint(hashes.SHA256()).hex(" ", 2).upper(),
    }
    return _("%(subject)s, issued by %(issuer)s. %(until)s SHA-256 fingerprint: %(fingerprint)s") % parts


def until_words(until: datetime) -> str:
    """The end of a certificate as a sentence; days are counted where they are few."""
    left = until - timezone.now()
    if left < timedelta():
        return _("It ended on %(date)s.") % {"date": _date(until)}
    if left > WARN_BEFORE:
        return _("It ends on %(date)s.") % {"date": _date(until)}
    words = ngettext("It ends on %(date)s, in %(days)d day.", "It ends on %(date)s, in %(days)d days.", left.days)
    return words % {"date": _date(until), "days": left.days}


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def _date(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATE_FORMAT")
