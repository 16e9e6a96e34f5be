"""Which names announce a secret."""

import re
from collections.abc import Collection
from functools import lru_cache

REMOVED = "[removed]"

# Compared without case, punctuation and namespace: "X-Api-Key", "apiKey" and "ns:api_key" are one name.
WHOLE_NAMES = frozenset(
    {"auth", "otp", "pass", "pw", "pwd", "authpw", "rcntrl", "ccntrl", "sig", "nonce", "jwt", "bearer"}
)
PARTS_OF_NAMES = (
    "accesskey",
    "apikey",
    "assertion",
    "authorization",
    "cookie",
    "credential",
    "hmac",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "sessionid",
    "sharedkey",
    "signature",
    "signingkey",
    "subscriptionkey",
    "token",
)
# A bare "key" is a credential in addresses and headers, but the ticket's number in the bodies of several desks.
WHOLE_NAMES_OUTSIDE_BODIES = frozenset({"key"})
# Wrappers whose contents are looked at one by one, so that the user name stays readable.
WRAPPERS = frozenset({"usernametoken", "securitytokenreference", "requestedsecuritytoken"})
PUNCTUATION = re.compile(r"[^0-9a-z]+")


def is_secret_name(name: str, names: Collection[str] = (), *, in_body: bool = True) -> bool:
    """Whether a field, header, parameter or element of this name holds a secret; `names` are the caller's own."""
    return _is_secret(name[:200], frozenset(names), in_body)


@lru_cache(maxsize=4096)
def _is_secret(name: str, names: frozenset[str], in_body: bool) -> bool:
    plain = PUNCTUATION.sub("", name.rpartition(":")[2].lower())
    if any(plain == PUNCTUATION.sub("", own.rpartition(":")[2].lower()) for own in names):
        return True
    if plain in WRAPPERS:
        return False
    if plain in WHOLE_NAMES or (not in_body and plain in WHOLE_NAMES_OUTSIDE_BODIES):
        return True
    return any(part in plain for part in PARTS_OF_NAMES)
