"""`mcptap tools`: one line for each tool, and which of them nobody calls."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.options import with_filters, with_home, with_json, with_limit
from mcptap.exporters.cli.output import NULL, Cell, note
from mcptap.exporters.cli.reading import Reader
from mcptap.exporters.cli.summary import asked, share, tell, tell_nothing
from mcptap.exporters.cli.table import table
from mcptap.exporters.cli.units import clock, milliseconds, number, size

HEADINGS = ("server", "tool", "calls", "errors", "p50 ms", "p95 ms", "p99 ms", "results", "tokens", "last use")
RIGHT = HEADINGS[2:9]
SPARE = ("p99 ms", "results", "p50 ms", "last use", "tokens")
UNUSED = ("server", "tool", "tokens")


@click.command()
@click.option("--unused", is_flag=True, help="only those that are offered and were never called")
@with_limit(50, "the most called first")
@with_filters
@with_json
@with_home
def tools(home: Path, limit: int, server: str | None, since: datetime | None, *, unused: bool, as_json: bool) -> None:
    """Compares the tools: calls, errors, latency, size of their results, last use.

    Latency is of the server alone, without what a person was waited for. Tokens are about what all results took of a
    model's context, a quarter of their bytes; with --unused, what the definition takes.
    """
    order = "definition_tokens DESC NULLS LAST, server, tool" if unused else "calls DESC, server, tool"
    where = "calls = 0" if unused else "true"
    summary = asked("tool_summary", server, since)
    with Reader(home) as reader:
        rows = reader.rows(
            f"FROM {summary} SELECT *, count(*) OVER () AS of_all WHERE {where} ORDER BY {order} LIMIT {limit}"
        )
    of_all = rows[0]["of_all"] if rows else 0
    rows = [{name: value for name, value in row.items() if name != "of_all"} for row in rows]
    if as_json:
        tell(rows)
        return
    if unused:
        table(UNUSED, map(_unused, rows), right=UNUSED[2:])
    else:
        table(HEADINGS, map(_cells, rows), right=RIGHT, spare=SPARE)
    if not rows:
        tell_nothing("no tool that nobody called" if unused else "no tool", server, since)
    elif of_all > len(rows):
        note(f"{len(rows)} of {of_all} tools; --limit shows more")


def _cells(row: dict[str, Any]) -> list[Cell]:
    return [
        row["server"],
        (row["tool"], "bold" if row["offered"] or row["calls"] else ""),
        number(row["calls"]),
        (share(row["error_rate"]), "red" if row["errors"] else ""),
        *(milliseconds(row[name]) or NULL for name in ("p50_ms", "p95_ms", "p99_ms")),
        size(row["reply_bytes"]),
        number(row["tokens_estimate"]),
        clock(row["last_used_at"]) or "never",
    ]


def _unused(row: dict[str, Any]) -> list[Cell]:
    return [row["server"], (row["tool"], "bold"), number(row["definition_tokens"]) or NULL]
