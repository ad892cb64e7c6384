"""A secret that was found once is taken out wherever else the same value has it.

A name or a shape tells a secret in one place; in the next it stands bare: `token: …`, and then `curl -H 'X: …'`. What
looks random enough not to stand there by chance is remembered while one value is searched, and then looked for. Only
what has the form of a token is: a server names secrets as it likes, and must not have paths, addresses or sentences
taken out of its own texts before anybody has looked at them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from mcptap.tap.redact.checks import entropy
from mcptap.tap.redact.rule import PLACEHOLDER
from mcptap.tap.redact.walk import step

OPAQUE: Final = "request-state"  # which may hold anything
MAX_KNOWN: Final = 32  # secrets that are looked for again in one value
_RANDOM = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_+=-]{12,256}")
_ENVELOPE: Final = ("jsonrpc", "id", "method")  # of a message: what joins it with others stays
_TURNS = re.compile(r"(?:[A-Za-z][0-9]|[0-9][A-Za-z]).*?(?:[A-Za-z][0-9]|[0-9][A-Za-z])")  # no name with a number
_LEAST_ENTROPY: Final = 2.8  # bits per character
_KEPT = re.compile(f"({PLACEHOLDER.pattern})")

Known = dict[str, str]  # secret: rule
Mark = Callable[[str, str, str], str]  # of a secret, its rule and a pointer: what stands in place of it


def remember(known: Known, secret: str, rule: str) -> None:
    """Adds a secret that can be told from a word, while there is room."""
    if rule == OPAQUE or len(known) >= MAX_KNOWN or _RANDOM.fullmatch(secret) is None:
        return
    if _TURNS.search(secret) and entropy(secret) >= _LEAST_ENTROPY:
        known.setdefault(secret, rule)


def without(value: Any, known: Mapping[str, str], mark: Mark, pointer: str) -> Any:
    """A JSON value whose strings have none of the `known` secrets. Keys stay."""
    secrets = sorted(known.items(), key=lambda item: -len(item[0]))

    def clean(item: Any, at: str) -> Any:
        if isinstance(item, str):
            for secret, rule in secrets:
                if secret in item:
                    item = _replaced(item, secret, partial(mark, secret, rule, at))
            return item
        if isinstance(item, dict):
            return {
                key: below if not at and key in _ENVELOPE else clean(below, f"{at}/{step(key)}")
                for key, below in item.items()
            }
        if isinstance(item, list):
            return [clean(below, f"{at}/{index}") for index, below in enumerate(item)]
        return item

    return clean(value, pointer) if secrets else value


def _replaced(text: str, secret: str, mark: Callable[[], str]) -> str:
    """`text` with a mark in place of each `secret` outside of earlier marks."""
    parts = _KEPT.split(text)
    for index in range(0, len(parts), 2):
        if secret in parts[index]:
            pieces = parts[index].split(secret)
            parts[index] = pieces[0] + "".join(mark() + piece for piece in pieces[1:])
    return "".join(parts)
