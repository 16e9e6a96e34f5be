"""Secrets that somebody wrote into a template or an address are not in a file: a mark stands where they were.

A secret is what stands, as it is sent, below a name that announces one. What a placeholder fills in is none. When a
file comes back, the mark means what is stored there.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, Final

from integrations.redaction import is_secret_name

# No brackets: it may stand in the place of user and password of an address.
HIDDEN: Final = "(hidden)"
ADDRESSES: Final = frozenset({"base_url", "oauth_token_url", "url", "path", "files_path"})
BY_NAME: Final = frozenset({"settings", "soap_arguments"})
CERTIFICATES: Final = frozenset({"client_certificate", "ca_bundle"})

USER: Final = re.compile(r"(?<=://)[^/\s?#@{}]{1,500}(?=@)")
PARAMETER: Final = re.compile(r"(?<=[?&;])([\w.%\[\]-]{1,100})=([^&;#\s{}]++)(?![^&;#\s]*\{)")
HEADER: Final = re.compile(r"^([ \t]*[\w-]{1,100}:[ \t]*(?:[A-Za-z][A-Za-z-]{1,20} +)?)(\S[^\r\n]*)$", re.MULTILINE)
LINE: Final = re.compile(r"^([ \t]*([\w.-]{1,100})(?:;[^=\n]{0,100})?[ \t]*=[ \t]*)(\S[^\r\n]*)$", re.MULTILINE)
FORM: Final = re.compile(r"(?<![\w.%-])([\w.%\[\]-]{1,100})=([^&\s\"'<>{}]++)(?![^&\s]*\{)")
JSON: Final = re.compile(r'("([^"\\{}\s]{1,100})"\s{0,20}:\s{0,20}")((?:[^"\\]|\\.)+)(?=")')
ELEMENT: Final = re.compile(r"(<([\w:.-]{1,100})(?:\s[^<>]{0,500})?>)([^<]+)(?=</\2\s{0,20}>)")
ATTRIBUTE: Final = re.compile(r"(?<=[\s])([\w:.-]{1,100})=([\"'])([^\"'<>]+)(?=\2)")
KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{0,20000}?-----END [A-Z ]{0,30}PRIVATE KEY-----", re.DOTALL
)

# What is named like a secret and is none: the end of a letter, and what Jira wants to read in a form's header.
NO_SECRETS: Final = frozenset({"signature", "x-atlassian-token"})

Replace = Callable[[str], str]


def hidden(field: str, value: Any, names: Collection[str] = ()) -> Any:
    """The value of a model's field as it may stand in a file. `names` announce secrets besides those known."""
    return _replaced(field, value, names, lambda _secret: HIDDEN)


def restored(field: str, value: Any, stored: Any, names: Collection[str] = ()) -> Any:
    """The value of a file with the stored secrets where it has marks; with its marks, where they do not fit."""
    if not marks(value):
        return value
    secrets: list[str] = []

    def keep(secret: str) -> str:
        secrets.append(secret)
        return HIDDEN

    _replaced(field, stored, names, keep)
    if marks(value) != len(secrets) or HIDDEN in secrets:
        return value
    left = iter(secrets)
    return _each_text(value, lambda text: re.sub(re.escape(HIDDEN), lambda _mark: next(left), text))


def marks(value: Any) -> int:
    """How many secrets were left out of a value."""
    if isinstance(value, dict):
        return sum(marks(inner) for inner in value.values())
    return value.count(HIDDEN) if isinstance(value, str) else 0


def _replaced(field: str, value: Any, names: Collection[str], put: Replace) -> Any:
    if field in BY_NAME and isinstance(value, dict):
        return {key: _named(key, inner, names, put) for key, inner in value.items()}
    if not isinstance(value, str) or not value:
        return value
    if field in ADDRESSES:
        return _address(value, names, put)
    if field == "headers":
        return HEADER.sub(lambda found: _header(found, names, put), value)
    if field == "oauth_parameters":
        return LINE.sub(lambda found: _below(found, 2, 3, names, put), value)
    if field == "body":
        return _body(value, names, put)
    if field in CERTIFICATES:
        return KEY.sub(lambda found: put(found.group()), value)
    return value


def _named(key: str, value: Any, names: Collection[str], put: Replace) -> Any:
    last = re.split(r"[./]", key)[-1]
    if not isinstance(value, str) or not value or _is_filled_in(value) or last.lower() in NO_SECRETS:
        return value
    return put(value) if is_secret_name(last, names) else value


def _address(value: str, names: Collection[str], put: Replace) -> str:
    value = USER.sub(lambda found: put(found.group()), value)
    return PARAMETER.sub(lambda found: _pair(found, names, put), value)


def _header(found: re.Match[str], names: Collection[str], put: Replace) -> str:
    name, secret = found.group(1).partition(":")[0].strip(), found.group(2)
    if _is_filled_in(secret) or name.lower() in NO_SECRETS or not is_secret_name(name, names, in_body=False):
        return found.group()
    return found.group(1) + put(secret)


def _body(value: str, names: Collection[str], put: Replace) -> str:
    """JSON, XML, forms or parts, by what the text looks like."""
    start = value.lstrip()[:1]
    if start == "<":
        value = ELEMENT.sub(lambda found: _below(found, 2, 3, names, put), value)
        return ATTRIBUTE.sub(lambda found: _attribute(found, names, put), value)
    if start in ("{", "["):
        return JSON.sub(lambda found: _below(found, 2, 3, names, put), value)
    if "\n" in value.strip():
        return LINE.sub(lambda found: _below(found, 2, 3, names, put), value)
    return FORM.sub(lambda found: _pair(found, names, put), value)


def _below(found: re.Match[str], name: int, secret: int, names: Collection[str], put: Replace) -> str:
    """What stands below a name, if the name announces a secret."""
    text = found.group(secret)
    if not text.strip() or _is_filled_in(text) or not is_secret_name(found.group(name), names):
        return found.group()
    return found.group(1) + put(text)


def _attribute(found: re.Match[str], names: Collection[str], put: Replace) -> str:
    name, quote, text = found.groups()
    if _is_filled_in(text) or not is_secret_name(name, names):
        return found.group()
    return f"{name}={quote}{put(text)}"


def _pair(found: re.Match[str], names: Collection[str], put: Replace) -> str:
    name, text = found.groups()
    return f"{name}={put(text)}" if is_secret_name(name, names, in_body=False) else found.group()


def _is_filled_in(text: str) -> bool:
    """Whether a placeholder gives it, or a part of it."""
    return "{{" in text or "{%" in text


def _each_text(value: Any, change: Replace) -> Any:
    if isinstance(value, dict):
        return {key: _each_text(inner, change) for key, inner in value.items()}
    return change(value) if isinstance(value, str) else value
