"""A cheap look at a whole JSON value, which nearly always says that there is nothing to look for in it.

The idea: most keys name nothing and most strings are no JSON, so a value is taken apart once, level by level, and what
is in its strings is asked about all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from mcptap.tap.redact import members as forms
from mcptap.tap.redact.rule import TextRule
from mcptap.tap.redact.scan import SIGNS
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.split import OPEN_END, joined

MAX_DEPTH: Final = 200  # orjson writes 254 levels, and a record adds some
_CONSTANT: Final = ("2.0", "text")  # in nearly every message: without them there is often one string, and no copy


class UnscannableError(Exception):
    """A value that cannot be searched whole, so that nothing of it may be kept. The argument says why."""


def survey(value: Any, is_telling: Callable[[str], bool]) -> tuple[list[str], bool]:
    """All strings of a value but keys and constants, and whether it must be walked even if no text rule fires."""
    texts: list[str] = []
    suspicious = False
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise UnscannableError("nested too deeply")
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if item not in _CONSTANT:
                    texts.append(item)
                suspicious = suspicious or item[:1] in ("{", "[", "-", " ", "\n")
            elif isinstance(item, dict):
                suspicious = suspicious or any(map(is_telling, item)) or forms.is_kubernetes_secret(item)
                below += item.values()
            elif isinstance(item, list):
                suspicious = suspicious or forms.is_pairs(item) or forms.is_pair(item)
                below += item
        level = below
    return texts, suspicious


def is_clean(value: Any, rules: Sequence[TextRule], scanner: Scanner) -> bool:
    """Whether `rules` find nothing in the strings of a value: at most some of them end as half a secret would."""
    return all(rule in SIGNS for rule in rules) and not (OPEN_END in rules and joined(value, scanner))
