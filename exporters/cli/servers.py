"""`mcptap servers`: one line for each server, over all its runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.options import with_filters, with_home, with_json
from mcptap.exporters.cli.output import NULL, Cell
from mcptap.exporters.cli.reading import Reader
from mcptap.exporters.cli.summary import asked, share, tell, tell_nothing
from mcptap.exporters.cli.table import table
from mcptap.exporters.cli.units import clock, milliseconds, number

HEADINGS = ("server", "state", "calls", "errors", "p50 ms", "p95 ms", "tools", "used", "tokens", "last run")
RIGHT = HEADINGS[2:9]
SPARE = ("p50 ms", "last run", "tools", "used", "tokens")
STATES = {"running": "cyan", "lost": "yellow", "crashed": "red"}


@click.command()
@with_filters
@with_json
@with_home
def servers(home: Path, server: str | None, since: datetime | None, *, as_json: bool) -> None:
    """Compares the servers: calls, errors, latency, what their tools cost and whether they are used.

    Calls name a tool, prompt or resource. Latency is of the server alone, without probes, subscriptions and what a
    person was waited for. Tokens are about what its definitions take of a model's context; `tools` of it are offered
    and `used` were called.
    """
    with Reader(home) as reader:
        rows = reader.rows(f"FROM {asked('server_summary', server, since)}")
    if as_json:
        tell(rows)
        return
    table(HEADINGS, map(_cells, rows), right=RIGHT, spare=SPARE)
    if not rows:
        tell_nothing("no server", server, since)


def _cells(row: dict[str, Any]) -> list[Cell]:
    return [
        (row["server"], "bold"),
        (row["state"], STATES.get(row["state"], "")),
        number(row["calls"]),
        (share(row["error_rate"]), "red" if row["errors"] else ""),
        milliseconds(row["p50_ms"]) or NULL,
        milliseconds(row["p95_ms"]) or NULL,
        number(row["tools_offered"]) or NULL,
        number(row["tools_used"]),
        number(row["definition_tokens"]) or NULL,
        clock(row["last_run_at"]),
    ]
