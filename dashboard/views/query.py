"""Query: a user's own SQL, read-only, with a table, a chart, and the answer to take away."""

from __future__ import annotations

import io
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import streamlit as st

from mcptap.dashboard import charts, columns, safe, store
from mcptap.dashboard.filters import Chosen
from mcptap.exporters.cli.output import str_cell
from mcptap.exporters.store.read import StoreError, run

TITLE: Final = "Query"
LIVE: Final = False
SHOWN: Final = 1_000  # rows
EXAMPLES: Final = {
    "Calls of the last day, by tool": "FROM tool_summary(since := now()::TIMESTAMP - INTERVAL 1 DAY)",
    "What fails, and how often": "FROM error_groups() SELECT server, target, error_group, errors, last_at",
    "Calls by hour": "FROM timeline(step := INTERVAL 1 HOUR)\n"
    "SELECT bucket, sum(calls)::BIGINT AS calls GROUP BY ALL ORDER BY ALL",
    "What definitions cost in tokens": "SELECT server_key, sum(tokens_estimate)::BIGINT AS tokens\n"
    "FROM current_definitions GROUP BY ALL ORDER BY tokens DESC",
    "Largest answers": "SELECT run_id, seq, target, reply_bytes FROM exchanges ORDER BY reply_bytes DESC LIMIT 20",
    "Findings by rule": "SELECT rule, severity, count(*) AS findings FROM findings GROUP BY ALL ORDER BY findings DESC",
    "What there is": "SELECT table_name, column_name, data_type FROM information_schema.columns ORDER BY ALL",
}


def draw(chosen: Chosen) -> None:
    """The page; the filters are for the other pages, and for whoever writes them into a statement."""
    del chosen
    st.selectbox("Example", list(EXAMPLES), index=None, key="example", placeholder="write your own, or begin with one",
                 on_change=_take)  # fmt: skip
    sql = st.text_area("SQL", key="sql", height=140, placeholder="one statement that reads", bind="query-params")
    st.text("Times are in UTC, durations in milliseconds. mcptap query answers the same.")
    if not st.button("Run", key="run_query") and st.session_state.get("asked") != sql:
        return
    st.session_state["asked"] = sql
    if sql and sql.strip():
        _answer(sql)


def _take() -> None:
    if st.session_state.get("example"):
        st.session_state["sql"] = EXAMPLES[st.session_state["example"]]


def _answer(sql: str) -> None:
    try:
        with st.spinner("Asking…"):
            names, rows = run(sql, store.home())
    except StoreError as problem:
        st.error("This was not answered:")
        safe.code(f"{problem}\n{problem.hint}".strip())
        return
    safe.text(f"{len(rows):,} rows" + (f", of which {SHOWN:,} are shown" if len(rows) > SHOWN else ""))
    if not rows:
        return
    told = [dict(enumerate(row)) for row in rows[:SHOWN]]
    shown = [{f"c{number}": value for number, value in row.items()} for row in told]
    config = {f"c{number}": columns.named(name) for number, name in enumerate(names)}
    safe.table(shown, config, key="answer", most=15)
    _chart(names, rows)
    left, right = st.columns(2)
    with left:
        st.download_button("CSV", safe.spreadsheet(names, rows), "answer.csv", "text/csv", on_click="ignore", key="csv")
    with right:
        st.download_button("Parquet", _parquet(names, rows), "answer.parquet", "application/octet-stream",
                           on_click="ignore", key="parquet")  # fmt: skip


def _chart(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    numeric = [n for n in range(len(names)) if any(_is_number(row[n]) for row in rows[:SHOWN])]
    if not numeric or len(names) < 2:
        return
    y = numeric[-1]
    x = next(number for number in range(len(names)) if number != y)
    st.header("Chart")
    told = pa.table(
        {"x": safe.array([_plain(row[x]) for row in rows[:SHOWN]]), "y": [_float(row[y]) for row in rows[:SHOWN]]}
    )
    charts.plain(told, "x", "y", bars=isinstance(told["x"][0].as_py(), str), key="answer_chart")


def _parquet(names: list[str], rows: list[tuple[Any, ...]]) -> bytes:
    """The answer in columns; what Arrow cannot hold as it is, as text. Two columns of one name get numbers."""
    unique = [name if names.index(name) == number else f"{name}_{number}" for number, name in enumerate(names)]
    told = {name: safe.array([row[number] for row in rows]) for number, name in enumerate(unique)}
    target = io.BytesIO()
    pq.write_table(pa.table(told), target)
    return target.getvalue()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _float(value: Any) -> float | None:
    return float(value) if _is_number(value) else None


def _plain(value: Any) -> Any:
    from datetime import datetime

    return value if isinstance(value, datetime | float) or _is_number(value) else safe.visible(str_cell(value))[:80]
