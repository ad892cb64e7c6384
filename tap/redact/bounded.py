"""Refuses patterns whose search could take for ever.

A repeat within a repeat, both of which may take more or fewer characters, can be tried in exponentially many ways. The
standard library's own parser tells where they are.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

MAX_PATTERN: Final = 1000  # characters
MAX_REPEATS: Final = 8  # without bound, side by side: each one more is another power of the text's length
LARGE: Final = 64  # a repeat of up to this many characters is as good as one without bound

_parser: Any = importlib.import_module("re._parser")
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")


def refuse_unbounded(pattern: str) -> None:
    """Raises ValueError, or re.error for what is no pattern."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"is longer than {MAX_PATTERN} characters")
    if _open_repeats(_parser.parse(pattern), inside=False) > MAX_REPEATS:
        raise ValueError(f"has more than {MAX_REPEATS} open repeats")


def _open_repeats(node: Any, *, inside: bool) -> int:
    """How many repeats with a varying count there are."""
    count = 0
    for operation, argument in node:
        name = str(operation)
        if name in _REPEATS:
            low, high, body = argument
            varies = int(high) - int(low) > LARGE
            if inside and int(high) > int(low) and int(high) > 1:
                raise ValueError("has a repeat within a repeat, which could take for ever")
            repeats = int(high) > 1
            count += varies + _open_repeats(body, inside=inside or repeats)
        elif name == "GROUPREF":
            raise ValueError("refers back to a group, which could take for ever")
        else:
            count += sum(_open_repeats(part, inside=inside) for part in _parts(argument))
    return count


def _parts(argument: Any) -> list[Any]:
    """The patterns within an operation's argument, whatever its form."""
    if type(argument).__name__ == "SubPattern":
        return [argument]
    if isinstance(argument, (tuple, list)):
        return [part for item in argument for part in _parts(item)]
    return []
