"""Security: what is suspicious and why, what changed, what walked from server to server, which secrets were seen."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import streamlit as st

from mcptap.dashboard import charts, columns, decisions, definitions, filters, finding, safe, states, store
from mcptap.dashboard.filters import Chosen
from mcptap.dashboard.found import COLUMNS, found
from mcptap.exporters.cli.findings import details
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.units import number
from mcptap.tap.detect.rule import CHANNELS, SEVERITIES

TITLE: Final = "Security"
LIVE: Final = True
MOST: Final = 500
SECRET: Final = {
    "rule": columns.words("kind"),
    "server": columns.words("server"),
    "side": columns.words("seen on"),
    "times": columns.count("times"),
    "secrets": columns.count("different"),
    "first_at": columns.moment("first"),
    "last_at": columns.moment("last"),
}
SHARED: Final = {
    "rule": columns.words("kind"),
    "fingerprint": columns.words("fingerprint"),
    "servers": columns.words("servers", width="large"),
    "times": columns.count("times"),
    "last_at": columns.moment("last"),
}
OF_SERVER: Final = "c.server_key IN (SELECT server_key FROM runs WHERE {server} IN (name, server_name))"
PARTS: Final = ("Findings", "Changed definitions", "Data flow", "Secrets", "Muted")


def draw(chosen: Chosen) -> None:
    """The page."""
    told = found(chosen)
    by = Counter(row["severity"] for row in told.shown)
    with st.grid(columns=5, min_column_width=120):
        for name in reversed(SEVERITIES):
            safe.metric(name, number(by[name]))
    part = st.segmented_control("Part", PARTS, default="Findings", key="security", bind="query-params", required=True)
    match part:
        case "Changed definitions":
            _changes(chosen)
        case "Data flow":
            _flow(told.shown)
        case "Secrets":
            _secrets(chosen)
        case "Muted":
            decisions.muted(len(told.hidden))
        case _:
            _findings(told.shown, len(told.hidden))


def _findings(rows: list[dict[str, Any]], hidden: int) -> None:
    one, two, three = st.columns(3)
    with one:
        severity = st.selectbox("Severity", list(reversed(SEVERITIES)), index=None, key="severity",
                                placeholder="any", bind="query-params")  # fmt: skip
    with two:
        channel = st.selectbox("Where", list(CHANNELS), index=None, key="channel", placeholder="anywhere",
                               bind="query-params")  # fmt: skip
    with three:
        rule = safe.choice("Rule", sorted({row["rule"] for row in rows}), key="rule", nothing="any rule")
    wanted = {"severity": severity, "channel": channel, "rule": rule}
    fits = [row for row in rows if all(value is None or row[name] == value for name, value in wanted.items())]
    if hidden:
        safe.text(f"{hidden} muted findings are not shown.")
    if not fits:
        _none(bool(rows))
        return
    st.text("Pick a finding to see why it is one.")
    picked = safe.table(fits[:MOST], COLUMNS, key="findings", pick=True)
    asked_for = (row for row in rows if row["finding_id"] == st.query_params.get("finding"))
    shown = fits[picked] if picked is not None else next(asked_for, None)
    if shown is not None:
        finding.draw(shown)


def _none(others: bool) -> None:
    if others:
        states.nothing("No finding fits.")
    elif store.state()[1].get("detection", {}).get("state") == "off":
        states.detection_off()
    else:
        states.nothing("Nothing suspicious is recorded that fits.", clear=filters.clear)


def _changes(chosen: Chosen) -> None:
    parts = [f'c."at" >= {chosen.moment}'] if chosen.since else []
    parts += [f"c.name = {literal(chosen.target)}"] if chosen.target else []
    if chosen.server is not None:
        parts.append(OF_SERVER.format(server=literal(chosen.server)))
    rows = store.rows(definitions.CHANGES.format(where=" AND ".join(parts) or "true", most=MOST))
    if rows:
        definitions.changes(rows[:50], key="all")
    else:
        states.nothing("No definition has changed since it was first seen.", clear=filters.clear)
    decisions.approve()


def _flow(rows: list[dict[str, Any]]) -> None:
    told = [(row, details(row)) for row in rows if row["detector"] == "flow"]
    edges: Counter[tuple[str, str]] = Counter()
    for row, why in told:
        origin, sink = why.get("from"), why.get("to")
        if isinstance(origin, dict) and isinstance(sink, dict):
            edges[str(origin.get("server") or "?"), str(sink.get("server") or row["server"] or "?")] += 1
    if not edges:
        states.nothing("Nothing was seen to walk from one server to another.")
        return
    charts.flow([(origin, sink, times) for (origin, sink), times in edges.items()])
    st.text("Each arrow is something that one server gave and another was given, and how often.")
    safe.table([row for row, _ in told], COLUMNS, key="flow")


def _secrets(chosen: Chosen) -> None:
    kinds = store.rows(f"FROM {chosen.asked('secret_summary')} LIMIT {MOST}")
    if not kinds:
        states.nothing("No secret was seen.", clear=filters.clear)
        return
    st.text("Kinds only: the values were taken out before anything was written.")
    safe.table(kinds, SECRET, key="secrets", most=20)
    shared = store.rows(f"FROM {chosen.asked('shared_secrets')} LIMIT {MOST}")
    if shared:
        st.header("Seen on more than one server")
        safe.table(shared, SHARED, key="shared")
