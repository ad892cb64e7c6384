"""Where the secrets are in one text.

First the literals of all rules are looked for, in all texts of a message at once; nearly always none is there, and
that is the whole scan. Only rules that fired then look closer. A rule here is anything with `id`, `anchors`, `fold`
and `spans`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from mcptap.tap.redact import assignment, options, pem
from mcptap.tap.redact.colour import views
from mcptap.tap.redact.rules import PEM_END, PLACEHOLDER, RULES

Span = tuple[int, int, str]  # from, to, rule


class TextRule(Protocol):
    """One way to find secrets in a text."""

    @property
    def id(self) -> str: ...
    @property
    def anchors(self) -> tuple[str, ...]: ...
    @property
    def fold(self) -> bool: ...
    @property
    def spans(self) -> Callable[[str, str], Iterator[tuple[int, int]]]: ...


@dataclass(frozen=True, slots=True)
class _Found:
    """A rule whose spans a function finds."""

    id: str
    anchors: tuple[str, ...]
    spans: Callable[[str, str], Iterator[tuple[int, int]]]
    fold: bool = False


def _pem_tails(text: str, _: str) -> Iterator[tuple[int, int]]:
    """A private key whose beginning is missing."""
    for end in PEM_END.finditer(text):
        start = len(text[: end.start()].rstrip(pem.BODY))
        if start < end.start():
            yield start, end.end()


TEXT_RULES: Final[tuple[TextRule, ...]] = (
    *RULES,
    _Found("private-key", ("-----END",), _pem_tails),
    _Found(assignment.ID, assignment.ANCHORS, assignment.spans, fold=True),
    _Found(options.ID, options.ANCHORS, options.spans, fold=True),
)
# What anchors have in common: where it is missing, they need not be looked for.
_STEMS: Final = ("sk-", "xox", "IA", "gh", "gl", "k_live_", "k_test_", "_v1_", "shp", "hv", "-----", "key", "pass")


def _by_stem(rules: Iterable[TextRule]) -> tuple[tuple[str, tuple[tuple[str, TextRule], ...]], ...]:
    """Each stem with the anchors that contain it; an anchor without one is its own."""
    groups: dict[str, list[tuple[str, TextRule]]] = {}
    for rule in rules:
        for anchor in rule.anchors:
            stem = next((stem for stem in _STEMS if stem in anchor), anchor)
            groups.setdefault(stem, []).append((anchor, rule))
    return tuple((stem, tuple(anchors)) for stem, anchors in groups.items())


_EXACT: Final = _by_stem(rule for rule in TEXT_RULES if not rule.fold)
_FOLDED: Final = _by_stem(rule for rule in TEXT_RULES if rule.fold)


def fold(text: str) -> str:
    """Lower case, of the same length: U+0130 alone would become two characters."""
    folded = text.lower()
    return folded if len(folded) == len(text) else text.replace("\u0130", "i").lower()


def fired(text: str) -> list[TextRule]:
    """The rules that may find something in `text`, or in any part of it."""
    text = "\0".join(view.text for view in views(text)) or text
    folded = fold(text)
    present = [anchors for stem, anchors in _EXACT if stem in text]
    rules = {id(rule): rule for anchors in present for anchor, rule in anchors if anchor in text}
    present = [anchors for stem, anchors in _FOLDED if stem in folded]
    rules |= {id(rule): rule for anchors in present for anchor, rule in anchors if anchor in folded}
    return list(rules.values())


def find(text: str, rules: Iterable[TextRule]) -> list[Span]:
    """The spans to take out, in order and apart from each other. Earlier placeholders are left as they are."""
    found = _seen(text, rules)
    if not found:
        return []
    kept = [match.span() for match in PLACEHOLDER.finditer(text)] if "[REDACTED:" in text else []
    return _apart(_outside(found, kept))


def _seen(text: str, rules: Iterable[TextRule]) -> list[Span]:
    """All that the rules find; behind colours, what they find without them."""
    if coloured := views(text):
        rules = list(rules)
        shown = [(view.origin(start, end), rule) for view in coloured for start, end, rule in _all(view.text, rules)]
        return [(*span, rule) for span, rule in shown if span[0] < span[1]]
    return _all(text, rules)


def _all(text: str, rules: Iterable[TextRule]) -> list[Span]:
    folded = fold(text)
    return [(start, end, rule.id) for rule in rules for start, end in rule.spans(text, folded) if end > start]


def _outside(found: list[Span], kept: list[tuple[int, int]]) -> list[Span]:
    """`found` without what lies in one of `kept`: spans are cut around it."""
    if not kept:
        return found
    pieces = []
    ends = [high for _, high in kept]
    for start, end, rule in found:
        for low, high in islice(kept, bisect_right(ends, start), None):
            if low >= end:
                break
            if start < low:
                pieces.append((start, low, rule))
            start = high  # noqa: PLW2901 - what is left of the span
        if start < end:
            pieces.append((start, end, rule))
    return pieces


def _apart(found: list[Span]) -> list[Span]:
    """Overlapping spans as one, under the name of the first and longest."""
    found.sort(key=lambda span: (span[0], -span[1]))
    merged = [found[0]] if found else []
    for start, end, rule in found[1:]:
        first, last, name = merged[-1]
        if start >= last:
            merged.append((start, end, rule))
        elif end > last:
            merged[-1] = (first, end, name)
    return merged
