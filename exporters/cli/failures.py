"""`mcptap errors`: what went wrong, the same things together, and whether the caller just tried again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.options import with_filters, with_home, with_json, with_limit
from mcptap.exporters.cli.output import Cell, note
from mcptap.exporters.cli.reading import Reader
from mcptap.exporters.cli.runs import place
from mcptap.exporters.cli.summary import asked, tell, tell_nothing
from mcptap.exporters.cli.table import table
from mcptap.exporters.cli.units import clock, number

HEADINGS = ("server", "target", "count", "retried", "first seen", "last seen", "example", "message")
RIGHT = ("count", "retried")
SPARE = ("first seen", "last seen", "example")
SILENT = {"no_response": "never answered: the run ended", "tool_error": "(without a message)"}


@click.command()
@with_limit(20, "the most frequent first")
@with_filters
@with_json
@with_home
def errors(home: Path, limit: int, server: str | None, since: datetime | None, *, as_json: bool) -> None:
    """Groups the errors by server, target and message.

    A tool's result that says isError is an error too, and so is a call that was never answered. Messages are alike
    when they differ in numbers, ids, paths and quoted values only. `retried` counts the errors after which the caller's
    next call was the same again, within a minute. `mcptap show` and what stands under `example` shows the latest of
    them whole.
    """
    groups = asked("error_groups", server, since)
    with Reader(home) as reader:
        rows = reader.rows(
            f"FROM {groups} SELECT *, count(*) OVER () AS of_all ORDER BY errors DESC, last_at DESC LIMIT {limit}"
        )
    of_all = rows[0]["of_all"] if rows else 0
    rows = [{name: value for name, value in row.items() if name != "of_all"} for row in rows]
    if as_json:
        tell(rows)
        return
    table(HEADINGS, map(_cells, rows), right=RIGHT, spare=SPARE)
    if not rows:
        tell_nothing("no error", server, since)
    elif of_all > len(rows):
        note(f"{len(rows)} of {of_all} kinds of error; --limit shows more")


def _cells(row: dict[str, Any]) -> list[Cell]:
    code = "" if row["error_code"] is None else f"{row['error_code']} "
    message = row["error_group"] or SILENT.get(row["outcome"], "(without a message)")
    return [
        row["server"],
        (row["target"] or row["method"], "bold"),
        number(row["errors"]),
        (number(row["blind_retries"]), "yellow" if row["blind_retries"] else ""),
        clock(row["first_at"]),
        clock(row["last_at"]),
        place(row["example_run_id"], row["example_seq"]),
        (code + message, "red"),
    ]
