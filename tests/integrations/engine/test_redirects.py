"""Where a redirect of a file may lead, without a network."""

import pytest
from django.utils.datastructures import CaseInsensitiveMapping

from integrations.engine.redirects import redirected, told
from integrations.models import ExternalSystem
from integrations.transports.errors import RedirectRefused
from integrations.transports.http import Request, Response

DESK = "https://desk.example/base"
ASKED = Request("GET", "https://desk.example/files/7", {"Accept": "*/*", "X-Key": "k", "Cookie": "c"})


def answer(location, name="Location"):
    """A redirect; the name of its header may be in small letters."""
    return Response(status=302, headers=CaseInsensitiveMapping({name: location}), body=b"<a href=...>", elapsed_ms=1)


def followed(location):
    """The request that follows."""
    return redirected(ASKED, answer(location), ExternalSystem(base_url=DESK))


@pytest.mark.parametrize("location", ["/f/8", "//desk.example/f/8", "https://DESK.example:443/f/8", "../f/8"])
def test_the_desk_itself_is_told_everything_again(location):
    assert followed(location).headers == ASKED.headers


@pytest.mark.parametrize(
    "location",
    [
        "https://desk.example:8443/f/8",
        "https://desk.example.evil.example/f/8",
        "https://desk.example@evil.example/f/8",
        "//cdn.example/f/8",
    ],
)
def test_another_host_or_port_is_told_nothing_of_us(location):
    assert followed(location).headers == {"Accept": "*/*"}


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("http://desk.example/f/8", "from https to http"),
        ("http://cdn.example/f/8", "from https to http"),
        ("https://[::1/f/8", "no address"),
        ("https://cdn.example:999999/f/8", "no address"),
        ("javascript:alert(1)", "no address of the web"),
    ],
)
def test_it_is_not_followed(location, says):
    with pytest.raises(RedirectRefused, match=says):
        followed(location)


@pytest.mark.parametrize("name", ["Location", "location"])
def test_the_log_has_no_signature(name):
    kept = told(answer("https://cdn.example/f/8?signature=abc#x", name))
    assert "abc" not in str(dict(kept.headers))
    assert "https://cdn.example/f/8" in kept.headers["Location"]
    assert kept.body == b""
    assert "abc" not in str(told(answer("https://[::1/?abc", name)).headers)
