"""Keeps the process that sends to OpenTelemetry backends, as long as there is a backend to send to.

The idea: this side imports nothing of OpenTelemetry and connects to nothing. It knows which destinations there are
(the configuration file, looked at again when it changes, and what taps brought for their own runs), tells the other
process which runs have grown, and remembers the last word it heard. What taps bring is kept in memory only: it may hold
secrets.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio
import psutil
from anyio.abc import Process

from mcptap.exporters.configuration import CONFIG
from mcptap.exporters.otlp.settings import Destination, brought, configured, to_json
from mcptap.tap.pipe.starter import PASSED

EVERY_S: Final = 0.2  # changes are told so often
LOOK_S: Final = 2.0  # from one look at the configuration file to the next
RESTART_S: Final = (0.2, 1.0, 5.0, 30.0)
HEALTHY_S: Final = 30.0
FINISH_S: Final = 5.0  # for what is left to send when the collector leaves
SILENCE_S: Final = 60.0
MAX_RSS: Final = 256 << 20  # bytes of its process
MAX_BROUGHT: Final = 64  # destinations that taps bring

log = logging.getLogger(__name__)


class Telemetry:
    """The destinations, and the process that serves them. Nothing here fails: what is wrong is told by `status`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._configured: tuple[Destination, ...] = ()
        self._seen: tuple[int, int, int] | None = None  # of the configuration file
        self._brought: dict[str, Destination] = {}
        self._own: dict[str, str] = {}  # run to the key of the destination that its tap brought
        self._problems: dict[str, str] = {}  # by run: what is wrong with what its tap brought
        self._changed: set[str] = set()
        self._process: Process | None = None
        self._lanes: list[dict[str, Any]] = []
        self._finished = anyio.Event()
        self._heard_at = 0.0
        self._starts = 0
        self._news = True  # destinations that were not told to the process
        self._note = ""

    def changed(self, run_id: str) -> None:
        """Lines have been written for this run."""
        if self._process is not None:
            self._changed.add(run_id)

    def bring(self, run_id: str, settings: Any) -> None:
        """Takes the OTEL_* settings of a run's tap."""
        if not isinstance(settings, dict):
            return
        found = brought({str(name): str(value) for name, value in settings.items()})
        if found is None:
            return
        if found.problem:
            self._problems[run_id] = found.problem
            return
        if found.place in {one.place for one in self._configured}:
            return
        self._brought.pop(found.key, None)
        self._brought[found.key] = found
        if len(self._brought) > MAX_BROUGHT:
            del self._brought[next(iter(self._brought))]
        self._own[run_id] = found.key
        self._news = True

    def release(self, run_id: str) -> None:
        """The run has ended, or its tap has gone."""
        self._problems.pop(run_id, None)

    @property
    def busy(self) -> bool:
        """Whether something is being sent, and passes."""
        return self._process is not None and any(lane["state"] == "sending" for lane in self._lanes)

    def status(self) -> list[dict[str, Any]]:
        """Each destination: where, how it is, how far it is behind, and the last thing that went wrong."""
        self._look()
        places = [*self._configured, *self._brought.values()]
        wrong = [_off("environment", problem) for problem in dict.fromkeys(self._problems.values())]
        return [*(self._status_of(destination) for destination in places), *wrong]

    async def run(self) -> None:
        """Keeps the process for ever."""
        while True:
            self._look()
            if not any(destination.routes for destination in (*self._configured, *self._brought.values())):
                await anyio.sleep(EVERY_S if self._news else LOOK_S / 2)
                self._news = False
                continue
            born = time.monotonic()
            try:
                await self._live()
            except Exception as bug:  # exporting may fail, the collector must not
                self._note = f"the exporting process cannot be kept: {type(bug).__name__}"
                log.error("%s", self._note)
            await self._bury()
            self._starts = 0 if time.monotonic() - born > HEALTHY_S else self._starts + 1
            await anyio.sleep(RESTART_S[min(self._starts, len(RESTART_S) - 1)])

    async def close(self) -> None:
        """Lets the process send what it can in a moment, and ends it."""
        process = self._process
        if process is None:
            return
        with anyio.move_on_after(FINISH_S + 1), suppress(Exception):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._listen, process)
                await self._tell_changes()
                await self._say(finish=FINISH_S)
                await self._finished.wait()
                tasks.cancel_scope.cancel()
        await self._bury()

    async def _live(self) -> None:
        command = [sys.executable, "-P", "-m", "mcptap.exporters.otlp.worker", "--home", str(self._home)]
        environment = {name: value for name, value in os.environ.items() if name in PASSED}
        self._process = process = await anyio.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            env=environment | {"MALLOC_ARENA_MAX": "2"},
            start_new_session=True,
        )
        self._news, self._heard_at = True, time.monotonic()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._feed)
            await self._listen(process)
            tasks.cancel_scope.cancel()
        log.warning("the exporting process ended")

    async def _feed(self) -> None:
        """Tells the process what is new; kills it when it takes too much or says nothing."""
        looked = 0.0
        while True:
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                self._look()
                self._watch()
            await self._tell_changes()
            await anyio.sleep(EVERY_S)

    async def _tell_changes(self) -> None:
        if self._news:
            self._news = False
            rows = [to_json(one) for one in self._configured if one.routes]
            rows += [{**to_json(one), "alone": True} for one in self._brought.values()]
            await self._say(destinations=rows)
            for run_id, key in list(self._own.items()):
                await self._say(own=[run_id], to=key)
            self._own = {}
        if self._changed:
            changed, self._changed = self._changed, set()
            await self._say(changed=sorted(changed))

    async def _listen(self, process: Process) -> None:
        assert process.stdout
        rest = b""
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                *lines, rest = (rest + await process.stdout.receive()).split(b"\n")
                for line in lines:
                    said = json.loads(line)
                    self._lanes, self._heard_at = said["lanes"], time.monotonic()
                    if said.get("finished"):
                        self._finished.set()

    async def _say(self, **command: Any) -> None:
        assert self._process
        assert self._process.stdin
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # `_listen` notices
            await self._process.stdin.send(json.dumps(command).encode() + b"\n")

    async def _bury(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with anyio.CancelScope(shield=True):
                with suppress(ProcessLookupError):
                    process.kill()
                await process.aclose()

    def _watch(self) -> None:
        assert self._process
        rss = 0
        with suppress(psutil.Error):
            rss = psutil.Process(self._process.pid).memory_info().rss
        if rss > MAX_RSS or time.monotonic() - self._heard_at > SILENCE_S:
            self._note = "the exporting process was restarted: it took too much memory or did not answer"
            log.warning("%s", self._note)
            with suppress(ProcessLookupError):
                self._process.kill()

    def _look(self) -> None:
        """Reads the configuration file if it is another than before."""
        try:
            found = (self._home / CONFIG).stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            seen = (0, 0, 0)
        if seen != self._seen:
            self._seen, self._configured, self._news = seen, configured(self._home), True
            for destination in self._configured:
                if destination.problem:
                    log.warning("export to %s: %s", destination.name, destination.problem)

    def _status_of(self, destination: Destination) -> dict[str, Any]:
        if destination.problem:
            return _off(destination.name, destination.problem)
        lanes = [lane for lane in self._lanes if lane["key"] == destination.key]
        wrong = [lane for lane in lanes if lane["state"] == "failing"]
        told = [lane for lane in (*wrong, *lanes) if lane["error"]]
        states = {lane["state"] for lane in lanes}
        state = "failing" if wrong else "sending" if "sending" in states else "ok" if lanes else "starting"
        return {
            "name": destination.name,
            "place": destination.place,
            "state": state,
            "detail": f"{told[0]['signal']}: {told[0]['error']}" if told else self._note or None,
            "lag_runs": max((lane["lag_runs"] for lane in lanes), default=0),
            "lag_bytes": max((lane["lag_bytes"] for lane in lanes), default=0),
            "signals": [{key: lane[key] for key in lane if key not in ("key", "name")} for lane in lanes],
        }


def _off(name: str, problem: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {"place": None, "lag_runs": None, "lag_bytes": None, "signals": []}
    return {"name": name, "state": "off", "detail": problem, **nothing}
