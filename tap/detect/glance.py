r"""The quick look at a text that nearly always says: nothing here to look for.

The idea: one automaton (Hyperscan) holds a coarse form of all rules and the signs of all that is hidden or encoded, and
reads a text once. Only what fired looks closer. It fires wherever a rule could match, never less, so what is found does
not depend on it; without the package everything looks closer. It is not the redaction's automaton: that reads what was
said, this what was kept, and neither would be faster if they were one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from mcptap.tap.detect.invisible import INVISIBLE
from mcptap.tap.detect.rule import TextRule
from mcptap.tap.detect.views import may_be_spaced, plain_marks

HIDDEN: Final = "hidden"  # something that a person would not see
VIEWED: Final = "viewed"  # something that may be read in another way
ENCODED: Final = "encoded"  # a long word that may be encoded, and no other sign of that
SIGNS: Final = (
    (HIDDEN, r"\x1b"),
    (VIEWED, r"\x1b|&#|&lt;|\\[ux]"),
    (VIEWED, r"(?i)[a-z][*`]{1,3}[a-z]"),  # emphasis within a word
    (VIEWED, r"(?:[0-9A-Fa-f]{2}[ :,]{1,2}(?:0x)?){11}"),  # bytes
    (ENCODED, r"[0-9A-Za-z]{20}"),  # what is readable behind base64 has hardly a sign but letters and digits
)
# Beyond ASCII, but in all ordinary texts and nobody's disguise: punctuation, arrows, boxes, emoji, Chinese, Japanese,
# Korean.
_STRANGE = re.compile(
    "[^\\x00-\x7f\xa0\xa3\xa7\xa9\xab\xae\xb0\xb1\xb7\xbb\xd7\u2010-\u2027\u2030-\u205e\u20ac\u2122\u2190-\u245f\u2500-\u2fff"
    "\u3001-\u31ff\u3400-\ua4cf\uac00-\ud7a3\U0001f300-\U0001faff]"
)
_CONTROLS = re.compile("[\x80-\x9f]")
_LONG_BLANK: Final = " " * 50
_BLANK_LINES: Final = "\n\n\n"
PAYS: Final = 1_000  # texts; to look closely at more takes longer than to build the automaton
MANY_LINES: Final = 60
MANY_PERCENT: Final = 2  # more of these signs may be an encoding
OWN: Final = "user"  # rules of a user's own
_WORD = re.compile(r"[a-z0-9_]+")
_COUNT = re.compile(r"\\.|\{(\d+),\d+\}")
_IN_GROUP: Final = r"[^()\[\]\\]|\\.|\[(?:\\.|[^\]\\])*\]"
_GROUP = re.compile(rf"\(\?:((?:{_IN_GROUP}|\(\?:(?:{_IN_GROUP})*\))*)\)[*+]\??")
_WORDY = re.compile(r"(?:[A-Za-z0-9|?' *+-]|\\[ws]|\(\?:|\)|\[(?:\\w|[\w'-])*\])*")
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\.")

log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What a text may hold."""

    signs: frozenset[str]
    rules: frozenset[TextRule]


_NONE: Final[frozenset[str]] = frozenset()
_HIDDEN, _VIEWED, _BOTH = frozenset((HIDDEN,)), frozenset((VIEWED,)), frozenset((HIDDEN, VIEWED))
_ALONE: Final = {signs: Seen(signs, frozenset()) for signs in (_NONE, _HIDDEN, _VIEWED, _BOTH)}
_WITH_ENCODED: Final = {signs: Seen(signs | {ENCODED}, frozenset()) for signs in _ALONE}
_ENCODED_ALONE: Final = [ENCODED]


@lru_cache(maxsize=4)
def automaton(rules: tuple[TextRule, ...]) -> Automaton:
    """All rules and signs as one automaton, once for a process."""
    return Automaton(rules)


class Automaton:
    """What all runs share of the quick look: nothing of what was seen."""

    def __init__(self, rules: tuple[TextRule, ...]) -> None:
        self._rules = rules
        self._left = PAYS
        self.everything = Seen(_BOTH, frozenset(rules))
        self.by_number: list[str | TextRule] = [*(name for name, _ in SIGNS), *rules]
        self.database: Any = None

    @property
    def name(self) -> str:
        """Tells it from those of other rules or versions, for who keeps it. Raises ImportError without the package."""
        version = getattr(_hyperscan(), "__version__", "")
        return sha256(f"{version}\n{SIGNS}\n{_expressions(self._rules, _hyperscan())}".encode()).hexdigest()[:32]

    def load(self, data: bytes) -> bool:
        """Takes one that was built before, as `dumped`. False if this processor cannot run it: it is built again."""
        hyperscan = _hyperscan()
        try:
            self.database = hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
        except hyperscan.error:
            return False
        self._left = -1
        return True

    def dumped(self) -> bytes:
        """The built one, for who keeps it; nothing if it could not be built."""
        return bytes(_hyperscan().dumpb(self.database)) if self.database is not None else b""

    def build(self) -> None:
        """Builds it, unless that was tried before. Takes a second or two."""
        if self._left >= 0:
            self._left = -1
            self.database = _built(self._rules)

    def count(self) -> None:
        """A text was looked at closely for want of it; after so many it is built."""
        self._left -= 1
        if self._left == 0:
            self.build()


class Glance:
    """The quick look of one run. Not safe for threads."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._database: Any = None
        self._numbers: list[int] = []

    def __call__(self, text: str) -> Seen:
        """What a text may hold."""
        if self._database is None and not self._is_ready():
            return self._automaton.everything
        numbers = self._numbers
        numbers.clear()
        try:
            self._database.scan((plain_marks(text) + "\n").encode(errors="replace"), self._fired, scratch=self._scratch)
        except self._stopped:  # it has seen enough
            return self._automaton.everything
        plain = _signs(text)
        if not numbers:
            return _ALONE[plain]
        told = [self._automaton.by_number[number] for number in numbers]
        if told == _ENCODED_ALONE:
            return _WITH_ENCODED[plain]
        signs = plain.union([item for item in told if isinstance(item, str)])
        return Seen(signs, frozenset([item for item in told if isinstance(item, TextRule)]))

    def _is_ready(self) -> bool:
        self._automaton.count()
        if self._automaton.database is None:
            return False
        self._scratch = _hyperscan().Scratch(self._automaton.database)
        self._stopped = _hyperscan().ScanTerminated
        self._database = self._automaton.database
        return True

    def _fired(self, number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        self._numbers.append(number)


def _signs(text: str) -> frozenset[str]:
    """The signs that a look for characters finds sooner than the automaton."""
    hidden = _LONG_BLANK in text or (_BLANK_LINES in text and text.count("\n") >= MANY_LINES)
    viewed = text.count("%") > MANY_PERCENT or may_be_spaced(text)
    if not text.isascii():
        hidden = hidden or bool(INVISIBLE.search(text) or _CONTROLS.search(text))
        viewed = viewed or hidden or bool(_STRANGE.search(text))
    if not hidden and not viewed:
        return _NONE
    return _BOTH if hidden and viewed else _HIDDEN if hidden else _VIEWED


def _hyperscan() -> Any:
    """The package, which need not be there."""
    import hyperscan

    return hyperscan


def _built(rules: tuple[TextRule, ...]) -> Any:
    """The automaton; None without the package, or if it does not take a user's words."""
    try:
        hyperscan = _hyperscan()
    except ImportError:
        return None
    rows = _expressions(rules, hyperscan)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[pattern.encode() for pattern, _, _ in rows],
            ids=[number for _, number, _ in rows],
            flags=[flags for _, _, flags in rows],
            elements=len(rows),
        )
    except hyperscan.error as problem:
        log.warning("the automaton of the detection cannot be built: %s", problem)
        return None
    return database


def _expressions(rules: tuple[TextRule, ...], hyperscan: Any) -> list[tuple[str, int, int]]:
    """What the automaton is built from: patterns, what they stand for, flags."""
    once, whole = hyperscan.HS_FLAG_SINGLEMATCH, hyperscan.HS_FLAG_COMBINATION
    rows = [(pattern, number, once) for number, (_, pattern) in enumerate(SIGNS)]
    once |= hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_PREFILTER
    first = len(SIGNS) + len(rules)
    for number, rule in enumerate(rules, len(SIGNS)):
        groups = list(_rows(rule))
        if len(groups) == 1:
            rows.append((groups[0], number, once))
            continue
        parts = range(first, first := first + len(groups))
        rows += ((group, part, once | hyperscan.HS_FLAG_QUIET) for group, part in zip(groups, parts, strict=True))
        rows.append((" & ".join(map(str, parts)), number, whole | hyperscan.HS_FLAG_SINGLEMATCH))
    return rows


def _rows(rule: TextRule) -> Iterator[str]:
    """What fires for a rule. A user's pattern may be anything: there it is the words, which must all be there.

    A word's end is told by what follows it: the automaton does not combine what looks ahead.
    """
    if rule.detector != OWN:
        yield coarse(rule.compiled.pattern)
        return
    for group in rule.groups:
        items = (rf"\b{item}[^0-9A-Za-z_]" if _WORD.fullmatch(item) else re.escape(item) for item in sorted(group))
        yield "|".join(items)


def coarse(pattern: str) -> str:
    """A pattern that matches all that `pattern` does and more, in UTF-8, and takes little time to build.

    Numbers of repeats become any number, repeated groups any run of characters that they may hold; what is beyond ASCII
    may be a letter or white space; where the text of another message part begins, a text begins.
    """
    loose = _GROUP.sub(
        lambda group: r"[\s\w'-]*" if _WORDY.fullmatch(group[1]) else r"[^\x00]*", _COUNT.sub(_any, pattern)
    )
    return _CLASS.sub(_beyond, loose).replace("(?:^|", r"(?:^|\x00|").replace("|$|", r"|$|\x00|")


def _any(count: re.Match[str]) -> str:
    return count[0] if count[1] is None else "*" if count[1] == "0" else "+"


def _beyond(item: re.Match[str]) -> str:
    if item[0] in (r"\s", r"\w"):
        return rf"[{item[0]}\x80-\xff]"
    return r"[\x80-\xff" + item[0][1:] if item[0][:2] != "[^" and re.search(r"\\[sw]", item[0]) else item[0]
