"""The texts of a JSON value, each with the pointer to where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

MOST: Final = 50_000  # texts of one message
MAX_TEXT: Final = 2 << 20  # characters of one text; of a longer one the beginning and the end are looked at

Texts = list[tuple[str, str]]  # pointer, text


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every string of `value` with its JSON pointer. Keys are no texts."""
    left = MOST
    waiting: list[tuple[str, Any]] = [(pointer, value)]
    while waiting and left:
        place, item = waiting.pop()
        left -= 1
        if isinstance(item, str):
            if item:
                yield place, item if len(item) <= MAX_TEXT else f"{item[: MAX_TEXT // 2]}\n{item[-MAX_TEXT // 2 :]}"
        elif isinstance(item, dict):
            waiting += [(f"{place}/{escaped(key)}", inner) for key, inner in reversed(item.items())]
        elif isinstance(item, list):
            waiting += [(f"{place}/{index}", inner) for index, inner in enumerate(item)][::-1]


def escaped(key: str) -> str:
    """A member's name as a JSON pointer has it."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def excerpt(text: str, start: int, end: int, around: int = 60, most: int = 400) -> str:
    """What stands at a place, with a little of what is around it."""
    left, right = max(0, start - around), min(len(text), min(end, start + most) + around)
    return ("…" if left else "") + text[left:right] + ("…" if right < len(text) else "")
