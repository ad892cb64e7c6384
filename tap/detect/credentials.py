"""Credentials that go to a server that never held them.

The idea: redaction gives the same secret the same digits wherever it stands. Who has had a secret (in its command line,
its arguments or its results) may have it again; the first time that another server is given it is worth telling. A secret
that only its name told stands there plainly where it goes without that name: so words of a known secret's length are
given digits too, and compared.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import Final

from mcptap.tap.detect.flow import EMAIL, SECRET, Place
from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.readings import Reading
from mcptap.tap.detect.rule import Rule, Severity
from mcptap.tap.records import Redaction

FOREIGN = Rule("foreign-credential", "credentials", "high", "a server is given another server's credential", "LLM02, MCP01",
               "the same secret was another server's until now")  # fmt: skip
RULES: Final = (FOREIGN,)
MAX_KNOWN: Final = 20_000
LEAST: Final = 8  # characters of a secret that is recognised without its name
MOST: Final = 1 << 16  # characters of a text whose words are compared
_PARTED = re.compile(r"[\s\"'`,;<>()\[\]{}|&=]+|: ")
_STEPS = re.compile(r"[/?#:]")
_PERSONAL: Final = "pii-"


@dataclass(slots=True)
class Held:
    """Who has had which secret, and from where it first came. Bounded; shared by all runs."""

    _first: dict[str, tuple[Place, bool]] = field(default_factory=dict)  # and whether it came in a result
    _holders: dict[str, set[str]] = field(default_factory=dict)
    _lengths: set[int] = field(default_factory=set)  # of secrets that were held

    def had(self, redactions: tuple[Redaction, ...], place: Place, *, result: bool) -> None:
        """These secrets stand in a command line (`result` false) or a result of a server."""
        for note in redactions:
            if _counts(note):
                self._first.setdefault(note.fingerprint, (place, result))
                if note.length >= LEAST:
                    self._lengths.add(note.length)
                self._holders.setdefault(note.fingerprint, set()).add(place.server)
        while len(self._first) > MAX_KNOWN:
            oldest = next(iter(self._first))
            del self._first[oldest], self._holders[oldest]

    def find(self, redactions: tuple[Redaction, ...], sink: Place) -> list[Found]:
        """Which of the secrets in these arguments were others' until now."""
        found = []
        for note in {note.fingerprint: note for note in reversed(redactions)}.values():
            if not _counts(note):
                continue
            known = self._first.get(note.fingerprint)
            if known is None or sink.server in self._holders[note.fingerprint] or known[0].at > sink.at:
                continue
            if known[1] or not note.rule.startswith(_PERSONAL):
                found.append(_told(note, *known, sink))
        self.had(redactions, sink, result=False)
        return found

    def plain(self, spoken: list[Reading], sink: Place, key: bytes) -> list[Found]:
        """Which secrets stand in these arguments though nothing there tells that they are."""
        if not self._lengths:
            return []
        known: dict[str, Redaction] = {}
        seen: set[str] = set()
        for pointer, text, _ in spoken:
            words = _words(text[:MOST]) - seen
            seen |= words  # other readings of a text have most of them again
            for word in words:
                if len(word) in self._lengths:
                    digits = hmac.digest(key, word.encode(errors="replace"), "sha256").hex()[:8]
                    if digits in self._first and digits not in known:
                        known[digits] = Redaction(pointer, "unnamed", digits, len(word))
        return self.find(tuple(known.values()), sink) if known else []


def _words(text: str) -> set[str]:
    """What may be a secret by itself: words, and the steps of paths and addresses."""
    words = {text.strip(), *_PARTED.split(text)}
    if "/" in text or "?" in text:
        stepped = [word for word in words if "/" in word or "?" in word or "#" in word or ":" in word]
        words.update(*map(_STEPS.split, stepped))
    return words


def _counts(note: Redaction) -> bool:
    return bool(note.fingerprint) and not note.rule.startswith(("not-listed", "request-state"))


def _told(note: Redaction, origin: Place, in_result: bool, sink: Place) -> Found:
    personal = note.rule.startswith(_PERSONAL)
    rule = EMAIL if note.rule.startswith("pii-email") else SECRET if in_result else FOREIGN
    severity: Severity | None = "medium" if personal and rule is not EMAIL else None
    evidence = (
        f"[REDACTED:{note.rule}:{note.fingerprint}] — known from {origin.server} {origin.target or ''} "
        f"(message {origin.seq}), goes to {sink.server} {sink.target or ''}"
    )
    return by(
        rule, "argument", evidence, severity=severity, pointer=note.pointer,
        fingerprint=note.fingerprint, target=sink.target, details={"from": origin.told(), "to": sink.told()},
    )  # fmt: skip
