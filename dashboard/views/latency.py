"""Latency: how long answers take, when, and of whose time it is."""

from __future__ import annotations

from typing import Final

import streamlit as st

from mcptap.dashboard import charts, columns, exchange, filters, states, store
from mcptap.dashboard.filters import Chosen

TITLE: Final = "Latency"
LIVE: Final = True
MOST: Final = 50
SLOW: Final = {
    "place": columns.words("call"),
    "target": columns.words("tool, prompt, resource"),
    "server": columns.words("server"),
    "server_ms": columns.milliseconds("server time"),
    "waiting_ms": columns.milliseconds("waited"),
    "rounds": columns.count("rounds"),
    "outcome": columns.words("outcome"),
    "started_at": columns.moment("when"),
}


def draw(chosen: Chosen) -> None:
    """The page."""
    step = filters.step(chosen)
    macro = chosen.asked("latency_timeline", step=f"INTERVAL {step} SECOND")
    rows = store.rows(f"FROM {macro}")
    if not rows:
        states.nothing("No call fits.", clear=filters.clear)
        return
    st.text("The server's own time per answer, without what a person or a model was waited for.")
    st.header("Percentiles")
    charts.percentiles(rows, filters.ends(chosen), key="percentiles")
    st.header("How many calls took how long")
    heat = store.rows(f"FROM {chosen.asked('latency_heatmap', step=f'INTERVAL {step} SECOND')}")
    charts.heat(heat, step, filters.ends(chosen), key="heat")
    st.header("Whose time it was")
    charts.waiting(rows, step, filters.ends(chosen), key="waiting")
    st.header("Slowest calls")
    slow = store.rows(
        f"FROM {chosen.asked('slow_calls', most=str(MOST))} SELECT *, right(run_id, 8) || '/' || seq AS place"
    )
    exchange.picked_from(slow, SLOW, key="slow")
