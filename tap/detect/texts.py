"""The texts of a JSON value, each with the pointer to where it stands."""

from __future__ import annotations

from typing import Any, Final

MOST: Final = 50_000  # texts of one message
MAX_TEXT: Final = 2 << 20  # characters of one text; of a longer one the beginning and the end are looked at

Texts = list[tuple[str, str]]  # pointer, text


def leaves(value: Any, pointer: str = "") -> Texts:
    """Every string of `value` with its JSON pointer, in order. Keys are no texts."""
    found: Texts = []
    _gather(value, pointer, found)
    return found


def _gather(value: Any, pointer: str, found: Texts) -> None:
    """Bodies are at most 200 levels deep: what is deeper is not kept."""
    if isinstance(value, str):
        _add(value, pointer, found)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                _add(inner, f"{pointer}/{escaped(key)}", found)
            elif isinstance(inner, (dict, list)):
                _gather(inner, f"{pointer}/{escaped(key)}", found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, (str, dict, list)):
                _gather(inner, f"{pointer}/{index}", found)


def _add(text: str, pointer: str, found: Texts) -> None:
    if text and len(found) < MOST:
        found.append((pointer, text if len(text) <= MAX_TEXT else _ends(text)))


def _ends(text: str) -> str:
    return f"{text[: MAX_TEXT // 2]}\n{text[-MAX_TEXT // 2 :]}"


def escaped(key: str) -> str:
    """A member's name as a JSON pointer has it."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def excerpt(text: str, start: int, end: int, around: int = 60, most: int = 400) -> str:
    """What stands at a place, with a little of what is around it."""
    left, right = max(0, start - around), min(len(text), min(end, start + most) + around)
    return ("…" if left else "") + text[left:right] + ("…" if right < len(text) else "")
