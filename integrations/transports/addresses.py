"""Which hosts and network addresses a request may go to."""

import ipaddress
import socket
import threading
from collections.abc import Iterable
from urllib.parse import urlsplit

import idna
from django.utils.translation import gettext as _

from integrations.transports.errors import AddressRefused, ConnectFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where cloud platforms hand out credentials to whoever asks, and the neighbourhood that no desk lives in.
# Reachable only when the administrator lists the network itself, never through "private addresses allowed".
GUARDED_NETWORKS: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.0/24",
    )
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address: whom a secret may be sent to. `ValueError` for what is no address."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), port


def permitted_addresses(
    host: str, port: int, *, allowed_hosts: Iterable[str], allow_private: bool, timeout: float
) -> list[str]:
    """The addresses of `host` that may be connected to, in the resolver's order.

    `allowed_hosts` holds host names, addresses and networks ("10.1.0.0/16"). A host passes when its name or
    address is listed, or when every address that it resolves to lies in a listed network. An address that is
    not public passes when a listed network contains it, or when `allow_private` is set. One refused address
    refuses the host: a name that leads to several places must not be a lottery.

    Raises `AddressRefused`, or `ConnectFailed` when the name cannot be resolved within `timeout` seconds.
    """
    names, networks = _read_allow_list(allowed_hosts)
    literal = _as_address(host)
    listed = normal_host(host) in names
    if not listed and not networks:
        raise AddressRefused(_not_listed(host))
    addresses = [literal] if literal is not None else resolve(normal_host(host), port, timeout=timeout)
    for address in addresses:
        in_network = any(_contains(network, address) for network in networks)
        if not listed and not in_network:
            raise AddressRefused(_not_listed(host))
        _refuse_dangerous(host, address, in_network=in_network, allow_private=allow_private)
    return [str(address) for address in addresses]


def normal_host(host: str) -> str:
    """One spelling for one host: lower case, ASCII (IDNA), no brackets, no final dot."""
    host = host.strip().strip("[]").rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def resolve(host: str, port: int, *, timeout: float) -> list[Address]:
    """Ask the system's resolver, for at most `timeout` seconds; raises `ConnectFailed`."""
    found: list[Address] = []
    failure: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                address = ipaddress.ip_address(str(info[4][0]))
                if address not in found:
                    found.append(address)
        except (OSError, UnicodeError) as error:
            failure.append(error)

    # getaddrinfo knows no time-out of its own, so it gets a thread that may be left behind.
    thread = threading.Thread(target=ask, name=f"resolve {host}", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise ConnectFailed(_("The name %(host)s was not resolved within the time-out.") % {"host": host})
    if failure or not found:
        reason = failure[0] if failure else _("no address")
        raise ConnectFailed(
            _("The name %(host)s cannot be resolved: %(reason)s.") % {"host": host, "reason": reason}
        ) from (failure[0] if failure else None)
    return found


def _read_allow_list(entries: Iterable[str]) -> tuple[set[str], list[Network]]:
    names: set[str] = set()
    networks: list[Network] = []
    for entry in entries:
        if "/" not in entry:
            names.add(normal_host(entry))
            continue
        try:
            networks.append(ipaddress.ip_network(entry.strip(), strict=False))
        except ValueError as error:
            raise AddressRefused(
                _("“%(entry)s” in the allow-list is not a network. Write it like 10.1.0.0/16.") % {"entry": entry}
            ) from error
    return names, networks


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does; otherwise the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in NAT64 or (address in IPV4_COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _contains(network: Network, address: Address) -> bool:
    return any(a.version == network.version and a in network for a in (address, _inner(address)))


def _refuse_dangerous(host: str, address: Address, *, in_network: bool, allow_private: bool) -> None:
    inner = _inner(address)
    words = {"host": host, "address": address}
    if inner.is_unspecified or inner.is_multicast or str(inner) == "255.255.255.255":
        raise AddressRefused(_("%(host)s leads to %(address)s, which is no address of a service desk.") % words)
    if in_network:
        return
    if any(_contains(network, address) for network in GUARDED_NETWORKS):
        raise AddressRefused(
            _(
                "%(host)s leads to %(address)s, which is link-local or a platform's metadata service. "
                "If a desk really lives there, add its network to the allowed hosts."
            )
            % words
        )
    if not _is_public(inner) and not allow_private:
        raise AddressRefused(
            _(
                "%(host)s leads to the private address %(address)s. Tick “May be in our own network”, or, for "
                "an external system, add its network to the allowed hosts."
            )
            % words
        )


def _is_public(address: Address) -> bool:
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not address.is_reserved and not site_local


def _not_listed(host: str) -> str:
    return _("%(host)s is not among this system's allowed hosts. Add it there, or correct the address.") % {
        "host": host
    }
