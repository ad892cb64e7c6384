"""`mcptap show`: one run from its start to its end, with stderr, gaps and usage where they belong.

The idea: four streams, each in its own order and read a page at a time, are merged by time; so a run of a million
messages is shown from its first line on without being held.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.exchange_line import ARROWS, STYLES, fitted
from mcptap.exporters.cli.options import Utf8, with_home
from mcptap.exporters.cli.output import Cell, Screen
from mcptap.exporters.cli.reading import Reader, literal
from mcptap.exporters.cli.runs import ending, find, label, words
from mcptap.exporters.cli.units import clock, milliseconds, size

PAGE = 2000  # rows
BODIES_PAGE = 200  # rows with bodies: each may have megabytes
SHORTEST, LONGEST = 22, 40  # cells of a terminal for method and target
BESIDE = 60  # for the rest of the line
RUN = """
    SELECT name, server_name, server_version, host_name, host_version, protocol_version, command, cwd, executable_path,
        started_at, ended_at, state, exit_code, exit_signal, end_reason, max_rss_bytes, cpu_seconds, bytes_client,
        bytes_server, bytes_stderr, server_pid, tap_version
    FROM runs WHERE run_id = {run}"""
MESSAGES = """
    SELECT m.seq AS number, m."at", m.side, m.kind, coalesce(m.method, q.method, p.method) AS method,
        coalesce(q.target, p.target) AS target, m.size_bytes,
        coalesce(p.outcome, CASE WHEN q.reply_seq IS NULL THEN q.outcome END) AS outcome, p.duration_ms,
        p.error_code, p.error_message, m.truncated, m.unscanned, m.sha256, {body} AS body
    FROM (SELECT * FROM messages WHERE run_id = {run} AND seq > {after} ORDER BY seq LIMIT {page}) m
        LEFT JOIN exchanges q ON q.run_id = {run} AND q.seq = m.seq
        LEFT JOIN exchanges p ON p.run_id = {run} AND p.reply_seq = m.seq
    ORDER BY m.seq"""
STDERR = """SELECT rowid AS number, "at", text FROM stderr_lines WHERE run_id = {run} AND rowid > {after}
    ORDER BY rowid LIMIT {page}"""
GAPS = """SELECT rowid AS number, "at", side, bytes, reason FROM gaps WHERE run_id = {run} AND rowid > {after}
    ORDER BY rowid LIMIT {page}"""
USAGE = """SELECT rowid AS number, "at", rss_bytes, cpu_seconds, processes, denied FROM usage
    WHERE run_id = {run} AND rowid > {after} ORDER BY rowid LIMIT {page}"""

Event = tuple[datetime, list[Cell], list[str]]  # when, the line, the lines of its body


@click.command()
@click.argument("run", type=Utf8())
@click.option("--bodies", is_flag=True, help="with what the messages say, redacted")
@with_home
def show(home: Path, run: str, *, bodies: bool) -> None:
    """Shows one run message by message, by its id, a part of the id, or `last`.

    A line is the message's number, the time since the start, direction (→ from the host, ← from the server), kind,
    method and target, bytes, and, where a request is answered, outcome and duration.
    """
    screen = Screen()
    with Reader(home) as reader:
        run_id = find(reader, run)
        told = reader.rows(RUN.format(run=literal(run_id)))[0]
        for name, value in _header(run_id, told):
            screen.put((f"{name:<11}", "bold"), value, cut=False)
        screen.put("")
        begun = told["started_at"]
        room = max(SHORTEST, min(LONGEST, screen.width - BESIDE)) if screen.is_terminal else LONGEST
        for at, cells, body in _timeline(reader, run_id, room, bodies=bodies):
            number, *rest = cells
            screen.put(number, (f" {_offset(at, begun):>10} ", "dim"), *rest)
            for line in body:
                screen.put(("        " + line, "dim"))


def _header(run_id: str, run: dict[str, Any]) -> Iterator[tuple[str, Cell]]:
    how, style = ending(run["state"], run["exit_code"], run["exit_signal"])
    named = f"{label(run['name'], run['server_name'], run['command'])}   "
    protocol = f"   MCP {run['protocol_version']}" if run["protocol_version"] else ""
    used = [
        f"{size(run['max_rss_bytes'])} of memory at most" if run["max_rss_bytes"] is not None else "",
        f"{run['cpu_seconds']:.2f} s of processor time" if run["cpu_seconds"] is not None else "",
    ]
    yield "run", run_id
    yield "server", named + _versioned(run["server_name"], run["server_version"]) + protocol
    yield "command", " ".join(words(run["command"]))
    yield "directory", run["cwd"] or ""
    yield "program", f"{run['executable_path'] or '?'}   pid {run['server_pid']}"
    yield "host", _versioned(run["host_name"], run["host_version"]) or "?"
    yield "started", clock(run["started_at"])
    yield "ended", clock(run["ended_at"])
    yield "end", (how + (f": {run['end_reason']}" if run["end_reason"] else ""), style)
    if run["ended_at"] is not None:
        yield "used", ", ".join(part for part in used if part)
        sizes = (f"{size(run[f'bytes_{side}'] or 0)} {side}" for side in ("client", "server", "stderr"))
        yield "passed", ", ".join(sizes)


def _versioned(name: str | None, version: str | None) -> str:
    return " ".join(part for part in (name, version) if part)


def _timeline(reader: Reader, run_id: str, room: int, *, bodies: bool) -> Iterator[Event]:
    run = literal(run_id)
    page = BODIES_PAGE if bodies else PAGE
    messages = MESSAGES.replace("{body}", "m.body" if bodies else "NULL")
    streams = (
        (_message(row, room, bodies=bodies) for row in _pages(reader, messages, run, page)),
        (_stderr(row) for row in _pages(reader, STDERR, run, page)),
        (_gap(row) for row in _pages(reader, GAPS, run, page)),
        (_usage(row) for row in _pages(reader, USAGE, run, page)),
    )
    return heapq.merge(*streams, key=itemgetter(0))


def _pages(reader: Reader, sql: str, run: str, page: int) -> Iterator[dict[str, Any]]:
    """All rows of a statement, by the numbers that it gives them."""
    after = -1
    while rows := reader.rows(sql.format(run=run, after=after, page=page)):
        yield from rows
        after = rows[-1]["number"]
        if len(rows) < page:
            return


def _message(told: dict[str, Any], room: int, *, bodies: bool) -> Event:
    what = " ".join(part for part in (told["method"], told["target"]) if part)
    outcome = told["outcome"] or ""
    error = " ".join(str(part) for part in (told["error_code"], told["error_message"]) if part is not None)
    marks = " truncated" if told["truncated"] else ""
    cells: list[Cell] = [
        f"{told['number']:>5}",
        f"{ARROWS.get(told['side'], '?')} ",
        (f"{told['kind']:<13}", "bold" if told["kind"] == "request" else "dim"),
        fitted(what, room),
        (f" {size(told['size_bytes'] or 0):>9}{marks}", "dim"),
        (f"  {outcome}", STYLES.get(outcome, "")),
        f" {milliseconds(told['duration_ms'])} ms" if told["duration_ms"] is not None else "",
        (f"  {error}" if error else "", "red"),
    ]
    return told["at"], cells, list(_body(told)) if bodies else []


def _body(told: dict[str, Any]) -> Iterator[str]:
    if told["unscanned"]:
        yield f"not kept: {told['unscanned']}; SHA-256 {told['sha256']}"
    elif told["body"] is not None:
        try:
            body = json.loads(told["body"])
        except ValueError:
            body = told["body"]
        yield from json.dumps(body, indent=2, ensure_ascii=False).split("\n")


def _stderr(row: dict[str, Any]) -> Event:
    return row["at"], [" " * 5, ("  stderr       ", "yellow"), row["text"] or ""], []


def _gap(row: dict[str, Any]) -> Event:
    told = f"{size(row['bytes'] or 0)} of {row['side']} not recorded: {row['reason']}"
    return row["at"], [" " * 5, (f"  gap          {told}", "bold yellow")], []


def _usage(row: dict[str, Any]) -> Event:
    memory = "?" if row["rss_bytes"] is None else size(row["rss_bytes"])
    cpu = "?" if row["cpu_seconds"] is None else f"{row['cpu_seconds']:.2f}"
    number = "1 process" if row["processes"] == 1 else f"{row['processes']} processes"
    denied = f", {row['denied']} not to be looked at" if row["denied"] else ""
    told = f"{memory} of memory, {cpu} s of processor time, {number}{denied}"
    return row["at"], [" " * 5, (f"  usage        {told}", "dim")], []


def _offset(at: datetime, begun: datetime) -> str:
    """Seconds since the start of the run."""
    return f"+{(at - begun).total_seconds():,.3f} s"
