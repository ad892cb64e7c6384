"""Errors: what went wrong, the same things together, with an example of each; crashes; what was never answered."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from mcptap.dashboard import columns, exchange, filters, safe, states, store
from mcptap.dashboard.filters import Chosen
from mcptap.exporters.cli.failures import SILENT
from mcptap.exporters.cli.units import number

TITLE: Final = "Errors"
LIVE: Final = True
MOST: Final = 200
GROUP: Final = {
    "what": columns.words("what", width="large"),
    "target": columns.words("tool"),
    "server": columns.words("server"),
    "outcome": columns.words("outcome"),
    "errors": columns.count("count"),
    "blind_retries": columns.count("retried blindly"),
    "first_at": columns.moment("first"),
    "last_at": columns.moment("last"),
}
CRASH: Final = {
    "run": columns.words("run"),
    "server_key": columns.words("server"),
    "how": columns.words("how"),
    "exit_code": columns.count("exit code"),
    "exit_signal": columns.count("signal"),
    "unanswered": columns.count("unanswered"),
    "ended_at": columns.moment("when"),
    "stderr_tail": columns.words("last words", width="large"),
}
CRASHES: Final = """SELECT c.*, right(c.run_id, 8) AS run FROM crashes c JOIN runs r USING (run_id)
    WHERE {where} ORDER BY c.ended_at DESC LIMIT 50"""


def draw(chosen: Chosen) -> None:
    """The page."""
    groups = store.rows(f"FROM {chosen.asked('error_groups')} LIMIT {MOST}")
    crashes = store.rows(CRASHES.format(where=chosen.condition("c.ended_at")))
    silent = sum(row["errors"] for row in groups if row["outcome"] == "no_response")
    with st.grid(columns=4, min_column_width=150):
        safe.metric("Errors", number(sum(row["errors"] for row in groups)), delta=f"{len(groups)} kinds")
        safe.metric("Retried blindly", number(sum(row["blind_retries"] for row in groups)))
        safe.metric("Never answered", number(silent))
        safe.metric("Crashes", number(len(crashes)))
    st.header("By cause")
    if groups:
        _groups(groups)
    else:
        states.nothing("Nothing has failed that fits.", clear=filters.clear)
    st.header("Crashes")
    if crashes:
        safe.table(crashes, CRASH, key="crashes")
    else:
        states.nothing("No server has crashed in this time.")


def _groups(groups: list[dict[str, Any]]) -> None:
    st.text("Pick a row to see its latest example.")
    told = [row | {"what": _what(row), "target": row["target"] or row["method"]} for row in groups]
    picked = safe.table(told, GROUP, key="error_groups", pick=True, most=15)
    if picked is not None:
        safe.heading("Latest example", groups[picked]["example"] or _what(groups[picked]))
        exchange.draw(groups[picked]["example_run_id"], groups[picked]["example_seq"])


def _what(row: dict[str, Any]) -> str:
    code = "" if row["error_code"] is None else f"{row['error_code']} "
    return code + (row["error_group"] or SILENT.get(row["outcome"], "(without a message)"))
