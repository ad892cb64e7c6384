r"""Other views of a text, in which a secret may hide: without terminal colours, and with its escapes resolved.

`password\e[0m=\e[36m…` and `%70assword%3D…` say the same as `password=…`. What is quoted in a string has its quotes and
line ends escaped; that is nothing special, so it is only seen so where a name of a secret is behind it. A view knows
where each piece of it comes from, so what is found in it is found in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from mcptap.tap.redact.rule import Sign, Text, holds

_COLOUR = re.compile(r"(?:\x1b|\\\\{0,15}u001[bB]|\\x1[bB]|\\033)\[[0-?]{0,64}[@-~]")
# Each escape stands for a printable character of ASCII.
_PERCENT: Final = r"%(?P<percent>[2-7][0-9A-Fa-f])"
_BACKSLASH: Final = r"(?:u00|u\{0{0,4}|x)(?P<unicode>[2-7][0-9A-Fa-f])"
_ENTITY: Final = (
    r"&(?:#[xX]0{0,4}(?P<hex>[2-7][0-9A-Fa-f])|#0{0,4}(?P<decimal>3[2-9]|[4-9]\d|1[01]\d|12[0-6])"
    r"|(?P<name>amp|quot|lt|gt|apos));"
)
# By its first letter, which makes each be looked for fast. No two overlap.
_ESCAPED: Final = {
    "%": re.compile(_PERCENT),
    "\\": re.compile(rf"\\\\{{0,15}}{_BACKSLASH}\}}?"),
    "&": re.compile(_ENTITY),
}
AROUND: Final = 512  # characters before and behind a replaced piece
LONGEST: Final = 16_384  # characters of a line around it
_BREAKS: Final = ("\n", "\0")  # of lines, and between strings
_NAMED: Final = {"amp": "&", "quot": '"', "lt": "<", "gt": ">", "apos": "'"}


@lru_cache(maxsize=4096)
def _character(escape: str) -> str:
    """The character that an escape stands for."""
    piece = _ESCAPED[escape[0]].match(escape)
    kind = str(piece.lastgroup) if piece else ""
    value = piece[kind] if piece else ""
    return _NAMED[value] if kind == "name" else chr(int(value, 10 if kind == "decimal" else 16))


@dataclass(frozen=True, eq=False, slots=True)
class Kind:
    """One way to see a text: what is replaced in it, and by what. Without one of its signs no pattern matches."""

    patterns: Mapping[tuple[str, ...], re.Pattern[str]]  # by signs
    replace: Callable[[str], str]
    trims: bool = False  # whether blanks of the view stand for nothing in the text

    def pieces(self, text: Text) -> list[tuple[int, int, str]]:
        """What is replaced: from, to, by what."""
        found: list[tuple[int, int, str]] = []
        for signs, pattern in self.patterns.items():
            for piece in pattern.finditer(text.text) if holds(text.text, signs) else ():
                text.tick()
                found.append((*piece.span(), self.replace(piece[0])))
        return sorted(found) if len(self.patterns) > 1 else found


_COLOUR_SIGNS: Final = ("\x1b[", "u001b[", "u001B[", "x1b[", "x1B[", "\\033[")
# Colours may split a word or part two, so there are two views of them.
_COLOURS: Final = (
    Kind({_COLOUR_SIGNS: _COLOUR}, lambda _: "", trims=True),
    Kind({_COLOUR_SIGNS: _COLOUR}, lambda _: " ", trims=True),
)
_QUOTE: Final = r"\\{1,7}[\"'nrt]"
_QUOTES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_STRINGS: Final = Kind({("\\",): re.compile(_QUOTE)}, lambda escape: _QUOTES.get(escape[-1], escape[-1]))
_ESCAPES: Final = Kind({(sign,): pattern for sign, pattern in _ESCAPED.items()}, _character)


class View:
    """A text in which a kind's pieces are replaced. Where each place of it comes from is only told when asked."""

    def __init__(self, whole: Text, kind: Kind) -> None:
        self._whole, self._kind = whole.text, kind
        self._replaced = kind.pieces(whole)
        parts: list[str] = []
        done = 0
        for start, end, fill in self._replaced:
            parts += (self._whole[done:start], fill)
            done = end
        self.text = "".join((*parts, self._whole[done:])) if parts else self._whole
        self.seen = whole.part(self.text)  # to be searched
        self.changed = bool(parts)

    def near(self) -> str:
        """The lines of the view within AROUND characters of what is replaced, NUL between. Of long lines some."""
        windows: list[str] = []
        low = high = moved = 0
        for start, end, fill in self._replaced:
            at = start + moved
            moved += len(fill) - (end - start)
            if high and at + AROUND <= high:
                continue
            first = self._line_start(max(0, at - AROUND))
            if first > high or not high:
                windows += [self.text[low:high]] if high else []
                low = first
            high = self._line_end(at + AROUND)
        return "\0".join((*windows, self.text[low:high]))

    def _line_start(self, at: int) -> int:
        far = max(0, at - LONGEST)
        return max(far, *(self.text.rfind(sign, far, at) for sign in _BREAKS))

    def _line_end(self, at: int) -> int:
        far = at + LONGEST
        return min(far, *(found + 1 or far for found in (self.text.find(sign, at, far) for sign in _BREAKS)))

    @cached_property
    def _pieces(self) -> tuple[list[int], list[int], list[int]]:
        """Where pieces start in the view, and where they start and end in the text."""
        starts, origins, ends = [0], [0], [0]
        done = length = 0
        for start, end, fill in self._replaced:
            length += start - done
            if fill and not self._kind.trims:
                starts.append(length)
                origins.append(start)
                ends.append(end)
            length += len(fill)
            done = end
            starts.append(length)
            origins.append(end)
            ends.append(end)
        return starts, origins, ends

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


def coloured(text: Text) -> tuple[View, ...]:
    """The views of a text with colours; none of one without."""
    return tuple(_views(text, _COLOURS))


def escaped(text: Text) -> tuple[View, ...]:
    """The view of a text with escapes; none of one without."""
    return tuple(_views(text, (_ESCAPES,)))


def unquoted(text: Text) -> tuple[View, ...]:
    """The view of a text in which a string quotes something; none of one without."""
    return tuple(_views(text, (_STRINGS,)))


def _views(text: Text, kinds: tuple[Kind, ...]) -> Iterator[View]:
    for kind in kinds:
        view = text.views.get(kind) or text.views.setdefault(kind, View(text, kind))
        if view.changed:
            yield view


def plain(text: str) -> str:
    """`text` without colours and escapes, so that a secret is recognised however it is written."""
    if not holds(text, _WRITTEN):
        return text
    return _ANY_ESCAPED.sub(lambda escape: _character(escape[0]), _COLOUR.sub("", text))


_WRITTEN: Final = ("\x1b", *_ESCAPED)  # what each of them begins with
_ANY_ESCAPED = re.compile("|".join(pattern.pattern for pattern in _ESCAPED.values()))
COLOURS: Final = Sign("colours", _COLOUR_SIGNS, tuple(re.escape(sign) for sign in _COLOUR_SIGNS))
ESCAPES: Final = Sign("escapes", tuple(_ESCAPED), (_PERCENT, rf"\\{_BACKSLASH}", _ENTITY))
# Names whose values have quotes around them, or lines between, in the forms that rules know.
_QUOTED_WORDS: Final = (
    "auth", "psk", "directoryentry", "securestring", "viserver", "credential", "passw", "secret", "token", "pass ",
    "getconnection", "\\ttrue\\t", "\\tfalse\\t",
)  # fmt: skip
QUOTED: Final = Sign(
    "quoted", _QUOTED_WORDS, (rf"(?i)(?:{'|'.join(map(re.escape, _QUOTED_WORDS))})[^\n]*\\[\"'nrt]",), fold=True
)
