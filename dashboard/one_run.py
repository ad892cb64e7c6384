"""One run: its facts, the timeline of its exchanges, what was said, stderr, findings, and whether its journal holds.

The idea: everything is asked a page at a time, so a run of a million messages opens as fast as one of ten.
"""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from mcptap.dashboard import charts, columns, exchange, safe, states, store
from mcptap.dashboard.found import COLUMNS as FINDING
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.runs import ending, label, words
from mcptap.exporters.cli.units import size
from mcptap.exporters.journal.verify import Report, verify

PAGE: Final = 50
MATCHES: Final = 100
LINES: Final = 500
ONE: Final = "SELECT * FROM runs WHERE run_id = {run}"
COUNTS: Final = """SELECT (SELECT count(*) FROM messages WHERE run_id = {run}) AS messages,
    (SELECT count(*) FROM exchanges WHERE run_id = {run}) AS exchanges"""
EXCHANGES: Final = """
    SELECT e.seq, e.side, e.method, e.target, coalesce(e.task_outcome, e.outcome) AS outcome,
        (epoch_us(e.started_at) - epoch_us(r.started_at)) / 1e3 AS begin_ms,
        begin_ms + coalesce(e.task_ms, e.duration_ms, 0) AS end_ms
    FROM exchanges e JOIN runs r USING (run_id) WHERE e.run_id = {run} ORDER BY e.seq LIMIT {page} OFFSET {skip}"""
MESSAGES: Final = """
    SELECT m.seq, m."at", m.side, m.kind, coalesce(m.method, e.method) AS method, e.target, m.rpc_id, m.size_bytes,
        CASE WHEN m.seq = e.reply_seq THEN e.outcome END AS outcome,
        CASE WHEN m.seq = e.reply_seq THEN e.duration_ms END AS duration_ms
    FROM (SELECT * EXCLUDE body FROM messages WHERE run_id = {run} {matching} ORDER BY seq LIMIT {page} OFFSET {skip}) m
        LEFT JOIN exchanges e ON e.run_id = {run} AND e.seq = m.exchange_seq ORDER BY m.seq"""
MATCHING: Final = "AND contains(lower(body), {text})"
STDERR: Final = 'SELECT "at", text FROM stderr_lines WHERE run_id = {run} ORDER BY "at" LIMIT {most}'
GAPS: Final = 'SELECT "at", side, bytes, reason FROM gaps WHERE run_id = {run} ORDER BY "at" LIMIT {most}'
FINDINGS: Final = """SELECT f.*, r.name AS server FROM findings f JOIN runs r USING (run_id) WHERE f.run_id = {run}
    ORDER BY f."at" LIMIT {most}"""
MESSAGE: Final = {
    "seq": columns.count("number"),
    "at": columns.precise("when"),
    "from": columns.words("from"),
    "kind": columns.words("kind"),
    "method": columns.words("method"),
    "target": columns.words("tool, prompt, resource"),
    "rpc_id": columns.words("id"),
    "size_bytes": columns.size("size"),
    "outcome": columns.words("outcome"),
    "duration_ms": columns.milliseconds("took"),
}
LINE: Final = {"at": columns.precise("when"), "text": columns.words("stderr", width="large")}
GAP: Final = {
    "at": columns.precise("when"),
    "side": columns.words("side"),
    "bytes": columns.size("not recorded"),
    "reason": columns.words("why", width="large"),
}
TABS: Final = ("Timeline", "Messages", "stderr", "Findings and gaps", "Facts")


def draw(run_id: str) -> None:
    """The run, in parts of which only the open one is asked for."""
    run = literal(run_id)
    told = store.one(ONE.format(run=run))
    how, _ = ending(told["state"], told["exit_code"], told["exit_signal"])
    safe.heading("Run", f"{label(told['name'], told['server_name'], told['command'])}   {run_id}   {how}")
    counts = store.one(COUNTS.format(run=run))
    shown = st.segmented_control("Part", TABS, default=_first(), key="part", bind="query-params", required=True)
    match shown:
        case "Messages":
            _messages(run_id, counts["messages"])
        case "stderr":
            _lines(STDERR.format(run=run, most=LINES), LINE, "The server said nothing on stderr.", key="stderr")
        case "Findings and gaps":
            _lines(FINDINGS.format(run=run, most=LINES), FINDING, "Nothing suspicious was found.", key="run_findings")
            _lines(GAPS.format(run=run, most=LINES), GAP, "Everything that passed is recorded.", key="run_gaps")
        case "Facts":
            _facts(told)
        case _:
            _timeline(run, counts["exchanges"])


def _first() -> str:
    return "Messages" if st.query_params.get("seq") else "Timeline"


def _timeline(run: str, exchanges: int) -> None:
    if not exchanges:
        states.nothing("No request was made in this run.")
        return
    page = _paged(exchanges, key="timeline_page")
    rows = store.rows(EXCHANGES.format(run=run, page=PAGE, skip=PAGE * (page - 1)))
    charts.waterfall(rows, key="waterfall")


def _messages(run_id: str, count: int) -> None:
    run, sought = (
        literal(run_id),
        st.text_input("Search in bodies", key="search", placeholder="a part of what was said"),
    )
    if sought:
        matching, page = MATCHING.format(text=literal(sought.lower())), 1
        st.text(f"At most {MATCHES} messages are shown.")
    else:
        matching, page = "", _paged(count, key="messages_page")
    most = MATCHES if sought else PAGE
    rows = store.rows(MESSAGES.format(run=run, matching=matching, page=most, skip=PAGE * (page - 1)))
    if not rows:
        states.nothing("No message of this run has that in its body.")
        return
    told = [row | {"from": "host" if row["side"] == "client" else "server"} for row in rows]
    picked = safe.table(told, MESSAGE, key="messages", pick=True, most=15)
    seq = rows[picked]["seq"] if picked is not None else _asked_for()
    if seq is None:
        st.text("Pick a message to read it.")
    else:
        exchange.draw(run_id, seq)


def _asked_for() -> int | None:
    wanted = st.query_params.get("seq", "")
    return int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 16 else None


def _paged(count: int, *, key: str) -> int:
    pages = max(1, -(-count // PAGE))
    return st.pagination(pages, key=key) if pages > 1 else 1


def _lines(sql: str, told: dict[str, Any], none: str, *, key: str) -> None:
    rows = store.rows(sql)
    if rows:
        safe.table(rows, told, key=key, most=20)
    else:
        st.text(none)  # lint: constants of this module


def _facts(told: dict[str, Any]) -> None:
    lines = [f"{name}: {value}" for name, value in told.items() if value is not None and name != "command"]
    safe.code("\n".join([f"command: {' '.join(words(told['command']))}", *lines]))
    if st.button("Verify the journal", key="verify"):
        with st.spinner("Reading the whole journal…"):
            _verdict(verify(store.home()))


def _verdict(report: Report) -> None:
    safe.text(f"{report.files} runs, {report.lines:,} lines, {size(report.bytes)}")
    if report.ok:
        st.success("The journal is good: no line is changed, missing or out of its order.")
    else:
        st.error("The journal is not as it was written:")
        safe.code("\n".join(f"{one.file}, line {one.line}: {one.what}" for one in report.problems))
