"""Calls added up by the hour: what the summaries read in place of millions of exchanges.

The idea: a percentile cannot be put together from percentiles, but it can from counts of how many answers took how
long. So for each run, tool and hour one row holds the sums, and beside them a histogram whose bins are narrow: each is
1.8 % wider than the one before, and knows the sum of what fell into it, so its mean is told, and a bin with one value
tells that value. A percentile is then at most 2 % from the one of the exchanges themselves, and everything else is
the same.

Ingest numbers what it inserts, and adds a number's exchanges up when there are enough of them. What is not added up
yet is read from the exchanges, and so are the parts of hours at both ends of the time that is asked for. An exchange
that is told anew after that is first taken out again: sums may be negative, their sum is right.
"""
# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands that need no database read this module's words too
    import duckdb

BINS = 128  # of latency, for each power of ten
WITHIN = 10 ** (1 / BINS) - 1  # so far at most is a percentile from the true one: what a bin is wide
LEAST_MS = 0.001  # less is not told apart
MOST_MS = 1e13  # more than a difference of two times can be
ENOUGH = 100_000  # exchanges that are added up at once: more to read until then, fewer rows after it

CALL = "e.side = 'client' AND e.target IS NOT NULL AND NOT e.probe AND NOT e.long_lived"
COUNTED = "e.outcome <> 'input_required'"
FAILED = """coalesce(e.task_outcome, e.outcome) IN ('tool_error', 'rpc_error', 'no_response')
    AND NOT e.probe AND NOT e.long_lived"""
TIMED = "e.outcome NOT IN ('cancelled', 'no_response')"
# A task goes on after its answer: its own end and time count.
WAITED = "coalesce(e.task_waiting_ms, e.waiting_ms, 0)"
SERVER_MS = f"greatest(0, coalesce(e.task_ms, e.duration_ms) - {WAITED})"

OF_RUN = "(server IS NULL OR server IN (r.name, r.server_name, r.server)) AND (host IS NULL OR r.host = host)"
TARGET = "(target IS NULL OR e.target = target)"

TABLES = {
    "internal.call_hours": {
        "run_id": "VARCHAR",
        "method": "VARCHAR",
        "target": "VARCHAR",
        "hour": "TIMESTAMP",
        "calls": "BIGINT",
        "errors": "BIGINT",
        "request_bytes": "BIGINT",
        "reply_bytes": "BIGINT",
        "waiting_ms": "DOUBLE",
        "first_at": "TIMESTAMP",
        "last_at": "TIMESTAMP",
        # The histogram: these four belong together, place by place.
        "bins": "SMALLINT[]",
        "answers": "INTEGER[]",
        "answered_calls": "INTEGER[]",  # without the rounds that asked back
        "server_ms": "DOUBLE[]",
    },
    # The number that new exchanges are given, and how many have been.
    "internal.adding_up": {"number": "BIGINT", "exchanges": "BIGINT"},
}
BEGIN = "INSERT INTO internal.adding_up VALUES (0, 0)"

_SUMS = ("calls", "errors", "request_bytes", "reply_bytes", "waiting_ms")
_SPAN = ("first_at", "last_at")
_HISTOGRAM = {"bin": "bins", "answers": "answers", "answered_calls": "answered_calls", "server_ms": "server_ms"}

# Each call by itself, in the same columns.
VIEWS = {
    "internal.call_rows": f"""
        SELECT e.run_id, e.seq, e.method, e.target, e.started_at, e.added_up_in, ({COUNTED})::BIGINT AS calls,
            ({FAILED})::BIGINT AS errors, e.request_bytes, e.reply_bytes, {WAITED} AS waiting_ms,
            e.started_at AS first_at, e.started_at AS last_at,
            floor({BINS} * log10(least({MOST_MS}, greatest({LEAST_MS}, {SERVER_MS}))))::SMALLINT AS bin,
            ({TIMED})::INTEGER AS answers, ({TIMED} AND {COUNTED})::INTEGER AS answered_calls,
            CASE WHEN {TIMED} THEN {SERVER_MS} END AS server_ms
        FROM internal.exchange_rows e WHERE {CALL}""",
}


def _added(times: int, chosen: str) -> str:
    """The statement that adds these calls as often as that."""
    sums = ", ".join(f"sum({name}) * {times} AS {name}" for name in _SUMS)
    lists = ", ".join(f"list({name}) FILTER (answered) AS {names}" for name, names in _HISTOGRAM.items())
    return f"""INSERT INTO internal.call_hours BY NAME
        SELECT run_id, method, target, hour, {", ".join(f"sum({name}) AS {name}" for name in _SUMS)},
            min(first_at) AS first_at, max(last_at) AS last_at, {lists}
        FROM (SELECT e.run_id, e.method, e.target, date_trunc('hour', e.started_at) AS hour,
                e.answers > 0 AS answered, CASE WHEN e.answers > 0 THEN e.bin END AS bin, {sums},
                min(e.first_at) AS first_at, max(e.last_at) AS last_at,
                (sum(e.answers) * {times})::INTEGER AS answers,
                (sum(e.answered_calls) * {times})::INTEGER AS answered_calls, sum(e.server_ms) * {times} AS server_ms
            FROM internal.call_rows e {chosen} GROUP BY ALL)
        GROUP BY run_id, method, target, hour"""


_COUNT = """UPDATE internal.adding_up SET exchanges = exchanges + (SELECT count(*) FROM settled)
    RETURNING exchanges"""
_ADD = _added(1, "JOIN internal.adding_up a ON a.number = e.added_up_in")
_NEXT = "UPDATE internal.adding_up SET number = number + 1, exchanges = 0"
# What is in `older` and was added up is about to be told anew.
_ANEW = """SEMI JOIN older o ON o.run_id = e.run_id AND o.seq = e.seq
    WHERE e.added_up_in < (SELECT number FROM internal.adding_up)"""
_ANY_ANEW = f"SELECT 1 FROM internal.exchange_rows e {_ANEW} LIMIT 1"
_TAKE_OUT = _added(-1, _ANEW)
NUMBERED = "(SELECT number FROM internal.adding_up) AS added_up_in"  # of an exchange that is inserted


def take_out(connection: duckdb.DuckDBPyConnection) -> None:
    """Takes those of a batch's `older` exchanges out that were added up, before they are deleted.

    Raises duckdb.Error.
    """
    if connection.execute(_ANY_ANEW).fetchone():
        connection.execute(_TAKE_OUT)


def add_up(connection: duckdb.DuckDBPyConnection) -> None:
    """Counts what a batch has settled, and adds up if that is enough. Raises duckdb.Error."""
    row = connection.execute(_COUNT).fetchone()
    if row and row[0] >= ENOUGH:
        add_all(connection)


def add_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Adds up what is not yet. Raises duckdb.Error."""
    connection.execute(_ADD)
    connection.execute(_NEXT)


# Whole hours are read as such: from the first that begins in the time asked for to the last that ends in it.
_EVER, _NEVER = "TIMESTAMP '-infinity'", "TIMESTAMP 'infinity'"
_FIRST = f"""CASE WHEN NOT whole_hours THEN {_NEVER} WHEN since IS NULL THEN {_EVER}
    ELSE date_trunc('hour', since::TIMESTAMP + INTERVAL 1 HOUR - INTERVAL 1 MICROSECOND) END"""
_END = f"CASE WHEN until IS NULL THEN {_NEVER} ELSE date_trunc('hour', until::TIMESTAMP) END"
_SINCE, _UNTIL = f"coalesce(since::TIMESTAMP, {_EVER})", f"coalesce(until::TIMESTAMP, {_NEVER})"
_OPEN = "internal.call_rows e JOIN internal.adding_up a ON a.number = e.added_up_in"
# What is read -> the column that its time is in, and from when to when.
_PARTS = (
    ("internal.call_hours e", "hour", _FIRST, _END),
    (_OPEN, "started_at", _FIRST, _END),
    ("internal.call_rows e", "started_at", _SINCE, f"least({_FIRST}, {_UNTIL})"),
    ("internal.call_rows e", "started_at", f"greatest({_FIRST}, {_END})", _UNTIL),
)


def _part(rows: str, at: str, begin: str, end: str) -> str:
    names = ", ".join(f"e.{name}" for name in ("run_id", "method", "target", *_SUMS, *_SPAN))
    lists = ", ".join(
        f"e.{many}" if at == "hour" else f"CASE WHEN e.answers > 0 THEN [e.{one}] END"
        for one, many in _HISTOGRAM.items()
    )
    return f"""SELECT e.{at} AS started_at, {names}, {lists} FROM {rows}
        WHERE {TARGET} AND e.{at} >= {begin} AND e.{at} < {end}"""


MACROS = {
    "internal.added_calls": (
        "since, until, server, host, target, whole_hours",
        f"""SELECT r.known_as, r.server, r.host, e.*
        FROM ({" UNION ALL ".join(_part(*part) for part in _PARTS)}) e
            JOIN internal.run_servers r ON r.run_id = e.run_id WHERE {OF_RUN}""",
    )
}

_ASKED = "since, until, server, host, target"


def called(whole_hours: str = "true") -> str:
    """The calls that are asked for, as `a`, to stand after WITH: read more than once, and planned once."""
    return f"a AS (FROM internal.added_calls({_ASKED}, {whole_hours}))"


_UNNESTED = ", ".join(f"unnest(e.{many}) AS {one}" for one, many in _HISTOGRAM.items())
# How many answers took how long, to stand after FROM, where `a` stands after WITH.
TIMES = f"(SELECT e.known_as, e.server, e.host, e.method, e.target, e.started_at, {_UNNESTED} FROM a e)"


def _quantile(part: float) -> str:
    """With linear interpolation between the closest ranks."""
    place = f"{part} * (e.of_all - 1)"
    low, high = (f"min(e.mean) FILTER (e.upto > {side}({place}))" for side in ("floor", "ceil"))
    return f"({low} + ({high} - {low}) * any_value({place} - floor({place})))"


_PERCENTILES = [f"{_quantile(part / 100)} AS p{part}_ms" for part in (50, 95, 99)]
_BUCKET = "time_bucket(step, e.started_at) AS bucket"


def percentiles(*keys: str, where: str = "true") -> str:
    """The latency of each of these (columns; `bucket` of a `step`): percentiles, maximum and sum of server time.

    Of `a`. Names are qualified throughout: the parameters of the macros have those of columns.
    """
    told = [_BUCKET if key == "bucket" else f"e.{key}" for key in keys]
    each = ", ".join(["true", *(f"b.{key}" for key in keys)])
    of = ", ".join(f"e.{key}" for key in keys) or "true"
    return f"""SELECT {", ".join([*(f"e.{key}" for key in keys), *_PERCENTILES])}, max(e.mean) AS max_ms,
            sum(e.ms) AS server_ms
        FROM (SELECT b.*, b.ms / b.n AS mean, sum(b.n) OVER (PARTITION BY {each} ORDER BY b.bin) AS upto,
                sum(b.n) OVER (PARTITION BY {each}) AS of_all
            FROM (SELECT {", ".join([*told, "e.bin"])}, sum(e.answers) AS n, sum(e.server_ms) AS ms
                FROM {TIMES} e WHERE {where} GROUP BY ALL HAVING n > 0) b) e
        GROUP BY {of}"""
