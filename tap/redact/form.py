"""A JSON text with some of its values replaced, everything else as it was written: spaces, order, digits, escapes.

The idea: the text is read again token by token beside the value before and the value after, and only where these two
differ something else is written. Where the text holds what the value does not (a member that comes twice), there is
no such way.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_TOKEN: Final = re.compile(r'[ \t\r\n]*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+)')


class FormError(ValueError):
    """The text is not simply the text of the value."""


def rewritten(text: str, before: Any, after: Any) -> str:
    """`text`, which is the JSON of `before`, as JSON of `after`. Raises FormError."""
    return _Rewriting(text).all(before, after)


class _Rewriting:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = self._done = self._begins = 0
        self._pieces: list[str] = []

    def all(self, before: Any, after: Any) -> str:
        self._value(self._token(), before, after)
        return "".join((*self._pieces, self._text[self._done :]))

    def _token(self) -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise FormError("the text ends early")
        self._at, self._begins = match.end(), match.start(1)
        return match[1]

    def _value(self, mark: str, before: Any, after: Any) -> None:
        """The value that begins with `mark`."""
        if mark == "{" and isinstance(before, dict) and isinstance(after, dict) and len(before) == len(after):
            self._members(before, after)
        elif mark == "[" and isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            self._items(before, after)
        else:
            begins = self._begins
            self._pass(mark, before)
            if after is not before and after != before:
                self._replace(begins, after)

    def _pass(self, mark: str, value: Any) -> None:
        """Passes over a value that stays, or goes as a whole."""
        if mark == "{" and isinstance(value, dict):
            self._members(value, value)
        elif mark == "[" and isinstance(value, list):
            self._items(value, value)

    def _members(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            if number:
                self._expect(",")
            key = self._token()
            if json.loads(key) != old:
                raise FormError("a member comes twice")
            if old != new:
                self._replace(self._begins, new)
            self._expect(":")
            self._value(self._token(), before[old], after[new])
        self._expect("}")

    def _items(self, before: list[Any], after: list[Any]) -> None:
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            if number:
                self._expect(",")
            self._value(self._token(), old, new)
        self._expect("]")

    def _expect(self, mark: str) -> None:
        if self._token() != mark:
            raise FormError(f"{mark} is not there")

    def _replace(self, begins: int, value: Any) -> None:
        """Writes `value` in place of what stands from there up to here."""
        self._pieces += (self._text[self._done : begins], json.dumps(value, ensure_ascii=False))
        self._done = self._at
