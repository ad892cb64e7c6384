"""How sizes, durations and moments are written, and how a moment is read from a command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"(\d{1,6})([smhdw])")


def size(count: int) -> str:
    """Bytes with the unit that leaves one to three digits: `812 B`, `1.5 kB`."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def milliseconds(duration: float | None) -> str:
    return "" if duration is None else f"{duration:,.1f}"


def span(seconds: float) -> str:
    """About how long, in the largest unit that fits: `42 s`, `5 min`, `3 h`, `2 d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def local(moment: datetime) -> datetime:
    """A moment as the store has it (UTC, without saying so) in the zone of this machine."""
    return moment.replace(tzinfo=UTC).astimezone()


def clock(moment: datetime | None) -> str:
    """Date and time in the local zone, to the second."""
    return "" if moment is None else f"{local(moment):%Y-%m-%d %H:%M:%S}"


def precise(moment: datetime) -> str:
    """Time in the local zone, to the millisecond; with the date unless it is today's."""
    when = local(moment)
    text = f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}"
    return text if when.date() == datetime.now(UTC).astimezone().date() else f"{when:%Y-%m-%d} {text}"


class Moment(click.ParamType[datetime]):
    """A span back from now (`90s`, `10m`, `2h`, `1d`, `1w`) or an ISO 8601 time, local unless it names its zone."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment in UTC, without zone, as the store has it."""
        if isinstance(value, datetime):
            return value
        try:
            if found := _SPAN.fullmatch(value):
                moment = datetime.now(UTC) - timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
            else:
                moment = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; write 10m, 2h, 1d or 2026-11-20T14:00", param, ctx)
        return moment.replace(tzinfo=None)
