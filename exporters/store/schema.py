"""What the database holds: relations and their columns, the same names in code, in the README and in users' SQL.

One table below says it all; DDL is derived from it. Times are TIMESTAMP, in UTC: TIMESTAMP WITH TIME ZONE cannot be
fetched in Python without one more package. A message that an exchange has settled has its body in that exchange's row
and nowhere else: bodies are most of the disk, and reading exchanges is most of the work. DuckDB reads and writes a
column 2,048 values at a time, so a value must be small: a larger body is kept in parts, apart from the rows.
`messages` and `exchanges` bring all of it together again.

A file of another VERSION is not converted: it is loaded again from the journal.
"""
# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

from mcptap.exporters.store import hours, summaries, views

VERSION = 8

Columns = dict[str, str]

# A body compresses to a fifth with zstd; DuckDB would choose a faster and weaker method by itself.
BODY = "VARCHAR USING COMPRESSION zstd"
IN_ROW = 64 << 10  # bytes of a body that stands in a row; two columns of 2,048 such values fit into the memory granted
PART = 16 << 10  # characters of a part of a larger one: each may take four bytes

TABLES: dict[str, Columns] = {
    "runs": {
        "run_id": "VARCHAR",
        "host_session_id": "VARCHAR",
        "name": "VARCHAR",
        "command": "VARCHAR",
        "cwd": "VARCHAR",
        "host_name": "VARCHAR",
        "host_version": "VARCHAR",
        "server_name": "VARCHAR",
        "server_version": "VARCHAR",
        "protocol_version": "VARCHAR",
        "started_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "exit_code": "BIGINT",
        "exit_signal": "BIGINT",
        "max_rss_bytes": "BIGINT",
        "cpu_seconds": "DOUBLE",
        "env_names": "VARCHAR",
        "executable_path": "VARCHAR",
        "executable_sha256": "VARCHAR",
        "tap_version": "VARCHAR",
        "bytes_client": "BIGINT",
        "bytes_server": "BIGINT",
        "state": "VARCHAR",
        "bytes_stderr": "BIGINT",
        "tap_pid": "BIGINT",
        "server_pid": "BIGINT",
        "end_reason": "VARCHAR",
        "server_key": "VARCHAR",
        "host_process": "VARCHAR",
        "requests": "BIGINT",
        "unanswered": "BIGINT",
        "first_answer_ms": "DOUBLE",
    },
    "internal.message_rows": {
        "run_id": "VARCHAR",
        "seq": "BIGINT",
        "side": "VARCHAR",
        "at": "TIMESTAMP",
        "kind": "VARCHAR",
        "method": "VARCHAR",
        "rpc_id": "VARCHAR",
        "size_bytes": "BIGINT",
        "body": BODY,
        "truncated": "BOOLEAN",
        "journal_hash": "VARCHAR",
        "unscanned": "VARCHAR",
        "sha256": "VARCHAR",
        "facts": "VARCHAR",
        "exchange_seq": "BIGINT",  # the request that the message is, answers or belongs to
        "kept_in": "BIGINT",  # the exchange in whose row its body is
        "in_parts": "BOOLEAN",  # its body is too large for a row
    },
    "internal.body_parts": {"run_id": "VARCHAR", "seq": "BIGINT", "part": "BIGINT", "text": BODY},
    "internal.exchange_rows": {
        "run_id": "VARCHAR",
        "seq": "BIGINT",
        "reply_seq": "BIGINT",
        "side": "VARCHAR",
        "method": "VARCHAR",
        "target": "VARCHAR",
        "rpc_id": "VARCHAR",
        "started_at": "TIMESTAMP",
        "duration_ms": "DOUBLE",
        "outcome": "VARCHAR",
        "error_code": "BIGINT",
        "error_message": "VARCHAR",
        "request_bytes": "BIGINT",
        "reply_bytes": "BIGINT",
        "request_body": BODY,
        "reply_body": BODY,
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
        "error_group": "VARCHAR",
        "arguments_hash": "VARCHAR",
        "in_parts": "BOOLEAN",  # one of its bodies is too large for a row
        "added_up_in": "BIGINT",  # see `hours`
    },
    "findings": {
        "finding_id": "VARCHAR",
        "run_id": "VARCHAR",
        "seq": "BIGINT",
        "at": "TIMESTAMP",
        "detector": "VARCHAR",
        "rule": "VARCHAR",
        "severity": "VARCHAR",
        "channel": "VARCHAR",
        "title": "VARCHAR",
        "evidence": "VARCHAR",
        "pointer": "VARCHAR",
        "fingerprint": "VARCHAR",
        "target": "VARCHAR",
        "details": "VARCHAR",
    },
    "redactions": {
        "run_id": "VARCHAR",
        "seq": "BIGINT",
        "pointer": "VARCHAR",
        "rule": "VARCHAR",
        "fingerprint": "VARCHAR",
        "length": "BIGINT",
        "side": "VARCHAR",  # client, server, stderr; command: what is known of a run at its start
        "at": "TIMESTAMP",
    },
    "stderr_lines": {"run_id": "VARCHAR", "at": "TIMESTAMP", "text": "VARCHAR"},
    "gaps": {
        "run_id": "VARCHAR",
        "at": "TIMESTAMP",
        "reason": "VARCHAR",
        "bytes": "BIGINT",
        "side": "VARCHAR",
    },
    "usage": {
        "run_id": "VARCHAR",
        "at": "TIMESTAMP",
        "rss_bytes": "BIGINT",
        "cpu_seconds": "DOUBLE",
        "processes": "BIGINT",
        "denied": "BIGINT",
    },
    # What servers offer: see `offers`. The view `definitions` brings the three together.
    "internal.listings": {
        "run_id": "VARCHAR",
        "first_seq": "BIGINT",
        "server_key": "VARCHAR",
        "kind": "VARCHAR",
        "begun_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "page_digests": "VARCHAR[]",
        "begins": "BOOLEAN",
        "whole": "BOOLEAN",
        "next_cursor": "VARCHAR",
        "complete": "BOOLEAN",
    },
    "internal.listing_members": {"digest": "VARCHAR", "position": "BIGINT", "name": "VARCHAR", "hash": "VARCHAR"},
    "internal.definition_texts": {
        "kind": "VARCHAR",
        "hash": "VARCHAR",
        "body": BODY,
        "title": "VARCHAR",
        "description": "VARCHAR",
        "size_bytes": "BIGINT",
        "tokens_estimate": "BIGINT",
    },
    # How far each run's file has been loaded; written in the transaction that wrote the rows.
    "internal.loaded": {"run_id": "VARCHAR", "upto": "BIGINT"},
    "internal.schema_version": {"version": "BIGINT"},
} | hours.TABLES

_CALL = "target IS NOT NULL AND side = 'client'"
# More than this exchange tells of the call: another round, or the task that it created.
_GOES_ON = "(coalesce(round, 1) > 1 OR outcome IN ('input_required', 'task_created') OR task_id IS NOT NULL)"


def _large(row: str, seq: str) -> str:
    """A large body put together again. Correlated, so that only those of the rows that are asked for are."""
    return f"""(SELECT string_agg(b.text, '' ORDER BY b.part) FROM internal.body_parts b
        WHERE b.run_id = {row}.run_id AND b.seq = {row}.{seq})"""


_OURS = "(in_parts, added_up_in)"
_IN_ROW_OF = "CASE WHEN m.seq = e.seq THEN e.request_body ELSE e.reply_body END"
_MESSAGE = """m.run_id, m.seq, m.side, m."at", m.kind, m.method, m.rpc_id, m.size_bytes, {body} AS body, m.truncated,
            m.journal_hash, m.unscanned, m.sha256, m.facts, m.exchange_seq
        FROM internal.message_rows m"""

# What is in parts stands apart: DuckDB would look for parts for every row, also where no body is asked for.
VIEWS: dict[str, str] = {
    "exchanges": f"""
        SELECT x.* EXCLUDE {_OURS}, x.rowid AS load_order FROM internal.exchange_rows x
        WHERE x.in_parts IS NOT TRUE
        UNION ALL
        SELECT x.* EXCLUDE {_OURS} REPLACE (
                coalesce(x.request_body, {_large("x", "seq")}) AS request_body,
                coalesce(x.reply_body, {_large("x", "reply_seq")}) AS reply_body),
            x.rowid AS load_order
        FROM internal.exchange_rows x WHERE x.in_parts""",
    "messages": f"""
        SELECT {_MESSAGE.format(body=f"coalesce(m.body, {_IN_ROW_OF})")}
            LEFT JOIN internal.exchange_rows e ON e.run_id = m.run_id AND e.seq = m.kept_in
        WHERE m.in_parts IS NOT TRUE
        UNION ALL
        SELECT {_MESSAGE.format(body=_large("m", "seq"))} WHERE m.in_parts""",
    # Nearly all calls are one exchange and nothing more: these are not grouped, and a page of them is quickly there.
    "calls": f"""
        SELECT logical_id, run_id, server_name AS server, target, started_at, 1 AS rounds,
            duration_ms - coalesce(waiting_ms, 0) AS server_ms, coalesce(waiting_ms, 0) AS waiting_ms, outcome
        FROM internal.exchange_rows WHERE {_CALL} AND NOT {_GOES_ON}
        UNION ALL
        SELECT logical_id, run_id, any_value(server_name), any_value(target), min(started_at), count(*),
            sum(coalesce(task_ms, duration_ms) - coalesce(task_waiting_ms, waiting_ms, 0)),
            sum(coalesce(task_waiting_ms, waiting_ms, 0)) + coalesce(round(greatest(0,
                max(epoch_us(started_at) / 1e3 + coalesce(task_ms, duration_ms)) - min(epoch_us(started_at) / 1e3)
                - sum(coalesce(task_ms, duration_ms))), 3), 0),
            arg_max(coalesce(task_outcome, outcome), seq)
        FROM internal.exchange_rows WHERE {_CALL} AND {_GOES_ON} GROUP BY run_id, logical_id""",
} | views.VIEWS

RELATIONS = tuple(name for name in (*TABLES, *VIEWS, *summaries.SUMMARIES) if "." not in name)


def statements() -> list[str]:
    """What makes an empty database ready."""
    tables = [f"CREATE TABLE {name} ({_columns(columns)})" for name, columns in TABLES.items()]
    views = [f"CREATE VIEW {name} AS {select}" for name, select in VIEWS.items()]
    version = f"INSERT INTO internal.schema_version VALUES ({VERSION})"
    return ["CREATE SCHEMA internal", *tables, *views, *summaries.statements(), hours.BEGIN, version]


def _columns(columns: Columns) -> str:
    return ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
