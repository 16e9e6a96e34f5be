"""Where a request may go, and that it goes exactly there."""

import socket

import pytest
from pytest_httpserver import HTTPServer

from integrations.transports.addresses import permitted_addresses
from integrations.transports.errors import AddressRefused, ConnectFailed
from integrations.transports.http import Policy, Request, send

REAL_LOOKUP = socket.getaddrinfo


def _check(host: str, *allowed: str, private: bool = False) -> list[str]:
    return permitted_addresses(host, 443, allowed_hosts=allowed, allow_private=private, timeout=2)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A resolver with answers of our own; each look-up of a name takes the next of its answers."""
    answers: dict[str, list[list[str]]] = {}

    def lookup(host, port, *args, **kwargs):
        if host not in answers:
            return REAL_LOOKUP(host, port, *args, **kwargs)
        now = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        if not now:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        family = socket.AF_INET6 if ":" in now[0] else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return answers


def test_a_listed_host_with_a_public_address_passes(names) -> None:
    names["desk.example"] = [["93.184.216.34", "93.184.216.35"]]
    assert _check("Desk.Example.", "desk.example") == ["93.184.216.34", "93.184.216.35"]


def test_a_host_that_is_not_listed_is_refused_without_being_looked_up(names) -> None:
    names["other.example"] = [[]]
    with pytest.raises(AddressRefused, match="not among this system's allowed hosts"):
        _check("other.example", "desk.example")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "0.1.2.3",
        "169.254.169.254", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_a_name_that_leads_into_a_private_network_is_refused(names, address: str) -> None:
    names["desk.example"] = [[address]]
    with pytest.raises(AddressRefused) as caught:
        _check("desk.example", "desk.example")
    assert caught.value.reached is False


def test_one_private_address_among_public_ones_refuses_the_host(names) -> None:
    names["desk.example"] = [["93.184.216.34", "10.0.0.1"]]
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        _check("desk.example", "desk.example")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "::ffff:10.0.0.1", "2130706433", "0x7f.1"])
def test_listing_a_bare_address_does_not_make_it_public(host: str) -> None:
    with pytest.raises(AddressRefused, match="private address"):
        _check(host, host)


def test_private_addresses_pass_when_the_administrator_says_so(names) -> None:
    names["desk.internal"] = [["10.1.2.3"]]
    assert _check("desk.internal", "desk.internal", private=True) == ["10.1.2.3"]
    assert _check("desk.internal", "10.1.0.0/16") == ["10.1.2.3"]
    with pytest.raises(AddressRefused):
        _check("desk.internal", "10.2.0.0/16")


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254", "fe80::1"]
)
def test_metadata_services_need_more_than_private_addresses_allowed(names, address: str) -> None:
    names["desk.internal"] = [[address]]
    with pytest.raises(AddressRefused, match="metadata"):
        _check("desk.internal", "desk.internal", private=True)
    assert _check("desk.internal", "desk.internal", "169.254.0.0/16", "fe80::/10", "fd00::/8", "100.64.0.0/10")


def test_no_list_makes_an_unspecified_or_multicast_address_a_desk(names) -> None:
    for address in ("224.0.0.1", "::", "255.255.255.255"):
        with pytest.raises(AddressRefused):
            _check(address, address, "0.0.0.0/0", "::/0", private=True)


def test_an_entry_that_is_no_network_is_named() -> None:
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.0/99"):
        _check("desk.example", "10.0.0.0/99")


def test_a_name_beyond_ascii_is_matched_in_either_spelling(names) -> None:
    names["xn--mnchen-3ya.example"] = names["münchen.example"] = [["93.184.216.34"]]
    assert _check("xn--mnchen-3ya.example", "München.example")


def test_a_name_that_does_not_exist_counts_as_not_connected(names) -> None:
    names["desk.example"] = [[]]
    with pytest.raises(ConnectFailed) as caught:
        send(Request("GET", "http://desk.example/"), Policy(allowed_hosts=("desk.example",)))
    assert caught.value.reached is False


def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: released.wait(10) and [])
    try:
        with pytest.raises(ConnectFailed, match="time-out"):
            permitted_addresses("desk.example", 80, allowed_hosts=["desk.example"], allow_private=False, timeout=0.2)
    finally:
        released.set()


def test_the_address_that_was_checked_is_the_one_connected_to(httpserver: HTTPServer, names) -> None:
    """Rebinding: the second look-up of the name would lead elsewhere, so there must be none."""
    names["desk.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    seen = []
    httpserver.expect_request("/").respond_with_handler(lambda request: seen.append(request.host) or _ok())
    policy = Policy(allowed_hosts=("desk.example",), allow_private=True)
    response = send(Request("GET", f"http://desk.example:{httpserver.port}/"), policy)
    assert response.status == 200
    assert seen == [f"desk.example:{httpserver.port}"]
    assert names["desk.example"] == [["127.0.0.2"]], "the name was looked up once"


def test_the_next_address_is_tried_when_the_first_does_not_answer(httpserver: HTTPServer, names) -> None:
    names["desk.example"] = [["127.0.0.9", "127.0.0.1"]]
    httpserver.expect_request("/").respond_with_handler(lambda request: _ok())
    policy = Policy(allowed_hosts=("desk.example",), allow_private=True)
    assert send(Request("GET", f"http://desk.example:{httpserver.port}/"), policy).status == 200


def _ok():
    from werkzeug import Response

    return Response("ok")
