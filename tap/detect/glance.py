r"""The quick look at a text that nearly always says: nothing here to look for.

The idea: one automaton (Hyperscan) holds the words of all rules and the signs of all that is hidden or encoded, and
reads a text once. Only what fired looks closer. It fires wherever a rule could match, never less, so what is found does
not depend on it; without the package everything looks closer. It is not the redaction's automaton: that reads what was
said, this what was kept, and neither would be faster if they were one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from mcptap.tap.detect.rule import TextRule

HIDDEN: Final = "hidden"  # something that a person would not see
VIEWED: Final = "viewed"  # something that may be read in another way
# Characters beyond ASCII that ordinary texts have, and that are nobody's disguise: punctuation, arrows, boxes, emoji,
# Chinese, Japanese and Korean.
_PLAIN: Final = (
    r"\x{a0}\x{a3}\x{a7}\x{a9}\x{ab}\x{ae}\x{b0}\x{b1}\x{b7}\x{bb}\x{d7}\x{2010}-\x{2027}\x{2030}-\x{205e}\x{20ac}\x{2122}"
    r"\x{2190}-\x{245f}\x{2500}-\x{2fff}\x{3001}-\x{31ff}\x{3400}-\x{a4cf}\x{ac00}-\x{d7a3}\x{1f300}-\x{1faff}"
)
_INVISIBLE: Final = (
    r"\x{80}-\x{9f}\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{202a}-\x{202e}"
    r"\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffb}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}"
)
SIGNS: Final = (
    (HIDDEN, r"\x1b"),
    (HIDDEN, f"[{_INVISIBLE}]"),
    (VIEWED, rf"[^\x00-\x7f{_PLAIN}]"),
    (VIEWED, r"\x1b|&#|&lt;|\\[ux]"),
    (VIEWED, r"%(?s:.*)%(?s:.*)%"),
    (VIEWED, r"(?i)[a-z][*`]{1,3}[a-z]"),  # emphasis within a word
    (VIEWED, r"[A-Za-z][ .\-_][A-Za-z][ .\-_][A-Za-z][ .\-_]"),  # spaced letters
    # What is readable behind base64 has hardly a sign that is no letter or digit.
    (VIEWED, r"[0-9A-Za-z]{20}"),
)
_LONG_BLANK: Final = " " * 50
_BLANK_LINES: Final = "\n\n\n"
MANY_LINES: Final = 60
_WORD = re.compile(r"[a-z0-9_]+")

log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What a text may hold."""

    signs: frozenset[str]
    rules: frozenset[TextRule]


NOTHING: Final = Seen(frozenset(), frozenset())


@lru_cache(maxsize=4)
def automaton(rules: tuple[TextRule, ...]) -> Automaton:
    """All rules and signs as one automaton. Building it takes a quarter of a second, once for a process."""
    return Automaton(rules)


class Automaton:
    """What all runs share of the quick look: nothing of what was seen."""

    def __init__(self, rules: tuple[TextRule, ...]) -> None:
        self.everything = Seen(frozenset((HIDDEN, VIEWED)), frozenset(rules))
        self.by_number: list[str | TextRule] = [*(name for name, _ in SIGNS), *rules]
        self.database = _built(rules)


class Glance:
    """The quick look of one run. Not safe for threads."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._database = automaton.database
        self._scratch = self._database and _hyperscan().Scratch(self._database)
        self._numbers: list[int] = []

    def __call__(self, text: str) -> Seen:
        """What a text may hold."""
        if self._database is None:
            return self._automaton.everything
        numbers = self._numbers
        numbers.clear()
        self._database.scan((text + "\n").encode(errors="replace"), self._fired, scratch=self._scratch)
        pushed = _LONG_BLANK in text or (_BLANK_LINES in text and text.count("\n") >= MANY_LINES)
        if not numbers and not pushed:
            return NOTHING
        told = [self._automaton.by_number[number] for number in numbers]
        signs = frozenset((*(item for item in told if isinstance(item, str)), *((HIDDEN,) if pushed else ())))
        return Seen(signs, frozenset(item for item in told if isinstance(item, TextRule)))

    def _fired(self, number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        self._numbers.append(number)


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
    once, whole = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_UTF8, hyperscan.HS_FLAG_COMBINATION
    rows = [(pattern, number, once) for number, (_, pattern) in enumerate(SIGNS)]
    first = len(SIGNS) + len(rules)
    for number, rule in enumerate(rules, len(SIGNS)):
        groups = list(_groups(rule))
        if len(groups) == 1:
            rows.append((groups[0], number, once))
            continue
        parts = range(first, first := first + len(groups))
        rows += ((group, part, once | hyperscan.HS_FLAG_QUIET) for group, part in zip(groups, parts, strict=True))
        rows.append((" & ".join(map(str, parts)), number, whole | hyperscan.HS_FLAG_SINGLEMATCH))
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


def _groups(rule: TextRule) -> Iterator[str]:
    """What the scanner's groups of words are as patterns: whole words, and signs wherever they stand.

    A word's end is told by what follows it: the automaton does not combine what looks ahead.
    """
    for group in rule.groups:
        items = (rf"\b{item}[^0-9A-Za-z_]" if _WORD.fullmatch(item) else re.escape(item) for item in sorted(group))
        yield f"(?i)(?:{'|'.join(items)})"
