"""The picture of a ticket's exchanges: lanes, arrows in order of time, and nothing but text from outside."""

from datetime import UTC, datetime, timedelta

import lxml.etree
import pytest

from integrations.picture import Arrow, Lane, draw

SVG = "{http://www.w3.org/2000/svg}"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def arrow(minutes: int = 0, **values: object) -> Arrow:
    usual = {
        "lane": 0,
        "out": True,
        "kind": "good",
        "label": "create",
        "spoken": "Created",
        "at": NOON + timedelta(minutes=minutes),
        "url": f"/exchange/{minutes}/",
    }
    return Arrow(**{**usual, **values})


def drawn(lanes: list[Lane], arrows: list[Arrow]) -> lxml.etree._Element:
    """The picture, read strictly: what is not escaped would not be XML."""
    svg = draw(us="We", lanes=lanes, arrows=arrows, label="All")
    return lxml.etree.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def lines(picture: lxml.etree._Element) -> list[tuple[float, float, float]]:
    """Each arrow's start, end and height."""
    found = picture.iterfind(f".//{SVG}a/{SVG}line")
    return [tuple(float(line.get(name)) for name in ("x1", "x2", "y1")) for line in found]


def test_there_is_a_lane_for_us_and_for_each_desk_with_its_number() -> None:
    picture = drawn([Lane("Northwind", "INC-7"), Lane("Contoso")], [])
    heads = [text.text for text in picture.iterfind(f".//{SVG}text[@class='xl-lane-name']")]
    assert heads == ["We", "Northwind", "Contoso"]
    assert "INC-7" in [text.text for text in picture.iterfind(f".//{SVG}text[@class='xl-lane-caption']")]


def test_arrows_go_down_in_order_of_time_and_point_where_the_message_went() -> None:
    picture = drawn([Lane("A"), Lane("B")], [arrow(0), arrow(1, out=False), arrow(2, lane=1)])
    (out, back, far) = lines(picture)
    assert out[2] < back[2] < far[2]
    assert out[0] < out[1]
    assert (back[0], back[1]) == (out[1], out[0])
    assert far[0] == out[0]
    assert far[1] > out[1]
    assert [link.get("href") for link in picture.iterfind(f".//{SVG}a")] == [f"/exchange/{n}/" for n in range(3)]


@pytest.mark.parametrize(("kind", "sign"), [("good", "create"), ("bad", "✕ create"), ("doubt", "? create")])
def test_what_failed_is_told_by_a_sign_and_not_by_colour_alone(kind: str, sign: str) -> None:
    link = drawn([Lane("A")], [arrow(kind=kind)]).find(f".//{SVG}a")
    assert link is not None
    assert f"xl-arrow-{kind}" in link.get("class", "")
    assert link.get("aria-label") == "Created"
    assert sign in [text.text for text in link.iterfind(f"{SVG}text")]


def test_each_day_is_named_once() -> None:
    picture = drawn([Lane("A")], [arrow(0), arrow(5), arrow(60 * 24)])
    days = [text.text for text in picture.iterfind(f".//{SVG}text[@class='xl-day']")]
    assert days == ["4 May 2026", "5 May 2026"]


def test_texts_from_outside_stay_text_and_long_ones_are_cut() -> None:
    nasty = '</text><script>alert(1)</script>"&'
    picture = drawn([Lane(nasty, nasty)], [arrow(label=nasty * 9, spoken=nasty, url="/x/?a=1&b=2")])
    assert picture.findall(f".//{SVG}script") == []
    words = picture.find(f".//{SVG}text[@class='xl-arrow-words']")
    assert words is not None and words.text is not None
    assert len(words.text) < 70


def test_it_is_a_group_of_links_because_an_image_would_hide_them() -> None:
    picture = drawn([Lane("A")], [arrow()])
    assert (picture.get("role"), picture.get("aria-label")) == ("group", "All")
