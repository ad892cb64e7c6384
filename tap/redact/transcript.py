"""Any text, line by line, without secrets: JSON by its keys and in its form, everything else in blocks of lines.

The idea: a line is let go as soon as nothing behind it can tell what it holds. Lines of text are searched together, so
that a value on the line behind its name is seen, and a look at many costs hardly more than a look at one. Lines that
may be one JSON document wait for its end, up to a limit; so any stream takes the memory of its longest line only.
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
from mcptap.tap.redact.survey import UnscannableError

MAX_HELD: Final = 16 << 20  # characters of lines that wait for each other
MAX_DEPTH: Final = 250  # of brackets; what is nested deeper is not searched anyway
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|"')
BLOCK: Final = 32_768  # characters of lines that are searched together; up to twice as many where no line is empty
_WRAPPED: Final = re.compile(r"(?:.*[^A-Za-z0-9+/_-])?(?:[A-Za-z0-9+/_-]{60}|[A-Za-z0-9+/_-]{64}|[A-Za-z0-9+/_-]{72}"
                             r"|[A-Za-z0-9+/_-]{76}|[A-Za-z0-9+/_-]{80})\r?", re.ASCII)  # fmt: skip
_AWAITS: Final = re.compile(
    r"(?i)pass|pwd|secret|tok|key|cred|cookie|auth|name|[:=\\|>]\s*\Z"
)  # of what the next line has
_LONGEST_NAME: Final = 200  # characters at a line's end

# How programs write JSON: whatever is equal to it holds nothing that its value does not. Reading tokens takes longer.
_USUAL: Final = (lambda value: orjson.dumps(value).decode(), json.dumps, partial(json.dumps, ensure_ascii=False))


class Transcript:
    """Redacts one text. Feed it all lines, without their newlines, then `end`; both give what can be told by then."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._lines = LineRedactor(redactor)
        self._held: list[str] = []
        self._size = 0
        self._depth = 0  # of the JSON document that the held lines may be; 0: they are text
        self.rules: Counter[str] = Counter()
        self.secrets: set[tuple[str, str]] = set()  # rule and fingerprint

    def feed(self, line: str) -> Iterator[str]:
        """What can be told now, in order: a piece may be of several lines."""
        if self._depth:
            yield from self._continued(line)
        elif self._lines.open or "-----BEGIN" in line:  # a key's lines are told one by one
            yield from self._settled()
            yield self._line(line)
        elif (clean := self._json_line(line)) is not None:
            yield from self._settled()
            yield clean
        else:
            if depth := _opens(line):
                yield from self._settled()
            self._depth = depth
            self._hold(line)
            if self._is_full(line):
                yield from self._settled()

    def pause(self) -> Iterator[str]:
        """What can be told while nothing more comes."""
        if self._held and not self._depth and not _WRAPPED.fullmatch(self._held[-1][-100:]):
            yield from self._settled()

    def end(self) -> Iterator[str]:
        """What was still held."""
        yield from self._apart() if self._depth else self._settled()

    def leave_out(self, line: str) -> Iterator[str]:
        """What is told in place of a line that is too long to be searched."""
        yield from self.end()
        yield self._unscanned(line)

    def _hold(self, line: str) -> None:
        self._held.append(line)
        self._size += len(line) + 1

    def _taken(self) -> list[str]:
        held, self._held, self._size, self._depth = self._held, [], 0, 0
        return held

    def _is_full(self, line: str) -> bool:
        """Whether a block of text ends with this line."""
        if self._depth or self._size < BLOCK:
            return False
        return self._size >= MAX_HELD or (
            (not line.strip() or (self._size >= 2 * BLOCK and not _AWAITS.search(line[-_LONGEST_NAME:])))
            and not _WRAPPED.fullmatch(line[-100:])
        )

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
        """Held lines that are no document: each for itself."""
        for line in self._taken():
            clean = self._json_line(line)
            yield self._line(line) if clean is None else clean

    def _settled(self) -> Iterator[str]:
        """Held lines of text."""
        if not (lines := self._taken()):
            return
        clean, notes = self._redactor.text("\n".join(lines))
        if any(note.rule == UNSCANNED for note in notes):
            yield from map(self._line, lines)
        else:
            self._note(notes)
            yield clean

    def _line(self, text: str) -> str:
        """One line of text."""
        clean, notes = self._lines.line(text)
        self._note(notes)
        return clean

    def _unscanned(self, text: str) -> str:
        clean, note = self._redactor.placeholder(text, UNSCANNED)
        self._note((note,))
        return clean

    def _json_line(self, line: str) -> str | None:
        """A line that is JSON by itself; None if it is none."""
        return None if self._lines.open or line.lstrip()[:1] not in ("{", "[", '"') else self._json(line)

    def _json(self, text: str) -> str | None:
        """A JSON text without secrets, in its form; None if it is none, or nothing is found in its values."""
        try:
            value = orjson.loads(text)
            clean, notes = self._redactor.value(value)
        except orjson.JSONDecodeError:
            return None
        except UnscannableError:
            return self._unscanned(text)
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
            return self._line(text)

    def _note(self, notes: tuple[Redaction, ...]) -> None:
        self.rules.update(note.rule for note in notes)
        self.secrets.update((note.rule, note.fingerprint) for note in notes)


def _opens(line: str) -> int:
    """How many brackets a line leaves open that may begin a JSON document."""
    return max(0, _depth(line, 0) or 0) if line.lstrip()[:1] in ("{", "[") else 0


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
