"""Which wordings stand in a text, and where.

The idea: nearly all texts hold none, and that must cost next to nothing. So a text is taken apart into words once, and
only a rule all of whose groups of words are there is searched for. Long texts are looked at in pieces, so that words
that stand far apart do not wake a rule, and no search is long. Whoever has a faster engine gives it as `fired`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Final, NamedTuple

from mcptap.tap.detect.rule import TextRule

PIECE: Final = 4096  # characters looked at together
OVERLAP: Final = 512  # more than nearly any match is long
MAX_HITS: Final = 8  # of one rule in one piece: more say nothing more
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_APART: Final = str.maketrans({chr(code): " " for code in range(128) if chr(code).lower() not in _WORD})

Fired = Callable[[str], Iterable[TextRule]]


class Hit(NamedTuple):
    """A rule that matched, from `start` to `end` of a text."""

    rule: TextRule
    start: int
    end: int


def words(folded: str) -> list[str]:
    """The words of a text in lower case."""
    return folded.translate(_APART).split()


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """A text in overlapping pieces, each with its offset."""
    if len(text) <= PIECE:
        yield 0, text
        return
    for start in range(0, len(text) - OVERLAP, PIECE - OVERLAP):
        yield start, text[start : start + PIECE]


class Words:
    """Looks for the words that rules need."""

    def __init__(self, rules: Iterable[TextRule]) -> None:
        self._by_word: dict[str, list[TextRule]] = {}
        self._signed: list[TextRule] = []
        for rule in rules:
            first = rule.groups[0]
            if all(_is_word(item) for item in first):
                for word in first:
                    self._by_word.setdefault(word, []).append(rule)
            else:
                self._signed.append(rule)
        self._vocabulary = frozenset(self._by_word)
        self._firsts = {item[0] for rule in self._signed for item in rule.groups[0]} - _WORD

    def __call__(self, text: str) -> list[TextRule]:
        """The rules that may match in `text`."""
        folded = text.lower()
        there = set(words(folded))
        woken = {rule for word in self._vocabulary & there for rule in self._by_word[word]}
        fired = [rule for rule in woken if _has_all(rule.groups[1:], there, folded)]
        if any(sign in folded for sign in self._firsts):
            fired += [rule for rule in self._signed if _has_all(rule.groups, there, folded)]
        return fired


def _is_word(item: str) -> bool:
    return _WORD.issuperset(item)


def _has_all(groups: Sequence[frozenset[str]], there: set[str], folded: str) -> bool:
    for group in groups:
        if group.isdisjoint(there) and not any(item in folded for item in group if not _is_word(item)):
            return False
    return True


class Scanner:
    """Finds the matches of its rules."""

    def __init__(self, rules: Iterable[TextRule], fired: Fired | None = None) -> None:
        self.rules = tuple(rules)
        self._fired = fired or Words(self.rules)
        self._order = {rule: number for number, rule in enumerate(self.rules)}

    def hits(self, text: str, among: Set[TextRule] | None = None) -> list[Hit]:
        """All matches, in the order of the text; one in the overlap of two pieces may be told twice.

        `among`: no other rules can match in this text, as somebody knows who has had a quick look at it.
        """
        found: list[Hit] = []
        known = None if among is None else [rule for rule in among if rule in self._order]
        for offset, piece in pieces(text):
            for rule in self._fired(piece) if known is None else known:
                for count, match in enumerate(rule.compiled.finditer(piece)):
                    if count == MAX_HITS:
                        break
                    found.append(Hit(rule, offset + match.start(), offset + match.end()))
        return sorted(found, key=lambda hit: (hit.start, self._order[hit.rule])) if found else found
