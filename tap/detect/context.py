"""What a server's definitions cost: they fill the model's context before anything is asked.

The idea: the cost is that of one complete offer, told once for a run, as a note.
"""

from __future__ import annotations

from typing import Final

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.rule import Rule
from mcptap.tap.detect.said import Said
from mcptap.tap.dissect.definitions import page

TAX = Rule(
    "context-tax",
    "context",
    "info",
    "the definitions take much of a model's context",
    "LLM10",
    "more than 10,000 tokens before anything is asked",
)
LARGE = Rule(
    "large-definition",
    "context",
    "info",
    "one definition is very large",
    "LLM10",
    "more than 2,500 tokens: few have a reason",
)
RULES: Final = (TAX, LARGE)
TOKENS: Final = 10_000
TOKENS_OF_ONE: Final = 2_500


class Context:
    """Adds up one run's tools."""

    def __init__(self) -> None:
        self._tools: dict[str, int] = {}
        self._told = False

    def find(self, said: Said) -> list[Found]:
        """Whether a listing is too much."""
        listed = page(said.method or "", {}, said.record.body)
        if listed is None:
            return []
        before = self._tools
        self._tools = before | {f"{listed.kind}/{one.name}": one.tokens_estimate for one in listed.definitions}
        found = [
            by(LARGE, "definition", f"{one.name}: about {one.tokens_estimate:,} tokens", pointer=f"/{one.name}", target=one.name)
            for one in listed.definitions
            if one.tokens_estimate > TOKENS_OF_ONE and f"{listed.kind}/{one.name}" not in before
        ]  # fmt: skip
        total = sum(self._tools.values())
        if total > TOKENS and not self._told:
            self._told = True
            largest = sorted(self._tools, key=lambda name: -self._tools[name])[:3]
            found.append(by(TAX, "definition", f"{len(self._tools)} definitions, about {total:,} tokens; "
                            f"the largest: {', '.join(largest)}", pointer="/tools"))  # fmt: skip
        return found
