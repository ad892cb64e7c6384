"""A private key in pieces: where one begins and does not end, and which strings behind it are its lines.

A key's lines are base64 without any mark of their own; only the BEGIN before them tells what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mcptap.tap.redact.keytext import has_key_body
from mcptap.tap.redact.rule import Text, widened

_NAME: Final = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?"
PEM_BEGIN: Final = re.compile(rf"-----BEGIN {_NAME}-----")
PEM_END: Final = re.compile(rf"-----END {_NAME}-----")
BODY: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\\\r\n \t>|"
_MAX_STRINGS: Final = 400  # behind BEGIN: a key of 16384 bits has some 200 lines, each perhaps with a label
_MIN_FIRST: Final = 32  # characters of a key's first line; only behind one may others be shorter
_ASIDE = re.compile(r"\s*|[a-z/_-]{1,32}|.{1,3}|(?:Proc-Type|DEK-Info|Version|Comment): [^\n]*")  # `"type": "text"`


def open_begin(text: str) -> int | None:
    """Where a private key begins that does not end in this text."""
    if "-----BEGIN" not in text:
        return None
    last = None
    for match in PEM_BEGIN.finditer(text):
        last = match
    return last.start() if last and not PEM_END.search(text, last.end()) else None


class Tails:
    """Finds a private key whose beginning is missing."""

    id = "private-key"
    keywords = ("-----END",)
    fold = False
    triggers = (widened(PEM_END.pattern),)

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """From the first line that could be a key's to the END."""
        for end in PEM_END.finditer(text.text):
            start = len(text.text[: end.start()].rstrip(BODY))
            if start < end.start() and has_key_body(text.text[start : end.start()]):
                yield start, end.end()


class KeyLines:
    """Follows strings in the order of the document from a key's BEGIN to its END, or to what is no line of it."""

    def __init__(self) -> None:
        self._left = 0  # strings that may still belong to the key
        self._shortest = _MIN_FIRST

    @property
    def open(self) -> bool:
        """Whether the next string may belong to a key."""
        return self._left > 0

    def takes(self, text: str) -> bool:
        """Whether this string, the next one, is nothing but a part of an open key."""
        if not self._left:
            if "-----BEGIN" in text:
                self._begin(text)
            return False
        self._left -= 1
        if _ASIDE.fullmatch(text):
            return False
        words = text.replace("\\r", "").replace("\\n", "\n").strip(" \t>|").split()
        longest = max(map(len, words), default=0)
        prose = len(words) > 1 and longest < _MIN_FIRST
        if longest >= self._shortest and not prose and not text.strip(BODY):
            self._shortest = 4
            return True
        self._begin(text)
        return False

    def _begin(self, text: str) -> None:
        opened = open_begin(text) is not None
        self._left, self._shortest = (_MAX_STRINGS if opened else 0), _MIN_FIRST
