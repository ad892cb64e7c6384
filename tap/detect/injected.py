"""Instructions in texts that should hold none: in results, errors and definitions.

The idea: families of rules agree or do not; a finding's score is the sum over families, each counted once, and its
severity follows from that. What is found in another view of the text alone was concealed: a family of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from mcptap.tap.detect.found import Found
from mcptap.tap.detect.glance import ENCODED, VIEWED, Automaton, Seen, automaton
from mcptap.tap.detect.quoted import LISTED, speaks_of
from mcptap.tap.detect.rule import CHANNELS, WEIGHTS, Channel, TextRule, severity_of
from mcptap.tap.detect.scanner import Hit, Scanner
from mcptap.tap.detect.texts import excerpt
from mcptap.tap.detect.views import HARMLESS, View, decoded, one_line, plain_marks, views

Look = Callable[[str], Seen]
CONCEALED: Final = "concealed"
LOWEST: Final = 3  # tiers; what falls below is nothing
MAX_TOLD: Final = 20  # matches told with one finding
REPORTED: Final = 3.0  # a lower score is no finding


@dataclass(frozen=True, slots=True)
class Match:
    """One match of a rule, and what it is worth."""

    rule: TextRule
    weight: float
    tier: int
    pointer: str
    excerpt: str
    text: str
    view: str | None = None
    demoted: str | None = None

    def told(self) -> dict[str, Any]:
        """As `mcptap explain` shows it."""
        return {
            "rule": self.rule.id, "family": self.rule.family, "tier": self.tier, "weight": self.weight,
            "pointer": self.pointer, "text": self.text, "view": self.view, "demoted": self.demoted,
            "owasp": self.rule.owasp, "reason": self.rule.reason,
        }  # fmt: skip


class Injected:
    """Finds wordings. One for all runs: it holds nothing of what it saw."""

    def __init__(self, rules: Iterable[TextRule]) -> None:
        rules = tuple(rules)
        # What only adds to others is looked for when there is something to add to.
        self._decide = {channel: _scanner(rules, channel, (1, 2)) for channel in CHANNELS}
        self._add = {channel: _scanner(rules, channel, (3,)) for channel in CHANNELS}
        self._rules = rules

    @cached_property
    def automaton(self) -> Automaton:
        """For the quick look at what is said; definitions are few, and always looked at closely."""
        said = {rule for channel in CHANNELS if channel != "definition" for rule in self._decide[channel].rules}
        return automaton(tuple(rule for rule in self._rules if rule in said))

    def listens(self, channel: Channel) -> bool:
        """Whether any rule is for this channel."""
        return bool(self._decide[channel].rules)

    def matches(
        self, texts: Iterable[tuple[str, str]], channel: Channel, seen: Seen | None = None, look: Look | None = None
    ) -> list[Match]:
        """Everything that the rules of a channel match in these texts."""
        return [match for pointer, text in texts for match in self._in_text(text, pointer, channel, seen, look)]

    def find(
        self,
        texts: Iterable[tuple[str, str]],
        channel: Channel,
        target: str | None = None,
        seen: Seen | None = None,
        look: Look | None = None,
    ) -> list[Found]:
        """At most one finding: all that speaks for it together. `seen`: what the texts may hold; `look` sees that."""
        found = verdict(self.matches(texts, channel, seen, look), channel, target)
        return [found] if found else []

    def _in_text(self, text: str, pointer: str, channel: Channel, seen: Seen | None, look: Look | None) -> list[Match]:
        base = plain_marks(text)
        among = None if seen is None else seen.rules
        found = self._judged(base, self._hits(base, channel, among), pointer, channel, None)
        other = _others(base, seen)
        plainly = {match.rule.id for match in found}
        for view in other:
            among = look(view.text).rules if look else None
            hits = [hit for hit in self._hits(view.text, channel, among) if hit.rule.id not in plainly]
            found += self._judged(view.text, hits, pointer, channel, view)
            plainly |= {hit.rule.id for hit in hits} if view.how in HARMLESS else set()
        return found

    def _hits(self, text: str, channel: Channel, among: Set[TextRule] | None = None) -> list[Hit]:
        hits = self._decide[channel].hits(text, among) if among is None or among else []
        return sorted([*hits, *self._add[channel].hits(text)], key=lambda hit: hit.start) if hits else hits

    def _judged(self, text: str, hits: list[Hit], pointer: str, channel: Channel, view: View | None) -> list[Match]:
        if not hits:
            return []
        strong = {
            text.count("\n", 0, hit.start): hit for hit in hits
            if hit.rule.channels[channel] < LOWEST and "\n" not in text[hit.start : hit.end].strip()
        }  # fmt: skip
        is_list = len(strong) >= LISTED and len({hit.rule.family for hit in strong.values()}) < LISTED
        return [self._match(text, hit, pointer, channel, view, listed=is_list) for hit in hits]

    def _match(self, text: str, hit: Hit, pointer: str, channel: Channel, view: View | None, *, listed: bool) -> Match:
        tier = hit.rule.channels[channel]
        weight = hit.rule.weight_at(tier)
        hidden = view is not None and view.how not in HARMLESS
        demoted = None if hidden else speaks_of(text, hit.start, hit.end) or ("listed" if listed else None)
        if channel == "definition" and demoted in ("trade", "code"):
            demoted = None  # a definition has no reason to show attacks; a tool that finds them quotes
        if demoted:
            tier, weight = tier + 1, WEIGHTS.get(tier + 1, 0.0)
        return Match(
            hit.rule, weight, tier, pointer, excerpt(text, hit.start, hit.end), text[hit.start : hit.end][:200],
            view.how if view else None, demoted,
        )  # fmt: skip


def _others(text: str, seen: Seen | None) -> list[View]:
    """Its other readings; `seen`: those that are called for, and that of broken lines if there is more to look for."""
    if seen is not None and not seen.rules and VIEWED not in seen.signs:
        return decoded(text) if ENCODED in seen.signs else []
    joined = one_line(text)
    found = [joined] if joined else []
    if seen is None or VIEWED in seen.signs:
        return found + sorted(views(text), key=lambda view: view.how not in HARMLESS)
    return found + decoded(text) if ENCODED in seen.signs else found


def _scanner(rules: tuple[TextRule, ...], channel: Channel, tiers: tuple[int, ...]) -> Scanner:
    return Scanner(rule for rule in rules if rule.channels.get(channel) in tiers)


def verdict(matches: list[Match], channel: Channel, target: str | None) -> Found | None:
    """What the matches come to; None if that is not worth a finding."""
    families: dict[str, float] = {}
    for match in matches:
        families[match.rule.family] = max(families.get(match.rule.family, 0.0), match.weight)
    hidden = any(match.view and match.view not in HARMLESS and match.tier < LOWEST for match in matches)
    if hidden:
        families[CONCEALED] = WEIGHTS[1]
    score = sum(families.values())
    if score < REPORTED or not any(match.tier < LOWEST and match.weight >= 1.5 for match in matches):
        return None
    strongest = max(matches, key=lambda match: match.weight)
    if score - sum(weight for weight in families.values() if weight <= WEIGHTS[3]) < REPORTED:
        return None  # what only adds must not decide
    counted = [weight for weight in families.values() if weight > WEIGHTS[3]]
    ranked = sorted(matches, key=lambda match: -match.weight)[:MAX_TOLD]
    return Found(
        rule=strongest.rule.id,
        detector=strongest.rule.detector if channel != "definition" else "poisoned",
        severity=severity_of(score, alone=len(counted) < 2),
        channel=channel,
        title=_title(strongest, channel, len(counted)),
        evidence=strongest.excerpt,
        pointer=strongest.pointer,
        target=target,
        details={
            "score": round(score, 2), "families": families, "matches": [match.told() for match in ranked],
            "owasp": strongest.rule.owasp, "reason": strongest.rule.reason,
        },
    )  # fmt: skip


def _title(strongest: Match, channel: Channel, families: int) -> str:
    more = f", and {families - 1} more signs" if families > 1 else ""
    hidden = " (concealed)" if strongest.view and strongest.view not in HARMLESS else ""
    return f"{channel} {strongest.rule.reason}{hidden}{more}"
