r"""Other views of a text, in which a secret may hide: without terminal colours, and with its escapes resolved.

`password\e[0m=\e[36m…` and `%70assword%3D…` say the same as `password=…`. A view knows where each piece of it comes
from, so what is found in it is found in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from mcptap.tap.redact.rule import Sign, Text

_COLOUR = re.compile(r"(?:\x1b|\\{1,16}u001[bB]|\\x1[bB]|\\033)\[[0-?]{0,64}[@-~]")
_ESCAPED = re.compile(
    r"%(?P<percent>[2-7][0-9A-Fa-f])"
    r"|\\{1,16}(?:u00|u\{0{0,4}|x)(?P<unicode>[2-7][0-9A-Fa-f])\}?"
    r"|&(?:#[xX]0{0,4}(?P<hex>[2-7][0-9A-Fa-f])|#0{0,4}(?P<decimal>3[2-9]|[4-9]\d|1[01]\d|12[0-6])|(?P<name>amp|quot|lt|gt|apos));"
)
_NAMED: Final = {"amp": "&", "quot": '"', "lt": "<", "gt": ">", "apos": "'"}


def _character(piece: re.Match[str]) -> str:
    """The character that an escape stands for."""
    kind, value = str(piece.lastgroup), piece[piece.lastgroup or 0]
    return _NAMED[value] if kind == "name" else chr(int(value, 10 if kind == "decimal" else 16))


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to see a text: what is replaced in it, and by what. Without one of `signs` nothing is."""

    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]
    trims: bool = False  # whether blanks of the view stand for nothing in the text


_COLOUR_SIGNS: Final = ("\x1b[", "u001b[", "u001B[", "x1b[", "x1B[", "\\033[")
_ESCAPE_SIGNS: Final = (
    "%2",
    "%3",
    "%4",
    "%5",
    "%6",
    "%7",
    "\\u00",
    "\\u{",
    "\\x",
    "&#",
    "&amp;",
    "&quot;",
    "&lt;",
    "&gt;",
    "&apos;",
)
# Colours may split a word or part two, so there are two views of them.
_COLOURS: Final = (
    Kind(_COLOUR_SIGNS, _COLOUR, lambda _: "", trims=True),
    Kind(_COLOUR_SIGNS, _COLOUR, lambda _: " ", trims=True),
)
_ESCAPES: Final = Kind(_ESCAPE_SIGNS, _ESCAPED, _character)


class View:
    """A text in which a kind's pieces are replaced."""

    def __init__(self, whole: Text, kind: Kind) -> None:
        text = whole.text
        parts: list[str] = []
        self._trims = kind.trims
        self._starts, self._origins, self._ends = [0], [0], [0]  # of pieces: in the view, in the text, and their end
        done = length = 0
        for piece in kind.pattern.finditer(text):
            whole.tick()
            fill = kind.replace(piece)
            parts += (text[done : piece.start()], fill)
            length += piece.start() - done
            if fill and not kind.trims:
                self._add(length, piece.start(), piece.end())
            length += len(fill)
            done = piece.end()
            self._add(length, done, done)
        self.text = "".join((*parts, text[done:]))
        self.changed = done > 0

    def _add(self, start: int, origin: int, end: int) -> None:
        self._starts.append(start)
        self._origins.append(origin)
        self._ends.append(end)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text that a span of the view shows, without colours and the blanks for them around it."""
        if self._trims:
            shown = self.text[start:end]
            start += len(shown) - len(shown.lstrip(" "))
            end = max(start, end - len(shown) + len(shown.rstrip(" ")))
        return (self._at(start)[0], self._at(end - 1)[1]) if start < end else (0, 0)

    def _at(self, position: int) -> tuple[int, int]:
        """From where to where the text has what stands at a position of the view."""
        piece = bisect_right(self._starts, position) - 1
        origin = self._origins[piece]
        if self._ends[piece] > origin:
            return origin, self._ends[piece]
        origin += position - self._starts[piece]
        return origin, origin + 1


def coloured(text: Text) -> tuple[View, ...]:
    """The views of a text with colours; none of one without."""
    return tuple(_views(text, _COLOURS))


def escaped(text: Text) -> tuple[View, ...]:
    """The view of a text with escapes; none of one without."""
    return tuple(_views(text, (_ESCAPES,)))


def _views(text: Text, kinds: tuple[Kind, ...]) -> Iterator[View]:
    for kind in kinds:
        if any(sign in text.text for sign in kind.signs):
            view = View(text, kind)
            if view.changed:
                yield view


def plain(text: str) -> str:
    """`text` without colours and escapes, so that a secret is recognised however it is written."""
    for kind in _PLAIN:
        if any(sign in text for sign in kind.signs):
            text = kind.pattern.sub(kind.replace, text)
    return text


_PLAIN: Final = (_COLOURS[0], _ESCAPES)
SIGNS: Final = tuple(sign for kind in _PLAIN for sign in kind.signs)


ESCAPES: Final = Sign("escapes", SIGNS, tuple(re.escape(sign) for sign in SIGNS))
