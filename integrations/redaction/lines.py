"""Headers, addresses, forms, and `name=value` or `Name: value` inside any text."""

import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import quote_plus, unquote_plus

from integrations.redaction.names import REMOVED, is_secret_name

# The scheme of a credential ("Basic", "Bearer", "Api-Key") helps the reader and gives nothing away.
SCHEME = re.compile(r"[A-Za-z][A-Za-z-]{1,20}(?= +\S)")
USERINFO = re.compile(r"(:(?:\\?/){2})[^/\\\s\"'<>?#@]{1,512}@")
# The look-behind lets a name begin only where no name character stands before it: that keeps the search linear.
PAIR = re.compile(r"(?<![\w.%\[\]-])([\w.%\[\]-]{1,100})=((?!\")[^&\s\"'<>\\#]+)")
LINE = re.compile(r"^([ \t]*+[A-Za-z][\w-]{0,60}+):[ \t]*+(\S[^\r\n]*+)", re.MULTILINE)
AUTHORIZATION = re.compile(
    r"(authorization\\?[\"']?\s{0,4}[:=]\s{0,4}\\?[\"']?(?:[A-Za-z][A-Za-z-]{1,20} +)?)([^\s\"'<>\\,]+)",
    re.IGNORECASE,
)


def redact_headers(headers: Mapping[str, str], *, names: Collection[str] = ()) -> dict[str, str]:
    """The same headers with the values of secret ones removed, and addresses in the others redacted."""
    redacted = {}
    for name, value in headers.items():
        if is_secret_name(name, names, in_body=False):
            redacted[name] = removed_value(value)
        else:
            redacted[name] = redact_pairs(value, names, in_body=False)
    return redacted


def redact_url(url: str, *, names: Collection[str] = ()) -> str:
    """The same address without user name and password, and without the values of secret parameters."""
    return redact_pairs(url, names, in_body=False)


def removed_value(value: str) -> str:
    """What is shown for the value of a secret header: its scheme, where it has one."""
    scheme = SCHEME.match(value)
    return f"{scheme.group()} {REMOVED}" if scheme else REMOVED


def redact_pairs(text: str, names: Collection[str], *, in_body: bool = True) -> str:
    """Remove user information in addresses and the values in `name=value`, wherever they stand in the text."""

    def pair(match: re.Match[str]) -> str:
        name = unquote_plus(match.group(1))
        return f"{match.group(1)}={REMOVED}" if is_secret_name(name, names, in_body=in_body) else match.group()

    if "://" in text or ":\\/" in text:
        text = USERINFO.sub(rf"\g<1>{REMOVED}@", text)
    if "=" in text:
        text = PAIR.sub(pair, text)
    if "uthorization" in text or "UTHORIZATION" in text:
        text = AUTHORIZATION.sub(rf"\g<1>{REMOVED}", text)
    return text


def redact_lines(text: str, names: Collection[str]) -> str:
    """Plain text: lines like `Password: ...` as in mail headers and notes."""

    def line(match: re.Match[str]) -> str:
        if not is_secret_name(match.group(1), names, in_body=False):
            return match.group()
        return f"{match.group(1)}: {removed_value(match.group(2))}"

    return LINE.sub(line, text)


def redact_assignment(text: str, names: Collection[str]) -> str:
    """A value that is itself `name=value` as a whole (`<string>authPW=...</string>`): the value may hold blanks."""
    name, equals, _value = text.partition("=")
    if equals and len(name) < 100 and is_secret_name(name.strip(), names):
        return f"{name}={REMOVED}"
    return text


def redact_form(text: str, names: Collection[str], nested: Callable[[str], str]) -> str:
    """`a=1&b=2`: values of secret fields go, other values are looked into (`nested`) where they hold documents."""
    fields = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if equals and value and is_secret_name(unquote_plus(name), names, in_body=False):
            fields.append(f"{name}={REMOVED}")
            continue
        plain = unquote_plus(value)
        cleaned = nested(plain)
        fields.append(part if cleaned == plain else f"{name}={quote_plus(cleaned)}")
    return "&".join(fields)
