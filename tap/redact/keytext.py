"""Whether text that begins like a private key holds one: programs and manuals name the first line alone.

The idea: a line of a key has capitals and small letters without blanks; what only stands for one is `XXXX` or `...`.
"""

from __future__ import annotations

import re
from typing import Final

_KEY_LEAST: Final = 16  # characters of its line
_KEY_HEAD: Final = 400  # characters in which a key that goes on has a line
_KEY_MARGIN: Final = " \t\r\n\\nr>|\"'`"
_KEY_HEADER = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment): ")
_KEY_REST: Final = 4000  # characters in which a key that is written in short pieces has some
_KEY_PIECE = re.compile(r"(?=[A-Za-z+/]*[0-9])(?=[a-z0-9+/]*[A-Z])(?=[A-Z0-9+/]*[a-z])[A-Za-z0-9+/]{6,}")
_KEY_LINE = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/]{8,}(?![_-])")


def holds_key(key: str) -> bool:
    """A private key that has something random in it, or stands at the end of what was said so far."""
    body = key.partition("-----")[2].partition("-----")[2]
    if "-----END" in key:
        return has_key_body(body)
    begins = body[:_KEY_HEAD]
    return (
        not begins.strip(_KEY_MARGIN)
        or _KEY_HEADER.search(begins) is not None
        or has_key_body(begins, _KEY_LEAST)
        or sum(len(piece) for piece in _KEY_PIECE.findall(body[:_KEY_REST])) >= 2 * _KEY_LEAST
    )


def has_key_body(text: str, least: int = 8) -> bool:
    """Whether some of this could be a line of a PEM file, of so many characters at least, and is not `XXXX`."""
    runs = (run[0] for run in _KEY_LINE.finditer(text))
    mixed = (run for run in runs if len(run) >= least and not run.isupper() and not run.islower())
    return any(least < _KEY_LEAST or any(map(str.isdigit, run)) for run in mixed)
