"""Whether a text speaks of an attack in place of making one.

The idea: security writing quotes. A phrase in quotation marks, in code, in a list of its kind, or beside the words of
the trade drops a tier. It drops one only: an attacker can write these words too.
"""

from __future__ import annotations

import re
from typing import Final

NEAR: Final = 200  # characters before and behind
LISTED: Final = 3  # phrases of different lines
_TRADE = re.compile(
    r"\b(?:attack(?:s|ers?|ing)?|detect(?:s|or|ors|ion|ing|ed)?|regex(?:es)?|regular expressions?|injections?|jailbreak\w*"
    r"|payloads?|malicious|adversarial|exploit(?:s|ed|ation)?|vulnerab\w+|phishing|red[- ]team\w*|test cases?"
    r"|mitigat\w+|guardrail tests?|should be (?:blocked|rejected|flagged))\b(?![@.]\w|-\w|/)",
    re.IGNORECASE,
)
_OPENING: Final = "\"'`“‘«‹"  # noqa: RUF001
_CLOSING: Final = "\"'`”’»›"  # noqa: RUF001
_JSON: Final = ":,[{"


def speaks_of(text: str, start: int, end: int) -> str | None:
    """Why a match is rather a quotation: `quoted`, `code`, `trade`; None if nothing says so."""
    if _is_quoted(text, start, end):
        return "quoted"
    if text.count("```", 0, start) % 2 and "```" in text[end:]:
        return "code"
    if _TRADE.search(text, max(0, start - NEAR), start) or _TRADE.search(text, end, end + NEAR):
        return "trade"
    return None


def _is_quoted(text: str, start: int, end: int) -> bool:
    """In quotation marks of its own; a value of JSON is not."""
    before = text[max(0, start - 24) : start]
    opening = max((before.rfind(mark) for mark in _OPENING), default=-1)
    if opening < 0 or "\n" in before[opening:] or before[:opening][-1:].isalnum():  # that one closes
        return False
    if before[:opening].rstrip()[-1:] in _JSON and before[:opening].strip():
        return False
    return any(mark in text[end - 1 : end + 48].split("\n", maxsplit=1)[0] for mark in _CLOSING)
