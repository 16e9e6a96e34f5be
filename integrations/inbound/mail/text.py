"""Texts of mails: character sets as they are really used, flowed lines, HTML as plain text."""

import codecs
import re
from typing import Final

from lxml import etree, html

from integrations.inbound.bodies import storable

# Python knows text codecs that no mail uses, and some of them take very long.
REFUSED: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
# What is said to be the first is written as the second: the web's own table (https://encoding.spec.whatwg.org/).
REALLY: Final = {
    "iso8859-1": "cp1252",
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "iso8859-9": "cp1254",
    "euc_kr": "cp949",
}
NAMES: Final = {"iso-8859-8-i": "iso8859-8", "windows-874": "cp874", "ks_c_5601-1987": "cp949", "x-sjis": "shift_jis"}
HIDDEN: Final = frozenset({"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg"})
BLOCKS: Final = frozenset(
    [
        *("address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure"),
        *(
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hr",
            "li",
            "main",
            "nav",
            "ol",
            "p",
            "pre",
        ),
        *("section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    ]
)
APART: Final = frozenset(["p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre"])
HIDING: Final = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|(?:^|;)(?:font-size|opacity|max-height):0(?:px|pt|em|%)?(?:;|!|$)"
)
MAX_HTML: Final = 5_000_000


def decoded(data: bytes, charset: str) -> str:
    """The text, whatever its charset is said to be: that, else UTF-8, else what Windows writes."""
    for name in (_codec(charset), "utf-8"):
        if name:
            try:
                return storable(data.decode(name))
            except (UnicodeError, LookupError):
                continue
    return storable(data.decode("cp1252", errors="replace"))


def _codec(charset: str) -> str:
    charset = charset.strip().strip("\"'").lower()
    try:
        name = codecs.lookup(NAMES.get(charset, charset)).name
    except (LookupError, ValueError):
        return ""
    return "" if name in REFUSED else REALLY.get(name, name)


def unflowed(text: str, *, delete_space: bool) -> str:
    """Lines of format=flowed (RFC 3676) as they were before they were broken."""
    # Pieces of lines, which are joined at the end: to lengthen a line by each piece takes hours for a long one.
    lines: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        line = line.removesuffix("\r")
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        content = content[1:] if content.startswith(" ") else content
        soft = content.endswith(" ") and content != "-- "
        piece = content[:-1] if soft and delete_space else content
        if open_depth is not None and open_depth == depth and content != "-- ":
            lines[-1].append(piece)
        else:
            lines.append([f"{'>' * depth} {piece}" if depth else piece])
        open_depth = depth if soft else None
    return "\n".join("".join(pieces).rstrip() for pieces in lines)


def html_text(source: str) -> str:
    """What a reader sees of an HTML mail, as plain text: quotes with >, links with their address, no markup."""
    if not source.strip():
        return ""
    parser = html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, recover=True)
    try:
        # Without its declaration: lxml refuses one in a text, and the charset is decided already.
        root = html.document_fromstring(re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", source[:MAX_HTML]), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ""
    writer = _Writer()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        (writer.begin if event == "start" else writer.end)(element)
    return writer.text()


class _Writer:
    """Collects lines while the tree is walked; no recursion, as a stranger chooses how deep it is, and no line is
    looked at again for each piece of it, as a stranger chooses how long it is."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pieces: list[str] = []
        self.has_words = False
        self.ends_blank = False
        self.links: list[tuple[int, int]] = []
        self.quote = 0
        self.hidden = 0
        self.pre = 0

    def begin(self, element: etree._Element) -> None:
        tag = str(element.tag).lower()
        if self.hidden or tag in HIDDEN or _is_hidden(element):
            self.hidden += 1
            return
        if tag in BLOCKS:
            self._break(apart=tag in APART)
        if tag == "blockquote":
            self.quote += 1
        self.pre += tag == "pre"
        if tag == "br":
            self._new_line()
        elif tag == "li":
            self._write("- ")
        elif tag == "img":
            self._write(element.get("alt") or "")
        elif tag == "a":
            self.links.append((len(self.lines), len(self.pieces)))
        self._write(element.text or "")

    def end(self, element: etree._Element) -> None:
        tag = str(element.tag).lower()
        if self.hidden:
            self.hidden -= 1
        else:
            self.pre -= tag == "pre"
            if tag == "a":
                self._link(element, *self.links.pop())
            elif tag in ("td", "th"):
                self._write(" ")
            if tag in BLOCKS:
                self._break(apart=tag in APART)
            if tag == "blockquote":
                self.quote -= 1
        if not self.hidden:
            self._write(element.tail or "")

    def text(self) -> str:
        self._new_line()
        lines = "\n".join(line.rstrip() for line in self.lines)
        return storable(re.sub(r"\n(?:>* ?\n){2,}", "\n\n", lines)).strip("\n ")

    def _link(self, element: etree._Element, line: int, piece: int) -> None:
        """The address, unless it is what stands there already; `line` and `piece` are where its words begin."""
        address = (element.get("href") or "").strip()
        if not address.lower().startswith(("http://", "https://")) or len(address) >= 2000:
            return
        written = self.pieces[piece:] if line == len(self.lines) else []
        if len(written) > len(address) or "".join(written).lstrip("> ").strip() != address:
            self._write(f" <{address}>")

    def _write(self, text: str) -> None:
        if self.pre:
            first, *others = text.split("\n")
            self._append(first)
            for line in others:
                self._new_line()
                self._append(line)
            return
        piece = re.sub(r"[ \t\r\n\xa0\u200b]+", " ", text)
        if piece.startswith(" ") and (not self.has_words or self.ends_blank):
            piece = piece[1:]
        self._append(piece)

    def _append(self, piece: str) -> None:
        if not piece:
            return
        if self.quote and not self.pieces:
            self.pieces.append(">" * min(self.quote, 20) + " ")
        self.pieces.append(piece)
        self.has_words = self.has_words or bool(piece.strip("> "))
        self.ends_blank = piece.endswith(" ")

    def _new_line(self) -> None:
        self.lines.append("".join(self.pieces))
        self.pieces, self.has_words, self.ends_blank = [], False, False

    def _break(self, *, apart: bool) -> None:
        if self.pieces:
            self._new_line()
        if apart and self.lines and self.lines[-1].strip("> "):
            self._new_line()


def _is_hidden(element: etree._Element) -> bool:
    """Whether its sender's own mail program would not show it: no reader knows what stands there."""
    style = re.sub(r"\s+", "", (element.get("style") or "")[:2000]).lower()
    return element.get("hidden") is not None or HIDING.search(style) is not None
