"""A secret in two strings side by side: `{"first": "ghp_16C7", "rest": "e42F292c…"}`.

Only shapes with a prefix of their own can be told so: one string ends with the prefix and perhaps some more, the next
begins with what follows. Joined, they are searched like any text.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from typing import Any, Final

from mcptap.tap.redact.rule import Sign, Text, TextRule
from mcptap.tap.redact.scanner import Scanner

PREFIXES: Final = (
    "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "sk_live_", "sk_test_", "rk_live_", "AKIA",
    "ASIA", "AIza", "ya29.", "GOCSPX-", "xoxb-", "xoxp-", "xapp-", "hf_", "npm_", "pypi-", "SG.", "eyJ", "gsk_", "xai-",
    "dop_v1_", "shpat_", "hvs.", "glsa_", "nvapi-", "lin_api_", "ntn_", "whsec_", "dapi", "dckr_pat_", "ATATT3", "ATBB",
    "sq0atp-", "rubygems_", "figd_", "key-", "pat-na1-", "postgres://", "postgresql://", "mysql://", "mongodb://",
    "mongodb+srv://", "redis://", "amqp://", "https://",
)  # fmt: skip
_TAIL: Final = 64  # characters of a string's end that may belong to a secret
_HEAD: Final = 1024  # characters of the next string
_APART: Final = 3  # strings that may stand between: `"type": "text"`
_OPEN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, PREFIXES))})[\w.+/=:@-]{{0,48}}\Z", re.ASCII)
_GOES_ON = re.compile(r"[\w.+/=:@-]{4,}", re.ASCII)
_OF_SECRETS: Final = string.ascii_letters + string.digits + "_.+/=:@-"  # the characters of both


# Some string ends in the middle of a secret. NUL stands between strings.
OPEN_END: Final = Sign("open-end", PREFIXES, (rf"(?:{'|'.join(map(re.escape, PREFIXES))})[\w.+/=:@-]*(?:\x00|\z)",))


# By identity of the string, each once: from, to, rule, the whole secret.
Parts = dict[int, dict[tuple[int, int, str, str], None]]


def joined(value: Any, scanner: Scanner) -> Parts:
    """The parts of secrets that go from one string of a value into a later one."""
    leaves = [leaf for leaf in _leaves(value) if leaf]
    found: Parts = {}
    for index, leaf in enumerate(leaves):
        if match := _OPEN.search(leaf, _last_word(leaf)):
            for following in leaves[index + 1 : index + 2 + _APART]:
                if _join(match[0], leaf, following, scanner, found):
                    break
    return found


def _last_word(text: str) -> int:
    """Where that begins which may be a part of a secret: to search for it everywhere costs fifty tries a character."""
    start = max(0, len(text) - _TAIL)
    return start + len(text[start:].rstrip(_OF_SECRETS))


def _join(tail: str, leaf: str, following: str, scanner: Scanner, found: Parts) -> bool:
    head = _GOES_ON.match(following[:_HEAD])
    if head is None or tail == following:
        return False
    both = Text(tail + head[0])
    for rule in scanner.fired(both.text):
        for start, end in rule.spans(both):
            if start < len(tail) < end and not _is_whole(rule, tail):
                whole, at = both.text[start:end], len(leaf) - len(tail)
                found.setdefault(id(leaf), {})[at + start, len(leaf), rule.id, whole] = None
                found.setdefault(id(following), {})[0, end - len(tail), rule.id, whole] = None
                return True
    return False


def _is_whole(rule: TextRule, tail: str) -> bool:
    return any(end == len(tail) for _, end in rule.spans(Text(tail)))


def _leaves(value: Any) -> Iterator[str]:
    """The strings of a value in the order of the document."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list):
            stack.extend(reversed(item))
