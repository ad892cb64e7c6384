"""Calls that a model repeats without learning anything: the same again and again, again after errors, in circles.

The idea: the same call with the same arguments and nothing in between is a loop sooner than it is a wish. Each kind is
told once when it becomes noticeable, and again whenever it has grown tenfold.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import orjson

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.rule import Rule
from mcptap.tap.detect.said import Said

_OWASP: Final = "LLM10, MCP06"
SAME = Rule(
    "repeated-call", "repeats", "low", "the same call again and again", _OWASP, "it costs, and brings nothing new"
)
BLIND = Rule(
    "blind-retry",
    "repeats",
    "medium",
    "the same call again and again after errors",
    _OWASP,
    "the same call fails the same way",
)
LOOP = Rule(
    "call-loop",
    "repeats",
    "medium",
    "calls go in circles",
    _OWASP,
    "the same few calls follow each other again and again",
)
STORM = Rule(
    "retry-storm", "repeats", "high", "many failing calls at once", _OWASP, "a server that fails is called ever faster"
)
RULES: Final = (SAME, BLIND, LOOP, STORM)

SAME_CALLS: Final = 8
FAILURES: Final = 4
PERIODS: Final = (2, 3, 4)
ROUNDS: Final = 4  # of a circle
PAUSE_NS: Final = 300 * 10**9  # after which nobody repeats: it is a new question
STORM_ERRORS: Final = 20
STORM_NS: Final = 10 * 10**9
_FAILED: Final = ("tool_error", "rpc_error")


class Repeats:
    """Counts one run's calls."""

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=max(PERIODS) * ROUNDS)
        self._at = 0
        self._same = 0
        self._failed: dict[int, int] = {}  # calls that failed, to how often in a row
        self._pending: dict[int, int] = {}
        self._errors: deque[int] = deque(maxlen=STORM_ERRORS)
        self._stormed = 0

    def asked(self, said: Said) -> list[Found]:
        """A call goes out."""
        if said.method != "tools/call" or said.record.side != "client":
            return []
        call = _call(said)
        if said.record.at - self._at > PAUSE_NS:
            self._last.clear()
        self._at = said.record.at
        again = call in self._last
        self._same = self._same + 1 if again and self._last[-1] == call else 1
        self._last.append(call)
        self._pending[said.record.seq] = call
        if len(self._pending) > 1000:
            del self._pending[next(iter(self._pending))]
        if _is_news(self._same, SAME_CALLS) and call not in self._failed:
            return [_told(SAME, said, f"{said.target}: {self._same} times with the same arguments")]
        if again and (period := self._circle()):
            self._last.clear()
            return [_told(LOOP, said, f"{ROUNDS} rounds of the same {period} calls, the last of {said.target}")]
        return []

    def answered(self, said: Said) -> list[Found]:
        """A call is answered."""
        exchange = said.exchange
        if exchange is None or exchange.method != "tools/call":
            return []
        call = self._pending.pop(exchange.seq, 0)
        if exchange.outcome not in _FAILED:
            self._failed.pop(call, None)
            return []
        found = self._storm(said)
        count = self._failed[call] = self._failed.get(call, 0) + 1
        if len(self._failed) > 1000:
            del self._failed[next(iter(self._failed))]
        if _is_news(count, FAILURES):
            found.append(_told(BLIND, said, f"{said.target}: failed {count} times with the same arguments"))
        return found

    def _storm(self, said: Said) -> list[Found]:
        self._errors.append(said.record.at)
        if len(self._errors) < STORM_ERRORS or said.record.at - self._errors[0] > STORM_NS:
            return []
        self._errors.clear()
        self._stormed += 1
        if self._stormed > 1:
            return []
        return [_told(STORM, said, f"{STORM_ERRORS} errors within {STORM_NS // 10**9} s, the last of {said.target}")]

    def _circle(self) -> int | None:
        if len(self._last) < min(PERIODS) * ROUNDS or len(set(self._last)) > max(PERIODS) + len(self._last) // 2:
            return None
        calls = list(self._last)
        for period in PERIODS:
            length = period * ROUNDS
            tail = calls[-length:]
            if len(tail) == length and len(set(tail[:period])) > 1 and tail == tail[:period] * ROUNDS:
                return period
        return None


def _call(said: Said) -> int:
    params = said.record.body.get("params") if isinstance(said.record.body, dict) else None
    arguments = params.get("arguments") if isinstance(params, dict) else None
    try:
        return hash((said.target, orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)))
    except TypeError:
        return said.record.seq


def _is_news(count: int, first: int) -> bool:
    while count > first:
        first *= 10
    return count == first


def _told(rule: Rule, said: Said, evidence: str) -> Found:
    return by(rule, "process", evidence, target=said.target, title=f"{rule.title}: {said.target}")
