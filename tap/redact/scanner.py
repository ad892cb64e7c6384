"""Which rules may find something in a text: the quick look that nearly always says "none".

Two engines answer alike. `Literals` looks for every rule's keywords, one after the other. `Hyperscan` runs all rules'
triggers as one automaton, some hundred times as fast; building it takes about a second, so a collector begins with
`Literals` and changes over when it is ready. A trigger matches wherever its rule does, never less: so what is found in
the end, by the rules themselves, does not depend on the engine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final, Protocol

from mcptap.tap.redact.rule import EachTime, Sign, Text, TextRule

PAYS: Final = 1_000_000  # characters; searching more than this with `Literals` takes longer than building Hyperscan
LIKELY: Final = 50_000  # characters; who has searched so much goes on, and does better to build while nobody waits
PRESSED: Final = 250_000  # characters; no host's greeting to its servers, but the begin of a flood
MODE: Final = 1  # HS_MODE_BLOCK
# Many prefixes in a row cost Hyperscan the square of their number, so a long text is looked at block by block. What a
# trigger must see to match for what its rule finds is shorter than what two blocks have in common.
BLOCK: Final = 65_536  # characters
COMMON: Final = 16_384
_BEHIND: Final = b"\0"  # some triggers that end in an escape are not seen at the very end
# Hyperscan builds in half the time, and scans a quarter faster, if it need not know what a character of UTF-8 is. So it
# sees DEL for each that is not of ASCII: one byte for one character. Where a trigger leaves out some characters, as
# `[^"]` does, it must not leave out DEL, nor be about letters of another alphabet.
_INNER: Final = bytes(range(0x80, 0xC0))  # of a character's bytes all but the first
_AS_DELETE: Final = bytes(range(0x80)) + b"\x7f" * 0x80
# What has no literal in it Hyperscan joins by the order in which it comes. Of 80 orders that were tried this was among
# the fastest: prose in three quarters, code in two thirds of the time of the slowest.
_LAST: Final = {"encoded": 1, "pii-iban-code": 2}
log = logging.getLogger(__name__)
_FORMAT: Final = "3"  # of what is hashed into a database's name


Where = dict[TextRule, list[tuple[int, int]]]  # the parts of a text in which a rule may find something


class Engine(Protocol):
    """Says which rules may find something."""

    def fired(self, text: str) -> list[TextRule]:
        """In the order of the rules."""

    def where(self, text: str) -> Where:
        """And in which parts of the text, in order and apart from each other, that begins."""


class Cache(Protocol):
    """Where built databases are kept. A miss is None; keeping one may fail silently."""

    def load(self, name: str) -> bytes | None: ...
    def store(self, name: str, data: bytes) -> None: ...


class Literals:
    """Looks for keywords. The few rules without any are tried out."""

    def __init__(self, rules: Sequence[TextRule]) -> None:
        self._rules = rules
        self._exact = _by_keyword(rules, fold=False)
        self._folded = _by_keyword(rules, fold=True)
        self._others = tuple((number, rule) for number, rule in enumerate(rules) if not rule.keywords)

    def fired(self, text: str) -> list[TextRule]:
        """In the order of the rules."""
        whole = Text(text)
        lowered = whole.lowered
        numbers = {number for number, rule in self._others if isinstance(rule, Sign) or any(rule.spans(whole))}
        for keyword, rules in self._exact:
            if keyword in text:
                numbers.update(rules)
        for keyword, rules in self._folded:
            if keyword in lowered:
                numbers.update(rules)
        return [self._rules[number] for number in sorted(numbers)]

    def where(self, text: str) -> Where:
        """Anywhere."""
        return {rule: [(0, len(text))] for rule in self.fired(text)}


def _by_keyword(rules: Sequence[TextRule], *, fold: bool) -> tuple[tuple[str, tuple[int, ...]], ...]:
    found: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        for keyword in rule.keywords if rule.fold == fold else ():
            found.setdefault(keyword, []).append(number)
    return tuple((keyword, tuple(numbers)) for keyword, numbers in found.items())


class Hyperscan:
    """Runs all triggers at once. Safe for threads: each scan has a scratch of its own, and scratches are kept."""

    def __init__(self, rules: Sequence[TextRule], database: Any) -> None:
        self._rules = rules
        self._database = database
        self._scratches: list[Any] = []  # pop and append are atomic

    def fired(self, text: str) -> list[TextRule]:
        """In the order of the rules."""
        if len(text) <= BLOCK:
            numbers = self._look(text)
        else:
            numbers = set().union(*(self._look(text[start : start + BLOCK]) for start in _starts(text)))
        return [self._rules[number] for number in sorted(numbers)]

    def where(self, text: str) -> Where:
        """In the blocks in which it fired, and as far around them as what is found may reach out of them."""
        parts: dict[int, list[tuple[int, int]]] = {}
        for start in _starts(text):
            low, high = max(0, start - COMMON), min(len(text), start + BLOCK + COMMON)
            for number in self._look(text[start : start + BLOCK]):
                known = parts.setdefault(number, [])
                joins = bool(known) and low <= known[-1][1]
                known[-1:] = [(known[-1][0], high)] if joins else [*known[-1:], (low, high)]
        return {self._rules[number]: parts[number] for number in sorted(parts)}

    def _look(self, block: str) -> set[int]:
        """The numbers of the rules that fire in a text of at most BLOCK characters."""
        numbers: set[int] = set()

        def found(number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            numbers.add(number)

        scratch = self._scratches.pop() if self._scratches else _hyperscan().Scratch(self._database)
        try:
            self._database.scan(_bytes(block) + _BEHIND, found, scratch=scratch)
        finally:
            self._scratches.append(scratch)
        return numbers


def _bytes(text: str) -> bytes:
    """A text, or a trigger, as Hyperscan gets it: a byte for each character."""
    data = text.encode(errors="surrogatepass")
    return data if len(data) == len(text) else data.translate(_AS_DELETE, _INNER)


def _starts(text: str) -> range:
    """Where its blocks begin."""
    return range(0, max(1, len(text) - COMMON), BLOCK - COMMON)


def _hyperscan() -> Any:
    """The package, which need not be there."""
    import hyperscan

    return hyperscan


class Scanner:
    """The rules of this installation, and the engine that looks for them at present."""

    def __init__(self, rules: Iterable[TextRule]) -> None:
        self.rules = tuple(rules)
        self._order = {id(rule): number for number, rule in enumerate(self.rules)}
        self._engine: Engine = Literals(self.rules)
        self._left = PAYS  # characters until Hyperscan is built
        self._cache: Cache | None = None

    @property
    def engine(self) -> str:
        """Its name: `literals` or `hyperscan`."""
        return type(self._engine).__name__.lower()

    @property
    def in_use(self) -> bool:
        """Whether building Hyperscan, where there is time for it, is likely to pay."""
        return self._left <= PAYS - LIKELY

    @property
    def is_pressed(self) -> bool:
        """Whether Hyperscan had better be built now, before it would be built amid the work."""
        return 0 < self._left <= PAYS - PRESSED

    def fired(self, text: str) -> list[TextRule]:
        """The rules that may find something in `text`, or in any part of it."""
        self._count(text)
        return self._engine.fired(text)

    def prepare(self, size: int) -> None:
        """Builds Hyperscan if that would be done while so many characters are searched, when time is counted."""
        if 0 < self._left <= size:
            self.build()

    def _count(self, text: str) -> None:
        if self._left > 0:
            self._left -= len(text)
            if self._left <= 0:
                self.build()

    def where(self, text: str) -> Where:
        """The rules that may find something in `text`, and in which parts of it that begins."""
        self._count(text)
        return self._engine.where(text)

    def ordered(self, rules: Iterable[TextRule]) -> list[TextRule]:
        """These rules, each once, in their order: what several find has the name of the first."""
        return [self.rules[number] for number in sorted({self._order[id(rule)] for rule in rules})]

    @property
    def name(self) -> str:
        """Tells this set of rules from others, for a cache."""
        triggers = "\n".join(trigger for rule in self.rules for trigger in (rule.id, *rule.triggers))
        version = getattr(_hyperscan(), "__version__", "")
        return sha256(f"{_FORMAT}\n{version}\n{triggers}".encode()).hexdigest()[:32]

    def load(self, cache: Cache) -> bool:
        """Changes over to Hyperscan with a database that was built before. False: there is none that fits.

        One that is built later will be kept there.
        """
        self._cache = cache
        try:
            data = cache.load(self.name)
            if data is None:
                return False
            self._engine = Hyperscan(self.rules, _hyperscan().loadb(data, MODE))
            self._left = 0
        except ImportError:
            return False
        except Exception as problem:
            if not _is_hyperscans(problem):
                raise
            return False  # damaged, or of another processor: it is built again
        return True

    def build(self, cache: Cache | None = None) -> bool:
        """Builds the database and changes over. Takes a second or two. False without the package, or if it refuses."""
        try:
            hyperscan = _hyperscan()
        except ImportError:
            return False
        self._left = 0  # nobody else need begin
        once = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH
        each_time = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_UTF8  # an engine of its own, which is faster
        triggers = [(number, trigger) for number, rule in enumerate(self.rules) for trigger in rule.triggers]
        triggers.sort(key=lambda row: _LAST.get(self.rules[row[0]].id, 0))
        database = hyperscan.Database(mode=MODE)
        try:
            database.compile(
                expressions=[_bytes(trigger) for _, trigger in triggers],
                ids=[number for number, _ in triggers],
                flags=[each_time if isinstance(trigger, EachTime) else once for _, trigger in triggers],
                elements=len(triggers),
            )
        except hyperscan.error as problem:  # a user's rule that it does not take
            log.warning("the rules cannot be built for Hyperscan: %s", problem)
            return False
        if cache := cache or self._cache:
            cache.store(self.name, hyperscan.dumpb(database))
        self._engine = Hyperscan(self.rules, database)
        return True


def _is_hyperscans(problem: Exception) -> bool:
    return isinstance(problem, _hyperscan().error)
