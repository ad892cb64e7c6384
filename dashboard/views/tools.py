"""Tools: which are used, fail, take long and fill a model's context; and one of them closely."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from mcptap.dashboard import charts, columns, definitions, exchange, filters, parts, safe, states, store
from mcptap.dashboard.filters import Chosen
from mcptap.dashboard.parts import Question
from mcptap.exporters.cli.reading import literal

TITLE: Final = "Tools"
LIVE: Final = True
MOST: Final = 500
TOOL: Final = {
    "tool": columns.words("tool"),
    "server": columns.words("server"),
    "calls": columns.count("calls"),
    "errors": columns.count("errors"),
    "error_rate": columns.share("failed"),
    "p50_ms": columns.milliseconds("p50"),
    "p95_ms": columns.milliseconds("p95"),
    "p99_ms": columns.milliseconds("p99"),
    "reply_bytes": columns.size("results"),
    "tokens_estimate": columns.count("result tokens"),
    "definition_tokens": columns.count("definition tokens"),
    "last_used_at": columns.moment("last use"),
}
CALL: Final = {
    "place": columns.words("call"),
    "started_at": columns.precise("when"),
    "outcome": columns.words("outcome"),
    "duration_ms": columns.milliseconds("took"),
    "request_bytes": columns.size("request"),
    "reply_bytes": columns.size("answer"),
    "error_message": columns.words("error", width="large"),
}
CALLS: Final = """
    SELECT right(e.run_id, 8) || '/' || e.seq AS place, e.run_id, e.seq, e.started_at, e.outcome, e.duration_ms,
        e.request_bytes, e.reply_bytes, e.error_message
    FROM exchanges e JOIN runs r USING (run_id)
    WHERE e.target = {tool} AND e.method = 'tools/call' AND coalesce(r.server_key, '') = {key} AND {where}
    ORDER BY e.started_at DESC LIMIT 50"""


def draw(chosen: Chosen) -> None:
    """The page."""
    only = st.segmented_control(
        "Show", ["all", "used", "unused", "failing"], default="all", key="tools_shown", bind="query-params"
    )
    where = {"used": "calls > 0", "unused": "calls = 0", "failing": "errors > 0"}.get(str(only), "true")
    every = Question(
        lambda of: f"FROM {of.asked('tool_summary')} WHERE {where} ORDER BY calls DESC, server, tool LIMIT {MOST}",
        ("server", "target"),
        MOST,
    )
    (rows,) = parts.rows(chosen, [every])
    if not rows:
        states.nothing("No tool fits.", clear=filters.clear)
        return
    st.text("Pick a tool to see its latency, definition, changes and calls.")
    picked = safe.table(rows, TOOL, key="tools", pick=True, most=15)
    if picked is None and len(rows) == 1:
        picked = 0
    if picked is not None:
        _one(chosen, rows[picked])


def _one(chosen: Chosen, tool: dict[str, Any]) -> None:
    safe.heading("Tool", tool["tool"])
    narrowed = Chosen(chosen.seconds, tool["server"], chosen.host, tool["tool"])
    heat = store.rows(f"FROM {narrowed.asked('latency_heatmap', step='INTERVAL 1 DAY')}")
    if heat:
        st.header("How long it takes")
        charts.distribution(heat, key="tool_latency")
    definitions.one(tool["server_key"], "tool", tool["tool"])
    st.header("Newest calls")
    rows = store.rows(
        CALLS.format(
            tool=literal(tool["tool"]), key=literal(tool["server_key"]), where=chosen.condition("e.started_at")
        )
    )
    if rows:
        exchange.picked_from(rows, CALL, key="tool_calls")
    else:
        states.nothing("It was not called in this time.")
