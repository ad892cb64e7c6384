"""What a server's definitions cost: they fill the model's context before anything is asked.

The idea: the cost is that of one complete offer, told once for a run, as a note; what of it was never called, at its end.
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
UNUSED = Rule("unused-tools", "context", "info", "tools were offered and never called", "LLM10",
              "its definitions were read for nothing")  # fmt: skip
RULES: Final = (TAX, LARGE, UNUSED)
TOKENS_UNUSED: Final = 2_500
MAX_CALLED: Final = 10_000
TOOL: Final = "tool/"
TOKENS: Final = 10_000
TOKENS_OF_ONE: Final = 2_500


class Context:
    """Adds up one run's tools."""

    def __init__(self) -> None:
        self._tools: dict[str, int] = {}
        self._told = False
        self._called: set[str] = set()

    def called(self, tool: str) -> None:
        """A tool was called."""
        if len(self._called) < MAX_CALLED:
            self._called.add(tool)

    def end(self) -> list[Found]:
        """What of the offer a run that called something did without."""
        unused = {
            name.removeprefix(TOOL): tokens
            for name, tokens in self._tools.items()
            if name.startswith(TOOL) and name.removeprefix(TOOL) not in self._called
        }
        total = sum(unused.values())
        if not self._called or total < TOKENS_UNUSED:
            return []
        largest = sorted(unused, key=lambda name: -unused[name])[:3]
        told = f"{len(unused)} tools, about {total:,} tokens; the largest: {', '.join(largest)}"
        return [by(UNUSED, "definition", told, pointer="/tools/unused")]

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
