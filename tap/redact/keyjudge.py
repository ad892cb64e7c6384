"""Whether a member must be looked at because of its key. Keys repeat, so what was found is remembered."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from mcptap.tap.redact.members import FLAT, VALUES
from mcptap.tap.redact.names import names_secret
from mcptap.tap.redact.rule import Rule, Text, holds
from mcptap.tap.redact.scan import find, fired
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.services import names_service

MAX_KEY: Final = 128  # characters of a key that is worth remembering
_TELLING: Final = frozenset(("requeststate", *map(str.lower, VALUES), "stringdata", *FLAT, "args"))


class KeyJudge:
    """Judges keys by the rules of one scanner."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        named = (rule for rule in scanner.rules if isinstance(rule, Rule) and rule.named)
        self._vendors = tuple({keyword for rule in named for keyword in rule.keywords})
        self._judged = lru_cache(maxsize=8192)(self._judge)
        self._named = lru_cache(maxsize=8192)(self._names)

    def is_telling(self, key: str) -> bool:
        """Whether a member with this key must be looked at."""
        return self._judged(key) if len(key) <= MAX_KEY else self._judge(key)

    def has_vendor(self, key: str) -> bool:
        """Whether a key names the service whose key its value may be."""
        return self._named(key) if len(key) <= MAX_KEY else self._names(key[:MAX_KEY])

    def _names(self, key: str) -> bool:
        return names_service(key) or holds(key.lower(), self._vendors)

    def _judge(self, key: str) -> bool:
        known = "[REDACTED:" in key or key.lower() in _TELLING
        return known or names_secret(key) or self.has_vendor(key) or self._holds_secret(key)

    def _holds_secret(self, key: str) -> bool:
        text = Text(key)
        return bool(find(self._scanner, text, fired(self._scanner, text)))
