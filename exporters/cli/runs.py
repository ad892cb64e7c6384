"""`mcptap runs`, and how the other commands find and name a run.

Run ids begin with their time, so it is their ends that differ: eight characters are shown, and they are enough for
`mcptap show`.
"""

from __future__ import annotations

import json
import signal
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

import click

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.options import with_filters, with_home, with_json, with_limit
from mcptap.exporters.cli.output import Cell, note, write_json
from mcptap.exporters.cli.reading import Reader, literal
from mcptap.exporters.cli.table import table
from mcptap.exporters.cli.units import clock, number
from mcptap.exporters.store.hours import FAILED
from mcptap.exporters.store.summaries import LABEL

SHORT = 8
HEADINGS = ("run", "server", "host", "started", "lasted s", "end", "exchanges", "errors", "client B", "server B")
RIGHT = ("lasted s", "exchanges", "errors", "client B", "server B")
SPARE = ("server B", "client B", "host", "errors")
RUNS = f"""
    SELECT r.run_id, r.name, r.server_name, r.host_name, r.command, r.started_at, r.ended_at, r.state, r.exit_code,
        r.exit_signal, r.bytes_client, r.bytes_server, coalesce(e.exchanges, 0) AS exchanges,
        coalesce(e.errors, 0) AS errors, count(*) OVER () AS of_all
    FROM runs r LEFT JOIN (
        SELECT run_id, count(*) AS exchanges,
            count(*) FILTER ({FAILED}) AS errors
        FROM exchanges e GROUP BY run_id) e USING (run_id)
    WHERE {{where}} ORDER BY r.started_at DESC, r.run_id DESC LIMIT {{limit}}"""  # noqa: S608


@click.command()
@with_limit(50, "newest first")
@with_filters
@with_json
@with_home
def runs(home: Path, limit: int, server: str | None, since: datetime | None, *, as_json: bool) -> None:
    """Lists the runs: server, host, when, how it ended."""
    with Reader(home) as reader:
        rows = reader.rows(RUNS.format(where=condition("r.started_at", server, since), limit=limit))
    if as_json:
        write_json({name: value for name, value in utc(row).items() if name != "of_all"} for row in rows)
        return
    table(HEADINGS, map(_cells, rows), right=RIGHT, spare=SPARE)
    if not rows:
        note("no run is recorded yet" if server is None and since is None else "no run is recorded that fits")
    elif rows[0]["of_all"] > len(rows):
        note(f"the newest {len(rows)} of {rows[0]['of_all']} runs; --limit shows more")


def condition(time_column: str, server: str | None, since: datetime | None) -> str:
    """The filters as SQL over `runs r`."""
    parts = ["true"]
    if server is not None:
        parts.append(of_server(server))
    if since is not None:
        parts.append(f"{time_column} >= TIMESTAMP {literal(since.isoformat(sep=' '))}")
    return " AND ".join(parts)


def of_server(server: str) -> str:
    """SQL over `runs r`: whether it is one of what the summaries call by this name, however it was called itself."""
    named = literal(server)
    called = f"SELECT server_key FROM runs GROUP BY ALL HAVING arg_max({LABEL}, started_at) = {named}"  # noqa: S608
    return f"({named} IN (r.name, r.server_name) OR r.server_key IN ({called}))"


def find(reader: Reader, wanted: str, where: str = "true") -> str:
    """The run_id that the user means: a whole id, its beginning, its end, or `last`. Raises CommandError.

    `where`: which runs (`runs r`) are looked at.
    """
    if wanted == "last":
        latest = f"SELECT r.run_id FROM runs r WHERE {where} ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1"  # noqa: S608
        found = reader.rows(latest)
    else:
        text = literal(wanted.lower())
        fits = f"starts_with(lower(run_id), {text}) OR ends_with(lower(run_id), {text})"
        exact = f"lower(run_id) = {text} DESC"
        matching = f"SELECT r.run_id FROM runs r WHERE ({fits}) AND {where}"  # noqa: S608
        found = reader.rows(f"{matching} ORDER BY {exact}, r.started_at DESC LIMIT 6")
    ids = [str(row["run_id"]) for row in found]
    if not ids:
        raise CommandError(
            "no run is recorded that fits" if wanted == "last" else f"no run has the id {wanted}", "see mcptap runs"
        )
    if len(ids) > 1 and ids[0].lower() != wanted.lower():
        raise CommandError(f"{wanted} fits more than one run: {', '.join(ids)}", "write more of the id")
    return ids[0]


def place(run_id: str, seq: int) -> str:
    """What `mcptap show` takes to show this exchange."""
    return f"{run_id[-SHORT:]}/{seq}"


def label(name: str | None, server_name: str | None, command: str | None) -> str:
    """What to call a server: the user's label, else its own name, else its program's."""
    return name or server_name or next((PurePath(word).name for word in words(command)), "?")


def words(command: str | None) -> list[str]:
    """A command as the store has it, taken apart."""
    try:
        told = json.loads(command or "[]")
    except ValueError:
        return [str(command)]
    return [str(word) for word in told] if isinstance(told, list) else [str(told)]


def ending(state: str, exit_code: int | None, exit_signal: int | None) -> tuple[str, str]:
    """How a run ended, or that it goes on, and the style to say it in."""
    if state != "ended":
        return state, {"running": "cyan", "lost": "yellow"}.get(state, "")
    if exit_signal is not None:
        return _signal_name(exit_signal), "red"
    return ("ended", "") if exit_code is None else (f"exit {exit_code}", "red" if exit_code else "green")


def utc(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its moments told with their zone."""
    return {name: f"{value.isoformat()}Z" if isinstance(value, datetime) else value for name, value in row.items()}


def _signal_name(number_: int) -> str:
    try:
        return signal.Signals(number_).name
    except ValueError:
        return f"signal {number_}"


def _cells(run: dict[str, Any]) -> list[Cell]:
    begun, ended = run["started_at"], run["ended_at"]
    return [
        run["run_id"][-SHORT:],
        label(run["name"], run["server_name"], run["command"]),
        run["host_name"] or "",
        clock(begun),
        f"{(ended - begun).total_seconds():,.1f}" if ended else "",
        ending(run["state"], run["exit_code"], run["exit_signal"]),
        number(run["exchanges"]),
        (number(run["errors"]), "red" if run["errors"] else ""),
        number(run["bytes_client"]),
        number(run["bytes_server"]),
    ]
