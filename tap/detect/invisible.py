"""Characters that nobody sees, and those of them that writing and emoji need.

The idea: there are few honest uses (flags and families of emoji, Persian and Indic joiners, a mark at a file's
beginning), each with a form of its own. What does not have such a form is there to be read by a machine alone.
"""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = 0xE0000
INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A flag of a part of a country: a black flag, its tags, the closing tag.
FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
TAGS: Final = re.compile("[\U000e0001\U000e0020-\U000e007f]+")
BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Several selectors in a row, or the rare ones: text can be written with them, byte by byte.
HIDDEN_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}|[\U000e0100-\U000e01ef]{2,}")
ZERO_WIDTH: Final = re.compile("[\u200b-\u200d\u2060-\u2064\u180e\ufeff\u034f\u115f\u1160\u3164\uffa0]")
_JOINED: Final = re.compile(
    "(?:[\u2190-\u3299\U0001f000-\U0001faff\ufe0f\u20e3]|[\U0001f3fb-\U0001f3ff])\u200d(?=[\u2190-\u3299\U0001f000-\U0001faff])"
    "|(?<=[\u0590-\u08ff\u0900-\u109f\u1780-\u18af\ufb1d-\ufefc])[\u200c\u200d]|^\ufeff"
    "|(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])[\u200b\u2060]"  # Thai, Lao, Burmese, Khmer part words so
)


def tag_text(text: str) -> str:
    """What is written in tag characters, apart from flags."""
    if not TAGS.search(text):
        return ""
    found = "".join(TAGS.findall(FLAG.sub("", text)))
    return "".join(chr(ord(char) - _TAG) for char in found if 0x20 <= ord(char) - _TAG < 0x7F)


def zero_width(text: str) -> list[re.Match[str]]:
    """Zero-width characters that no writing and no emoji needs."""
    return list(ZERO_WIDTH.finditer(_JOINED.sub(lambda match: "x" * len(match[0]), text)))
