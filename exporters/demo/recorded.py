"""What was recorded, read back through the store as any user would, and held against what the client saw.

Every value that came from a server passes through `visible` before it reaches a terminal.
"""

from __future__ import annotations

import gzip
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from mcptap.exporters.store import read

CATCH_UP = 10.0  # seconds that the store is given to show the last row
KEPT = (  # every place of the store that holds text from outside
    ("runs", "command"),
    ("messages", "body"),
    ("exchanges", "request_body"),
    ("exchanges", "reply_body"),
    ("exchanges", "error_message"),
    ("stderr_lines", "text"),
    ("findings", "evidence"),
    ("definitions", "body"),
)
TEXTS = "select {column}::varchar from {relation} where {column} is not null"
CALLS = """
    select r.name as server, e.target as tool, count(*) as calls,
           round(quantile_cont(e.duration_ms, 0.5), 1) as "p50 ms",
           round(quantile_cont(e.duration_ms, 0.95), 1) as "p95 ms",
           count(*) filter (e.outcome in ('tool_error', 'rpc_error')) as errors
    from exchanges e join runs r using (run_id)
    where e.method = 'tools/call' and r.run_id >= '{since}' group by all order by server, tool"""
SLOWEST = """
    select r.name as server, coalesce(e.target, e.method) as what, round(e.duration_ms, 1) as ms, e.outcome
    from exchanges e join runs r using (run_id)
    where r.run_id >= '{since}' order by e.duration_ms desc limit 5"""
SECRETS = """
    select r.name as server, d.rule as "kind of secret", count(*) as times,
           string_agg(distinct coalesce(e.target, m.method, m.kind, 'command, stderr'), ', ') as "found in"
    from redactions d join runs r using (run_id)
    left join messages m on m.run_id = d.run_id and m.seq = d.seq
    left join exchanges e on e.run_id = d.run_id and d.seq in (e.seq, e.reply_seq)
    where r.run_id >= '{since}' group by all order by server, "kind of secret\""""
FINDINGS = """
    select r.name as server, f.severity, f.detector, f.title
    from findings f join runs r using (run_id)
    where r.run_id >= '{since}' group by all order by server, f.detector limit 10"""
OUTCOMES = """
    select r.name, e.method, e.target, e.outcome, count(*)::integer
    from exchanges e join runs r using (run_id) where r.run_id >= '{since}' group by all"""
TABLES = (
    ("Calls per tool", CALLS),
    ("Slowest exchanges", SLOWEST),
    ("Secrets taken out before anything was written", SECRETS),
    ("Findings", FINDINGS),
)
Seen = dict[str, Counter[tuple[str, str | None, str]]]


def visible(text: str) -> str:
    """The text with everything that a terminal would obey, or would not show, written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def since(moment: float) -> str:
    """The smallest run id from `moment` (seconds since the epoch) on: UUIDv7 begin with their time."""
    stamp = f"{int(moment * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}"


def missing(home: Path, seen: Seen, begin: str) -> list[str]:
    """What clients saw and the store does not show though it had time to catch up; empty: all is well."""
    deadline = time.monotonic() + CATCH_UP
    wanted = Counter({(name, *what): count for name, counts in seen.items() for what, count in counts.items()})
    while True:
        have = _counts(home, begin)
        if have == wanted or time.monotonic() > deadline:
            return [
                *_differences("not recorded", wanted - have),
                *_differences("recorded too much", have - wanted),
            ]
        time.sleep(0.1)


def tables(home: Path, begin: str) -> Iterator[Table]:
    """What was recorded, one table per question; empty ones are left out."""
    for title, sql in TABLES:
        columns, rows = read.run(sql.format(since=begin), home)
        if rows:
            yield _table(title, columns, rows)


def leaks(home: Path, secrets: dict[str, str]) -> list[str]:
    """Where a planted secret came to rest, told by its kind: in a file, packed or not, or in a row."""
    found = []
    for place, text in (*_files(home), *_rows(home)):
        for kind, value in secrets.items():
            if value.encode() in text:
                found.append(f"{kind} came to rest in {place}")
    return found


def _counts(home: Path, begin: str) -> Counter[tuple[str, str, str | None, str]]:
    try:
        return Counter({tuple(row[:4]): row[4] for row in read.run(OUTCOMES.format(since=begin), home)[1]})
    except read.NotServingError:  # the store is not there yet
        return Counter()


def _differences(what: str, counts: Counter[tuple[str, str, str | None, str]]) -> list[str]:
    return [
        f"{what}: {count} x {' '.join(str(word) for word in key)}" for key, count in sorted(counts.items(), key=str)
    ]


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(visible(str(value))) for value in row))
    return table


def _files(home: Path) -> list[tuple[str, bytes]]:
    for _ in range(20):
        try:
            return [_contents(path, home) for path in sorted(home.rglob("*")) if path.is_file()]
        except FileNotFoundError:  # compressed meanwhile, so look again
            time.sleep(0.05)
    raise read.StoreError(f"the files under {home} change all the time")


def _contents(path: Path, home: Path) -> tuple[str, bytes]:
    data = path.read_bytes()
    return f"the file {path.relative_to(home)}", gzip.decompress(data) if path.suffix == ".gz" else data


def _rows(home: Path) -> Iterator[tuple[str, bytes]]:
    for relation, column in KEPT:
        _, rows = read.run(TEXTS.format(relation=relation, column=column), home)
        yield f"{relation}.{column}", "\n".join(str(row[0]) for row in rows).encode()
