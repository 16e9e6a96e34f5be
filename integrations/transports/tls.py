"""Certificates: reading those that an administrator enters, and the TLS contexts that are made of them."""

import os
import secrets
import ssl
import tempfile
from contextlib import suppress
from functools import lru_cache

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.utils.translation import gettext as _

PLAIN, SPKI = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo


class PemProblem(ValueError):
    """What was entered is no certificate or key, or they do not belong together; the text is for people."""


def read_certificates(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text, at least one; raises `PemProblem`."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise PemProblem(
            _("This is no certificate in PEM form. It begins with -----BEGIN CERTIFICATE-----.")
        ) from error


def read_key(pem: str, passphrase: str = "") -> str:
    """A private key as PEM without its passphrase, to be kept encrypted by ours; raises `PemProblem`."""
    return _key_pem(_load_key(pem, passphrase), serialization.NoEncryption())


def require_pair(certificate: x509.Certificate, key_pem: str) -> None:
    """Raise `PemProblem` unless the key is the certificate's."""
    key = _load_key(key_pem)
    ours, theirs = key.public_key().public_bytes(PLAIN, SPKI), certificate.public_key().public_bytes(PLAIN, SPKI)
    if ours != theirs:
        raise PemProblem(_("The key does not belong to this certificate."))


@lru_cache(maxsize=64)
def context(verify: bool, ca_bundle: str = "", certificate: str = "", key: str = "") -> ssl.SSLContext:
    """How a connection is secured.

    `ca_bundle` (PEM) names the only authorities that are believed; without it those of this machine, where an
    organisation installs its own, and the public ones. `certificate` and `key` (PEM) are shown to whoever asks for
    them. Raises `PemProblem`.
    """
    if ca_bundle:
        made = _believing_only(ca_bundle)
    else:
        made = ssl.create_default_context()
        made.load_verify_locations(certifi.where())
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if certificate:
        _show_certificate(made, certificate, key)
    return made


def _believing_only(ca_bundle: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca_bundle)
    except ssl.SSLError as error:
        raise PemProblem(_("The authorities of this system cannot be read. Enter them again.")) from error


def _show_certificate(made: ssl.SSLContext, certificate: str, key: str) -> None:
    """Python reads them from a file only: the key stands in it under a passphrase that nobody keeps."""
    passphrase = secrets.token_bytes(32)
    locked = _key_pem(_load_key(key), serialization.BestAvailableEncryption(passphrase))
    handle, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(f"{certificate.strip()}\n{locked}")
        made.load_cert_chain(path, password=passphrase)
    except ssl.SSLError as error:
        raise PemProblem(_("The client certificate and its key cannot be used. Enter them again.")) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _load_key(pem: str, passphrase: str = "") -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(pem.encode(), passphrase.encode() or None)
    except TypeError as error:
        # Raised exactly where there is a passphrase and none was given, or the other way round.
        message = (
            _("The key needs no passphrase. Leave it empty.") if passphrase else _("The key needs its passphrase.")
        )
        raise PemProblem(message) from error
    except ValueError as error:
        message = (
            _("The key cannot be read with this passphrase.") if passphrase else _("This is no key in PEM form.")
        )
        raise PemProblem(message) from error


def _key_pem(key: PrivateKeyTypes, encryption: serialization.KeySerializationEncryption) -> str:
    return key.private_bytes(PLAIN, serialization.PrivateFormat.PKCS8, encryption).decode()
