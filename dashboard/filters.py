"""What is looked at: a span of time, a server, a host, a tool; the same on every page, and in its address.

The idea: a filter is an argument of the database's own macros, so no page filters by itself. Moments are rounded, so
that what one viewer has asked serves the next.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import streamlit as st

from mcptap.dashboard import safe, store
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.runs import of_server

SPANS: Final[dict[str, int | None]] = {
    "15 min": 900,
    "1 h": 3600,
    "6 h": 21_600,
    "24 h": 86_400,
    "7 d": 604_800,
    "30 d": 2_592_000,
    "all": None,
}
USUAL: Final = "7 d"
STEPS: Final = (1, 5, 15, 60, 300, 900, 3600, 10_800, 21_600, 86_400, 604_800)  # seconds
POINTS: Final = 60  # of a chart, about
LEAST_S: Final = 5
MINUTE: Final = 60
EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  as the store has its times
ROUNDED: Final = 200  # parts of a span that its beginning is rounded to
MOST: Final = 2_000  # names to choose from

RECORDED = "SELECT min(started_at) AS first, max(started_at) AS last FROM runs"
CALLED = "SELECT DISTINCT name, server_name, server_key FROM runs ORDER BY ALL LIMIT {most}"
HOSTS = "SELECT DISTINCT host_name AS label FROM runs WHERE host_name IS NOT NULL ORDER BY label LIMIT {most}"
TARGETS = """SELECT DISTINCT tool AS label FROM tool_summary(latency := false) WHERE last_used_at IS NOT NULL
    ORDER BY label LIMIT {most}"""


@dataclass(frozen=True)
class Chosen:
    """What a person looks at: the last so many seconds (None: all), and of whom."""

    seconds: int | None = None
    server: str | None = None
    host: str | None = None
    target: str | None = None

    def asked(self, macro: str, *, targets: bool = True, **more: str) -> str:
        """The macro with these filters, as it stands after FROM; `more` is SQL already."""
        told = [f"{name} := {value}" for name, value in more.items()]
        told += [f"since := {self.moment}"] if self.since else []
        named = (("server", self.server), ("host", self.host), ("target", self.target if targets else None))
        told += [f"{name} := {literal(value)}" for name, value in named if value is not None]
        return f"{macro}({', '.join(told)})"

    def condition(self, at: str, *, target: str = "") -> str:
        """The same as SQL over `runs r`, for what has no macro; `at` and `target` are the columns to look at."""
        parts = ["true"]
        parts += [f"{at} >= {self.moment}"] if self.since else []
        parts += [of_server(self.server)] if self.server is not None else []
        parts += [f"r.host_name = {literal(self.host)}"] if self.host is not None else []
        parts += [f"{target} = {literal(self.target)}"] if self.target is not None and target else []
        return " AND ".join(parts)

    @property
    def since(self) -> datetime | None:
        """Where the span begins now: UTC, without zone, as the store has it."""
        if self.seconds is None:
            return None
        moment = int(time.time() - self.seconds) // self._grain * self._grain
        return EPOCH + timedelta(seconds=moment)

    @property
    def _grain(self) -> int:
        return max(LEAST_S, (self.seconds or 0) // ROUNDED)

    @property
    def moment(self) -> str:
        """`since` as SQL."""
        return f"TIMESTAMP {literal(self.since.isoformat(sep=' '))}" if self.since else "NULL"

    @property
    def narrow(self) -> bool:
        """Whether anything but the span of time is chosen."""
        return any(value is not None for value in (self.server, self.host, self.target))


def choose() -> Chosen:
    """Draws the filters and returns what is chosen."""
    span = st.selectbox(
        "Time", list(SPANS), index=list(SPANS).index(USUAL), key="time", bind="query-params", filter_mode=None
    )
    server = safe.choice("Server", _names(), key="server", nothing="all servers")
    host = safe.choice("Host", _labels(HOSTS), key="host", nothing="all hosts")
    target = safe.choice("Tool", _labels(TARGETS), key="tool", nothing="all tools")
    return Chosen(SPANS.get(span or USUAL), server, host, target)


def called() -> list[dict[str, Any]]:
    """What servers were called, by the user and by themselves, beside their keys; at most MOST. Raises StoreError."""
    return store.rows(CALLED.format(most=MOST))


def clear() -> None:
    """Takes all filters back; for a button's callback."""
    for name in ("server", "host", "tool"):
        st.session_state[name] = None
    st.session_state["time"] = "all"


def step(chosen: Chosen) -> int:
    """Seconds between two points of a chart, so that there are about as many as can be told apart."""
    seconds = _shown_s(chosen)
    return next((step for step in STEPS if seconds <= step * POINTS), STEPS[-1])


def ends(chosen: Chosen) -> tuple[datetime, datetime] | None:
    """The span for an axis, in UTC without zone: what is chosen, but nothing from before the first run.

    It moves on in steps, so that a chart is not drawn anew for every second. None: that of the data.
    """
    since, recorded = chosen.since, _recorded()
    if since is None or recorded is None:
        return None
    first, now = recorded
    grain = max(MINUTE, _shown_s(chosen) // ROUNDED)
    return max(since, first - timedelta(seconds=step(chosen))), EPOCH + timedelta(seconds=(now // grain + 1) * grain)


def _recorded() -> tuple[datetime, int] | None:
    """The second in which the first run began, UTC without zone, and the present one, since 1970.

    If every run began later than now, the clock was put back: then the last beginning stands for the present.
    """
    told = store.one(RECORDED)
    if not told.get("first"):
        return None
    first, last = (told[name].replace(microsecond=0, tzinfo=None) for name in ("first", "last"))
    begun, now = _since_1970(first), int(time.time())
    return first, now if begun <= now else _since_1970(last)


def _since_1970(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds())


def _shown_s(chosen: Chosen) -> int:
    """Seconds of what is chosen in which anything was recorded."""
    recorded = _recorded()
    if recorded is None:
        return 0
    first, now = recorded
    begin = first if chosen.since is None else max(chosen.since, first)
    return now - _since_1970(begin)


def _names() -> list[str]:
    return sorted({name for row in called() if (name := row["name"] or row["server_name"])})


def _labels(sql: str) -> list[str]:
    return [row["label"] for row in store.rows(sql.format(most=MOST))]
