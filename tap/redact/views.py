r"""Other views of a text, in which a secret may hide: without terminal colours, and with its escapes resolved.

`password\e[0m=\e[36m…` and `%70assword%3D…` say the same as `password=…`. A view knows where each piece of it comes
from, so what is found in it is found in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mcptap.tap.redact.rule import Sign, Text

_COLOUR = re.compile(r"(?:\x1b|\\\\{0,15}u001[bB]|\\x1[bB]|\\033)\[[0-?]{0,64}[@-~]")
# Each escape stands for a printable character of ASCII.
_PERCENT: Final = r"%(?P<percent>[2-7][0-9A-Fa-f])"
_BACKSLASH: Final = r"(?:u00|u\{0{0,4}|x)(?P<unicode>[2-7][0-9A-Fa-f])"
_ENTITY: Final = (
    r"&(?:#[xX]0{0,4}(?P<hex>[2-7][0-9A-Fa-f])|#0{0,4}(?P<decimal>3[2-9]|[4-9]\d|1[01]\d|12[0-6])"
    r"|(?P<name>amp|quot|lt|gt|apos));"
)
# Each begins with a letter of its own, and so is looked for fast.
_ESCAPED = re.compile(rf"{_PERCENT}|\\\\{{0,15}}{_BACKSLASH}\}}?|{_ENTITY}")
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
_ESCAPE_SIGNS: Final = ("%", "\\u00", "\\u{", "\\x", "&")
# Colours may split a word or part two, so there are two views of them.
_COLOURS: Final = (
    Kind(_COLOUR_SIGNS, _COLOUR, lambda _: "", trims=True),
    Kind(_COLOUR_SIGNS, _COLOUR, lambda _: " ", trims=True),
)
_ESCAPES: Final = Kind(_ESCAPE_SIGNS, _ESCAPED, _character)


class View:
    """A text in which a kind's pieces are replaced. Where they were is only looked up when something is found."""

    def __init__(self, whole: Text, kind: Kind) -> None:
        self._whole, self._kind = whole, kind

        def replaced(piece: re.Match[str]) -> str:
            whole.tick()
            return kind.replace(piece)

        self.text, count = kind.pattern.subn(replaced, whole.text)
        self.changed = count > 0

    @cached_property
    def _pieces(self) -> tuple[list[int], list[int], list[int]]:
        """Where pieces start in the view, and where they start and end in the text."""
        pieces: tuple[list[int], list[int], list[int]] = ([0], [0], [0])
        done = length = 0
        for piece in self._kind.pattern.finditer(self._whole.text):
            self._whole.tick()
            fill = self._kind.replace(piece)
            length += piece.start() - done
            if fill and not self._kind.trims:
                _add(pieces, length, piece.start(), piece.end())
            length += len(fill)
            done = piece.end()
            _add(pieces, length, done, done)
        return pieces

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text that a span of the view shows, without colours and the blanks for them around it."""
        if self._kind.trims:
            shown = self.text[start:end]
            start += len(shown) - len(shown.lstrip(" "))
            end = max(start, end - len(shown) + len(shown.rstrip(" ")))
        return (self._at(start)[0], self._at(end - 1)[1]) if start < end else (0, 0)

    def _at(self, position: int) -> tuple[int, int]:
        """From where to where the text has what stands at a position of the view."""
        starts, origins, ends = self._pieces
        piece = bisect_right(starts, position) - 1
        origin = origins[piece]
        if ends[piece] > origin:
            return origin, ends[piece]
        origin += position - starts[piece]
        return origin, origin + 1


def _add(pieces: tuple[list[int], list[int], list[int]], *places: int) -> None:
    for column, place in zip(pieces, places, strict=True):
        column.append(place)


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
COLOURS: Final = Sign("colours", _COLOUR_SIGNS, tuple(re.escape(sign) for sign in _COLOUR_SIGNS))
ESCAPES: Final = Sign("escapes", _ESCAPE_SIGNS, (_PERCENT, rf"\\{_BACKSLASH}", _ENTITY))
