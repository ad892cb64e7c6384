"""What a run's lines say about its health, and whose run it is: added to `runs`, batch by batch.

The idea: a batch only ever adds. Counts are sums over messages, each of which is loaded once; the first answer is the
first that is seen, since the lines of one run come in order.
"""
# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

import json

import duckdb
import orjson

from mcptap.tap.dissect.server_key import server_key

# What hosts ask of any server, before or beside the work.
HANDSHAKE = ("initialize", "server/discover", "ping")

ROWS = (
    """INSERT INTO usage BY NAME
        SELECT run_id, make_timestamp(r."at" // 1000) AS "at", r.rss_bytes, r.cpu_seconds, r.processes, r.denied
        FROM line WHERE r.type = 'usage'""",
    f"""UPDATE runs SET requests = requests + asked, unanswered = unanswered + silent,
            first_answer_ms = coalesce(first_answer_ms, (answered // 1000 - epoch_us(started_at)) / 1e3)
        FROM (SELECT run_id AS of_run, sum(asked) AS asked, sum(silent) AS silent, min(answered) AS answered FROM (
            SELECT run_id, (r.side = 'client' AND r.kind = 'request'
                    AND coalesce(r.method, '') NOT IN {HANDSHAKE})::BIGINT AS asked, 0 AS silent,
                CASE WHEN r.side = 'server' AND r.kind IN ('result', 'error') THEN r."at" END AS answered
            FROM line WHERE r.type = 'message'
            UNION ALL
            SELECT run_id, 0, 1, NULL FROM settled
            WHERE outcome = 'no_response' AND side = 'client' AND NOT long_lived) GROUP BY run_id)
        WHERE run_id = of_run""",
)
_NAMELESS = "SELECT run_id, name, command, cwd FROM runs WHERE server_key IS NULL"
_NAME = """UPDATE runs SET server_key = key FROM (
        SELECT unnest(from_json($keys, '[{"run":"VARCHAR","key":"VARCHAR"}]'), recursive := true)) WHERE run_id = run"""


def name_servers(connection: duckdb.DuckDBPyConnection) -> None:
    """Gives each new run the key of its server. Raises duckdb.Error."""
    found = connection.execute(_NAMELESS).fetchall()
    if found:
        keys = [
            {"run": run_id, "key": server_key(name, _words(command), cwd or "")} for run_id, name, command, cwd in found
        ]
        connection.execute(_NAME, {"keys": orjson.dumps(keys).decode()})


def _words(command: str | None) -> list[str]:
    try:
        words = json.loads(command or "[]")
    except ValueError:
        return []
    return [str(word) for word in words] if isinstance(words, list) else []
