"""The runs that are being recorded: begun by a hello, resumed from the journal, closed when their tap is gone for good.

The idea: a run belongs to its journal, not to a connection. A tap may lose its collector and find another, a copy of
it may deliver the rest after its death; whoever says hello with a run's id goes on with it. Only when the process
that could do so no longer lives is the run called lost.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.to_thread import run_sync

from mcptap.exporters.collector import processes, watchman
from mcptap.exporters.collector.detection import Detection
from mcptap.exporters.collector.live_run import DamagedRunError, LiveRun
from mcptap.exporters.journal.compression import compress
from mcptap.exporters.journal.ledger import Ledger, runs_told
from mcptap.exporters.journal.reader import PLAIN, find_run, run_files
from mcptap.exporters.journal.writer import open_runs
from mcptap.tap.pipe.handover import NOTES
from mcptap.tap.redact import Redactor

COMPRESS_AFTER_S = 2.0
RECOVERED_S = 5.0  # so long a copy that a tap left behind may take to find a new collector


class RunClosedError(Exception):
    """The record of this run has been closed; nobody can add to it."""


log = logging.getLogger(__name__)


class Runs:
    """All runs that have not ended, by run_id, and what is to be done with those that have."""

    def __init__(
        self, home: Path, redactor: Redactor, tasks: TaskGroup, changed: Callable[[str], None], *, detection: Detection
    ) -> None:
        self._detection = detection
        self.live: dict[str, LiveRun] = {}
        self._connected: dict[str, anyio.CancelScope] = {}
        self._home, self._redactor, self._tasks, self._changed = home, redactor, tasks, changed
        self._ledger = Ledger(home)
        self._compressible: dict[str, float] = {}  # run_id: when it ended
        self._turns: dict[str, anyio.Lock] = {}  # a run is begun or resumed by one at a time; others need not wait

    async def take(self, hello: dict[str, Any], scope: anyio.CancelScope) -> LiveRun:
        """The run that a hello names, new or resumed, now read under `scope`.

        Raises OSError when the journal cannot be written, RunClosedError when it is too late, DamagedRunError;
        ValueError, KeyError, TypeError for a hello that is none.
        """
        run_id = str(hello["run_id"])
        async with self._turn(run_id):
            while run_id in self._connected:  # its tap has come back before we noticed that it had gone
                self._connected[run_id].cancel()
                await anyio.sleep(0.01)
            run = self.live.get(run_id)
            if run is None or run.ended:
                run = await run_sync(self._open, hello)
            run.tap = hello["tap_pid"], processes.created(hello["tap_pid"])
            self.live[run_id], self._connected[run_id] = run, scope
        self._changed(run_id)
        return run

    def has_server(self, pid: int) -> bool:
        """Whether a server with this pid is looked after."""
        return any(run.started.server_pid == pid for run in self.live.values())

    def release(self, run: LiveRun) -> None:
        """Its connection is gone: closed if the run has ended, else waited for."""
        self._connected.pop(run.run_id, None)
        if run.ended:
            self._forget(run.run_id)
        else:
            self._tasks.start_soon(self._await_return, run)

    async def recover(self) -> None:
        """Takes up the runs that an earlier collector left open."""
        found: list[LiveRun] = []
        for run_id in await run_sync(open_runs, self._home):
            async with self._turn(run_id):
                if run_id in self.live:
                    continue
                try:
                    run = self.live[run_id] = await run_sync(self._resume, run_id)
                except Exception as problem:  # its journal is damaged; the others are recorded all the same
                    log.error("run %s cannot be resumed: %s", run_id, type(problem).__name__)
                    continue
            self._changed(run_id)
            found.append(run)
        for run in found:
            self._tasks.start_soon(self._await_return, run, RECOVERED_S)
        await self._find_compressible()

    async def take_notes(self) -> None:
        """Counts, as gaps, the traffic of runs that could not be delivered. Raises OSError."""
        for path in sorted((self._home / NOTES).glob("*.json")):
            try:
                note = json.loads(path.read_bytes())
                run_id, offsets = str(note["run_id"]), [int(offset) for offset in note["offsets"]]
            except (ValueError, KeyError, TypeError):
                path.replace(path.with_suffix(".unreadable"))
                continue
            async with self._turn(run_id):
                if run_id not in self._connected:
                    await self._take_note(run_id, note, offsets)
                    path.unlink()

    async def _take_note(self, run_id: str, note: dict[str, Any], offsets: list[int]) -> None:
        with suppress(RunClosedError, DamagedRunError):  # what could be told has been told
            if run_id not in self.live:
                self.live[run_id] = await run_sync(self._open, _hello_of(note))
            await run_sync(partial(self.live[run_id].lose, "its record could not be delivered", offsets))
        self._forget(run_id)

    async def sync(self) -> None:
        """Waits until everything written is on the disk."""
        for run in list(self.live.values()):
            await run_sync(run.sync)

    async def compress(self) -> None:
        """Compresses the files of runs that have ended, once the store has had the time to read them as they are."""
        for run_id, ended_at in list(self._compressible.items()):
            if run_id not in self.live and time.monotonic() - ended_at > COMPRESS_AFTER_S:
                del self._compressible[run_id]
                with suppress(FileNotFoundError):  # somebody deleted it
                    await run_sync(compress, self._home, self._ledger, run_id)

    async def _find_compressible(self) -> None:
        files, told = await run_sync(run_files, self._home), await run_sync(runs_told, self._home)
        closed = {run_id for run_id, run in told.items() if run.lines is not None}
        plain = (run_id for run_id, path in files if path.suffix == PLAIN and run_id in closed)
        self._compressible |= dict.fromkeys(plain, 0.0)

    def close(self) -> None:
        self._ledger.close()

    def _open(self, hello: dict[str, Any]) -> LiveRun:
        run_id = str(hello["run_id"])
        try:
            if find_run(self._home, run_id) and run_id in open_runs(self._home):
                return self._resume(run_id)
            return LiveRun.begin(self._home, self._ledger, self._redactor, hello, self._detection.everywhere())
        except FileExistsError as problem:
            raise RunClosedError(f"run {run_id} has been closed") from problem

    def _resume(self, run_id: str) -> LiveRun:
        return LiveRun.resume(self._home, self._ledger, self._redactor, run_id, self._detection.everywhere())

    async def _await_return(self, run: LiveRun, grace_s: float = watchman.RETURN_S) -> None:
        """Until the tap comes back, or does not live any more: then ends its server, and its record."""
        while processes.same_process(*run.tap):
            await anyio.sleep(watchman.RETURN_S)
            if run.run_id in self._connected:
                return
        await anyio.sleep(grace_s)
        while self.live.get(run.run_id) is run:
            async with self._turn(run.run_id):
                if run.run_id in self._connected or self.live.get(run.run_id) is not run:
                    return
                with suppress(OSError):
                    await run_sync(partial(run.lose, "the tap vanished"))
                    self._tasks.start_soon(watchman.end_orphan, run.started.server_pid, run.started.server_created)
                    self._forget(run.run_id)
            await anyio.sleep(watchman.RETURN_S)

    def _turn(self, run_id: str) -> anyio.Lock:
        return self._turns.setdefault(run_id, anyio.Lock())

    def _forget(self, run_id: str) -> None:
        self.live.pop(run_id, None)
        self._turns.pop(run_id, None)
        self._compressible[run_id] = time.monotonic()
        self._changed(run_id)


def _hello_of(note: dict[str, Any]) -> dict[str, Any]:
    """What is known of a run that nobody ever told us about: that it was."""
    unknown = dict.fromkeys(("name", "executable_path", "server_pid", "host_pid"))
    return (
        {"at": time.time_ns(), "command": [], "cwd": "", "env_names": [], "version": "", "tap_pid": 0} | unknown | note
    )
