"""The questions about many servers, as SQL: a table macro for each, and a view of the same name without a filter.

The idea: a view takes no parameters, and a percentile cannot be put together from parts. So each question is a macro
that is asked with `since`, `until`, `server` (label or own name), `host` and `target` (a tool, prompt or resource; not
for secrets), all of which may be left out, and reads the narrow columns of the exchanges it needs, never a body. The
view is the macro with nothing left out.

What counts is said once, below: a *call* is a request from the host that names a tool, prompt or resource, without the
rounds that were answered with a question; an *error* is a call that failed or never got its answer; *server time* is
what an answer took without a person or a model that it waited for.
"""
# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

from mcptap.exporters.store import hours
from mcptap.exporters.store.hours import (
    BINS,
    CALL,
    FAILED,
    OF_RUN,
    SERVER_MS,
    TARGET,
    TIMED,
    TIMES,
    WAITED,
    called,
    percentiles,
)
from mcptap.exporters.store.views import ENDED_BY_HOST, ENDED_BY_HOST_CODES

BLIND_SECONDS = 60  # after an error; who asks the same later may have reason to
DRAWN = 4  # bins of latency, for each power of ten
LOWEST_DRAWN = -4  # of these bins: what takes less than 0.18 ms is in one
BYTES_PER_TOKEN = 4  # of a result; what is usual for English and JSON

FILTERS = "since := NULL, until := NULL, server := NULL, host := NULL, target := NULL"

_ROUND = "(coalesce(e.round, 1) > 1 OR e.outcome = 'input_required')"  # one of several of a call
_OUTCOME = "coalesce(e.task_outcome, e.outcome)"

_IN_TIME = "(since IS NULL OR e.started_at >= since) AND (until IS NULL OR e.started_at < until)"
_ROWS = "internal.exchange_rows e JOIN internal.run_servers r ON r.run_id = e.run_id"
_CHOSEN = f"{_ROWS} WHERE {OF_RUN} AND {_IN_TIME} AND {TARGET}"

_STATE = f"""CASE WHEN r.state = 'ended' AND (r.exit_code NOT IN {ENDED_BY_HOST_CODES}
    OR r.exit_signal NOT IN {ENDED_BY_HOST}) THEN 'crashed' ELSE r.state END"""


_COUNTS = "sum(e.calls)::BIGINT AS calls, sum(e.errors)::BIGINT AS errors"
_DRAWN = f"greatest({LOWEST_DRAWN}, floor(e.bin / {BINS // DRAWN}))"
_WHOLE = "epoch(step) % 3600 = 0"  # each hour is in one bucket
_RATE = "coalesce(c.errors, 0) / nullif(c.calls, 0) AS error_rate"
_CURRENT = """SELECT d.server_key, d.name, d.kind, d.tokens_estimate FROM definitions d WHERE d.state = 'current'"""

NOT_LISTED = "not-listed"  # its length counts those of one message that are too many to list
_TAKEN = f"""SELECT x.rule, x.fingerprint, x.side, x."at", r.known_as, r.server AS name,
        CASE WHEN x.rule = '{NOT_LISTED}' THEN x.length ELSE 1 END AS times
    FROM redactions x JOIN internal.run_servers r ON r.run_id = x.run_id"""
_TAKEN_IN_TIME = '(since IS NULL OR x."at" >= since) AND (until IS NULL OR x."at" < until)'

# What to call a run's server, of the columns of `runs`: the user's label, else its own name, else its program's.
LABEL = """coalesce(nullif(name, ''), nullif(server_name, ''),
                    nullif(parse_filename(try(command::JSON->>'$[0]')), ''), '?')"""

INTERNAL = hours.VIEWS | {
    # A run's server: the key that all its runs share, and what to call it (as its latest run is called).
    "internal.run_servers": f"""
        SELECT r.*, first_value(r.label) OVER (PARTITION BY r.known_as ORDER BY r.started_at DESC) AS server
        FROM (SELECT *, coalesce(server_key, label) AS known_as FROM (
            SELECT run_id, server_key, name, server_name, host_name AS host, started_at, ended_at, state, exit_code,
                exit_signal, {LABEL} AS label FROM runs)) r""",
}

MACROS = {
    "server_summary": (
        f"{FILTERS}, latency := true",
        f"""
        WITH {called()},
        c AS (SELECT e.known_as, {_COUNTS}, count(DISTINCT e.target) FILTER (e.method = 'tools/call') AS tools_used
            FROM a e GROUP BY e.known_as),
        p AS ({percentiles("known_as", where="latency")}),
        d AS (SELECT d.server_key, sum(d.tokens_estimate) AS tokens, count(*) FILTER (d.kind = 'tool') AS tools
            FROM ({_CURRENT}) d GROUP BY ALL),
        k AS (SELECT r.known_as, any_value(r.server) AS server, count(*) AS runs, max(r.started_at) AS last_run_at,
                arg_max(r.run_id, r.started_at) AS last_run_id,
                CASE WHEN bool_or(r.state = 'running') THEN 'running' ELSE arg_max({_STATE}, r.started_at) END AS state,
                bool_or((since IS NULL OR r.started_at >= since) AND (until IS NULL OR r.started_at < until)) AS begun
            FROM internal.run_servers r WHERE {OF_RUN} GROUP BY ALL)
        SELECT k.server, k.known_as AS server_key, k.state, k.runs, coalesce(c.calls, 0) AS calls,
            coalesce(c.errors, 0) AS errors, {_RATE}, p.p50_ms, p.p95_ms, d.tokens::BIGINT AS definition_tokens,
            d.tools AS tools_offered, coalesce(c.tools_used, 0) AS tools_used, k.last_run_at, k.last_run_id
        FROM k LEFT JOIN c ON c.known_as = k.known_as LEFT JOIN p ON p.known_as = k.known_as
            LEFT JOIN d ON d.server_key = k.known_as
        WHERE k.begun OR c.known_as IS NOT NULL ORDER BY calls DESC, k.server""",
    ),
    "tool_summary": (
        f"{FILTERS}, latency := true",
        f"""
        WITH {called()},
        c AS (SELECT e.known_as, e.target, {_COUNTS}, sum(e.reply_bytes)::BIGINT AS reply_bytes,
                max(e.last_at) AS last_used_at
            FROM a e WHERE e.method = 'tools/call' GROUP BY e.known_as, e.target),
        p AS ({percentiles("known_as", "target", where="latency AND e.method = 'tools/call'")}),
        k AS (SELECT r.known_as, any_value(r.server) AS server
            FROM internal.run_servers r WHERE {OF_RUN} GROUP BY ALL),
        d AS (SELECT d.server_key, d.name, max(d.tokens_estimate) AS tokens FROM ({_CURRENT}) d
            SEMI JOIN k ON k.known_as = d.server_key
            WHERE d.kind = 'tool' AND (target IS NULL OR d.name = target) GROUP BY ALL)
        SELECT k.server, k.known_as AS server_key, coalesce(c.target, d.name) AS tool, d.name IS NOT NULL AS offered,
            coalesce(c.calls, 0) AS calls, coalesce(c.errors, 0) AS errors, {_RATE}, p.p50_ms, p.p95_ms, p.p99_ms,
            coalesce(c.reply_bytes, 0) AS reply_bytes,
            round(coalesce(c.reply_bytes, 0) / {BYTES_PER_TOKEN})::BIGINT AS tokens_estimate,
            d.tokens AS definition_tokens, c.last_used_at
        FROM c LEFT JOIN p ON p.known_as = c.known_as AND p.target = c.target
            FULL JOIN d ON d.server_key = c.known_as AND d.name = c.target
            JOIN k ON k.known_as = coalesce(c.known_as, d.server_key)
        ORDER BY calls DESC, k.server, tool""",
    ),
    # Every call is sorted for it by what is after the error: so nothing of them is looked at but three numbers.
    "error_groups": (
        FILTERS,
        f"""
        WITH f AS (SELECT e.run_id, e.seq, e.side, e.method, e.target, {_OUTCOME} AS outcome, e.error_code,
                e.error_group, e.error_message, e.started_at, e.arguments_hash, r.server, r.known_as,
                e.started_at + to_microseconds((e.duration_ms * 1e3)::BIGINT) AS answered_at
            FROM {_CHOSEN} AND {FAILED}),
        u AS MATERIALIZED (SELECT r.run_id, (row_number() OVER ())::INTEGER AS number FROM runs r
            WHERE r.run_id IN (SELECT f.run_id FROM f)),
        q AS (SELECT u.number, f.run_id, f.seq, f.answered_at, hash(f.method, f.target, f.arguments_hash) AS asked
            FROM f JOIN u ON u.run_id = f.run_id
            WHERE f.side = 'client' AND f.target IS NOT NULL AND f.arguments_hash IS NOT NULL),
        n AS (SELECT u.number, e.started_at, hash(e.method, e.target, e.arguments_hash) AS asked
            FROM internal.exchange_rows e JOIN u ON u.run_id = e.run_id
            WHERE {CALL} AND (since IS NULL OR e.started_at >= since)),
        b AS (SELECT q.run_id, q.seq FROM q ASOF JOIN n ON n.number = q.number AND n.started_at >= q.answered_at
            WHERE n.asked = q.asked AND n.started_at < q.answered_at + INTERVAL {BLIND_SECONDS} SECOND)
        SELECT any_value(f.server) AS server, f.known_as AS server_key, f.side, f.method, f.target, f.outcome,
            f.error_code, f.error_group, count(*) AS errors, count(b.seq) AS blind_retries,
            min(f.started_at) AS first_at, max(f.started_at) AS last_at,
            arg_max(f.run_id, f.started_at) AS example_run_id,
            arg_max(f.seq, f.started_at) AS example_seq, arg_max(f.error_message, f.started_at) AS example
        FROM f LEFT JOIN b ON b.run_id = f.run_id AND b.seq = f.seq
        GROUP BY f.known_as, f.side, f.method, f.target, f.outcome, f.error_code, f.error_group
        ORDER BY errors DESC, last_at DESC""",
    ),
    # Nearly all calls are one exchange: of these the slowest are taken before anything is put together.
    "slow_calls": (
        f"most := 100, {FILTERS}",
        f"""
        WITH x AS (SELECT e.logical_id, e.run_id, e.seq, e.method, e.target, e.started_at, {_OUTCOME} AS outcome,
                {SERVER_MS} AS server_ms, {WAITED} AS waiting_ms
            FROM {_CHOSEN} AND {CALL} AND {TIMED} AND NOT {_ROUND}
            ORDER BY server_ms DESC NULLS LAST LIMIT most),
        c AS (
            SELECT e.logical_id, e.run_id, e.seq, e.method, e.target, e.started_at, 1 AS rounds, e.outcome,
                e.server_ms, e.waiting_ms
            FROM x e
            UNION ALL
            SELECT e.logical_id, e.run_id, min(e.seq), any_value(e.method), any_value(e.target), min(e.started_at),
                count(*), arg_max({_OUTCOME}, e.seq), sum({SERVER_MS}),
                greatest(0, arg_max(coalesce(e.task_ms, e.duration_ms), e.seq) - sum({SERVER_MS})
                    + (epoch_us(max(e.started_at)) - epoch_us(min(e.started_at))) / 1e3)
            FROM internal.exchange_rows e
            WHERE {_ROUND} AND {CALL} AND {TIMED} AND {_IN_TIME} AND {TARGET} GROUP BY e.run_id, e.logical_id)
        SELECT r.server, r.known_as AS server_key, c.* FROM c JOIN internal.run_servers r ON r.run_id = c.run_id
        WHERE {OF_RUN} ORDER BY c.server_ms DESC NULLS LAST, c.run_id, c.seq LIMIT most""",
    ),
    "timeline": (
        f"step := INTERVAL 1 MINUTE, {FILTERS}, latency := true",
        f"""
        WITH {called(_WHOLE)},
        c AS (SELECT time_bucket(step, e.started_at) AS bucket, e.known_as, e.host,
                any_value(e.server) AS server, {_COUNTS}, sum(e.request_bytes)::BIGINT AS request_bytes,
                sum(e.reply_bytes)::BIGINT AS reply_bytes
            FROM a e GROUP BY bucket, e.known_as, e.host),
        p AS ({percentiles("bucket", "known_as", "host", where="latency")})
        SELECT c.bucket, c.server, c.known_as AS server_key, c.host, c.calls, c.errors, p.p50_ms, p.p95_ms, p.max_ms,
            c.request_bytes, c.reply_bytes
        FROM c LEFT JOIN p ON p.bucket = c.bucket AND p.known_as = c.known_as AND p.host IS NOT DISTINCT FROM c.host
        ORDER BY c.bucket, c.known_as, c.host""",
    ),
    # Over all servers: percentiles cannot be put together from those of the parts.
    "overall_summary": (
        FILTERS,
        f"""
        WITH {called()}
        SELECT {_COUNTS}, any_value(p.p50_ms) AS p50_ms, any_value(p.p95_ms) AS p95_ms, any_value(p.p99_ms) AS p99_ms,
            sum(e.errors) / nullif(sum(e.calls), 0) AS error_rate, count(DISTINCT e.known_as) AS servers,
            sum(e.reply_bytes)::BIGINT AS reply_bytes, min(e.first_at) AS first_at, max(e.last_at) AS last_at
        FROM a e LEFT JOIN ({percentiles()}) p ON true HAVING count(*) > 0""",
    ),
    "latency_timeline": (
        f"step := INTERVAL 1 MINUTE, {FILTERS}",
        f"""
        WITH {called(_WHOLE)},
        c AS (SELECT time_bucket(step, e.started_at) AS bucket, {_COUNTS}, sum(e.waiting_ms) AS waiting_ms
            FROM a e GROUP BY bucket),
        p AS ({percentiles("bucket")})
        SELECT c.bucket, c.calls, c.errors, p.p50_ms, p.p95_ms, p.p99_ms, p.server_ms, c.waiting_ms
        FROM c LEFT JOIN p ON p.bucket = c.bucket ORDER BY c.bucket""",
    ),
    "latency_heatmap": (
        f"step := INTERVAL 1 MINUTE, {FILTERS}",
        f"""
        WITH {called(_WHOLE)}
        SELECT time_bucket(step, e.started_at) AS bucket, pow(10, {_DRAWN} / {DRAWN}) AS from_ms,
            pow(10, ({_DRAWN} + 1) / {DRAWN}) AS to_ms, sum(e.answered_calls)::BIGINT AS calls
        FROM {TIMES} e GROUP BY bucket, {_DRAWN} HAVING calls > 0
        ORDER BY bucket, from_ms""",
    ),
}

MACROS |= {
    "secret_summary": (
        FILTERS,
        f"""
        WITH x AS ({_TAKEN} WHERE {OF_RUN} AND {_TAKEN_IN_TIME})
        SELECT any_value(x.name) AS server, x.known_as AS server_key, x.side, x.rule,
            sum(x.times)::BIGINT AS times, count(DISTINCT x.fingerprint) FILTER (x.rule <> '{NOT_LISTED}') AS secrets,
            min(x."at") AS first_at, max(x."at") AS last_at
        FROM x GROUP BY x.known_as, x.side, x.rule ORDER BY times DESC, x.known_as, x.side, x.rule""",
    ),
    # Asked for one server, it tells those that this one shares with others.
    "shared_secrets": (
        FILTERS,
        f"""
        WITH x AS ({_TAKEN} WHERE {_TAKEN_IN_TIME} AND (host IS NULL OR r.host = host)
                AND x.rule NOT IN ('{NOT_LISTED}', 'unscanned')),
        k AS (SELECT DISTINCT r.known_as FROM internal.run_servers r WHERE {OF_RUN})
        SELECT x.rule, x.fingerprint, list_sort(list(DISTINCT x.name)) AS servers,
            list_sort(list(DISTINCT x.name || ' ' || x.side)) AS places, sum(x.times)::BIGINT AS times,
            min(x."at") AS first_at, max(x."at") AS last_at
        FROM x GROUP BY x.rule, x.fingerprint
        HAVING count(DISTINCT x.known_as) > 1 AND bool_or(x.known_as IN (SELECT k.known_as FROM k))
        ORDER BY len(servers) DESC, last_at DESC, x.rule, x.fingerprint""",
    ),
}

SUMMARIES = tuple(MACROS)


def statements() -> list[str]:
    """What makes them, after the tables."""
    internal = [f"CREATE VIEW {name} AS {select}" for name, select in INTERNAL.items()]
    read = [
        f"CREATE MACRO {name}({parameters}) AS TABLE {select}" for name, (parameters, select) in hours.MACROS.items()
    ]
    macros = [f"CREATE MACRO {name}({parameters}) AS TABLE {select}" for name, (parameters, select) in MACROS.items()]
    return [*internal, *read, *macros, *(f"CREATE VIEW {name} AS FROM {name}()" for name in MACROS)]
