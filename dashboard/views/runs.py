"""Runs: all of them, and one from its start to its end."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from mcptap.dashboard import columns, filters, one_run, safe, states, store
from mcptap.dashboard.filters import Chosen
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.runs import RUNS, ending, label

TITLE: Final = "Runs"
LIVE: Final = True
MOST: Final = 200
RUN: Final = {
    "run": columns.words("run"),
    "server": columns.words("server"),
    "host_name": columns.words("host"),
    "started_at": columns.moment("started"),
    "lasted": columns.seconds("lasted"),
    "end": columns.words("end"),
    "exchanges": columns.count("exchanges"),
    "errors": columns.count("errors"),
    "bytes_client": columns.size("from host"),
    "bytes_server": columns.size("from server"),
}
OF_TARGET: Final = " AND r.run_id IN (SELECT run_id FROM exchanges WHERE target = {target})"
FIND: Final = """SELECT run_id FROM runs WHERE starts_with(lower(run_id), {text}) OR ends_with(lower(run_id), {text})
    ORDER BY lower(run_id) = {text} DESC, started_at DESC LIMIT 1"""


def draw(chosen: Chosen) -> None:
    """The page."""
    where = chosen.condition("r.started_at")
    if chosen.target is not None:
        where += OF_TARGET.format(target=literal(chosen.target))
    rows = store.rows(RUNS.format(where=where, limit=MOST))
    if rows:
        told = [_told(row) for row in rows]
        picked = safe.table(told, RUN, key="runs", pick=True, most=8)
        if picked is not None and st.session_state.get("run_picked") != rows[picked]["run_id"]:
            st.session_state["run_picked"] = st.session_state["run"] = rows[picked]["run_id"]
            st.query_params.pop("seq", None)  # it was a message of another run
    else:
        states.nothing("No run fits.", clear=filters.clear)
    wanted = st.text_input(
        "Run", key="run", bind="query-params", placeholder="pick one above, or write an id, a part of one, or last"
    )
    if not wanted:
        return
    run_id = _found(wanted.strip().lower(), rows)
    if run_id is None:
        states.nothing("No run has this id.")
    else:
        one_run.draw(run_id)


def _found(wanted: str, rows: list[dict[str, Any]]) -> str | None:
    if wanted == "last":
        return rows[0]["run_id"] if rows else None
    found: str | None = store.one(FIND.format(text=literal(wanted))).get("run_id")
    return found


def _told(row: dict[str, Any]) -> dict[str, Any]:
    lasted = (row["ended_at"] - row["started_at"]).total_seconds() if row["ended_at"] else None
    return row | {
        "run": row["run_id"][-8:],
        "server": label(row["name"], row["server_name"], row["command"]),
        "lasted": lasted,
        "end": ending(row["state"], row["exit_code"], row["exit_signal"])[0],
    }
