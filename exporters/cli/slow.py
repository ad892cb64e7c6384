"""`mcptap slow`: the slowest calls, the server's time apart from the time that it waited for somebody."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.exchange_line import STYLES
from mcptap.exporters.cli.options import with_filters, with_home, with_json, with_limit
from mcptap.exporters.cli.output import NULL, Cell
from mcptap.exporters.cli.reading import Reader
from mcptap.exporters.cli.runs import place
from mcptap.exporters.cli.summary import asked, tell, tell_nothing
from mcptap.exporters.cli.table import table
from mcptap.exporters.cli.units import clock, milliseconds, number

HEADINGS = ("call", "server", "target", "began", "server ms", "waited ms", "rounds", "outcome")
RIGHT = ("server ms", "waited ms", "rounds")
SPARE = ("rounds", "outcome", "began", "server")
WAITED_MS = 0.05  # less is no waiting


@click.command()
@with_limit(20, "the slowest first")
@with_filters
@with_json
@with_home
def slow(home: Path, limit: int, server: str | None, since: datetime | None, *, as_json: bool) -> None:
    """Lists the slowest calls, the server's time apart from what it waited for.

    `mcptap show` and what stands in the first column shows a call whole. Waiting is for a person or a model, in a round
    or between the rounds of a call that asked back.
    """
    with Reader(home) as reader:
        rows = reader.rows(f"FROM {asked('slow_calls', server, since, most=limit)}")
    if as_json:
        tell(rows)
        return
    table(HEADINGS, map(_cells, rows), right=RIGHT, spare=SPARE)
    if not rows:
        tell_nothing("no call", server, since)


def _cells(row: dict[str, Any]) -> list[Cell]:
    waited = row["waiting_ms"] or 0
    return [
        place(row["run_id"], row["seq"]),
        row["server"],
        (row["target"], "bold"),
        clock(row["started_at"]),
        milliseconds(row["server_ms"]) or NULL,
        (milliseconds(waited) if waited > WAITED_MS else NULL, "cyan"),
        number(row["rounds"]),
        (row["outcome"], STYLES.get(row["outcome"], "")),
    ]
