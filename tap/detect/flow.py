"""Data that walks: what came in one server's result and goes out in another server's arguments.

The idea: of what results hold only keyed numbers are kept, in two generations of bounded size: the older one is dropped
when the younger is full. What a person asked for first is nobody's data: it is not remembered when a server echoes it.
Names that programs give (paths, ids) go from server to server in all ordinary work, and are no more than a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.readings import Reading, is_followed
from mcptap.tap.detect.rule import Rule, Severity
from mcptap.tap.detect.said import Said
from mcptap.tap.detect.texts import excerpt
from mcptap.tap.detect.values import LEAST, RUN, Taken, Value, number_of, take
from mcptap.tap.detect.views import OPAQUE, views

GENERATION: Final = 60_000  # values; four generations, of results and of arguments, take about 27 MB when full
MAX_TEXTS: Final = 20_000  # results that are known as a whole
MOST_SERVERS: Final = 10_000  # from then on it makes no difference which there are
_NOBODY: Final[frozenset[str]] = frozenset()
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
    "low",
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
_BY_KIND: Final = {"email": EMAIL, "url": URL, "string": TEXT, "id": TEXT, "passage": TEXT}


class Place(NamedTuple):
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


Numbers = dict[int, Place]
Servers = frozenset[str]


@dataclass(slots=True)
class Memory:
    """Which values came from where. Bounded; shared by all runs."""

    key: bytes
    _young: Numbers = field(default_factory=dict)
    _old: Numbers = field(default_factory=dict)
    _asked: tuple[Numbers, Numbers] = field(default_factory=lambda: ({}, {}))
    _also: dict[int, Servers] = field(default_factory=dict)  # further servers that had it
    _groups: dict[Servers, Servers] = field(default_factory=dict)  # of them, each once: they are few, their values many
    _texts: set[int] = field(default_factory=set)  # results of which everything is known
    _servers: set[str] = field(default_factory=set)  # whose results are remembered
    _noted: set[tuple[str, str]] = field(default_factory=set)  # servers between which an id went

    def knows(self, number: int) -> bool:
        """Whether a result with this number was looked at before, and all of it is still remembered."""
        return number in self._texts

    def learn(self, number: int) -> None:
        """Nothing was found in the result with this number, and its values have come."""
        if len(self._texts) >= MAX_TEXTS:
            self._texts.clear()
        self._texts.add(number)

    def came(self, numbers: set[int], place: Place) -> None:
        """These values stand in a result."""
        if len(self._servers) <= MOST_SERVERS:
            self._servers.add(place.server)
        young, old, (asked, before) = self._young, self._old, self._asked
        fresh = numbers.difference(young).difference(old)
        for number in numbers - fresh if len(fresh) < len(numbers) else ():
            known = young.get(number) or old[number]
            if known.server != place.server:
                servers = self._also.get(number, _NOBODY)
                if place.server not in servers:
                    self._also[number] = self._with(servers, place.server)
            elif known.session != place.session:  # what counts is what this life of the host has seen
                young[number] = place
        theirs = fresh.difference(asked).difference(before)
        if len(theirs) < len(fresh):  # a collector may read a result after the arguments into which it went
            theirs |= {number for number in fresh - theirs if (self.sink(number) or place).at > place.at}
        young.update(dict.fromkeys(theirs, place))
        if len(young) > GENERATION:
            self._old, self._young = young, {}
            self._also = {number: servers for number, servers in self._also.items() if number in young}
            self._texts.clear()
            self._groups = {group: group for group in self._also.values()}

    def _with(self, servers: Servers, server: str) -> Servers:
        group = servers | {server}
        return self._groups.setdefault(group, group)

    def any_known(self, numbers: set[int], sink: Place) -> bool:
        """Whether any of these came in a result, and results came from others than where it goes."""
        if self._servers <= {sink.server}:
            return False
        return not (self._young.keys().isdisjoint(numbers) and self._old.keys().isdisjoint(numbers))

    def origin(self, number: int, sink: Place) -> Place | None:
        """Where a value that goes out to `sink` came from, if that was another server."""
        known = self._young.get(number) or self._old.get(number)
        if known is None or known.server == sink.server or known.at > sink.at:
            return None
        return None if sink.server in self._also.get(number, ()) else known

    def sink(self, number: int) -> Place | None:
        """Where a value stood in arguments, and came from nowhere as far as was known."""
        return self._asked[0].get(number) or self._asked[1].get(number)

    def asked(self, numbers: set[int], place: Place) -> None:
        """These values stand in arguments; those that came from nowhere are remembered."""
        young, before = self._asked
        fresh = numbers.difference(self._young).difference(self._old).difference(young).difference(before)
        young.update(dict.fromkeys(fresh, place))
        if len(young) > GENERATION:
            self._asked = ({}, young)

    def noted(self, origin: Place, sink: Place) -> bool:
        """Whether it was told before that ids go from this server to that one: more say nothing more."""
        pair = origin.server, sink.server
        if pair in self._noted or len(self._noted) > MAX_TEXTS:
            return True
        self._noted.add(pair)
        return False

    def fingerprint(self, text: str) -> str:
        """Of a value in a finding: the same for the same value, and no way back."""
        return blake2b(text.encode(errors="replace"), key=self.key[:64], digest_size=8).hexdigest()


def remember(said: Said, place: Place, memory: Memory, *, viewed: bool = True) -> list[Found]:
    """Remembers what a result holds. A collector may read a result after the arguments into which it went: told here.

    `viewed`: something in it may be read in another way.
    """
    found: dict[tuple[str, str], Found] = {}
    for pointer, text in said.texts:
        if len(text) < LEAST:
            continue
        taken = take(text, paths=False)
        for value in taken.values:
            sink = memory.sink(number_of(value))
            if sink and sink.server != place.server and sink.at > place.at and place.near(sink):
                rule = _BY_KIND[value.kind]
                found[rule.id, sink.server] = _told(rule, value, None, place, sink, pointer=pointer, memory=memory)
        memory.came(taken.numbers, place)
        for view in views(text) if viewed and _may_be_encoded(text) else ():
            memory.came(take(view.text, paths=False).numbers, place)
    return list(found.values())


def _may_be_encoded(text: str) -> bool:
    return LEAST <= len(text) < 65536 and " " not in text


def find(spoken: list[Reading], place: Place, memory: Memory) -> list[Found]:
    """What in these arguments came from another server: of each kind and origin the first."""
    found: dict[tuple[str, str], Found] = {}
    numbers: set[int] = set()
    for pointer, text, how in spoken:
        taken = take(text)
        if how is None:
            numbers |= taken.numbers
        for value, origin in _known(taken, place, memory):
            opaque = how is not None and not OPAQUE.isdisjoint(how.split(", "))
            rule = ENCODED if opaque else _BY_KIND[value.kind]
            if (rule in (URL, TEXT) and not origin.near(place)) or (rule.id, origin.server) in found:
                continue
            if opaque and any(other.details["from"]["server"] == origin.server for other in found.values()):
                continue  # it stands there plainly too
            if value.kind != "id" or not memory.noted(origin, place):
                found[rule.id, origin.server] = _told(
                    rule, value, how, origin, place, pointer=pointer, memory=memory,
                    followed=is_followed(value, text, pointer),
                )  # fmt: skip
    memory.asked(numbers, place)
    return list(found.values())


def _known(taken: Taken, place: Place, memory: Memory) -> Iterator[tuple[Value, Place]]:
    if not memory.any_known(taken.numbers, place):
        return
    for value in taken.values:
        if origin := memory.origin(number_of(value), place):
            yield value, origin
    yield from _passage(taken, place, memory)


def _passage(taken: Taken, place: Place, memory: Memory) -> Iterator[tuple[Value, Place]]:
    """The first passage that is known: six words in a row, or all of a text."""
    start: int | None = None
    for at, number in taken.passages():
        origin = memory.origin(number, place)
        if origin is None:
            start = None
            continue
        start = at - 1 if start is None else start
        words = taken.words[start : at + 2]
        if len(words) >= RUN or len(words) == len(taken.words):
            shown = b" ".join(words).decode(errors="replace")
            if len(shown) >= LEAST:
                yield Value("passage", shown), origin
                return


def _told(
    rule: Rule,
    value: Value,
    how: str | None,
    origin: Place,
    sink: Place,
    *,
    pointer: str,
    memory: Memory,
    followed: bool = False,
) -> Found:
    shown = excerpt(value.text, 0, min(len(value.text), 120), 0)
    severity: Severity | None = None if origin.near(sink) else "low"
    if (value.kind == "id" and rule is TEXT) or (rule in (TEXT, URL) and followed):
        severity = "info"
    evidence = (
        f"{shown} — from {origin.server} {origin.target or ''} (message {origin.seq}) "
        f"to {sink.server} {sink.target or ''}"
    )
    return by(
        rule, "argument", evidence + (f", as {how}" if how else ""), severity=severity, pointer=pointer,
        fingerprint=memory.fingerprint(value.text), target=sink.target,
        details={"from": origin.told(), "to": sink.told(), "encoding": how},
    )  # fmt: skip
