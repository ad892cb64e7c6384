"""The script that Streamlit runs for every visitor: navigation, filters, and the chosen page, drawn again and again.

The idea: the frame is drawn once and each page is a fragment, so a refresh takes nothing away from whoever is choosing
a filter or reading a body.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from zlib import crc32

import streamlit as st

from mcptap.dashboard import filters, look, safe, states, store
from mcptap.dashboard.views import errors, latency, overview, query, runs, security, servers, tools
from mcptap.exporters.store.read import StoreError

REFRESH = "5s"
# One list without parts: in it every link is an entry, also for who hears it.
PAGES: tuple[tuple[str, str, str, ModuleType], ...] = (
    ("Overview", "overview", ":material/dashboard:", overview),
    ("Servers", "servers", ":material/dns:", servers),
    ("Tools", "tools", ":material/build:", tools),
    ("Latency", "latency", ":material/speed:", latency),
    ("Errors", "errors", ":material/error:", errors),
    ("Runs", "runs", ":material/timeline:", runs),
    ("Security", "security", ":material/shield:", security),
    ("Query", "query", ":material/database:", query),
)


def main() -> None:
    """One run of the script."""
    st.set_page_config(page_title="mcptap", page_icon=look.icon(), layout="wide")
    held: dict[str, filters.Chosen] = {}
    pages = [
        st.Page(partial(_page, module, held), title=title, icon=icon, url_path=path, default=path == "overview")
        for title, path, icon, module in PAGES
    ]
    st.session_state["pages"] = {page.url_path or "overview": page for page in pages}
    page = st.navigation(pages)
    condition, told = store.state()
    st.fragment(states.watch, run_every=states.LOOK_AGAIN)(condition.state)
    if not states.is_readable(condition):
        states.unavailable(condition, store.home())
        return
    states.notes(told)
    try:
        with st.sidebar:
            held["chosen"] = filters.choose()
            st.toggle("Live", value=True, key="live", help="Looks again every few seconds")
            safe.text(f"Recorded in {store.home()}")
        page.run()
    except StoreError as problem:
        states.unreadable(problem)


def _page(module: ModuleType, held: dict[str, filters.Chosen]) -> None:
    st.title(module.TITLE)  # lint: constant
    again = REFRESH if st.session_state.get("live") and module.LIVE else None
    st.fragment(_drawn, run_every=again)(module.draw, held["chosen"])
    with st.container(key="page_end"), st.container(key=f"of_{crc32(repr(held['chosen']).encode())}"):
        st.empty()  # whoever waits for a page knows by these two that it is whole, and of what


def _drawn(draw: Callable[[filters.Chosen], None], chosen: filters.Chosen) -> None:
    try:
        draw(chosen)
    except StoreError as problem:
        states.unreadable(problem)


main()
