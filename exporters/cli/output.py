"""Everything that the commands write, and the only place that writes what servers sent.

The idea: a cell is a string until the last moment, and there it passes through `harmless` and becomes a `Text`, never
markup. So no command can forget it.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from mcptap.exporters.cli.safe import harmless, harmless_json

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NULL = "-"

Cell = str | tuple[str, str]  # text, or text and style


class Screen(Console):
    """A console that takes nothing for markup unless told so, and leaves a broken pipe to whoever runs the command."""

    def __init__(self, *, stderr: bool = False, markup: bool = False) -> None:
        super().__init__(stderr=stderr, markup=markup, emoji=False, highlight=False, soft_wrap=False)

    def on_broken_pipe(self) -> None:
        """Called while the error is being handled."""
        raise  # noqa: PLE0704

    def put(self, *cells: Cell, cut: bool = True) -> None:
        """One line made of these parts, cut at the edge of a terminal if it may be."""
        if not self.is_terminal:  # no colours, no width: rich would take ten times as long
            line = "".join(harmless(cell if isinstance(cell, str) else cell[0]) for cell in cells)
            self.file.write(line.rstrip() + "\n")
            return
        text = Text.assemble(*(part(cell) for cell in cells))
        text.rstrip()
        self.print(text, no_wrap=cut, overflow="ellipsis" if cut else None, soft_wrap=not cut)

    def put_text(self, text: Text) -> None:
        """A line that is already harmless; on a terminal as many lines as it takes."""
        if self.is_terminal:
            self.print(text, overflow="fold")
        else:
            self.file.write(text.plain + "\n")


def part(cell: Cell) -> Text:
    """A cell as rich text that does nothing but show it."""
    text, style = (cell, "") if isinstance(cell, str) else cell
    return Text(harmless(text), style=style)


def note(text: str) -> None:
    """Something to know that is not part of the answer: one line on stderr."""
    Screen(stderr=True).put((text, "dim"))


def write_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """One array of objects, an object a line."""
    _speak_utf8()
    between = "[\n"
    for row in rows:
        sys.stdout.write(between + harmless_json(plain(dict(row))))
        between = ",\n"
    sys.stdout.write("[]\n" if between == "[\n" else "\n]\n")


def write_object(value: Any) -> None:
    """One JSON value in one line."""
    _speak_utf8()
    sys.stdout.write(harmless_json(plain(value)) + "\n")


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, raw: bool = False) -> None:
    """Comma-separated values under headings; NULL is an empty cell.

    A spreadsheet would compute a text that begins like a formula, so it gets a `'` in front; `raw` leaves it as it is,
    control characters too.
    """
    _speak_utf8()
    _write_rows(sys.stdout, columns, rows, raw=raw)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The same as a text, never raw."""
    text = io.StringIO()
    _write_rows(text, columns, rows, raw=False)
    return text.getvalue()


def _write_rows(place: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, raw: bool) -> None:
    write = csv.writer(place, lineterminator="\n").writerow
    for row in (columns, *rows):
        write([str_cell(value) if raw else _guarded(value) for value in row])


def str_cell(value: Any) -> str:
    """A value as the text of a cell; what has parts, as JSON."""
    match plain(value):
        case None:
            return ""
        case str(text):
            return text
        case other:
            return harmless_json(other)


def plain(value: Any) -> Any:
    """A value from the database as JSON has it. Times are ISO 8601 without zone; NaN and infinities are null."""
    for types, convert in _AS_JSON:
        if isinstance(value, types):
            return convert(value)
    return str(value)


# First match wins, and bool is an int; what is in no row becomes text.
_AS_JSON: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((str, int, type(None)), lambda value: value),
    (float, lambda value: value if math.isfinite(value) else None),
    (Decimal, lambda value: plain(float(value)) if value % 1 else int(value)),
    ((datetime, date, time), lambda value: value.isoformat()),
    (dict, lambda value: {str_cell(key): plain(inner) for key, inner in value.items()}),
    ((list, tuple), lambda value: [plain(inner) for inner in value]),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
)


def _guarded(value: Any) -> str:
    text = str_cell(value)
    inert = isinstance(value, int | float | Decimal) or not text.lstrip(" ").startswith(FORMULA)
    return harmless(text) if inert else "'" + harmless(text)


def _speak_utf8() -> None:
    """JSON is UTF-8 whatever the locale; a lone surrogate cannot come out of `harmless`, only out of `raw`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
