"""Any text, line by line, without secrets: JSON by its keys and in its form, everything else as lines of text.

The idea: a line is let go as soon as nothing behind it can tell what it holds. Lines that may be one JSON document, or
one run of base64, wait for each other, up to a limit; so a stream of any length takes the memory of its longest line.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import orjson

from mcptap.tap.records import Redaction
from mcptap.tap.redact.form import FormError, rewritten
from mcptap.tap.redact.lines import LineRedactor
from mcptap.tap.redact.redactor import UNSCANNED, Redactor
from mcptap.tap.redact.walk import UnscannableError

MAX_HELD: Final = 16 << 20  # characters of lines that wait for each other
MAX_DEPTH: Final = 250  # of brackets; what is nested deeper is not searched anyway
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|"')
_WRAPPED: Final = re.compile(r"(?:.*[^A-Za-z0-9+/_-])?(?:[A-Za-z0-9+/_-]{60}|[A-Za-z0-9+/_-]{64}|[A-Za-z0-9+/_-]{72}"
                             r"|[A-Za-z0-9+/_-]{76}|[A-Za-z0-9+/_-]{80})\r?", re.ASCII)  # fmt: skip
_GOES_ON: Final = re.compile(r"[A-Za-z0-9+/_-]{1,80}={0,2}\r?", re.ASCII)
_MAX_WRAPPED: Final = 1 << 20  # characters

# How programs write JSON: whatever is equal to it holds nothing that its value does not. Reading tokens takes longer.
_USUAL: Final = (lambda value: orjson.dumps(value).decode(), json.dumps, partial(json.dumps, ensure_ascii=False))


class Transcript:
    """Redacts one text. Feed it all lines, without their newlines, then `end`; both give what can be told by then."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lines = LineRedactor(redactor)
        self._held: list[str] = []
        self._size = 0
        self._depth = 0  # of the JSON document that the held lines may be; 0: they are base64
        self.rules: Counter[str] = Counter()
        self.secrets: set[tuple[str, str]] = set()  # rule and fingerprint

    @property
    def holds(self) -> bool:
        """Whether the last line has not been told yet."""
        return bool(self._held)

    def feed(self, line: str) -> Iterator[str]:
        """The lines that can be told now, as many as were fed."""
        if self._held and not self._depth:
            if _GOES_ON.fullmatch(line) and self._size < _MAX_WRAPPED:
                self._hold(line)
                if not _WRAPPED.fullmatch(line[-100:]):
                    yield from self._wrapped()
                return
            yield from self._wrapped()
        if self._held:
            yield from self._continued(line)
        elif not self._lines.open and self._begins(line):
            self._hold(line)
        else:
            yield self._line(line)

    def end(self) -> Iterator[str]:
        """What was still held."""
        yield from self._apart() if self._depth else self._wrapped()

    def unscanned(self, text: str) -> str:
        """What stands in place of a text that is not searched."""
        clean, note = self._redactor.placeholder(text, UNSCANNED)
        self._note((note,))
        return clean

    def _hold(self, line: str) -> None:
        self._held.append(line)
        self._size += len(line)

    def _taken(self) -> list[str]:
        held, self._held, self._size, self._depth = self._held, [], 0, 0
        return held

    def _begins(self, line: str) -> bool:
        """Whether more lines are needed to know what this one is."""
        if line.lstrip()[:1] in ("{", "["):
            self._depth = max(0, _depth(line, 0) or 0)
        return self._depth > 0 or _WRAPPED.fullmatch(line[-100:]) is not None

    def _continued(self, line: str) -> Iterator[str]:
        """One more line of what may be a JSON document."""
        self._hold(line)
        depth = _depth(line, self._depth)
        if depth is None or self._size > MAX_HELD:
            yield from self._apart()
        elif depth:
            self._depth = depth
        elif (clean := self._json("\n".join(self._held))) is not None:
            self._taken()
            yield clean
        else:
            yield from self._apart()

    def _apart(self) -> Iterator[str]:
        """Held lines that are no document."""
        for line in self._taken():
            yield self._line(line)

    def _wrapped(self) -> Iterator[str]:
        if held := self._taken():
            yield self._text("\n".join(held))

    def _line(self, line: str) -> str:
        clean = None if self._lines.open or line.lstrip()[:1] not in ("{", "[", '"') else self._json(line)
        return self._text(line) if clean is None else clean

    def _text(self, text: str) -> str:
        clean, notes = self._lines.line(text)
        self._note(notes)
        return clean

    def _json(self, text: str) -> str | None:
        """A JSON text without secrets, in its form; None if it is none, or nothing is found in its values."""
        try:
            value = orjson.loads(text)
            clean, notes = self._redactor.value(value)
        except orjson.JSONDecodeError:
            return None
        except UnscannableError:
            return self.unscanned(text)
        if not notes:
            return self._unchanged(text, value)
        self._note(notes)
        try:
            return rewritten(text, value, clean)
        except FormError:
            return orjson.dumps(clean, option=orjson.OPT_INDENT_2 if "\n" in text else 0).decode()

    def _unchanged(self, text: str, value: Any) -> str:
        """A text in whose values nothing is found; what a parser drops stands in the text only, and is not kept."""
        if any(written(value) == text for written in _USUAL):
            return text
        try:
            return rewritten(text, value, value)
        except FormError:
            return self._text(text)

    def _note(self, notes: tuple[Redaction, ...]) -> None:
        self.rules.update(note.rule for note in notes)
        self.secrets.update((note.rule, note.fingerprint) for note in notes)


def _depth(line: str, depth: int) -> int | None:
    """How deep in brackets a text is after this line; None if it cannot be JSON."""
    for match in _STRUCTURE.finditer(line):
        mark = match[0]
        if mark == '"':
            return None
        if mark[0] != '"':
            depth += 1 if mark in "{[" else -1
            if not 0 <= depth <= MAX_DEPTH or (not depth and line[match.end() :].strip()):
                return None
    return depth
