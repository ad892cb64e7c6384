"""Turns journal lines into rows, one transaction per batch.

The lines go to DuckDB as one text and are taken apart there: a list of Python strings as a parameter costs 130 µs an
element, splitting a text next to nothing, and meanwhile the interpreter is free for the traffic of other threads.
With the rows goes how far each run's file has been read, so that a line is loaded once whatever was killed in between.

Taking a text apart needs up to forty times its size in memory. So there is a limit to a batch and to a body, the same
whenever a journal is loaded; and a lower one for a batch that has failed for lack of memory nevertheless. What is too
large for a row is kept in parts.
"""
# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb

from mcptap.exporters.journal.bodiless import without_body
from mcptap.exporters.journal.reader import DamagedFileError, RunFile, read_lines
from mcptap.exporters.store import health, hours, offers
from mcptap.exporters.store.sameness import arguments_hash, error_group, told_by_tool
from mcptap.exporters.store.schema import IN_ROW, PART


class Limits(NamedTuple):
    """How much is loaded in one transaction."""

    lines: int  # enough to spread a commit's cost, few enough to be short
    bytes: int  # the text, its split and its parse are in memory at once
    body: int  # bytes of a line, more than which it comes without its body


NORMAL = Limits(20_000, 8 << 20, 8 << 20)
CAREFUL = Limits(500, 1 << 20, 8 << 20)
LAST_RESORT = Limits(500, 1 << 20, 1 << 20)  # rather without a body than not at all
TOO_LARGE = b"too large for the store"

_REDACTION = {"pointer": "VARCHAR", "rule": "VARCHAR", "fingerprint": "VARCHAR", "length": "BIGINT"}
_EXCHANGE = {
    "seq": "BIGINT",
    "reply_seq": "BIGINT",
    "side": "VARCHAR",
    "method": "VARCHAR",
    "target": "VARCHAR",
    "rpc_id": "VARCHAR",
    "started_at": "BIGINT",
    "duration_ms": "DOUBLE",
    "outcome": "VARCHAR",
    "error_code": "BIGINT",
    "error_message": "VARCHAR",
    "request_bytes": "BIGINT",
    "reply_bytes": "BIGINT",
    "protocol_version": "VARCHAR",
    "era": "VARCHAR",
    "probe": "BOOLEAN",
    "long_lived": "BOOLEAN",
    "client_name": "VARCHAR",
    "server_name": "VARCHAR",
    "trace_id": "VARCHAR",
    "span_id": "VARCHAR",
    "logical_id": "VARCHAR",
    "client_version": "VARCHAR",
    "server_version": "VARCHAR",
    "round": "BIGINT",
    "waiting_ms": "DOUBLE",
    "progress_count": "BIGINT",
    "log_count": "BIGINT",
    "task_id": "VARCHAR",
    "task_outcome": "VARCHAR",
    "task_ms": "DOUBLE",
    "task_waiting_ms": "DOUBLE",
}
# Every member that any record has: one structure, so that a line is parsed once.
_VARCHARS = """type side kind method rpc_id hash unscanned sha256 text stream reason finding_id detector rule severity
    channel title evidence pointer fingerprint name cwd tap_version host_session_id executable_path
    executable_sha256 state host_process target"""
_BIGINTS = """seq at size_bytes bytes tap_pid server_pid exit_code exit_signal max_rss_bytes bytes_client
    bytes_server bytes_stderr exchange_seq rss_bytes processes denied"""
_LINE = (
    dict.fromkeys(_VARCHARS.split(), "VARCHAR")
    | dict.fromkeys(_BIGINTS.split(), "BIGINT")
    | dict.fromkeys(("body", "facts", "command", "env_names", "details"), "JSON")
    | {"truncated": "BOOLEAN", "cpu_seconds": "DOUBLE", "exchanges": [_EXCHANGE], "redactions": [_REDACTION]}
)
SHAPE = json.dumps(_LINE)

_SPLIT = """CREATE OR REPLACE TEMP TABLE line AS
    SELECT left(whole, gap - 1) AS run_id, try(from_json(substr(whole, gap + 1), $shape)) AS r
    FROM (SELECT whole, instr(whole, ' ') AS gap FROM (SELECT unnest(string_split($text, chr(10))) AS whole))"""
_REFUSED = "DELETE FROM line WHERE r IS NULL"  # as a condition above it would have each line parsed twice


def _text(column: str) -> str:
    """A JSON value as text; JSON null is no value."""
    return f"nullif(r.{column}::VARCHAR, 'null')"


def _small(column: str) -> str:
    """A body that may stand in a row."""
    return f"CASE WHEN strlen({column}) <= {IN_ROW} THEN {column} END"


def _time(column: str) -> str:
    return f'make_timestamp(r."{column}" // 1000)'


# What one batch does, in this order. `settled`: the last word of this batch on each exchange.
_STEPS = (
    """CREATE OR REPLACE TEMP TABLE settled AS
        SELECT run_id, unnest(e) FROM (SELECT run_id, i, unnest(r.exchanges) AS e
            FROM (SELECT run_id, r, row_number() OVER () AS i FROM line) WHERE len(r.exchanges) > 0)
        QUALIFY row_number() OVER (PARTITION BY run_id, e.seq ORDER BY i DESC) = 1""",
    """CREATE OR REPLACE TEMP TABLE belongs AS
        SELECT run_id, seq, seq AS kept_in FROM settled
        UNION SELECT run_id, reply_seq, seq FROM settled WHERE reply_seq IS NOT NULL""",
    f"""CREATE OR REPLACE TEMP TABLE fresh AS
        SELECT l.run_id, r.seq AS seq, {_text("body")} AS body, b.kept_in, r
        FROM line l LEFT JOIN belongs b ON b.run_id = l.run_id AND b.seq = r.seq WHERE r.type = 'message'""",
    # An exchange whose request came in an earlier batch may have been told before, and its body is there.
    """CREATE OR REPLACE TEMP TABLE older AS SELECT run_id, seq FROM settled
        WHERE (run_id, seq) NOT IN (SELECT (run_id, seq) FROM fresh)""",
)
_IF_OLDER = (
    """CREATE OR REPLACE TEMP TABLE earlier AS
        SELECT run_id, seq, any_value(body) AS body FROM (
            SELECT m.run_id, m.seq, m.body FROM internal.message_rows m
            SEMI JOIN older o ON o.run_id = m.run_id AND o.seq = m.seq
            UNION ALL
            SELECT p.run_id, p.seq, string_agg(p.text, '' ORDER BY p.part) FROM internal.body_parts p
            SEMI JOIN older o ON o.run_id = p.run_id AND o.seq = p.seq GROUP BY ALL
            UNION ALL
            SELECT e.run_id, unnest([e.seq, e.reply_seq]), unnest([e.request_body, e.reply_body])
            FROM internal.exchange_rows e
            SEMI JOIN older o ON o.run_id = e.run_id AND o.seq = e.seq)
        WHERE seq IS NOT NULL GROUP BY ALL""",
    "DELETE FROM internal.exchange_rows e USING older o WHERE o.run_id = e.run_id AND o.seq = e.seq",
    "INSERT INTO fresh SELECT run_id, seq, body, NULL, NULL FROM earlier",
)
_ROWS = (
    f"""INSERT INTO internal.message_rows BY NAME
        SELECT run_id, r.seq, r.side, {_time("at")} AS "at", r.kind, r.method, r.rpc_id, r.size_bytes,
            CASE WHEN kept_in IS NULL THEN {_small("body")} END AS body, coalesce(r.truncated, false) AS truncated,
            r.hash AS journal_hash, r.unscanned, r.sha256, {_text("facts")} AS facts,
            r.exchange_seq, kept_in, strlen(body) > {IN_ROW} AS in_parts
        FROM fresh WHERE r IS NOT NULL""",
    f"""INSERT INTO internal.body_parts
        SELECT run_id, seq, part, substr(body, part * {PART} + 1, {PART}) FROM (
            SELECT run_id, seq, body, unnest(range(0, (length(body) + {PART - 1}) // {PART})) AS part
            FROM fresh WHERE r IS NOT NULL AND strlen(body) > {IN_ROW})""",
    f"""INSERT INTO internal.exchange_rows BY NAME
        SELECT * REPLACE ({_small("request_body")} AS request_body, {_small("reply_body")} AS reply_body),
            {error_group("error_message")} AS error_group,
            CASE WHEN target IS NOT NULL THEN {arguments_hash("request_body")} END AS arguments_hash,
            strlen(request_body) > {IN_ROW} OR strlen(reply_body) > {IN_ROW} AS in_parts, {hours.NUMBERED}
        FROM (SELECT s.* REPLACE (make_timestamp(s.started_at // 1000) AS started_at,
                CASE WHEN s.outcome = 'tool_error' AND s.error_message IS NULL THEN {told_by_tool("p.body")}
                    ELSE s.error_message END AS error_message),
            q.body AS request_body, p.body AS reply_body
            FROM settled s LEFT JOIN fresh q ON q.run_id = s.run_id AND q.seq = s.seq
                LEFT JOIN fresh p ON p.run_id = s.run_id AND p.seq = s.reply_seq)""",
    f"""INSERT INTO redactions BY NAME
        SELECT run_id, seq, "at", side, unnest(redaction) FROM (SELECT run_id, r.seq AS seq, {_time("at")} AS "at",
                CASE r.type WHEN 'run_started' THEN 'command' WHEN 'message' THEN r.side ELSE r.type END AS side,
                unnest(r.redactions) AS redaction
            FROM line WHERE len(r.redactions) > 0)""",
    f"""INSERT INTO stderr_lines BY NAME
        SELECT run_id, {_time("at")} AS "at", left(r.text, {PART}) AS text FROM line WHERE r.type = 'stderr'""",
    f"""INSERT INTO gaps BY NAME
        SELECT run_id, {_time("at")} AS "at", r.reason, r.bytes, r.stream AS side FROM line WHERE r.type = 'gap'""",
    f"""INSERT INTO findings BY NAME
        SELECT r.finding_id, run_id, r.seq, {_time("at")} AS "at", r.detector, r.rule, r.severity, r.channel, r.title,
            r.evidence, r.pointer, r.fingerprint, r.target, {_text("details")} AS details
        FROM line WHERE r.type = 'finding'""",
    f"""INSERT INTO runs BY NAME
        SELECT run_id, r.host_session_id, r.name, {_text("command")} AS command, r.cwd, {_time("at")} AS started_at,
            {_text("env_names")} AS env_names, r.executable_path, r.executable_sha256, r.tap_version, r.tap_pid,
            r.server_pid, r.host_process, 'running' AS state, 0 AS requests, 0 AS unanswered
        FROM line WHERE r.type = 'run_started'""",
    f"""UPDATE runs SET ended_at = {_time("at")}, state = r.state, exit_code = r.exit_code,
            exit_signal = r.exit_signal, max_rss_bytes = r.max_rss_bytes, cpu_seconds = r.cpu_seconds,
            bytes_client = r.bytes_client, bytes_server = r.bytes_server, bytes_stderr = r.bytes_stderr,
            end_reason = r.reason
        FROM (SELECT run_id AS of_run, r FROM line WHERE r.type = 'run_ended') WHERE run_id = of_run""",
    # Who the two were, as far as their own words told it: the last that is known. A version is of the same words.
    """UPDATE runs SET host_name = coalesce(host.name, host_name),
            host_version = CASE WHEN host IS NULL THEN host_version ELSE host.version END,
            server_name = coalesce(server.name, server_name), protocol_version = coalesce(protocol, protocol_version),
            server_version = CASE WHEN server IS NULL THEN server_version ELSE server.version END
        FROM (SELECT run_id AS of_run,
                arg_max({'name': facts->>'client_name', 'version': facts->>'client_version'}, seq)
                    FILTER (by_client AND (facts->>'client_name') IS NOT NULL) AS host,
                arg_max({'name': facts->>'server_name', 'version': facts->>'server_version'}, seq)
                    FILTER (NOT by_client AND (facts->>'server_name') IS NOT NULL) AS server,
                arg_max(facts->>'protocol_version', seq) AS protocol
              FROM (SELECT run_id, r.seq AS seq, r.facts AS facts, r.side = 'client' AS by_client
                FROM line WHERE r.facts::VARCHAR <> 'null')
              GROUP BY ALL)
        WHERE run_id = of_run""",
)


@dataclass(slots=True)
class Batch:
    """Lines of some runs, in order, and how far each run's file has then been read."""

    parts: list[bytes] = field(default_factory=list)
    upto: dict[str, int] = field(default_factory=dict)  # run_id -> offset after its last line here
    size: int = 0

    def add(self, run_id: str, offset: int, line: bytes) -> None:
        self.parts += (run_id.encode(), b" ", line)
        self.upto[run_id] = offset
        self.size += len(line)

    @property
    def lines(self) -> int:
        return len(self.parts) // 3

    def full(self, limits: Limits) -> bool:
        return self.lines >= limits.lines or self.size >= limits.bytes

    @property
    def text(self) -> str:
        return b"".join(self.parts).removesuffix(b"\n").decode("utf-8", "replace")


def batches(
    files: Iterable[RunFile],
    upto: dict[str, int],
    unreadable: dict[str, str],
    limits: Callable[[], Limits] = lambda: NORMAL,
) -> Iterator[Batch]:
    """What has not been loaded of these files. A file that cannot be read is told in `unreadable`, and passed over."""
    batch = Batch()
    for run_id, path in files:
        unreadable.pop(run_id, None)
        try:
            for offset, line in read_lines(path, upto.get(run_id, 0)):
                batch.add(run_id, offset, line if len(line) <= limits().body else without_body(line, TOO_LARGE))
                if batch.full(limits()):
                    yield batch
                    batch = Batch()
        except FileNotFoundError:
            continue  # pruned meanwhile
        except (DamagedFileError, OSError) as error:
            unreadable[run_id] = f"{Path(path).name}: {error}"
    if batch.lines:
        yield batch


def insert(connection: duckdb.DuckDBPyConnection, batch: Batch) -> int:
    """Adds the batch in one transaction, or nothing of it; how many of its lines were no JSON. Raises duckdb.Error."""
    connection.begin()
    try:
        refused = _insert(connection, batch)
        connection.commit()
    except BaseException:
        _roll_back(connection)
        raise
    return refused


def _insert(connection: duckdb.DuckDBPyConnection, batch: Batch) -> int:
    connection.execute(_SPLIT, {"shape": SHAPE, "text": batch.text})
    connection.execute(_REFUSED)
    for step in _STEPS:
        connection.execute(step)
    if _count(connection, "older"):
        hours.take_out(connection)
        for step in _IF_OLDER:
            connection.execute(step)
    for step in (*_ROWS, *health.ROWS):
        connection.execute(step)
    for learn in (health.name_servers, offers.learn, hours.add_up):
        learn(connection)
    refused = batch.lines - _count(connection, "line")
    for table in ("line", "settled", "belongs", "fresh", "older", "earlier"):
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
    for run_id, offset in batch.upto.items():
        connection.execute("DELETE FROM internal.loaded WHERE run_id = ?", [run_id])
        connection.execute("INSERT INTO internal.loaded VALUES (?, ?)", [run_id, offset])
    return refused


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # a database that has failed for good has no transaction left
        connection.rollback()
