"""Data that walks: what came in one server's result and goes out in another server's arguments.

The idea: of what results hold only keyed numbers are kept, in two generations of bounded size: the older one is dropped
when the younger is full. What a person asked for first is nobody's data: it is not remembered when a server echoes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.rule import Rule, Severity
from mcptap.tap.detect.said import Said
from mcptap.tap.detect.texts import excerpt
from mcptap.tap.detect.values import LEAST, RUN, passages, values
from mcptap.tap.detect.views import HARMLESS, views

GENERATION: Final = 100_000  # values; two generations take about 25 MB when full
_OWASP: Final = "LLM02, LLM06, MCP10"
SECRET = Rule(
    "secret-flow",
    "flow",
    "high",
    "a secret from one server goes to another",
    _OWASP,
    "a redacted value of one server's result stands in another server's arguments",
)
EMAIL = Rule(
    "email-flow",
    "flow",
    "medium",
    "an e-mail address from one server goes to another",
    _OWASP,
    "it came in one server's result",
)
URL = Rule(
    "url-flow", "flow", "low", "an address from one server goes to another", _OWASP, "it came in one server's result"
)
TEXT = Rule(
    "text-flow",
    "flow",
    "low",
    "text from one server goes to another",
    _OWASP,
    "16 characters or more came in one server's result",
)
ENCODED = Rule(
    "encoded-flow",
    "flow",
    "high",
    "encoded data from one server goes to another",
    _OWASP,
    "data that is encoded on its way is rarely meant to be seen",
)
RULES: Final = (SECRET, EMAIL, URL, TEXT, ENCODED)
_BY_KIND: Final = {"secret": SECRET, "email": EMAIL, "url": URL, "string": TEXT, "passage": TEXT}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was seen: one message of one server."""

    server: str
    run_id: str
    seq: int
    at: int
    target: str | None
    session: str | None

    def told(self) -> dict[str, object]:
        """As evidence."""
        return {"server": self.server, "run_id": self.run_id, "seq": self.seq, "target": self.target}

    def near(self, other: Place) -> bool:
        """Whether both belong to one life of a host, as far as is known."""
        return None in (self.session, other.session) or self.session == other.session


@dataclass(slots=True)
class Memory:
    """Which values came from where. Bounded; shared by all runs."""

    key: bytes
    _young: dict[int, Place] = field(default_factory=dict)
    _old: dict[int, Place] = field(default_factory=dict)
    _asked: tuple[dict[int, Place], dict[int, Place]] = field(default_factory=lambda: ({}, {}))
    _also: dict[int, set[str]] = field(default_factory=dict)  # further servers that had it

    def came(self, numbers: Iterable[int], place: Place) -> None:
        """These values stand in a result."""
        young, old, (asked, before) = self._young, self._old, self._asked
        fresh = []
        for number in numbers:
            if number in young or number in old:
                if (young.get(number) or old[number]).server != place.server:
                    self._also.setdefault(number, set()).add(place.server)
            elif (number not in asked and number not in before) or (self.sink(number) or place).at > place.at:
                fresh.append(number)
        young.update(dict.fromkeys(fresh, place))
        if len(self._young) > GENERATION:
            self._old, self._young = self._young, {}
            self._also = {number: servers for number, servers in self._also.items() if number in self._old}

    def origin(self, number: int, sink: Place) -> Place | None:
        """Where a value that goes out to `sink` came from, if that was another server."""
        known = self._young.get(number) or self._old.get(number)
        if known is None or known.server == sink.server or known.at > sink.at:
            return None
        return None if sink.server in self._also.get(number, ()) else known

    def sink(self, number: int) -> Place | None:
        """Where a value stood in arguments, and came from nowhere as far as was known."""
        return self._asked[0].get(number) or self._asked[1].get(number)

    def asked(self, numbers: Iterable[int], place: Place) -> None:
        """These values stand in arguments, and came from nowhere."""
        young, _ = self._asked
        for number in numbers:
            if number not in self._young and number not in self._old and self.sink(number) is None:
                young[number] = place
        if len(young) > GENERATION:
            self._asked = ({}, young)

    def number(self, kind: str, text: str) -> int:
        """A value's number, keyed by this process's random seed and this installation's key."""
        return hash((self.key, kind, text))

    def fingerprint(self, text: str) -> str:
        """Of a value in a finding: the same for the same value, and no way back."""
        return blake2b(text.encode(errors="replace"), key=self.key[:64], digest_size=8).hexdigest()


def remember(said: Said, place: Place, memory: Memory) -> list[Found]:
    """Remembers what a result holds. A collector may read a result after the arguments into which it went: told here."""
    found: dict[tuple[str, str], Found] = {}
    for pointer, text in said.texts:
        for kind, value in values(text):
            sink = memory.sink(memory.number(kind, value))
            if sink and sink.server != place.server and sink.at > place.at and place.near(sink):
                rule = _BY_KIND[kind]
                found[rule.id, sink.server] = _told(rule, value, None, place, sink, pointer=pointer, memory=memory)
        memory.came((memory.number(kind, value) for kind, value in values(text)), place)
        if len(text) >= LEAST and " " in text:
            memory.came(passages(text), place)
        for view in views(text) if _may_be_encoded(text) else ():
            memory.came((memory.number(kind, value) for kind, value in values(view.text)), place)
    return list(found.values())


def _may_be_encoded(text: str) -> bool:
    return len(text) < 65536 and " " not in text


def find(said: Said, place: Place, memory: Memory) -> list[Found]:
    """What in these arguments came from another server: of each kind and origin the first."""
    found: dict[tuple[str, str], Found] = {}
    numbers: list[int] = []
    for pointer, text in said.texts:
        readings = [(text, None), *((view.text, view.how) for view in views(text) if view.how not in HARMLESS)]
        for reading, how in readings:
            for kind, value, _, origin in _known(reading, place, memory, numbers):
                rule = _BY_KIND[kind] if how is None else ENCODED
                if rule in (URL, TEXT) and not origin.near(place):
                    continue
                if (rule.id, origin.server) not in found:
                    found[rule.id, origin.server] = _told(
                        rule, value, how, origin, place, pointer=pointer, memory=memory
                    )
    memory.asked(numbers, place)
    return list(found.values())


def _known(text: str, place: Place, memory: Memory, numbers: list[int]) -> Iterator[tuple[str, str, int, Place]]:
    for kind, value in values(text):
        number = memory.number(kind, value)
        numbers.append(number)
        if origin := memory.origin(number, place):
            yield kind, value, number, origin
    if len(text) >= LEAST and " " in text:
        threes = passages(text)
        numbers += threes
        if threes and (passage := _passage(text, threes, place, memory)):
            yield passage


def _passage(text: str, threes: list[int], place: Place, memory: Memory) -> tuple[str, str, int, Place] | None:
    """The first passage that is known: six words in a row, or all of a text."""
    run = 0
    for index, number in enumerate(threes):
        origin = memory.origin(number, place)
        run = run + 1 if origin else 0
        if origin and (run == RUN or run == len(threes)):
            words = text.split()[max(0, index - run + 1) : index + 3]
            if len(" ".join(words)) >= LEAST:
                return "passage", " ".join(words), number, origin
    return None


def _told(
    rule: Rule, value: str, how: str | None, origin: Place, sink: Place, *, pointer: str, memory: Memory
) -> Found:
    shown = excerpt(value, 0, min(len(value), 120), 0)
    severity: Severity | None = None if origin.near(sink) else "low"
    evidence = f"{shown} — from {origin.server} {origin.target or ''} (message {origin.seq}) to {sink.server} {sink.target or ''}"
    return by(
        rule, "argument", evidence + (f", as {how}" if how else ""), severity=severity, pointer=pointer,
        fingerprint=memory.fingerprint(value), target=sink.target,
        details={"from": origin.told(), "to": sink.told(), "encoding": how},
    )  # fmt: skip
