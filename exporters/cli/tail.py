"""`mcptap tail`: the latest exchanges, and with `--follow` every one that is settled from now on.

The idea of following: rows of a table are numbered as they are loaded, so what is new is what has a higher number than
the last one seen. After a rebuild the numbers begin anew; then what was shown is known by its own key.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli import exchange_line
from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.options import MOST_ROWS, with_filters, with_home
from mcptap.exporters.cli.output import Screen, note, write_object
from mcptap.exporters.cli.reading import Reader
from mcptap.exporters.cli.runs import condition, utc

POLL_S = 0.25
RETRY_S = 1.0
AT_ONCE = 1000  # rows of one look
REMEMBERED = 20_000  # exchanges that are known to have been shown
LATEST = """
    SELECT {select} FROM exchanges e JOIN runs r USING (run_id) WHERE {where}
    ORDER BY e.started_at DESC, e.run_id DESC, e.seq DESC LIMIT {count}"""
NEWER = """
    SELECT {select} FROM exchanges e JOIN runs r USING (run_id)
    WHERE e.load_order > {after} AND ({where}) AND (e.duration_ms IS NULL
        OR e.started_at + to_microseconds((e.duration_ms * 1000)::BIGINT) >= TIMESTAMP '{begun}')
    ORDER BY e.load_order LIMIT {count}"""
END = "SELECT coalesce(max(load_order), -1) AS number FROM exchanges"
OVERLAP = timedelta(seconds=5)


@click.command()
@click.option("-f", "--follow", is_flag=True, help="go on as they happen, until Ctrl-C")
@click.option(
    "-n", "--lines", type=click.IntRange(0, MOST_ROWS), default=20, show_default=True, help="how many of the latest"
)
@with_filters
@click.option("--json", "as_json", is_flag=True, help="one JSON object per line, times in UTC")
@with_home
def tail(home: Path, lines: int, server: str | None, since: datetime | None, *, follow: bool, as_json: bool) -> None:
    """Shows the latest exchanges; with --follow goes on as they happen.

    A line is when, outcome, how long, server, direction (→ the host asks, ← the server asks), method and target, bytes
    of the request, bytes of the answer, and the error.
    """
    show = _Shown(as_json=as_json)
    where = condition("e.started_at", server, since)
    with Reader(home) as reader:
        end = reader.rows(END)[0]["number"]
        select = exchange_line.SELECT
        latest = reader.rows(LATEST.format(select=select, where=where, count=lines)) if lines else []
        show.rows(reversed(latest))
        if follow:
            for rows in _follow(reader, where, end):
                show.rows(rows)
        elif not latest:
            note("no exchange is recorded that fits")


class _Shown:
    """Writes rows, each exchange once as long as it stays the same."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json, self._screen = as_json, Screen()
        self._keys: dict[tuple[Any, ...], None] = {}

    def rows(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            told = exchange_line.exchange(row)
            key = (told["run_id"], told["seq"], told["outcome"])
            if key not in self._keys:
                self._keys[key] = None
                self._write(told)
        for old in list(self._keys)[:-REMEMBERED]:
            del self._keys[old]
        sys.stdout.flush()

    def _write(self, told: dict[str, Any]) -> None:
        if self._as_json:
            write_object(utc(told))
        else:
            self._screen.put(*exchange_line.cells(told))


def _follow(reader: Reader, where: str, after: int) -> Iterator[list[dict[str, Any]]]:
    """What is loaded after row `after`, for ever. Without a collector it waits for the next one."""
    begun = (datetime.now(UTC) - OVERLAP).replace(tzinfo=None).isoformat(sep=" ")
    while True:
        try:
            end = reader.rows(END)[0]["number"]
            if end < after:  # another file
                after = -1
            rows = _newer(reader, where, after, begun)
        except CommandError:
            _wait_for_collector(reader)
            continue
        yield rows
        if len(rows) == AT_ONCE:
            after = rows[-1]["number"]
            continue
        after = max(after, end, *(row["number"] for row in rows))
        time.sleep(POLL_S)


def _newer(reader: Reader, where: str, after: int, begun: str) -> list[dict[str, Any]]:
    return reader.rows(NEWER.format(select=exchange_line.SELECT, after=after, where=where, begun=begun, count=AT_ONCE))


def _wait_for_collector(reader: Reader) -> None:
    """Does not start one: whoever stopped it meant it, and a tap will when there is something to record."""
    reader.close()
    note("the collector has gone; waiting for the next one")
    while True:
        time.sleep(RETRY_S)
        try:
            reader.open(start=False)
        except CommandError:
            continue
        return
