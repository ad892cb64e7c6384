"""Overview: what the servers did, what is slow, what fails and what is suspicious, at one look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import streamlit as st

from mcptap.dashboard import charts, columns, filters, found, parts, safe, states, store
from mcptap.dashboard.filters import Chosen
from mcptap.dashboard.parts import Question
from mcptap.exporters.cli.status import GAPS
from mcptap.exporters.cli.summary import share
from mcptap.exporters.cli.units import number, size

Row = dict[str, Any]

TITLE: Final = "Overview"
LIVE: Final = True
NEWEST_EVERY: Final = "2s"
MOST: Final = 8  # rows of a table
TEN: Final = 10.0  # ms; less is told to the hundredth
TOOL: Final = {
    "tool": columns.words("tool"),
    "calls": columns.count("calls"),
    "error_rate": columns.share("failed"),
    "p95_ms": columns.milliseconds("p95"),
    "server": columns.words("server"),
}
CALL: Final = {
    "target": columns.words("tool, prompt, resource"),
    "outcome": columns.words("outcome"),
    "duration_ms": columns.milliseconds("took"),
    "started_at": columns.precise("when"),
    "server": columns.words("server"),
}
FINDING: Final = {
    "severity": columns.words("severity"),
    "rule": columns.words("rule"),
    "target": columns.words("tool"),
    "at": columns.precise("when"),
    "server": columns.words("server"),
}
# Only the columns that are shown: the database leaves out what the others would cost.
OVERALL: Final = "FROM {summary} SELECT calls, errors, error_rate, p50_ms, p95_ms"
SERVERS: Final = "FROM {summary} SELECT server, server_key, state, definition_tokens"
ACTIVITY: Final = "FROM {summary} SELECT bucket, server, server_key, host, calls, errors"
TOOLS: Final = """FROM {summary} SELECT tool, server, server_key, calls, errors, error_rate, p95_ms WHERE calls > 0
    ORDER BY calls DESC, tool LIMIT {most}"""
RANKED: Final = 2_000  # tools
RECENT: Final = " AND e.load_order > (SELECT max(x.load_order) - 20000 FROM exchanges x)"  # what came in last
NEWEST: Final = """
    SELECT e.run_id, e.seq, e.started_at, coalesce(nullif(r.name, ''), r.server_name) AS server, e.target, e.outcome,
        e.duration_ms, e.reply_bytes
    FROM exchanges e JOIN runs r USING (run_id)
    WHERE e.target IS NOT NULL AND {where}{recent} ORDER BY e.started_at DESC LIMIT {most}"""


class Asked(NamedTuple):
    """What the page is made of, but for the sums over all, which are asked for meanwhile."""

    servers: list[Row]
    activity: list[Row]
    tools: list[Row]
    step: int


def asked(chosen: Chosen) -> Asked:
    """Asks for it all. Raises StoreError."""
    step = filters.step(chosen)
    every = f"INTERVAL {step} SECOND"
    activity = Question(
        lambda of: ACTIVITY.format(summary=of.asked("timeline", step=every, latency="false")), ("server", "host")
    )
    questions = (
        Question(lambda of: SERVERS.format(summary=of.asked("server_summary", targets=False, latency="false"))),
        activity,
        Question(lambda of: TOOLS.format(summary=of.asked("tool_summary"), most=RANKED), ("server", "target"), RANKED),
    )
    known = parts.at_hand(chosen, activity) if chosen.narrow else None
    newest = [] if known is None else [_newest_asked(chosen, _since(known))[1]]
    servers, times, tools = parts.rows(chosen, questions, _overall(chosen), found.asked(chosen), GAPS, *newest)
    return Asked(servers, times, tools, step)


def draw(chosen: Chosen) -> None:
    """The page. The sums over all come first in it and are drawn late: they are what a new choice has to wait for."""
    known = asked(chosen)
    since = _since(known.activity)
    recent, older = _newest_asked(chosen, since)
    store.ahead(older if chosen.narrow else recent)
    figures = st.container()
    if not known.activity:
        states.nothing("No call fits. Look at a longer time, or at more servers.", clear=filters.clear)
    else:
        st.header("Activity")
        charts.activity(known.activity, known.step, filters.ends(chosen), key="activity")
        _tools(known.tools)
    with figures:
        _figures(chosen, known.servers)
    left, right = st.columns(2)
    with left:
        st.header("Newest calls")
        newest = st.fragment(_newest, run_every=NEWEST_EVERY if st.session_state.get("live") else None)
        newest(chosen, since)
    with right:
        st.header("Newest findings")
        _findings(chosen)
    st.header("Capture")
    _capture()


def _overall(chosen: Chosen) -> str:
    return OVERALL.format(summary=chosen.asked("overall_summary"))


def _figures(chosen: Chosen, servers: list[Row]) -> None:
    told = store.one(_overall(chosen))
    open_ = found.found(chosen).shown
    running = sum(row["state"] == "running" for row in servers)
    ((gaps, lost),) = [tuple(row.values()) for row in store.rows(GAPS)]
    grave = Counter(row["severity"] for row in open_)
    with st.grid(columns=4, min_column_width=150):
        safe.metric("Calls", number(told.get("calls", 0)))
        safe.metric("Failed", share(told.get("error_rate")), delta=f"{number(told.get('errors', 0))} errors")
        safe.metric("p50", _ms(told.get("p50_ms")))
        safe.metric("p95", _ms(told.get("p95_ms")))
        safe.metric("Servers", number(len(servers)), delta=f"{running} running")
        safe.metric("Open findings", number(len(open_)), delta=", ".join(f"{n} {name}" for name, n in grave.items()))
        safe.metric("Gaps", number(gaps), delta=f"{size(int(lost))} unrecorded")
        tokens = sum(row["definition_tokens"] or 0 for row in servers)
        safe.metric("Definitions", number(tokens), delta="tokens of context")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.{2 if value < TEN else 0}f} ms"


def _tools(rows: list[Row]) -> None:
    busiest = sorted(rows, key=lambda row: -row["calls"])[:MOST]
    worst = sorted((row for row in rows if row["errors"]), key=lambda row: -row["errors"])[:MOST]
    left, right = st.columns(2)
    with left:
        st.header("Busiest tools")
        safe.table(busiest, TOOL, key="busiest")
    with right:
        st.header("Most failing tools")
        if worst:
            safe.table(worst, TOOL, key="worst")
        else:
            states.nothing("No call of a tool has failed.")


def _since(activity: list[Row]) -> str:
    """SQL for the time since which there were as many calls as are shown, so that none from before is looked at."""
    calls = 0
    for row in reversed(activity):
        calls += row["calls"]
        if calls >= MOST:
            return f" AND e.started_at >= TIMESTAMP '{row['bucket']:%Y-%m-%d %H:%M:%S}'"
    return ""


def _newest_asked(chosen: Chosen, since: str) -> tuple[str, str]:
    """The statements for the newest of what came in last, and of all."""
    where = chosen.condition("e.started_at", target="e.target")
    recent, older = (NEWEST.format(where=where, recent=part, most=MOST) for part in (RECENT, since))
    return recent, older


def _newest(chosen: Chosen, since: str) -> None:
    recent, older = _newest_asked(chosen, since)
    rows = store.rows(older) if chosen.narrow else []
    if not (chosen.narrow and store.is_fresh(older)):
        rows = store.fresh(recent)
        if len(rows) < MOST:  # others that fit came in long ago, and can wait
            known = {(row["run_id"], row["seq"]) for row in rows}
            rows = [*rows, *(row for row in store.rows(older) if (row["run_id"], row["seq"]) not in known)][:MOST]
    safe.table(rows, CALL, key="newest")


def _findings(chosen: Chosen) -> None:
    rows = sorted(found.found(chosen).shown, key=lambda row: row["at"], reverse=True)[:MOST]
    if rows:
        picked = safe.table(rows, FINDING, key="newest_findings", pick=True)
        if picked is None:
            st.text("Pick a finding to see its evidence.")
        else:
            wanted = {"finding": rows[picked]["finding_id"]}
            safe.link("Show the evidence", "security", wanted)
        return
    detection = store.state()[1].get("detection", {})
    if detection.get("state") == "off":
        states.detection_off()
    else:
        states.nothing("Nothing suspicious is recorded that fits.")


def _capture() -> None:
    told = store.state()[1]
    collector, kept, journal = (told.get(name, {}) for name in ("collector", "store", "journal"))
    rows = [
        {"part": "collector", "state": collector.get("state"), "detail": f"pid {collector.get('pid')}"},
        {"part": "recording", "state": f"{len(told.get('runs', ()))} runs", "detail": ""},
        {"part": "journal", "state": journal.get("state"), "detail": journal.get("detail") or ""},
        {"part": "store", "state": kept.get("state"), "detail": _behind(kept)},
        *({"part": f"export {one.get('name')}", "state": one.get("state"),
           "detail": one.get("detail") or _behind(one)} for one in told.get("export", ())),
    ]  # fmt: skip
    safe.table(rows, CAPTURE, key="capture")


def _behind(part: Mapping[str, Any]) -> str:
    return f"{size(part.get('lag_bytes') or 0)} behind the journal"


CAPTURE: Final = {
    "part": columns.words("part"),
    "state": columns.words("state"),
    "detail": columns.words("detail", width="large"),
}
