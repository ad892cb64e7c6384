"""Tables: one row is one line, cut to the terminal's width, whole in a pipe.

The idea: what does not fit gives way in a fixed order. First whole columns that a command can spare, then the ends of
long texts, and where even that leaves columns too narrow to read, each row becomes a list of its columns.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table
from rich.text import Text

from mcptap.exporters.cli.output import Cell, Screen, part

PIPED_CELL = 200  # characters of a cell in a pipe; JSON and CSV have all of it
NARROWEST = 10  # characters that a column needs to be read
COMFORTABLE = 40  # cells; a column that wants more is cut before others are left out
GAP = 2  # spaces between columns


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    heading: Text
    cells: list[Text]
    right: bool

    @property
    def width(self) -> int:
        """Cells of a terminal that it wants."""
        return max(text.cell_len for text in (self.heading, *self.cells))

    @property
    def least(self) -> int:
        """Cells of a terminal that it needs: numbers are never cut."""
        return self.width if self.right else min(self.width, NARROWEST)


def table(
    names: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Collection[str] = (), spare: Iterable[str] = ()
) -> None:
    """Prints rows under headings; columns in `right` are numbers, those in `spare` can be left out, the first first."""
    screen = Screen()
    longest = screen.width if screen.is_terminal else PIPED_CELL
    lines = [[part(_short(cell, longest)) for cell in row] for row in rows]
    columns = [
        _Column(name, part(name), [line[index] for line in lines], name in right) for index, name in enumerate(names)
    ]
    if not screen.is_terminal:
        _print_piped(screen, columns)
        return
    columns = _without_spare(columns, spare, screen.width)
    if _total(column.least for column in columns) > screen.width:
        _print_lists(screen, columns, len(lines))
    else:
        screen.print(_grid(columns, _fitting(columns, screen.width)))


def _short(cell: Cell, longest: int) -> Cell:
    """At most so many characters of a cell: measuring a body of a megabyte takes its time."""
    text, style = (cell, "") if isinstance(cell, str) else cell
    return (text if len(text) <= longest else text[: longest - 1] + "…"), style


def _total(widths: Iterable[int]) -> int:
    return sum(width + GAP for width in widths) - GAP


def _without_spare(columns: list[_Column], spare: Iterable[str], width: int) -> list[_Column]:
    for name in spare:
        if _total(min(column.width, COMFORTABLE) for column in columns) > width:
            columns = [column for column in columns if column.name != name]
    return columns


def _fitting(columns: list[_Column], available: int) -> list[int]:
    """The width of each column; the widest gives way first."""
    widths = [column.width for column in columns]
    for _ in range(max(0, _total(widths) - available)):
        widest = max(range(len(widths)), key=lambda index: (widths[index] > columns[index].least, widths[index]))
        widths[widest] -= 1
    return widths


def _grid(columns: list[_Column], widths: list[int]) -> Table:
    grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        grid.add_column(column.heading, justify=justify, no_wrap=True, overflow="ellipsis", width=width)
    for row in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*row)
    return grid


def _print_piped(screen: Screen, columns: list[_Column]) -> None:
    """As wide as it is, without spaces at the ends of lines."""
    screen.width = max(1, _total(column.width for column in columns))
    with screen.capture() as captured:
        screen.print(_grid(columns, [column.width for column in columns]))
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _print_lists(screen: Screen, columns: list[_Column], count: int) -> None:
    widest = max(column.heading.cell_len for column in columns)
    for number in range(count):
        screen.put((f"row {number + 1}", "dim"))
        for column in columns:
            label = column.heading.copy()
            label.stylize("bold")
            label.pad_right(widest + GAP - label.cell_len)
            screen.print(Text.assemble(label, column.cells[number]), no_wrap=True, overflow="ellipsis")
