"""Servers: how each fares, over all its runs, and one of them closely."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from mcptap.dashboard import charts, columns, filters, parts, safe, states, store
from mcptap.dashboard.filters import Chosen
from mcptap.dashboard.parts import Question
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.units import number, size

TITLE: Final = "Servers"
LIVE: Final = True
MOST: Final = 50
SERVER: Final = {
    "server": columns.words("server"),
    "state": columns.words("state"),
    "runs": columns.count("runs"),
    "calls": columns.count("calls"),
    "error_rate": columns.share("failed"),
    "p50_ms": columns.milliseconds("p50"),
    "p95_ms": columns.milliseconds("p95"),
    "tools_offered": columns.count("tools"),
    "tools_used": columns.count("used"),
    "definition_tokens": columns.count("tokens"),
    "last_run_at": columns.moment("last run"),
}
RUN: Final = {
    "run": columns.words("run"),
    "started_at": columns.moment("started"),
    "state": columns.words("state"),
    "start_number": columns.count("start"),
    "requests": columns.count("requests"),
    "unanswered": columns.count("unanswered"),
    "first_answer_ms": columns.milliseconds("first answer"),
    "peak_rss_bytes": columns.size("memory"),
    "cpu_seconds": columns.seconds("processor"),
    "era": columns.words("era"),
    "protocol_version": columns.words("MCP"),
    "server_version": columns.words("version"),
}
RUNS: Final = """
    SELECT right(h.run_id, 8) AS run, h.*, r.protocol_version, r.server_version, e.era
    FROM run_health h JOIN runs r USING (run_id)
        LEFT JOIN (SELECT run_id, max(era) AS era FROM exchanges GROUP BY run_id) e USING (run_id)
    WHERE h.server_key = {key} AND {where} ORDER BY h.started_at DESC LIMIT {most}"""
CRASHES: Final = """SELECT c.*, right(c.run_id, 8) AS run FROM crashes c JOIN runs r USING (run_id)
    WHERE c.server_key = {key} AND {where} ORDER BY c.started_at DESC LIMIT 20"""
RESTARTS: Final = """SELECT count(*) AS restarts FROM restarts x JOIN runs r USING (run_id)
    WHERE x.server_key = {key} AND {where}"""
USAGE: Final = """SELECT u.run_id, u."at", u.rss_bytes FROM usage u JOIN (SELECT run_id FROM runs r
        WHERE r.server_key = {key} AND {where} ORDER BY r.started_at DESC LIMIT 8) USING (run_id)
    WHERE u.rss_bytes IS NOT NULL ORDER BY u."at" DESC LIMIT 4000"""
UNUSED: Final = {
    "tool": columns.words("tool"),
    "definition_tokens": columns.count("tokens"),
}


def draw(chosen: Chosen) -> None:
    """The page."""
    (rows,) = parts.rows(chosen, [Question(lambda of: f"FROM {of.asked('server_summary', targets=False)}")])
    if not rows:
        states.nothing("No server fits.", clear=filters.clear)
        return
    st.text("Pick a server to see its runs, crashes and unused tools.")
    picked = safe.table(rows, SERVER, key="servers", pick=True)
    if picked is None and len(rows) == 1:
        picked = 0
    if picked is not None:
        _one(chosen, rows[picked])


def _one(chosen: Chosen, server: dict[str, Any]) -> None:
    safe.heading("Server", server["server"])
    key, where = literal(server["server_key"]), chosen.condition("r.started_at")
    runs = store.rows(RUNS.format(key=key, where=where, most=MOST))
    crashes = store.rows(CRASHES.format(key=key, where=where))
    restarts = store.one(RESTARTS.format(key=key, where=where)).get("restarts", 0)
    with st.grid(columns=4, min_column_width=150):
        safe.metric("Runs", number(len(runs)), delta=f"{number(restarts)} restarts")
        safe.metric("Crashes", number(len(crashes)))
        peak = max((run["peak_rss_bytes"] or 0 for run in runs), default=0)
        safe.metric("Memory at most", size(peak) if peak else "-")
        safe.metric("Definitions", number(server["definition_tokens"] or 0), delta="tokens of context")
    st.header("Runs")
    safe.table(runs, RUN, key="server_runs")
    _crashes(crashes)
    usage = store.rows(USAGE.format(key=key, where=where))
    if usage:
        st.header("Memory")
        charts.memory(usage, key="memory")
    _unused(server)


def _crashes(crashes: list[dict[str, Any]]) -> None:
    st.header("Crashes")
    if not crashes:
        states.nothing("None of these runs has crashed.")
    for crash in crashes:
        ended = f"exit {crash['exit_code']}" if crash["exit_signal"] is None else f"signal {crash['exit_signal']}"
        with safe.expander(f"{crash['run']}: {crash['how']}, {ended}", key=f"crash_{crash['run_id']}") as part:
            if part.open:
                safe.code(crash["stderr_tail"] or "(nothing on stderr)", key=f"stderr_{crash['run_id']}")


def _unused(server: dict[str, Any]) -> None:
    st.header("Offered and never called")
    rows = store.rows(
        f"FROM tool_summary(server := {literal(server['server'])}) WHERE calls = 0 AND offered "
        f"AND server_key = {literal(server['server_key'])} ORDER BY definition_tokens DESC NULLS LAST, tool"
    )
    if rows:
        safe.table(rows, UNUSED, key="unused")
    else:
        states.nothing("Every tool that it offers was called, or it has not told what it offers.")
