"""The charts, each a function from rows to a picture.

The idea: a chart is a description, made once, and rows. Names of fields, titles and tooltips are constants in it, and
what servers said is only ever a value: Vega shows it as text. Axes of counts and times begin at zero, times are in the
viewer's zone, units stand on the axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final

import altair as alt
import pyarrow as pa
import streamlit as st

from mcptap.dashboard import look
from mcptap.exporters.cli.safe import harmless

Row = dict[str, Any]
Spec = dict[str, Any]
Ends = tuple[datetime, datetime] | None  # UTC, without zone

HEIGHT: Final = 280
LEAST_SEEN: Final = 300  # parts of a chart's width
# Vega would write 19:40 as 07:40, without saying which half of the day that is.
CLOCK: Final = """hours(datum.value) + minutes(datum.value) + seconds(datum.value) == 0
    ? timeFormat(datum.value, '%b %d')
    : timeFormat(datum.value, seconds(datum.value) == 0 ? '%H:%M' : ':%S')"""
# With more ticks every second label is left out for want of room, and with it the dates.
TIME: Final = alt.Axis(title=None, labelOverlap=True, grid=False, tickCount=8, labelExpr=CLOCK)
BUCKET: Final = alt.X("bucket:T", axis=TIME)
AT: Final = alt.Tooltip("bucket:T", title="from", format="%Y-%m-%d %H:%M:%S")
LOG: Final = alt.Scale(type="log", nice=False)
ROOT: Final = "sqrt"  # a scale that begins at zero and still shows what is small beside what is large
NO_HEIGHT: Final = {"calls": 0, "errors": 0, "server_ms": 0, "waiting_ms": 0}
SHOWN: Final = ("bucket", "until", "calls", "errors")  # of a row of the activity, beside its server
WHOSE: Final = {"server_ms": "server", "waiting_ms": "waiting for somebody"}
PARTS: Final = {"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99"}
OUTCOMES: Final = {
    "ok": look.GOOD, "tool_error": look.BAD, "rpc_error": "#B5478F", "no_response": "#8C6D1F", "late": "#E69F00",
    "cancelled": "#E69F00", "input_required": "#009E73", "task_created": "#009E73",
}  # fmt: skip


def activity(rows: Sequence[Row], step: int, ends: Ends, *, key: str) -> None:
    """Calls per step of time, by server, and below them the errors. `ends` are those of the axis (None: the data's)."""
    told = _stacked(_lasting(rows, step, ends))
    _draw(_activity(), told, "content", key=key, alt_text="Calls over time by server, and errors over time")


@cache
def _activity() -> Spec:
    stacked = alt.Chart().encode(x=BUCKET, x2="until:T")
    shown = [AT, alt.Tooltip("server:N"), alt.Tooltip("calls:Q"), alt.Tooltip("errors:Q")]
    colour = alt.Color("server:N", title=None, legend=alt.Legend(orient="top", columns=3, labelLimit=120))
    calls = stacked.mark_rect().encode(y=alt.Y("low:Q", title="calls"), y2="high:Q", color=colour, tooltip=shown)
    errors = stacked.mark_rect(color=look.BAD).encode(
        y=alt.Y("low_errors:Q", title="errors", axis=alt.Axis(tickCount=2)), y2="high_errors:Q", tooltip=shown
    )
    both = alt.vconcat(calls.properties(height=150, width="container"), errors.properties(height=50, width="container"))
    return _spec(both.resolve_scale(x="shared"))


def _stacked(rows: Sequence[Row]) -> list[Row]:
    """Each row with where its part of its bar begins and ends."""
    tops: dict[Any, tuple[int, int]] = {}
    told = []
    for row in rows:
        low, low_errors = tops.get(row["bucket"], (0, 0))
        high, high_errors = low + row["calls"], low_errors + row["errors"]
        tops[row["bucket"]] = high, high_errors
        ends = {"low": low, "high": high, "low_errors": low_errors, "high_errors": high_errors}
        shown = {name: row[name] for name in SHOWN}
        told.append(shown | ends | {"server": harmless(str(row["server"]))[:60]})
    return told


def percentiles(rows: Sequence[Row], ends: Ends, *, key: str) -> None:
    """p50, p95 and p99 over time."""
    told = [
        {"bucket": row["bucket"], "part": name, "ms": row[column]}
        for row in rows
        for column, name in PARTS.items()
        if row[column] is not None
    ]
    _draw(_percentiles(ends), told, HEIGHT, key=key, alt_text="Percentiles of server time over time")


@lru_cache(maxsize=64)
def _percentiles(ends: Ends) -> Spec:
    chart = alt.Chart().mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=2).encode(
        x=_since(ends),
        y=alt.Y("ms:Q", title="server time, ms", scale=alt.Scale(type=ROOT, zero=True)),
        color=alt.Color("part:N", title=None, sort=list(PARTS.values()), legend=alt.Legend(orient="top")),
        strokeDash=alt.StrokeDash("part:N", title=None, sort=list(PARTS.values()), legend=None),
        tooltip=[AT, alt.Tooltip("part:N", title="percentile"), alt.Tooltip("ms:Q", format=",.1f")],
    )  # fmt: skip
    return _spec(chart)


def heat(rows: Sequence[Row], step: int, ends: Ends, *, key: str) -> None:
    """How many calls took how long, over time; the scale of durations is logarithmic."""
    _draw(_heat(), _lasting(rows, step, ends), HEIGHT, key=key, alt_text="Calls by duration over time")


@cache
def _heat() -> Spec:
    chart = alt.Chart().mark_rect().encode(
        x=BUCKET, x2="until:T",
        y=alt.Y("from_ms:Q", title="server time, ms (log)", axis=alt.Axis(grid=False), scale=LOG), y2="to_ms:Q",
        color=alt.Color("calls:Q", title="calls", scale=alt.Scale(type="log"), legend=alt.Legend(orient="top")),
        tooltip=[AT, alt.Tooltip("from_ms:Q", title="from ms", format=",.1f"),
                 alt.Tooltip("to_ms:Q", title="to ms", format=",.1f"), alt.Tooltip("calls:Q")],
    )  # fmt: skip
    return _spec(chart)


def waiting(rows: Sequence[Row], step: int, ends: Ends, *, key: str) -> None:
    """The servers' own time beside the time in which they waited for a person or a model."""
    told = []
    for row in _lasting(rows, step, ends):
        low = 0.0
        for column, name in WHOSE.items():
            high = low + (row[column] or 0) / 1e3
            told.append({"bucket": row["bucket"], "until": row["until"], "of": name, "low": low, "high": high})
            low = high
    _draw(_waiting(), told, HEIGHT, key=key, alt_text="Server time and waiting time")


@cache
def _waiting() -> Spec:
    chart = alt.Chart().mark_rect().encode(
        x=BUCKET, x2="until:T", y=alt.Y("low:Q", title="seconds"), y2="high:Q",
        color=alt.Color("of:N", title=None, sort=list(WHOSE.values()), legend=alt.Legend(orient="top")),
        tooltip=[AT, alt.Tooltip("of:N", title="time of"), alt.Tooltip("high:Q", title="seconds", format=",.2f")],
    )  # fmt: skip
    return _spec(chart)


def distribution(rows: Sequence[Row], *, key: str) -> None:
    """How many calls took how long, over all times."""
    sums: dict[tuple[float, float], int] = {}
    for row in rows:
        sums[row["from_ms"], row["to_ms"]] = sums.get((row["from_ms"], row["to_ms"]), 0) + row["calls"]
    told = [{"from_ms": begin, "to_ms": end, "calls": calls, "none": 0} for (begin, end), calls in sums.items()]
    _draw(_distribution(), told, 180, key=key, alt_text="Distribution of server time")


@cache
def _distribution() -> Spec:
    chart = alt.Chart().mark_rect(stroke="white", strokeWidth=0.5).encode(
        x=alt.X("from_ms:Q", title="server time, ms (log)", scale=LOG), x2="to_ms:Q",
        y=alt.Y("calls:Q", title="calls"), y2="none:Q",
        tooltip=[alt.Tooltip("from_ms:Q", title="from ms", format=",.1f"),
                 alt.Tooltip("to_ms:Q", title="to ms", format=",.1f"), alt.Tooltip("calls:Q")],
    )  # fmt: skip
    return _spec(chart)


def memory(rows: Sequence[Row], *, key: str) -> None:
    """Memory of runs over time."""
    told = [{"at": row["at"], "run": row["run_id"][-8:], "mb": row["rss_bytes"] / 1e6} for row in rows]
    _draw(_memory(), told, 180, key=key, alt_text="Memory over time")


@cache
def _memory() -> Spec:
    chart = alt.Chart().mark_line(point=alt.OverlayMarkDef(size=14), interpolate="step-after").encode(
        x=alt.X("at:T", axis=TIME), y=alt.Y("mb:Q", title="memory, MB"),
        color=alt.Color("run:N", title=None, legend=alt.Legend(orient="top", columns=4)),
        tooltip=[alt.Tooltip("at:T", title="at", format="%Y-%m-%d %H:%M:%S"), alt.Tooltip("run:N"),
                 alt.Tooltip("mb:Q", title="MB", format=",.1f")],
    )  # fmt: skip
    return _spec(chart)


def waterfall(rows: Sequence[Row], *, key: str) -> None:
    """Exchanges one below the other, from their request to their answer. The shortest are drawn as wide as is seen."""
    least = max((row["end_ms"] for row in rows), default=0.0) / LEAST_SEEN
    present = tuple(outcome for outcome in OUTCOMES if any(row["outcome"] == outcome for row in rows))
    told = [
        {
            "n": number,
            "begin": row["begin_ms"] / 1e3,
            "end": max(row["end_ms"], row["begin_ms"] + least) / 1e3,
            "what": f"{row['seq']} {harmless(str(row['target'] or row['method'] or '?'))[:40]}",
            "outcome": row["outcome"] or "?",
            "ms": row["end_ms"] - row["begin_ms"],
            "from": "host" if row["side"] == "client" else "server",
        }
        for number, row in enumerate(rows)
    ]
    _draw(_waterfall(present), told, 110 + 22 * len(told), key=key, alt_text="Exchanges over the time of the run")


@lru_cache(maxsize=64)
def _waterfall(present: tuple[str, ...]) -> Spec:
    chart = alt.Chart().mark_bar(height=9, cornerRadius=2, clip=True).encode(
        x=alt.X("begin:Q", title="seconds since the start of the run", scale=alt.Scale(nice=True)), x2="end:Q",
        y=alt.Y("what:N", title=None, sort=alt.SortField("n"), axis=alt.Axis(labelLimit=220, labelOverlap=False)),
        color=alt.Color("outcome:N", title=None, legend=alt.Legend(orient="top", columns=4),
                        scale=alt.Scale(domain=present, range=[OUTCOMES[outcome] for outcome in present])),
        stroke=alt.condition("datum.from == 'server'", alt.value("#CC79A7"), alt.value(None)),
        tooltip=[alt.Tooltip("what:N", title="message"), alt.Tooltip("from:N", title="asked by"),
                 alt.Tooltip("outcome:N"), alt.Tooltip("begin:Q", title="after s", format=",.3f"),
                 alt.Tooltip("ms:Q", format=",.1f")],
    )  # fmt: skip
    return _spec(chart)


def plain(rows: pa.Table, x: str, y: str, *, bars: bool, key: str) -> None:
    """A user's own question: one column against another. The names are theirs, so they are data here too."""
    names = ["a", "b"]
    told = rows.select([x, y]).rename_columns(names)
    temporal = pa.types.is_timestamp(told.schema.field("a").type)
    kind = "T" if temporal else "Q" if _is_number(told.schema.field("a").type) and not bars else "N"
    _draw(_plain(kind, bars=bars), told.slice(0, 5_000), HEIGHT, key=key, alt_text="Chart of the answer")


@lru_cache(maxsize=8)
def _plain(kind: str, *, bars: bool) -> Spec:
    marked = alt.Chart().mark_bar() if bars else alt.Chart().mark_line(point=True)
    chart = marked.encode(x=alt.X(f"a:{kind}", title=None, sort=None), y=alt.Y("b:Q", title=None),
                          tooltip=[alt.Tooltip(f"a:{kind}", title="x"), alt.Tooltip("b:Q", title="y")])  # fmt: skip
    return _spec(chart)


def flow(edges: Sequence[tuple[str, str, int]]) -> None:
    """Servers, and what walked from one to another."""
    names = {name: f"n{number}" for number, name in enumerate(dict.fromkeys(n for a, b, _ in edges for n in (a, b)))}
    nodes = [f"{node} [label={_quoted(name)}]" for name, node in names.items()]
    lines = [f"{names[a]} -> {names[b]} [label={_quoted(str(times))}]" for a, b, times in edges]
    style = 'rankdir=LR; node [shape=box, style=rounded, fontname=sans]; edge [color="#D55E00", fontname=sans]'
    st.graphviz_chart(f"digraph {{ {style}; bgcolor=transparent; {'; '.join([*nodes, *lines])} }}", width="content")


def _is_number(type_: Any) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def _quoted(name: str) -> str:
    shown = harmless(name)[:60].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'


def _lasting(rows: Sequence[Row], step: int, ends: Ends) -> list[Row]:
    """The rows with the end of each one's step of time; two that are not seen stretch the axis to its ends.

    The ends are in the data because a chart whose description changes is made anew, and one whose data changes is not.
    """
    told = [row | {"until": row["bucket"] + timedelta(seconds=step)} for row in rows]
    edges = [when.replace(tzinfo=UTC) for when in ends] if ends and rows else []
    flat = NO_HEIGHT if rows and "from_ms" not in rows[0] else {}
    return [*told, *(rows[0] | flat | {"bucket": when, "until": when} for when in edges)]


def _since(ends: Ends) -> alt.X:
    """The axis of time: all that was asked for, also where nothing happened."""
    if ends is None:
        return BUCKET
    told = [when.replace(tzinfo=UTC).isoformat() for when in ends]
    return alt.X("bucket:T", axis=TIME, scale=alt.Scale(domain=told))


def _spec(chart: Any) -> Spec:
    """The description alone, without Altair's own colours and sizes; the rows come with each drawing."""
    told: Spec = chart.to_dict()
    for part in (told, *told.get("vconcat", ())):
        for name in ("config", "$schema", "data", "datasets"):
            part.pop(name, None)
    return told


def _draw(spec: Spec, rows: pa.Table | list[Row], height: int | Any, *, key: str, alt_text: str) -> None:
    data = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
    st.vega_lite_chart(data, deepcopy(spec), width="stretch", height=height, key=key, alt=alt_text)
