"""What became of one attempt to send: the reasons that OpenTelemetry's exporters log and do not return.

The idea: few answers are enough to go on by. *Delivered*: go on, and count what the backend says it rejected, for a
repeat would be rejected again. *Later*: the same again, after a pause. *Refused*: nothing will pass until the user
changes something; tried again, seldom. *Poison*: this batch will never pass; smaller parts of it may. *Unfit*: it
cannot even be encoded, which is our own doing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["delivered", "later", "refused", "poison", "unfit"]

# HTTP status -> what it means to us; others by their class: 3xx and 4xx refused, 5xx later.
_STATUS: Final[Mapping[int, Verdict]] = {
    400: "poison",
    408: "later",
    413: "poison",
    422: "poison",
    425: "later",
    429: "later",
}
_SAYINGS: Final[Mapping[int, str]] = {
    401: "the credentials were not accepted",
    403: "the credentials do not allow this",
    404: "there is no such address there: check the endpoint's path",
    405: "this signal is not taken there: turn it off, or check the endpoint's path",
    413: "too large",
    415: "protobuf is not taken there",
    429: "too many requests",
}
MAX_TOLD: Final = 200  # characters of what a backend says


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. `detail` is one line, without anything secret."""

    verdict: Verdict
    detail: str = ""
    pause_s: float | None = None  # that the backend asks for
    rejected: int = 0  # items of a batch that was taken


def of_status(status: int, pause_s: float | None) -> Outcome:
    """What an HTTP status that is no success means."""
    if 300 <= status < 400:
        return Outcome("refused", f"HTTP {status}: redirected elsewhere, which is not followed; check the endpoint")
    saying = _SAYINGS.get(status, "")
    verdict = _STATUS.get(status, "later" if status >= 500 else "refused")
    return Outcome(verdict, f"HTTP {status}: {saying}" if saying else f"HTTP {status}", pause_s)


def shown(text: str, secrets: Mapping[str, str]) -> str:
    """What a backend says, in one line, without what it was told in secret."""
    for value in sorted(secrets.values(), key=len, reverse=True):
        words = (value, *(word for word in value.split() if len(word) > 4))
        for word in words:
            text = text.replace(word, "…") if word else text
    return "".join(char if char.isprintable() else " " for char in text)[:MAX_TOLD].strip()
