"""How large a file is in base64."""

from typing import Final

# What stands around it: names, an envelope.
ROOM: Final = 64 * 1024


def room_for_base64(size: int) -> int:
    """The most bytes of an answer or a request with a file of so many bytes. In base64 it is a third larger; line
    breaks and slashes, as they are written in JSON by some, make a little more."""
    return size * 3 // 2 + ROOM
