"""What is shown when there is nothing to show: what is the matter, and what to do, with a command to copy.

The idea: nobody should have to reload a page. Whatever the state is, it is looked at again every two seconds.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import streamlit as st

from mcptap.dashboard import safe, store
from mcptap.dashboard.presence import READABLE, Condition
from mcptap.exporters.collector import client

WRAP: Final = "mcptap -- npx -y @modelcontextprotocol/server-everything"
LOOK_AGAIN: Final = "2s"
ANY_RUN: Final = "SELECT run_id FROM runs LIMIT 1"
# state -> what is the matter, what to do, which command
TOLD: Final[Mapping[str, tuple[str, str, str]]] = {
    "empty": ("Nothing is recorded yet", "Put this before a server's command in your host's settings:", WRAP),
    "stopped": ("The collector is not running", "The first wrapped server starts it, and so does:", "mcptap collector"),
    "outdated": ("The collector is of another version", "End it; the next one is this version's:", "mcptap stop"),
    "loading": ("The database is being filled from the journal", "This page goes on by itself.", "mcptap status"),
    "locked": ("Another program holds the database", "Close what has store.duckdb open. Recording goes on.",
               "mcptap status"),
    "full": ("The disk is full", "Make room. What could not be recorded is counted.", "mcptap status"),
    "damaged": ("The database is damaged", "It is made anew from the journal by itself; or do it now:",
                "mcptap rebuild"),
}  # fmt: skip
OTHER: Final = ("The database cannot be read now", "This page goes on by itself. What it says:", "mcptap status")


def unavailable(condition: Condition, home: Path) -> None:
    """The page in place of a page."""
    what, cure, command = TOLD.get(condition.state, OTHER)
    st.title(what)  # lint: table
    st.text(cure)
    _command(command, home)
    if condition.state == "stopped":
        st.button("Start the collector", key="start_collector", on_click=_start, args=(home,))
    for told in (condition.detail, st.session_state.pop("start_problem", "")):
        if told:
            safe.text(told)
    st.text("This page looks again every 2 seconds.")


def nothing(what: str, *, clear: Any = None) -> None:
    """An empty part of a page: why, and what to do. `what` is ours. `clear` removes the filters, if they are why."""
    if clear is not None and not store.rows(ANY_RUN):
        recorded, cure, command = TOLD["empty"]
        st.text(f"{recorded}. {cure}")
        _command(command, store.home())
        return
    st.text(what)
    if clear is not None:
        st.button("Show everything recorded", key=f"clear_{abs(hash(what))}", on_click=clear)


def _command(command: str, home: Path) -> None:
    """A command to copy that works on this state directory."""
    safe.command(command.replace("mcptap", f"mcptap --home {shlex.quote(str(home))}", 1))


def unreadable(problem: Exception) -> None:
    """A statement that failed, without a traceback."""
    st.warning("The tables cannot be read just now. This page looks again by itself.")
    safe.code(str(problem))
    hint = getattr(problem, "hint", "")
    if hint:
        safe.text(hint)


def watch(shown: str) -> None:
    """Draws the page again when the state is no longer the one that is shown."""
    if store.state()[0].state != shown:
        st.rerun(scope="app")


def notes(told: Mapping[str, Any]) -> None:
    """What a person should know while everything is shown: what is behind, failing or kept in full."""
    kept, behind = told.get("store", {}), told.get("journal", {})
    if behind.get("state") == "failing":
        st.error("Recording fails now:")
        safe.code(behind.get("detail") or "?")
    if kept.get("state") not in ("ok", None):
        st.warning("The tables are behind the journal:")
        safe.code(f"{kept.get('state')} {kept.get('detail') or ''}")


def is_readable(condition: Condition) -> bool:
    """Whether pages can be shown."""
    return condition.state == READABLE


def _start(home: Path) -> None:
    try:
        client.ensure(home)
    except (client.NotRunningError, OSError) as problem:
        st.session_state["start_problem"] = str(problem)
    store.forget()


def detection_off() -> None:
    """Nothing is found where nothing is looked for."""
    nothing("Detection was turned off in config.toml in the state directory. These two lines turn it on:")
    safe.command("[detection]\nenabled = true")
