"""What a person decides on a page: to mute, to show again, to approve; by the functions that the command line uses.

The idea: a decision is kept with who, when and why wherever it was made. What servers are called goes in as it is: a
name with `*` in it means only itself.
"""

from __future__ import annotations

import glob
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from mcptap.dashboard import columns, safe, states, store
from mcptap.exporters.cli.approve import approve_offers
from mcptap.exporters.cli.errors import CommandError, one_line
from mcptap.exporters.cli.findings import rules_of
from mcptap.exporters.cli.mute import add_mute, take_back
from mcptap.exporters.cli.mutes import load

UNTIL: Final[dict[str, int | None]] = {"for good": None, "1 day": 1, "7 days": 7, "30 days": 30}
WHERE: Final = ("this tool of this server", "this server", "everywhere")
MUTE: Final = {
    "rule": columns.words("rule"),
    "server": columns.words("server"),
    "tool": columns.words("tool"),
    "until": columns.words("until"),
    "who": columns.words("by"),
    "at": columns.words("since"),
    "why": columns.words("why", width="large"),
}
SERVERS: Final = """SELECT DISTINCT server_key AS label FROM definitions WHERE state = 'current' ORDER BY label"""


def mute(row: dict[str, Any]) -> None:
    """A form that hides this finding and those like it."""
    with st.form("mute", border=True):
        one, two = st.columns(2)
        with one:
            where = st.selectbox("Mute the rules of this finding", WHERE, key="mute_where")
        with two:
            until = st.selectbox("For how long", list(UNTIL), key="mute_until")
        why = st.text_input("Why", key="mute_why", max_chars=200)
        if st.form_submit_button("Mute", key="mute_now"):
            _decided(lambda: _mute(row, where or WHERE[0], until or "for good", why or ""))


def muted(hidden: int) -> None:
    """What is muted, and a way to take it back."""
    try:
        mutes = load(store.home())
    except CommandError as problem:
        safe.text(one_line(problem))
        return
    safe.text(f"{hidden} findings are hidden by what is muted.")
    if not mutes:
        states.nothing("Nothing is muted. A finding can be muted where it is shown.")
        return
    rows = [{name: getattr(one, name) for name in MUTE} for one in mutes]
    picked = safe.table(rows, MUTE, key="mutes", pick=True)
    if picked is None:
        st.text("Pick one to take it back.")
    elif st.button("Show these findings again", key="unmute"):
        one = mutes[picked]
        _decided(lambda: take_back(store.home(), one.rule, one.server, one.tool))


def approve() -> None:
    """Makes what a server offers now the measure of what it will offer."""
    st.header("Approve")
    st.text("From then on every listing is compared with what was approved.")
    names = [row["label"] for row in store.rows(SERVERS)]
    if not names:
        states.nothing("No server has told yet what it offers.")
        return
    server = safe.choice("What this server offers now is as it should be", names, key="approve", nothing="a server")
    why = st.text_input("Why", key="approve_why", max_chars=200)
    if server is not None and st.button("Approve", key="approve_now"):
        _decided(lambda: approve_offers(store.home(), store.fresh, server, (), why or ""))


def _mute(row: dict[str, Any], where: str, until: str, why: str) -> None:
    server = glob.escape(row["server"]) if where != WHERE[2] and row["server"] else "*"
    tool = glob.escape(row["target"]) if where == WHERE[0] and row["target"] else "*"
    days = UNTIL[until]
    ends = None if days is None else (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for rule in sorted(rules_of(row)):
        add_mute(store.home(), rule, server, tool, until=ends, why=why)


def _decided(act: Callable[[], Any]) -> None:
    try:
        act()
    except (CommandError, OSError) as problem:
        st.error("This could not be kept:")
        safe.code(one_line(problem))
        return
    store.forget()
    st.toast("Kept.")
    st.rerun()
