"""`mcptap show RUN/SEQ`: one exchange with both of its bodies, or the one message if it belongs to none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.highlighter import JSONHighlighter

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.exchange_line import ARROWS, STYLES
from mcptap.exporters.cli.output import Cell, Screen, part, write_object
from mcptap.exporters.cli.reading import Reader, literal
from mcptap.exporters.cli.runs import SHORT, place, utc
from mcptap.exporters.cli.units import clock, milliseconds, size

HIGHLIGHTED = 100_000  # characters of a body; more would take seconds to colour
MESSAGES = """
    SELECT m.seq, m.side, m."at", m.kind, m.method, m.rpc_id, m.size_bytes, m.truncated, m.unscanned, m.sha256, m.body
    FROM messages m WHERE m.run_id = {run} AND m.seq IN ({seqs}) ORDER BY m.seq"""
EXCHANGE = """
    SELECT * EXCLUDE (request_body, reply_body) FROM exchanges
    WHERE run_id = {run} AND {seq} IN (seq, reply_seq) ORDER BY seq LIMIT 1"""
ROUNDS = """
    SELECT seq FROM exchanges WHERE run_id = {run} AND logical_id = {call} AND seq <> {seq} ORDER BY seq LIMIT 20"""


def show_exchange(reader: Reader, run_id: str, seq: int, *, as_json: bool) -> None:
    """Writes the exchange that this message of the run belongs to. Raises CommandError if there is no such message."""
    run = literal(run_id)
    exchange = next(iter(reader.rows(EXCHANGE.format(run=run, seq=seq))), None)
    seqs = (seq,) if exchange is None else (exchange["seq"], exchange["reply_seq"])
    listed = ", ".join(str(number) for number in seqs if number is not None)
    messages = reader.rows(MESSAGES.format(run=run, seqs=listed))
    if not messages:
        raise CommandError(f"run {run_id[-SHORT:]} has no message {seq}", "mcptap show RUN lists them")
    if as_json:
        told = [{**utc(message), "body": parsed(message["body"])} for message in messages]
        write_object({"run_id": run_id, "exchange": exchange and utc(exchange), "messages": told})
        return
    screen = Screen()
    if exchange is not None:
        call = literal(exchange["logical_id"])
        rounds = reader.rows(ROUNDS.format(run=run, call=call, seq=exchange["seq"]))
        for name, cell in _header(exchange, [place(run_id, other["seq"]) for other in rounds]):
            screen.put((f"{name:<11}", "bold"), cell, cut=False)
    for message in messages:
        _print_message(screen, message)


def parsed(body: str | None) -> Any:
    """A body as the store has it, as a value; what is no JSON, as text."""
    try:
        return None if body is None else json.loads(body)
    except (ValueError, RecursionError):
        return body


def body_lines(message: dict[str, Any]) -> Iterator[str]:
    """What a message says, as indented JSON, or why that was not kept."""
    if message["unscanned"]:
        yield f"not kept: {message['unscanned']}; SHA-256 {message['sha256']}"
    elif message["body"] is not None:
        yield from json.dumps(parsed(message["body"]), indent=2, ensure_ascii=False).split("\n")


def _header(exchange: dict[str, Any], rounds: list[str]) -> Iterator[tuple[str, Cell]]:
    outcome = exchange["outcome"] or "?"
    error = " ".join(str(cell) for cell in (exchange["error_code"], exchange["error_message"]) if cell is not None)
    waited = exchange["waiting_ms"]
    took = f"{milliseconds(exchange['duration_ms'])} ms" if exchange["duration_ms"] is not None else "?"
    yield "exchange", place(exchange["run_id"], exchange["seq"])
    yield "method", exchange["method"] or "?"
    if exchange["target"] is not None:
        yield "target", exchange["target"]
    yield "id", exchange["rpc_id"] or "?"
    yield "started", clock(exchange["started_at"])
    yield "took", took + (f", of that {milliseconds(waited)} ms waiting for somebody" if waited else "")
    yield "outcome", (outcome, STYLES.get(outcome, ""))
    if ended := exchange["task_outcome"]:
        yield "task", (f"{ended} after {milliseconds(exchange['task_ms'])} ms", STYLES.get(ended, ""))
    if error:
        yield "error", (error, "red")
    if rounds:
        yield "rounds", f"also {', '.join(rounds)}"


def _print_message(screen: Screen, message: dict[str, Any]) -> None:
    marks = " truncated" if message["truncated"] else ""
    screen.put("")
    screen.put(
        (f"{ARROWS.get(message['side'], '?')} {message['kind']}", "bold"),
        (f"   message {message['seq']}, {size(message['size_bytes'] or 0)}{marks}", "dim"),
    )
    coloured = screen.is_terminal and len(message["body"] or "") <= HIGHLIGHTED
    highlight = JSONHighlighter().highlight if coloured else lambda _: None
    for line in body_lines(message):
        text = part(line)
        highlight(text)
        screen.put_text(text)
