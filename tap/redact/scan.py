"""Where the secrets are in one text.

First the scanner is asked about all texts of a message at once; nearly always it says that no rule can find anything,
and that is the whole search. Only rules that fired then look closer, at the text, at its other views and at what is
encoded in it; in a long text only at the parts in which they fired.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from mcptap.tap.redact.assignment import ASSIGNMENTS
from mcptap.tap.redact.columns import Columns
from mcptap.tap.redact.inserted import Inserted
from mcptap.tap.redact.manifest import Manifests
from mcptap.tap.redact.options import Options
from mcptap.tap.redact.pem import Tails
from mcptap.tap.redact.rule import PLACEHOLDER, Rule, Text, TextRule
from mcptap.tap.redact.runs import ENCODED, runs
from mcptap.tap.redact.scanner import BLOCK, Scanner
from mcptap.tap.redact.services import Services
from mcptap.tap.redact.split import OPEN_END
from mcptap.tap.redact.table import families
from mcptap.tap.redact.views import COLOURS, ESCAPES, QUOTED, View, coloured, escaped, unquoted

LONG: Final = 4 * BLOCK  # characters of a text that is worth looking at twice
MAX_OPENED: Final = 4  # encodings within encodings: colours, and three more
SIGNS: Final[tuple[TextRule, ...]] = (COLOURS, ESCAPES, QUOTED, ENCODED, OPEN_END)
_VIEWED: Final = (COLOURS, ESCAPES, QUOTED)  # signs of other views
_HIDING: Final[frozenset[TextRule]] = frozenset((*_VIEWED, ENCODED))
_OPENING = re.compile(r"""[\[({<"'`=:]{1,8}""")
_CLOSING = re.compile(r"""(?:[\]})>"'`,;:.!?]|\\{1,15}["'nrt]?){1,8}""")
# Every rule by family. Further families (of personal data, of injected text) are added where a Scanner is made.
BUILT_IN: Final[tuple[TextRule, ...]] = (
    *(part for rules in families().values() for rule in rules for part in rule.parts()),
    Tails(),
    *ASSIGNMENTS,
    Options(),
    Columns(),
    Inserted(),
    Manifests(),
    Services(),
)


class Span(NamedTuple):
    """What is to be taken out of a text. `inner`: the secrets in it, where they are not the text itself."""

    start: int
    end: int
    rule: str
    inner: tuple[tuple[str, str], ...] = ()  # rule and secret


def fired(scanner: Scanner, text: Text, opened: int = 0) -> list[TextRule]:
    """The rules that may find something in `text`, in any part of it, or in what is hidden in it.

    The signs among them say what there is to look behind; alone they are nothing. Raises OutOfTimeError.
    """
    text.look()
    _locate(scanner, text)
    rules = scanner.fired(text.text) if text.where is None else list(text.where)
    if _HIDING.isdisjoint(rules):
        return rules
    if opened == MAX_OPENED:
        return [rule for rule in rules if rule not in _HIDING]
    found: list[TextRule] = []
    empty: tuple[TextRule, ...] = ()
    for signs, behind in ((_VIEWED, _behind_views), ((ENCODED,), _behind_runs)):
        if any(sign in rules for sign in signs):
            hidden = behind(scanner, text, rules, opened)
            if tell(hidden):
                found += hidden
            else:
                empty += signs  # where nothing is hidden, nobody need look again
    open_ = [rule for rule in rules if rule not in empty]
    return scanner.ordered((*open_, *found)) if found else open_


def _locate(scanner: Scanner, text: Text) -> None:
    """Keeps in which parts of a long text rules fire."""
    if len(text.text) > LONG and text.where is None:
        text.where = scanner.where(text.text)


def _behind_views(scanner: Scanner, text: Text, rules: Sequence[TextRule], opened: int) -> list[TextRule]:
    """What may be found in other views. Far from any escape that is the same as in the text itself."""
    found: list[TextRule] = []
    for view in _views(text, rules):
        near = () if COLOURS in rules else scanner.fired(view.near())
        if COLOURS in rules or any(sign in near for sign in _HIDING):
            found += fired(scanner, view.seen, opened + 1)
        found += (rule for rule in near if rule not in SIGNS)
    return found


def _behind_runs(scanner: Scanner, text: Text, _: Sequence[TextRule], opened: int) -> list[TextRule]:
    """What may be found in all that is encoded in a text, as one."""
    decoded = "\0".join(read for _, _, read in _runs(text))
    return fired(scanner, text.part(decoded), opened + 1) if decoded else []


def _runs(text: Text) -> list[tuple[int, int, str]]:
    """What is encoded in a text; in a long one, where the sign of that is."""
    if (known := text.views.get(ENCODED)) is None:
        parts = ((0, len(text.text)),) if text.where is None else text.where.get(ENCODED, ())
        known = text.views[ENCODED] = [run for low, high in parts for run in runs(text.text, low, high)]
    return known


def tell(rules: Iterable[TextRule]) -> bool:
    """Whether there is anything to look for, beyond signs that something could be hidden."""
    return any(rule not in _HIDING for rule in rules)


def _views(text: Text, rules: Sequence[TextRule]) -> tuple[View, ...]:
    """A text with colours is only seen without them: they are no part of any value."""
    return (COLOURS in rules and coloured(text)) or _read(text, rules)


def _read(text: Text, rules: Sequence[TextRule]) -> tuple[View, ...]:
    return (*(escaped(text) if ESCAPES in rules else ()), *(unquoted(text) if QUOTED in rules else ()))


def together(rules: Sequence[TextRule]) -> Sequence[TextRule]:
    """The rules for texts that are not LONG, of which there may be many: several parts of a rule are it again."""
    parts = [rule.whole for rule in rules if isinstance(rule, Rule) and rule.whole]
    if len(parts) < 2:  # as nearly always
        return rules
    several = {whole for whole, count in Counter(parts).items() if count > 1}
    return list(
        dict.fromkeys((isinstance(rule, Rule) and rule.whole in several and rule.whole) or rule for rule in rules)
    )


def find(
    scanner: Scanner, text: Text, rules: Sequence[TextRule], parts: Iterable[tuple[int, int, str, str]] = ()
) -> list[Span]:
    """The spans to take out, in order and apart from each other. Earlier placeholders are left as they are.

    `parts` are those of secrets that go on in another text: from, to, rule, the whole secret.
    """
    found = _seen(scanner, text, rules, 0)
    found += [Span(start, end, rule, ((rule, secret),)) for start, end, rule, secret in parts]
    if not found:
        return []
    kept = [match.span() for match in PLACEHOLDER.finditer(text.text)] if "[REDACTED:" in text.text else []
    return _apart(_outside(text.text, found, kept))


def _seen(scanner: Scanner, text: Text, rules: Sequence[TextRule], opened: int) -> list[Span]:
    """All that is found. A text with colours is only seen without them: they are no part of any value."""
    deeper = opened < MAX_OPENED and not _HIDING.isdisjoint(rules)
    if deeper and COLOURS in rules and (views := coloured(text)):
        found = _in_views(scanner, views, text, rules, opened)
    else:
        found = _by_rules(scanner, text, rules)
        if deeper:
            found += _in_views(scanner, _read(text, rules), text, rules, opened)
            found += _in_runs(scanner, text, rules, opened) if ENCODED in rules else ()
    text.views.clear()  # they are as large as the text
    return found


def _by_rules(scanner: Scanner, text: Text, rules: Sequence[TextRule]) -> list[Span]:
    """What the rules find. Of a long text each only searches the parts in which it fired."""
    found: list[Span] = []
    _locate(scanner, text)
    text.taken = {}
    for rule in rules:
        if text.where is not None:
            text.look()
            if rule not in text.where:
                continue
            text.parts = text.where[rule]
        if spans := [Span(start, end, rule.id) for start, end in rule.spans(text) if end > start]:
            text.taken |= {span.start: max(span.end, text.taken.get(span.start, 0)) for span in spans}
            found += spans
    return found


def _in_views(
    scanner: Scanner, views: Iterable[View], text: Text, rules: Sequence[TextRule], opened: int
) -> list[Span]:
    """What is found in other views, where the text has it."""
    found = []
    for view in views:
        text.look()
        for start, end, rule, inner in _seen(scanner, view.seen, rules, opened + 1):
            first, last = view.origin(start, end)
            if first < last:
                found.append(Span(first, last, rule, inner or ((rule, view.text[start:end]),)))
    return found


def _in_runs(scanner: Scanner, text: Text, rules: Sequence[TextRule], opened: int) -> list[Span]:
    """A run in which something is found is taken out whole."""
    found = []
    few = together(rules)
    for start, end, read in _runs(text):
        text.tick()
        if within := _apart(_seen(scanner, text.part(read), rules if len(read) > LONG else few, opened + 1)):
            inner = [pair for span in within for pair in span.inner or ((span.rule, read[span.start : span.end]),)]
            found.append(Span(start, end, within[0].rule, tuple(inner)))
    return found


def _outside(text: str, found: list[Span], kept: list[tuple[int, int]]) -> list[Span]:
    """`found` without what lies in one of `kept`: spans are cut around it. What only opens before it, or closes behind
    it, is no secret."""
    if not kept:
        return found
    pieces = []
    ends = [high for _, high in kept]
    behind = set(ends)
    for start, end, rule, inner in found:
        for low, high in islice(kept, bisect_right(ends, start), None):
            if low >= end:
                break
            if start < low and not _OPENING.fullmatch(text, start, low):
                pieces.append(Span(start, low, rule))
            start = high  # noqa: PLW2901 - what is left of the span
        if start < end and not (start in behind and _CLOSING.fullmatch(text, start, end)):
            pieces.append(Span(start, end, rule, inner))
    return pieces


def _apart(found: list[Span]) -> list[Span]:
    """Overlapping spans as one, under the name of the first and longest."""
    found.sort(key=lambda span: (span.start, -span.end))
    merged = found[:1]
    for span in found[1:]:
        last = merged[-1]
        if span.start >= last.end:
            merged.append(span)
        elif span.end > last.end:
            merged[-1] = Span(last.start, span.end, last.rule)
    return merged
