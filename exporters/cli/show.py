"""`mcptap show RUN`: one run from its start to its end, with stderr, gaps and usage where they belong.

The idea: four streams, each in its own order and read a page at a time, are merged by time; so a run of a million
messages is shown from its first line on without being held.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.exchange_line import ARROWS, STYLES, fitted
from mcptap.exporters.cli.one_exchange import body_lines, parsed, show_exchange
from mcptap.exporters.cli.options import Utf8, with_filters, with_home
from mcptap.exporters.cli.output import Cell, Screen, write_object
from mcptap.exporters.cli.reading import Reader, literal
from mcptap.exporters.cli.runs import condition, ending, find, label, utc, words
from mcptap.exporters.cli.units import clock, milliseconds, size

MOST_DIGITS = 16  # of a message's number
PAGE = 10_000  # rows
BODIES_PAGE = 200  # rows with bodies: each may have megabytes
ID = 8  # cells of a terminal for a request's id
SHORTEST, LONGEST = 22, 40  # for method and target
BESIDE = 60 + ID  # for the rest of the line
RUN = """
    SELECT name, server_name, server_version, host_name, host_version, protocol_version, command, cwd, executable_path,
        started_at, ended_at, state, exit_code, exit_signal, end_reason, max_rss_bytes, cpu_seconds, bytes_client,
        bytes_server, bytes_stderr, server_pid, tap_version
    FROM runs WHERE run_id = {run}"""
MESSAGES = """
    SELECT m.seq AS number, m."at", m.side, m.kind, coalesce(m.method, q.method, p.method) AS method,
        coalesce(q.target, p.target) AS target, m.rpc_id, m.size_bytes,
        coalesce(p.outcome, CASE WHEN q.reply_seq IS NULL THEN q.outcome END) AS outcome, p.duration_ms,
        p.error_code, p.error_message, m.truncated, m.unscanned, m.sha256, {body} AS body
    FROM (SELECT * FROM messages WHERE run_id = {run} AND seq > {after}{since} ORDER BY seq LIMIT {page}) m
        LEFT JOIN exchanges q ON q.run_id = {run} AND q.seq = m.seq
        LEFT JOIN exchanges p ON p.run_id = {run} AND p.reply_seq = m.seq
    ORDER BY m.seq"""
STDERR = """SELECT rowid AS number, "at", text FROM stderr_lines WHERE run_id = {run} AND rowid > {after}{since}
    ORDER BY rowid LIMIT {page}"""
GAPS = """SELECT rowid AS number, "at", side, bytes, reason FROM gaps WHERE run_id = {run} AND rowid > {after}{since}
    ORDER BY rowid LIMIT {page}"""
USAGE = """SELECT rowid AS number, "at", rss_bytes, cpu_seconds, processes, denied FROM usage
    WHERE run_id = {run} AND rowid > {after}{since} ORDER BY rowid LIMIT {page}"""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Event:
    """One thing that happened: which kind of thing, when, and what the store has of it."""

    type: str  # message, stderr, gap, usage or end
    at: datetime
    row: Row


@click.command()
@click.argument("run", type=Utf8(), metavar="RUN[/SEQ]")
@click.option("--bodies", is_flag=True, help="with what the messages say, redacted")
@with_filters
@click.option("--json", "as_json", is_flag=True, help="one JSON object per line: the run, then what happened, in UTC")
@with_home
def show(home: Path, run: str, server: str | None, since: datetime | None, *, bodies: bool, as_json: bool) -> None:
    """Shows one run message by message, or one exchange whole: RUN/SEQ.

    RUN is its id, a part of the id, or `last` (with --server: of that server). A line is the message's number, the time
    since the start, direction (→ from the host, ← from the server), kind, id, method and target, bytes, and, where a
    request is answered, outcome and duration. SEQ is the number of a message; both sides of its exchange are shown,
    redacted.
    """
    wanted, seq = _taken_apart(run)
    with Reader(home) as reader:
        run_id = find(reader, wanted, condition("r.started_at", server, None))
        if seq is not None:
            show_exchange(reader, run_id, seq, as_json=as_json)
            return
        told = reader.rows(RUN.format(run=literal(run_id)))[0]
        events = _events(reader, run_id, told, since, bodies=bodies)
        if as_json:
            _tell(run_id, told, events, bodies=bodies)
        else:
            _print(run_id, told, events, bodies=bodies)


def _taken_apart(run: str) -> tuple[str, int | None]:
    """The run that is meant, and the message. Run ids have no slash."""
    wanted, slash, seq = run.partition("/")
    if slash and not (seq.isascii() and seq.isdigit() and len(seq) < MOST_DIGITS):
        raise click.UsageError(f"{seq!r} is no message's number; write RUN or RUN/SEQ")
    return wanted, int(seq) if slash else None


def _tell(run_id: str, run: Row, events: Iterator[_Event], *, bodies: bool) -> None:
    write_object({"type": "run", "run_id": run_id, **utc(run)})
    for event in events:
        told = {name: value for name, value in utc(event.row).items() if name not in ("number", "body")}
        told |= {"seq": event.row["number"]} if event.type == "message" else {}
        told |= {"body": parsed(event.row["body"])} if event.type == "message" and bodies else {}
        write_object({"type": event.type, **told})


def _print(run_id: str, run: Row, events: Iterator[_Event], *, bodies: bool) -> None:
    screen = Screen()
    for name, value in _header(run_id, run):
        screen.put((f"{name:<11}", "bold"), value, cut=False)
    screen.put("")
    room = max(SHORTEST, min(LONGEST, screen.width - BESIDE)) if screen.is_terminal else LONGEST
    for event in events:
        number, *rest = CELLS[event.type](event.row, room)
        screen.put(number, (f" {_offset(event.at, run['started_at']):>10} ", "dim"), *rest)
        for line in body_lines(event.row) if bodies and event.type == "message" else ():
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


def _events(reader: Reader, run_id: str, run: Row, since: datetime | None, *, bodies: bool) -> Iterator[_Event]:
    """All that happened, in order, and how it ended."""
    literals = {
        "run": literal(run_id),
        "since": f""" AND "at" >= TIMESTAMP {literal(since.isoformat(sep=" "))}""" if since else "",
        "body": "m.body" if bodies else "NULL",
    }
    page = BODIES_PAGE if bodies else PAGE
    statements = {"message": MESSAGES, "stderr": STDERR, "gap": GAPS, "usage": USAGE}
    streams = [_pages(reader, type_, sql, literals, page) for type_, sql in statements.items()]
    yield from heapq.merge(*streams, key=attrgetter("at"))
    if run["ended_at"] is not None:
        kept = ("state", "exit_code", "exit_signal", "end_reason")
        yield _Event("end", run["ended_at"], {"at": run["ended_at"], **{name: run[name] for name in kept}})


def _pages(reader: Reader, type_: str, sql: str, literals: dict[str, str], page: int) -> Iterator[_Event]:
    """All rows of a statement, by the numbers that it gives them."""
    after = -1
    while rows := reader.rows(sql.format(**literals, after=after, page=page)):
        yield from (_Event(type_, row["at"], row) for row in rows)
        after = rows[-1]["number"]
        if len(rows) < page:
            return


def _message(told: Row, room: int) -> list[Cell]:
    what = " ".join(part for part in (told["method"], told["target"]) if part)
    outcome = told["outcome"] or ""
    error = " ".join(str(part) for part in (told["error_code"], told["error_message"]) if part is not None)
    marks = " truncated" if told["truncated"] else ""
    return [
        f"{told['number']:>5}",
        f"{ARROWS.get(told['side'], '?')} ",
        (f"{told['kind']:<13}", "bold" if told["kind"] == "request" else "dim"),
        (fitted(f"#{told['rpc_id']}" if told["rpc_id"] is not None else "", ID) + " ", "dim"),
        fitted(what, room),
        (f" {size(told['size_bytes'] or 0):>9}{marks}", "dim"),
        (f"  {outcome}", STYLES.get(outcome, "")),
        f" {milliseconds(told['duration_ms'])} ms" if told["duration_ms"] is not None else "",
        (f"  {error}" if error else "", "red"),
    ]


def _stderr(row: Row, _room: int) -> list[Cell]:
    return [" " * 5, ("  stderr       ", "yellow"), row["text"] or ""]


def _gap(row: Row, _room: int) -> list[Cell]:
    told = f"{size(row['bytes'] or 0)} of {row['side']} not recorded: {row['reason']}"
    return [" " * 5, (f"  gap          {told}", "bold yellow")]


def _usage(row: Row, _room: int) -> list[Cell]:
    memory = "?" if row["rss_bytes"] is None else size(row["rss_bytes"])
    cpu = "?" if row["cpu_seconds"] is None else f"{row['cpu_seconds']:.2f}"
    number = "1 process" if row["processes"] == 1 else f"{row['processes']} processes"
    denied = f", {row['denied']} not to be looked at" if row["denied"] else ""
    told = f"{memory} of memory, {cpu} s of processor time, {number}{denied}"
    return [" " * 5, (f"  usage        {told}", "dim")]


def _end(row: Row, _room: int) -> list[Cell]:
    how, style = ending(row["state"], row["exit_code"], row["exit_signal"])
    return [
        " " * 5,
        ("  end          ", "bold"),
        (how + (f": {row['end_reason']}" if row["end_reason"] else ""), style),
    ]


CELLS: dict[str, Callable[[Row, int], list[Cell]]] = {
    "message": _message,
    "stderr": _stderr,
    "gap": _gap,
    "usage": _usage,
    "end": _end,
}


def _offset(at: datetime, begun: datetime) -> str:
    """Seconds since the start of the run."""
    return f"+{(at - begun).total_seconds():,.3f} s"
