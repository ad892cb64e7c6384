"""A value in the lines below its name: a block scalar of YAML (YAML 1.2.2, 8.1).

The idea: all lines that stand as far in as the first are the value, whatever is in them.
"""

from __future__ import annotations

import re

_BEGIN = re.compile(r"[|>][+-]?\d?[ \t]*\r?\n(?P<indent>[ \t]+)(?=\S)")
_LINE = re.compile(r"\n(?P<indent>[ \t]*)(?P<rest>[^\s])?")


def block(text: str, at: int) -> tuple[int, int] | None:
    """From its first character to its end, if one is announced at `at`, behind the name's colon."""
    begin = _BEGIN.match(text, at)
    if begin is None:
        return None
    end = begin.end()
    while end < len(text):
        after = text.find("\n", end)
        end = len(text) if after < 0 else after
        following = _LINE.match(text, end)
        if following is None or (len(following["indent"]) < len(begin["indent"]) and following["rest"]):
            break
        end = following.end()
    return begin.end(), end
