"""The columns of tables: what a name is called, and how its values are written, with their unit.

Each is made of constants alone: headings and helps read Markdown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit import column_config

from mcptap.exporters.cli.safe import harmless

Column = Any  # what Streamlit takes for one column
Zoned = Callable[[str | None], Column]  # the column for a viewer in this zone


def words(label: str, *, width: str | None = None) -> Column:
    """Plain text."""
    return column_config.TextColumn(label, width=width)  # type: ignore[arg-type]


def count(label: str) -> Column:
    """A whole number with separators."""
    return column_config.NumberColumn(label, format="localized")


def milliseconds(label: str) -> Column:
    """A duration in milliseconds."""
    return column_config.NumberColumn(label, format="%.2f ms")


def share(label: str) -> Column:
    """A part of one, in percent."""
    return column_config.NumberColumn(label, format="percent")


def size(label: str) -> Column:
    """Bytes, with the unit that fits."""
    return column_config.NumberColumn(label, format="bytes")


def seconds(label: str) -> Column:
    """A duration in seconds."""
    return column_config.NumberColumn(label, format="%.1f s")


def moment(label: str) -> Zoned:
    """A point in time, in the viewer's zone, to the second."""
    return lambda zone: column_config.DatetimeColumn(label, format="YYYY-MM-DD HH:mm:ss", timezone=zone)


def precise(label: str) -> Zoned:
    """A point in time, in the viewer's zone, to the millisecond."""
    return lambda zone: column_config.DatetimeColumn(label, format="MM-DD HH:mm:ss.SSS", timezone=zone)


def named(name: str) -> Column:
    """A column of a user's own answer: headings are drawn as text, so only what is not seen is taken out."""
    return column_config.Column(harmless(name)[:60])
