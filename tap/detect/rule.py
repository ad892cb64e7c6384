"""What a rule is: a name, a reason, a class of OWASP's lists, and for text a pattern with the words that it needs.

The idea: wording alone proves little, and what it proves depends on where it stands. So a text rule has a tier for each
channel: 1 is worth a finding by itself, 2 needs another family of rules that agrees, 3 only adds to what others say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

Channel = Literal["definition", "result", "argument", "error", "stderr", "process"]
Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
WEIGHTS: Final = {1: 4.0, 2: 2.0, 3: 0.5}  # by tier
_LETTERS: Final[dict[str, Channel]] = {"d": "definition", "r": "result", "a": "argument", "e": "error"}


_BLANK = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]| \??")  # escapes and classes stay as they are


def _white(match: re.Match[str]) -> str:
    return {" ": r"\s{1,20}", " ?": r"\s{0,20}"}.get(match[0], match[0])


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that can be found. `owasp`: the classes of OWASP's LLM Top 10 (2025) and MCP Top 10 (2025)."""

    id: str
    detector: str
    severity: Severity  # of a finding by this rule alone, where nothing else raises or lowers it
    title: str
    owasp: str
    reason: str


@dataclass(frozen=True, eq=False)
class TextRule:
    """A wording. The pattern keeps to what Hyperscan reads; a blank in it stands for any white space."""

    id: str
    family: str  # rules of one family say the same thing: only the strongest of them counts
    tiers: str  # `d1 r2 e2`: definitions, results, arguments, errors
    pattern: str
    needs: tuple[str, ...]  # groups of words or signs (`a|b|c`): one of each must be in the text
    owasp: str
    reason: str
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]
    detector: str = "injected"
    weight: float | None = None  # in place of the tier's

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, made when first needed: most never are."""
        return re.compile(_BLANK.sub(_white, self.pattern), re.IGNORECASE)

    @cached_property
    def channels(self) -> dict[Channel, int]:
        """The tier for each channel in which the rule counts."""
        return {_LETTERS[pair[0]]: int(pair[1]) for pair in self.tiers.split()}

    @cached_property
    def groups(self) -> tuple[frozenset[str], ...]:
        """The words that it needs."""
        return tuple(frozenset(group.split("|")) for group in self.needs)

    @property
    def severity(self) -> Severity:
        """What a finding by this rule alone has in the channel where it counts most."""
        return severity_of(max(self.weight_at(tier) for tier in self.channels.values()), alone=True)

    @property
    def title(self) -> str:
        """What it finds, as a table names it."""
        return self.reason

    def weight_at(self, tier: int) -> float:
        """What a match is worth; demoted matches are worth what their lower tier is."""
        return min(self.weight, WEIGHTS[tier]) if self.weight and tier > 2 else self.weight or WEIGHTS[tier]


def severity_of(score: float, *, alone: bool = False) -> Severity:
    """The severity of a score, the sum over independent families. `alone`: only one family speaks."""
    for least, severity in ((10.0, "critical"), (6.0, "high"), (4.0, "medium"), (3.0, "low")):
        if score >= least and not (alone and severity == "critical"):
            return severity  # type: ignore[return-value]
    return "info"
