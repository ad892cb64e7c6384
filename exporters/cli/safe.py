"""Makes text from servers harmless to a terminal: what it would obey, or not show, becomes a visible escape.

The idea: a list of bad characters is never complete, so it is the good ones that pass: those that Unicode calls
printable, and spaces. Of these a few are invisible or cover their neighbours all the same; they are listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from unicodedata import category

# Printable by category, and yet nothing is to be seen: joiners, fillers, selectors (which can carry hidden text).
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
# So many marks on one letter cover the lines above and below.
_MARKS = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}"
_DECEPTIVE = re.compile(f"[{_INVISIBLE}]+|{_MARKS}")


def harmless(text: str) -> str:
    """The text in one line, with escapes such as `\\x1b`, `\\u202e` and `\\n` for what is not plainly visible."""
    return _escaped(text, lambda char: char.encode("unicode_escape").decode("ascii"))


def harmless_json(value: Any) -> str:
    """The value as JSON in one line that any parser reads back exactly, with `\\u` escapes for the same characters."""
    return _escaped(json.dumps(value, ensure_ascii=False, allow_nan=False), _json_escape)


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    if text.isprintable() and not _DECEPTIVE.search(text):
        return text
    shown = "".join(char if char.isprintable() or category(char) == "Zs" else escape(char) for char in text)
    return _DECEPTIVE.sub(lambda found: "".join(map(escape, found[0])), shown)


def _json_escape(char: str) -> str:
    if ord(char) < 0x80:  # json.dumps would leave DEL as it is
        return f"\\u{ord(char):04x}"
    return json.dumps(char)[1:-1]
