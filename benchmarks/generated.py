"""A store of any size, made of SQL alone: as a month with ten servers would have left it.

The idea: everything random is a digest of the row's number, so the same size is always the same store; and the rows go
through the tables' own schema and the expressions that ingest uses, so what is measured is what users have.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from mcptap.exporters.store.file import open_store
from mcptap.exporters.store.hours import ENOUGH, add_all
from mcptap.exporters.store.sameness import arguments_hash, error_group
from mcptap.tap.pipe.home import ensure

EXCHANGES = 1_000_000
SERVERS, RUNS, TOOLS = 10, 200, 80
DAYS = 30
END = "TIMESTAMP '2026-11-20 12:00:00'"
HOSTS = ("claude-code", "claude-ai", "cursor-vscode")

_WORDS = """the server reads a file and returns each line with its number then the host asks for another page of
    results until nothing is left to list while notes about commits branches issues tables columns and rows pass by"""


def _random(salt: int, number: str = "i") -> str:
    """SQL for a number from 0 to 1 that depends on the row and on what it is for."""
    return f"(hash({number} * 1000003 + {salt}) % 1000000007 / 1000000007.0)"


# One row per exchange: `i` over all, `k` within its run, `u…` random. Each step names what the next one needs.
_PLAN = f"""
    CREATE TEMP TABLE plan AS
    SELECT i, i // $each AS run, i % $each AS k, (i // $each) % {SERVERS} AS server,
        {_random(1)} AS u_kind, {_random(2)} AS u_tool, {_random(3)} AS u_end, {_random(4)} AS u_size,
        {_random(5)} AS u_wait, sqrt(-2 * ln({_random(6)} + 1e-9)) * cos(2 * pi() * {_random(7)}) AS normal,
        {_random(5, "(i - 1)")} < 0.02 AND i % $each > 3 AS second_round,
        {_random(3, "(i - 1)")} < 0.02 AND {_random(1, "(i - 1)")} < 0.9 AND i % $each > 3 AS repeated
    FROM range($exchanges) t(i)"""
_KINDS = f"""
    CREATE TEMP TABLE kinds AS
    SELECT *, 2 * k + 1 AS seq, CASE WHEN repeated OR second_round THEN i - 1 ELSE i END AS alike, CASE k
        WHEN 0 THEN 'initialize' WHEN 1 THEN 'tools/list' WHEN 2 THEN 'server/discover'
        WHEN 3 THEN 'subscriptions/listen' ELSE CASE
            WHEN u_kind < 0.90 OR repeated OR second_round THEN 'tools/call' WHEN u_kind < 0.93 THEN 'ping'
            WHEN u_kind < 0.95 THEN 'resources/read' WHEN u_kind < 0.97 THEN 'prompts/get'
            WHEN u_kind < 0.985 THEN 'tools/list' ELSE 'sampling/createMessage' END END AS method,
        {END} - INTERVAL {DAYS} DAY + to_microseconds((run * {DAYS} * 864e8 / $runs
            + k * least(5e6, {DAYS} * 432e8 / $runs / $each))::BIGINT) AS began
    FROM plan"""
_TOLD = f"""
    CREATE TEMP TABLE told AS
    SELECT *, 'run-' || lpad(run::VARCHAR, 6, '0') AS run_id,
        CASE method WHEN 'tools/call' THEN 'tool_' || server || '_'
                || floor({TOOLS // SERVERS} * pow({_random(2, "alike")}, 2))::INT
            WHEN 'resources/read' THEN 'file:///srv/' || (i % 50) WHEN 'prompts/get' THEN 'summarise' END AS target,
        CASE WHEN method = 'server/discover' AND server < 8 THEN 'rpc_error' WHEN method = 'subscriptions/listen'
            THEN 'no_response' WHEN method <> 'tools/call' THEN 'ok'
            WHEN {_random(5)} < 0.02 AND NOT second_round AND k > 3 AND k < $each - 1 THEN 'input_required'
            WHEN u_end < 0.04 THEN 'tool_error' WHEN u_end < 0.05 THEN 'rpc_error'
            WHEN u_end < 0.053 THEN 'cancelled' WHEN u_end < 0.0535 THEN 'late'
            WHEN u_end < 0.0545 THEN 'no_response' ELSE 'ok' END AS outcome,
        CASE WHEN u_wait > 0.995 AND method = 'tools/call' THEN 2000 + 6e4 * u_size END AS waited
    FROM kinds"""
_EXCHANGES = f"""
    INSERT INTO internal.exchange_rows BY NAME
    SELECT * EXCLUDE i, {error_group("error_message")} AS error_group,
        CASE WHEN target IS NOT NULL THEN {arguments_hash("request_body")} END AS arguments_hash,
        length(request_body) + 1 AS request_bytes, length(reply_body) + 1 AS reply_bytes,
        i // {ENOUGH} AS added_up_in
    FROM (SELECT i, run_id, seq,
            CASE WHEN outcome IN ('cancelled', 'no_response') THEN NULL ELSE seq + 1 END AS reply_seq,
            CASE method WHEN 'sampling/createMessage' THEN 'server' ELSE 'client' END AS side, method, target,
            k::VARCHAR AS rpc_id, began AS started_at,
            CASE WHEN outcome <> 'no_response' THEN exp(2.5 + 0.3 * (hash(target) % 10) + 0.9 * normal)
                + coalesce(waited, 0) END AS duration_ms, outcome,
            CASE WHEN outcome = 'rpc_error' THEN CASE method WHEN 'tools/call' THEN -32602
                ELSE -32601 END END AS error_code,
            CASE outcome WHEN 'rpc_error' THEN CASE method WHEN 'tools/call'
                    THEN 'Invalid arguments: ''limit'' was ' || i ELSE 'Method not found' END
                WHEN 'tool_error' THEN CASE server % 3 WHEN 0 THEN 'ENOENT: no such file or directory, open ''/srv/'
                    || i || '.txt''' WHEN 1 THEN 'timed out after ' || (i % 60) || ' s'
                    ELSE 'request req_' || left(md5(i::VARCHAR), 9) || ' failed with status ' || (500 + i % 4) END
                END AS error_message,
            printf('{{"jsonrpc":"2.0","id":%d,"method":"%s","params":{{"name":"%s","arguments":{{"path":"/srv/%s"}}}}}}',
                k, method, coalesce(target, ''), md5(alike::VARCHAR)) AS request_body,
            CASE WHEN outcome NOT IN ('cancelled', 'no_response') THEN
                printf('{{"jsonrpc":"2.0","id":%d,"result":{{"content":[{{"type":"text","text":"%s"}}]}}}}', k,
                    substr($words, 1 + (i * 7919 % 9000), 40 + (800 * u_size * u_size)::INT)) END AS reply_body,
            '2025-11-25' AS protocol_version, CASE WHEN server < 8 THEN 'legacy' ELSE 'modern' END AS era,
            method IN ('ping', 'server/discover') AS probe, method = 'subscriptions/listen' AS long_lived,
            ['claude-code', 'claude-ai', 'cursor-vscode'][1 + run % 3] AS client_name, 'srv-' || server AS server_name,
            md5(i::VARCHAR) AS trace_id, left(md5((i + 1)::VARCHAR), 16) AS span_id,
            run_id || '/' || CASE WHEN second_round THEN seq - 2 ELSE seq END AS logical_id,
            CASE WHEN second_round THEN 2 END AS round,
            CASE WHEN waited IS NOT NULL THEN waited END AS waiting_ms FROM told)"""
_MESSAGES = """
    INSERT INTO internal.message_rows BY NAME
    SELECT run_id, seq + reply AS seq,
        CASE WHEN (side = 'client') = (reply = 0) THEN 'client' ELSE 'server' END AS side,
        started_at + to_microseconds((coalesce(duration_ms, 0) * 1e3 * reply)::BIGINT) AS "at",
        CASE WHEN reply = 0 THEN 'request' WHEN outcome = 'rpc_error' THEN 'error' ELSE 'result' END AS kind,
        CASE WHEN reply = 0 THEN method END AS method, rpc_id,
        CASE WHEN reply = 0 THEN request_bytes ELSE reply_bytes END AS size_bytes,
        false AS truncated, sha256(span_id || reply) AS journal_hash, seq AS exchange_seq, seq AS kept_in
    FROM internal.exchange_rows, (VALUES (0), (1)) r(reply) WHERE reply = 0 OR reply_seq IS NOT NULL"""
_RUNS = """
    INSERT INTO runs BY NAME
    SELECT run_id, 'host-' || run // 3 AS host_session_id, 'server-' || server AS name, 'srv-' || server AS server_name,
        '1.' || server || '.0' AS server_version, '["npx","-y","srv-' || server || '"]' AS command, '/srv' AS cwd,
        ['claude-code', 'claude-ai', 'cursor-vscode'][1 + run % 3] AS host_name, '2.1' AS host_version,
        '2025-11-25' AS protocol_version, min(began) AS started_at,
        CASE WHEN run < $runs - 3 THEN max(began) + INTERVAL 10 SECOND END AS ended_at,
        CASE WHEN run >= $runs - 3 THEN 'running' WHEN run % 37 = 5 THEN 'lost' ELSE 'ended' END AS state,
        CASE WHEN run < $runs - 3 AND run % 37 <> 5 THEN CASE WHEN run % 23 = 7 THEN 1 ELSE 0 END END AS exit_code,
        90000000 AS max_rss_bytes, 12.5 AS cpu_seconds, '/usr/bin/npx' AS executable_path, '0.1.0' AS tap_version,
        sum(100) AS bytes_client, sum(400) AS bytes_server, 4000 AS bytes_stderr, 'server-' || server AS server_key
    FROM told GROUP BY run, run_id, server"""
_DEFINITIONS = (
    f"""INSERT INTO internal.definition_texts BY NAME
        SELECT 'tool' AS kind, md5(server || '/' || tool || '/' || version) AS hash, '{{"name":"tool"}}' AS body,
            150 + 10 * tool + version AS tokens_estimate, 600 + 40 * tool AS size_bytes
        FROM range({SERVERS}) s(server), range({TOOLS // SERVERS + 1}) t(tool), range(2) v(version)""",
    f"""INSERT INTO internal.listing_members BY NAME
        SELECT md5(server || '/' || version) AS digest, tool AS position, 'tool_' || server || '_' || tool AS name,
            md5(server || '/' || tool || '/' || version) AS hash
        FROM range({SERVERS}) s(server), range({TOOLS // SERVERS + 1}) t(tool), range(2) v(version)""",
    f"""INSERT INTO internal.listings BY NAME
        SELECT 'run-000000' AS run_id, version AS first_seq, 'server-' || server AS server_key, 'tool' AS kind,
            {END} - INTERVAL (20 - version) DAY AS begun_at, begun_at AS ended_at,
            [md5(server || '/' || version)] AS page_digests, true AS begins, true AS whole, true AS complete
        FROM range({SERVERS}) s(server), range(2) v(version)""",
)
_BESIDE = (
    """INSERT INTO stderr_lines SELECT run_id, started_at, 'warning: slow answer to ' || rpc_id FROM exchanges
        WHERE seq % 199 = 0""",
    """INSERT INTO gaps SELECT run_id, started_at, 'the buffer was full', 65536, 'server' FROM exchanges
        WHERE seq % 9999 = 1 AND seq > 1""",
)


def generate(home: Path, exchanges: int = EXCHANGES, runs: int = RUNS) -> Path:
    """Makes a state directory whose store has that many exchanges, evenly over its runs; the database's path."""
    ensure(str(home))
    path = home / "store.duckdb"
    connection, _ = open_store(path)
    with connection:
        _fill(connection, exchanges, runs)
    path.chmod(0o600)
    return path


def _fill(connection: duckdb.DuckDBPyConnection, exchanges: int, runs: int) -> None:
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET memory_limit = '4GB'")
    connection.execute(f"SET threads = {os.cpu_count() or 1}")
    each = exchanges // runs
    words = " ".join(_WORDS.split())
    known = {"exchanges": each * runs, "each": each, "runs": runs, "words": " ".join([words] * 50)}
    for statement in (_PLAN, _KINDS, _TOLD, _EXCHANGES, _MESSAGES, _RUNS, *_DEFINITIONS, *_BESIDE):
        used = {name: value for name, value in known.items() if f"${name}" in statement}
        connection.execute(statement, used)
    for _ in range(each * runs // ENOUGH):
        add_all(connection)
    connection.execute("UPDATE internal.adding_up SET exchanges = ?", [each * runs % ENOUGH])
    for table in ("plan", "kinds", "told"):
        connection.execute(f"DROP TABLE temp.{table}")
    connection.execute("CHECKPOINT")
