"""Secrets that go over several lines: a private key printed line by line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from mcptap.tap.records import Redaction
from mcptap.tap.redact.pem import PEM_END, open_begin
from mcptap.tap.redact.redactor import Redactor
from mcptap.tap.redact.settings import Mode

OPEN: Final = "private-key-open"  # the last redaction of a line after which the key goes on


class LineRedactor:
    """Redacts one stream's lines in order. From a key's BEGIN to its END, or to the stream's end, nothing is kept."""

    def __init__(self, redactor: Redactor, mode: Mode = "redact") -> None:
        self._redactor = redactor
        self._mode = mode
        self.open = False

    def restore(self, redactions: Iterable[Redaction]) -> None:
        """Takes up the state after a line that had these redactions."""
        *_, last = (None, *redactions)
        self.open = last is not None and last.rule == OPEN

    def line(self, text: str) -> tuple[str, tuple[Redaction, ...]]:
        """What is kept of the line, and what was taken out."""
        if self._mode != "redact":
            return text if self._mode == "full" else f"[mcptap: not kept, mode {self._mode}]", ()
        return self._redacted(text)

    def _redacted(self, text: str) -> tuple[str, tuple[Redaction, ...]]:
        head, found = "", []
        if self.open:
            end = PEM_END.search(text)
            self.open = end is None
            head, note = self._redactor.placeholder(
                text[: end.end()] if end else text, OPEN if not end else "private-key"
            )
            found.append(note)
            text = text[end.end() :] if end else ""
        begin = open_begin(text)
        body, notes = self._redactor.text(text if begin is None else text[:begin])
        found.extend(notes)
        tail = ""
        if begin is not None:
            tail, note = self._redactor.placeholder(text[begin:], OPEN)
            found.append(note)
            self.open = True
        return head + body + tail, tuple(found)
