r"""Text with terminal colours, seen without them: `password\e[0m=\e[36m…`.

Escape sequences are cut out, or become a blank, since they may split a word or part two; what is found in either view
is found in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

_SEQUENCE = re.compile(r"(?:\x1b|\\{1,16}u001[bB])\[[0-?]{0,64}[@-~]")
_FILLS: Final = ("", " ")


class View:
    """A text in which `fill` stands for every sequence."""

    def __init__(self, text: str, fill: str) -> None:
        parts: list[str] = []
        self._starts, self._origins = [0], [0]  # where a piece begins in the view, and in the text
        done = length = 0
        for sequence in _SEQUENCE.finditer(text):
            parts += (text[done : sequence.start()], fill)
            length += sequence.start() - done + len(fill)
            done = sequence.end()
            self._starts.append(length)
            self._origins.append(done)
        self.text = "".join((*parts, text[done:]))

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text that a span of the view shows, without blanks or sequences around it."""
        shown = self.text[start:end]
        start += len(shown) - len(shown.lstrip(" "))
        end = max(start, end - len(shown) + len(shown.rstrip(" ")))
        return (self._at(start), self._at(end - 1) + 1) if start < end else (0, 0)

    def _at(self, position: int) -> int:
        piece = bisect_right(self._starts, position) - 1
        return self._origins[piece] + position - self._starts[piece]


def views(text: str) -> tuple[View, ...]:
    """The views of a text with sequences; none of one without."""
    if "\x1b[" not in text and "u001b[" not in text and "u001B[" not in text:
        return ()
    return tuple(View(text, fill) for fill in _FILLS)


def uncoloured(text: str) -> str:
    """`text` without sequences, so that a secret is recognised in whatever colours it comes."""
    return _SEQUENCE.sub("", text) if "[" in text else text
