"""Keeps the store up with the journal, and its readers served.

The idea: the journal is written whatever the database does; this task only looks, a few times a second and only
when something was written, whether the store can take more. The store is a process of its own (`store.worker`): a
query that takes too much ends with that process, and the next one goes on where it was. Nothing here fails: what is
wrong with the store is a state that is told.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio

from mcptap.exporters.collector import keys
from mcptap.exporters.store.child import Child

EVERY_S = 0.2  # rows shall appear within a second
RETRY_S = 0.5  # while the store is behind or unwell
ANSWER_S = 0.5  # so long `status` waits for news of the store
CLOSE_S = 45.0  # for what is left to load; the next collector loads the rest
RESTART_S = (0.1, 1.0, 2.0, 5.0, 10.0)  # from the end of the store's process to the next one's start
HEALTHY_S = 20.0  # a process that lived so long did not end of what the last one ended of
CAREFUL = 3  # ends in a row, after which the next process loads in small pieces
NOTE_S = 300.0  # so long `status` says why the last process ended

UNKNOWN = {"state": "loading", "detail": "", "lag_runs": 0, "lag_bytes": 0, "serving": False}

log = logging.getLogger(__name__)


class Loader:
    """Loads what changed; `announce` is told the port at which readers are served, None while there is none."""

    def __init__(self, home: Path, announce: Callable[[int | None], None]) -> None:
        self._home, self._announce = home, announce
        self._changed: set[str] | None = None  # run ids; None: look at all
        self._wake = anyio.Event()
        self._child: Child | None = None
        self._said: dict[str, Any] = UNKNOWN  # by the last process
        self._said_at = time.monotonic()
        self._note, self._noted_at = "", 0.0
        self._port: int | None = None  # as announced
        self._ends = 0  # of processes that did not live long, in a row
        self.busy = True

    def changed(self, run_id: str) -> None:
        """Lines have been written for this run."""
        if self._changed is not None:
            self._changed.add(run_id)
        self._wake.set()

    async def run(self) -> None:
        """Loads for ever, with one process of the store after the other."""
        while True:
            born = time.monotonic()
            try:
                await self._live()
            except Exception as bug:  # the store may fail, the collector must not
                self._remember(f"the store's process cannot be kept: {type(bug).__name__}: {bug}")
                self._said = self._said | {"state": "unavailable"}
            await self._bury()
            await anyio.sleep(RESTART_S[min(self._ends, len(RESTART_S) - 1)])
            self._ends = 0 if time.monotonic() - born > HEALTHY_S else self._ends + 1

    async def status(self) -> dict[str, Any]:
        """State, one line about it, how much of the journal has not been loaded, and how long ago that was so."""
        fresh = False
        with anyio.move_on_after(ANSWER_S):
            fresh = self._child is not None and await self._child.tell()
        said, note = self._latest(), self._note if time.monotonic() - self._noted_at < NOTE_S else ""
        behind = not fresh and (self.busy or self._changed is None or bool(self._changed))  # nobody knows by how much
        return {
            "state": said["state"],
            "detail": said["detail"] or note,
            "lag_runs": max(int(behind), said["lag_runs"]),
            "lag_bytes": max(int(behind), said["lag_bytes"]),
            "port": self._port if said["serving"] else None,
            "age_s": round(time.monotonic() - self._said_at, 1),
        }

    async def close(self) -> None:
        """Loads what is left, within limits, and ends the store's process."""
        try:
            with anyio.move_on_after(CLOSE_S):
                child = self._child or await self._start()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(child.listen)
                    await child.load(self._changed)
                    tasks.cancel_scope.cancel()
        except Exception as bug:
            log.error("loading failed: %s", type(bug).__name__)
        if self._child is not None:
            await self._child.end()

    async def _live(self) -> None:
        """One process of the store, from its start to its end."""
        child = await self._start()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._feed, child)
            tasks.start_soon(self._guard, child)
            await child.listen()
            tasks.cancel_scope.cancel()
        log.warning("the store's process ended")

    async def _bury(self) -> None:
        child, self._child = self._child, None
        self._changed, self.busy = None, True
        self._tell_port(None)
        if child is not None:
            self._said = UNKNOWN | self._said | child.said | {"state": "loading", "detail": "", "serving": False}
            self._said_at = child.said_at
            child.kill()
            await child.end()

    async def _start(self) -> Child:
        token = keys.keep(self._home / keys.TOKEN).decode()
        self._child = await Child.start(self._home, token, careful=self._ends >= CAREFUL)
        return self._child

    async def _feed(self, child: Child) -> None:
        while True:
            self.busy = True
            await self._pass(child)
            self.busy = not self._is_well() or bool(self._changed)
            with anyio.move_on_after(None if self._is_well() else RETRY_S):
                await self._wake.wait()
            self._wake = anyio.Event()
            await anyio.sleep(EVERY_S)

    async def _pass(self, child: Child) -> None:
        hint, self._changed = self._changed, set()
        before = self._latest()["state"]
        await child.load(hint)
        said = self._latest()
        self._tell_port(said.get("port"))
        if said["state"] != "ok":
            self._changed = None
        if said["state"] != before:
            log.info("store: %s %s", said["state"], said["detail"])

    def _is_well(self) -> bool:
        said = self._latest()
        return said["state"] == "ok" and bool(said["serving"])

    async def _guard(self, child: Child) -> None:
        reason = await child.watch()
        self._remember(f"restarted: {reason}")
        child.kill()

    def _latest(self) -> dict[str, Any]:
        if self._child is not None and self._child.said:
            self._said, self._said_at = UNKNOWN | self._said | self._child.said, self._child.said_at
        return self._said

    def _remember(self, note: str) -> None:
        self._note, self._noted_at = note, time.monotonic()
        log.warning("store: %s", note)

    def _tell_port(self, port: int | None) -> None:
        if port != self._port:
            with suppress(OSError):  # the disk is full; tried again after the next pass
                self._announce(port)
                self._port = port
