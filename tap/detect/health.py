"""Servers that crash, hang, never answer or grow: told from how runs end and what they take.

The idea: hosts end servers by signals every day, and a model gives up on slow calls; neither is a crash. A crash loop is
a server, not a run: how its earlier runs ended is known to all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.rule import Rule
from mcptap.tap.records import Exchange, RunEnded, Usage

_OWASP: Final = "MCP08, LLM10"
CRASH = Rule("crash", "health", "low", "the server crashed", _OWASP, "it ended by itself, with an error")
CRASH_LOOP = Rule(
    "crash-loop", "health", "high", "the server crashes again and again", _OWASP, "three times within ten minutes"
)
NOT_STARTED = Rule(
    "not-started",
    "health",
    "medium",
    "the server could not be started",
    _OWASP,
    "there is no such program, or it may not be run",
)
UNANSWERED = Rule(
    "unanswered", "health", "low", "requests were never answered", _OWASP, "the run ended, and they were open"
)
HANG = Rule(
    "hang", "health", "medium", "the server hangs", _OWASP, "a request was open for half a minute without any sign"
)
GROWTH = Rule(
    "memory-growth",
    "health",
    "medium",
    "the server's memory grows and grows",
    _OWASP,
    "fourfold, by 200 MB or more, and never less",
)
RULES: Final = (CRASH, CRASH_LOOP, NOT_STARTED, UNANSWERED, HANG, GROWTH)

ENDED_BY_HOST: Final = frozenset((1, 2, 9, 13, 15))  # signals; 9: hosts that do not wait
EXITS_OF_HOST: Final = frozenset((0, 129, 130, 137, 141, 143))
CRASHES: Final = 3
WITHIN_NS: Final = 600 * 10**9
HANGING_MS: Final = 30_000.0
GROWN: Final = 4
GROWN_BYTES: Final = 200 << 20
SAMPLES: Final = 6
MAX_SERVERS: Final = 1_000


@dataclass(slots=True)
class Crashes:
    """When each server crashed. Bounded; shared by all runs."""

    _at: dict[str, list[int]] = field(default_factory=dict)

    def crashed(self, server: str, at: int) -> int:
        """How often this server has crashed within the time that counts, this one included."""
        recent = [past for past in self._at.get(server, ()) if 0 <= at - past < WITHIN_NS]
        self._at[server] = [*recent[-20:], at]
        if len(self._at) > MAX_SERVERS:
            del self._at[next(iter(self._at))]
        return len(self._at[server])


def ended(record: RunEnded, server: str, crashes: Crashes, started: bool, last_words: str) -> list[Found]:
    """What the end of a run tells."""
    found = _hanging(record.exchanges, record.at)
    how = _how(record)
    if how is None:
        return found
    if not started:
        return [*found, by(NOT_STARTED, "process", how, pointer="/command")]
    evidence = f"{how}\n{last_words}".strip()
    count = crashes.crashed(server, record.at)
    if count >= CRASHES:
        loop = by(CRASH_LOOP, "process", f"{count} crashes, the last: {evidence}", pointer="/exit")
        return [*found, loop]
    return [*found, by(CRASH, "process", evidence, pointer="/exit")]


def _how(record: RunEnded) -> str | None:
    if record.state != "ended":
        return None
    if record.exit_signal is not None:
        return None if record.exit_signal in ENDED_BY_HOST else f"signal {record.exit_signal}"
    if record.exit_code is None or record.exit_code in EXITS_OF_HOST:
        return None
    return f"exit status {record.exit_code}"


def _hanging(exchanges: tuple[Exchange, ...], at: int) -> list[Found]:
    asked = [one for one in exchanges if one.side == "client" and not one.long_lived and not one.probe]
    if not asked:
        return []
    longest = max(asked, key=lambda one: at - one.started_at)
    waited = (at - longest.started_at) / 1e9
    names = ", ".join(dict.fromkeys(f"{one.method} {one.target or ''}".strip() for one in asked[:10]))
    rule = HANG if waited * 1000 >= HANGING_MS and not longest.progress_count else UNANSWERED
    return [
        by(
            rule,
            "process",
            f"{len(asked)} open, the oldest for {waited:.1f} s: {names}",
            target=longest.target,
            pointer="/open",
        )
    ]


def cancelled(exchange: Exchange) -> list[Found]:
    """A request that was given up."""
    waited = exchange.duration_ms or 0.0
    if exchange.outcome != "cancelled" or exchange.side != "client" or exchange.long_lived or waited < HANGING_MS:
        return []
    if exchange.progress_count:
        return []
    what = f"{exchange.method} {exchange.target or ''}".strip()
    return [by(HANG, "process", f"{what} was given up after {waited / 1000:.1f} s", target=exchange.target)]


class Growth:
    """Watches one run's memory."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._told = False

    def find(self, usage: Usage) -> list[Found]:
        """Whether it has grown all the time. Told once."""
        if usage.rss_bytes is None or self._told:
            return []
        self._sizes = [*self._sizes[:1], *self._sizes[1:][-SAMPLES:], usage.rss_bytes]
        first, rest = self._sizes[0], self._sizes[1:]
        if len(rest) < SAMPLES - 1 or usage.rss_bytes < max(first * GROWN, first + GROWN_BYTES):
            return []
        if any(later < earlier for earlier, later in pairwise(rest)):
            return []
        self._told = True
        return [by(GROWTH, "process", f"from {first >> 20} MB to {usage.rss_bytes >> 20} MB", pointer="/memory")]
