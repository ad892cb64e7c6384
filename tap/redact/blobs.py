"""Whether what looks like a token only happens to stand in data: in an image, a font, a program or a public key.

The idea: base64 and hexadecimal data have any few letters somewhere, but then letters and digits take turns right
before them too, or there are zero bytes, as no path and no word has them.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_BEFORE: Final = 24  # characters that are looked at
_LEAST: Final = 8  # of them that belong to the data
_LEAST_TURNS: Final = 6  # between small letters, capitals and digits
_RUN = re.compile(r"[A-Za-z0-9+/]*\Z")
_HEX = re.compile(r"(?=[A-Fa-f]*[0-9])(?:[0-9A-F]{16,}|[0-9a-f]{16,})")
_ZEROS: Final = "AAAA"
_DATA: Final = "base64,"


def is_in_data(text: str, start: int) -> bool:
    """Whether what begins at `start` goes on with data."""
    before = text[max(0, start - _BEFORE) : start]
    if before.endswith("/"):
        return False
    run = _RUN.search(before)
    data = run[0] if run else ""
    if before.endswith(_DATA):
        return True
    if len(data) < _LEAST:
        return False
    least = _LEAST_TURNS - 2 * (len(data) == _BEFORE)
    return _ZEROS in data or _HEX.fullmatch(data) is not None or _turns(data) >= least


def _turns(data: str) -> int:
    """How often its characters change in kind."""
    kinds = [(char.isdigit(), char.isupper(), char in "+/") for char in data]
    return sum(before != after and not (before[2] or after[2]) for before, after in pairwise(kinds))
