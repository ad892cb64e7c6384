"""The dashboard's place at the collector: a lease that keeps it from leaving, and how it and its database are.

The idea: whoever looks at pages is a reader, so the collector stays while they do. One that was ended on purpose is not
started again behind the user's back; one that was killed is.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from mcptap.exporters.collector import client
from mcptap.exporters.store.read import COLLECTOR

AGAIN_S: Final = 0.5
READABLE: Final = "readable"


@dataclass(frozen=True)
class Condition:
    """Whether pages can be shown, in one word, and what is to be known of it."""

    state: str  # readable, empty, stopped, or what the database is: loading, locked, full, damaged …
    detail: str = ""


class Lease(threading.Thread):
    """Holds a lease as long as the process lives, from whichever collector there is."""

    def __init__(self, home: Path) -> None:
        super().__init__(name="lease", daemon=True)
        self._home = home

    def run(self) -> None:
        """Never returns."""
        while True:
            with suppress(client.NotRunningError, OSError, ValueError):
                self._hold()
            if was_killed(self._home):
                with suppress(client.NotRunningError, OSError):
                    client.ensure(self._home)
            time.sleep(AGAIN_S)

    def _hold(self) -> None:
        with client.open_request(self._home, "lease") as (held, _):
            held.settimeout(None)
            held.recv(1)


def was_killed(home: Path) -> bool:
    """Whether a collector is gone that did not leave by itself: that takes its file away, and ends then."""
    try:
        pid = int(json.loads((home / COLLECTOR).read_bytes())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return not psutil.pid_exists(pid)


def condition(home: Path) -> tuple[Condition, dict[str, Any]]:
    """How the database is, and all that the collector tells of itself."""
    if not home.is_dir():
        return Condition("empty"), {}
    try:
        told = client.request(home, "status")
    except (client.NotRunningError, OSError, ValueError) as problem:
        return Condition("stopped", str(problem)), {}
    store = told.get("store")
    if not isinstance(store, dict):
        return Condition("outdated", str(told.get("problem", ""))), {}
    if store.get("port") is None:
        return Condition(str(store.get("state")), str(store.get("detail") or "")), told
    return Condition(READABLE), told
