"""The collector: one process per user and state directory, from its first connection to its last.

The idea: it is only needed while somebody is there. The first tap starts it, taps and readers keep it by being
connected, a minute after the last of them it leaves; being killed at any moment costs nothing that a restart does not
find again. One lock file makes it the only one; a newer tap asks an older collector to leave.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import anyio
from anyio.abc import SocketAttribute, TaskGroup, UNIXSocketStream

from mcptap.exporters.collector import keys
from mcptap.exporters.collector.conversation import newer, read_hello, send, until_closed
from mcptap.exporters.collector.detection import Detection
from mcptap.exporters.collector.intake import Intake, make_lanes
from mcptap.exporters.collector.limits import give_back_at_times, keep_what_is_there, lift_limits
from mcptap.exporters.collector.live_run import DamagedRunError
from mcptap.exporters.collector.loader import Loader
from mcptap.exporters.collector.memory import Memory
from mcptap.exporters.collector.processes import peer
from mcptap.exporters.collector.redaction import Redaction
from mcptap.exporters.collector.runs import RunClosedError, Runs
from mcptap.exporters.collector.sampler import Sampler
from mcptap.exporters.collector.telemetry import Telemetry
from mcptap.exporters.collector.watchman import Processes, end_left
from mcptap.tap.pipe.wire import SOCKET
from mcptap.tap.version import VERSION

LOCK = "collector.lock"
IDLE_S = 60.0
LOG = "%(asctime)s %(levelname)s %(message)s"
SETTLED_S, HELLO_S = 5.0, 10.0
NOTES_EVERY_S = 30.0

log = logging.getLogger(__name__)


def serve(home: str, left: Processes | None = None) -> int:
    """Serves until nobody is there any more. Returns the exit status; 0 also when another collector is at work."""
    logging.basicConfig(format=LOG, level=logging.INFO, stream=sys.stderr)
    lock = os.open(Path(home, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        log.info("another collector is at work in %s", home)
        return 0
    lift_limits()
    anyio.run(Collector(Path(home), lock, left or []).run)
    return 0


class Collector:
    """Listens on the socket and keeps house."""

    def __init__(self, home: Path, lock: int, left: Processes) -> None:
        self._home, self._lock, self._left, self._born = home, lock, left, time.time()
        self._present = self._taps = 0  # connections: of all, and of taps alone
        self._state = "starting"
        self._problems: dict[str, str] = {}
        self._leave = anyio.Event()
        self._lanes = make_lanes()

    async def run(self) -> None:
        """Everything, from binding the socket to removing it."""
        self._redaction, self._detection = Redaction(self._home), Detection(self._home)
        self._loader = Loader(self._home, self._announce)
        self._telemetry = Telemetry(self._home)
        self._announce(None)
        async with anyio.create_task_group() as tasks:
            self._runs = Runs(self._home, self._redaction.redactor, tasks, self._changed, detection=self._detection)
            listener = await anyio.create_unix_listener(SOCKET, mode=0o600)
            tasks.start_soon(self._listen, listener, tasks)
            for task in (
                self._runs.recover,
                self._loader.run,
                self._telemetry.run,
                Sampler(self._runs.live, self._changed).run,
                self._keep_house,
                self._build_scanner,
                self._leave_when_idle,
                self._leave_when_told,
            ):
                tasks.start_soon(task)
            tasks.start_soon(end_left, self._left, self._runs.has_server)
            self._state = "running"
            await self._leave.wait()
            self._state = "leaving"
            Path(SOCKET).unlink(missing_ok=True)  # taps that come now find nobody, and start the next one
            tasks.cancel_scope.cancel()
        await listener.aclose()
        await self._telemetry.close()
        await self._loader.close()
        with suppress(OSError):  # a full disk must not keep us from leaving
            await self._runs.sync()
            self._detection.keep()
            self._runs.close()
        (self._home / "collector.json").unlink(missing_ok=True)
        log.info("left")

    def _changed(self, run_id: str) -> None:
        self._loader.changed(run_id)
        self._telemetry.changed(run_id)

    def _announce(self, port: int | None) -> None:
        facts = json.dumps({"pid": os.getpid(), "version": VERSION, "quack_port": port})
        keys.replace_private(self._home / "collector.json", facts.encode())

    async def _listen(self, listener: Any, tasks: TaskGroup) -> None:
        while True:
            try:
                await listener.serve(self._greet, tasks)
            except anyio.BrokenResourceError:  # too many open files: those that are there go on
                log.warning("cannot take another connection")
                await anyio.sleep(0.5)

    async def _greet(self, connection: UNIXSocketStream) -> None:
        """One connection; whatever goes wrong in it stays in it."""
        descriptors: list[int] = []
        self._present += 1
        try:
            async with connection:
                pid, uid = peer(connection.extra(SocketAttribute.raw_socket))  # noqa: S610
                if uid != os.getuid():
                    return
                with anyio.fail_after(HELLO_S):
                    question = await read_hello(connection, descriptors)
                if pid is not None and "tap_pid" in question:
                    question["tap_pid"] = pid  # as it is known here; in a container it has another for itself
                await self._answer(question, connection, descriptors)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, TimeoutError):
            pass
        except Exception as bug:  # its text may hold what a server sent: only the place is logged
            log.error("connection failed: %s at %s", type(bug).__name__, _place(bug))
        finally:
            self._present -= 1
            for descriptor in descriptors:
                os.close(descriptor)

    async def _answer(self, question: dict[str, Any], connection: UNIXSocketStream, descriptors: list[int]) -> None:
        op = question.get("op")
        if newer(question):
            await send(connection, {"op": "outdated", "problem": f"this collector is {VERSION}"})
            self._leave.set()
        elif op == "tap":
            await self._record(question, connection, descriptors)
        elif op in self._OPERATIONS:
            await send(connection, await self._OPERATIONS[op](self))
            if op == "lease":
                await until_closed(connection)
            elif op == "stop":
                self._leave.set()
        else:
            await send(connection, {"op": "error", "problem": f"unknown operation {op!r}"})

    async def _record(self, hello: dict[str, Any], connection: UNIXSocketStream, descriptors: list[int]) -> None:
        otel = hello.pop("otel", None)  # it may hold secrets: nobody else gets it
        with anyio.CancelScope() as scope:
            try:
                run = await self._runs.take(hello, scope)
            except RunClosedError as problem:
                await send(connection, {"op": "closed", "problem": str(problem)})
                return
            except (OSError, DamagedRunError) as problem:
                said = f"cannot write the journal: {getattr(problem, 'strerror', None) or problem}"
                self._problems[str(hello["run_id"])] = said
                await send(connection, {"op": "error", "problem": said})
                return
            self._taps += 1
            self._telemetry.bring(run.run_id, otel)
            try:
                memory = Memory(descriptors[0])
                with suppress(anyio.BrokenResourceError):  # gone already, but what it recorded is here
                    await send(connection, {"op": "welcome", "version": VERSION, "problem": self._problem})
                intake = Intake(run, memory, connection, self._lanes, problem=partial(self._report, run.run_id))
                await intake.read(lambda: self._changed(run.run_id))
            finally:
                self._taps -= 1
                self._problems.pop(run.run_id, None)
                self._runs.release(run)
                self._telemetry.release(run.run_id)
                self._changed(run.run_id)

    def _report(self, source: str, problem: str | None) -> None:
        """What keeps a source (a run, the house) from being written; None: nothing any more."""
        if problem is None:
            self._problems.pop(source, None)
        elif self._problems.get(source) != problem:
            log.warning("%s", problem)
            self._problems[source] = problem

    @property
    def _problem(self) -> str | None:
        return next(iter(self._problems.values()), None)

    async def _status(self) -> dict[str, Any]:
        return {
            "collector": {
                "pid": os.getpid(),
                "state": self._state,
                "version": VERSION,
                "uptime_s": round(time.time() - self._born, 1),
                "home": str(self._home),
            },
            "taps": self._taps,
            "runs": [run.told() for run in self._runs.live.values()],
            "journal": {"state": "failing" if self._problem else "ok", "detail": self._problem},
            "store": await self._loader.status(),
            "redaction": self._redaction.status(),
            "detection": self._detection.status(),
            "export": self._telemetry.status(),
        }

    async def _pong(self) -> dict[str, Any]:
        return {"op": "pong", "version": VERSION, "problem": self._problem or _unwritable(self._home)}

    async def _stop(self) -> dict[str, Any]:
        return {"op": "leaving", "taps": self._taps, "pid": os.getpid()}

    async def _lease(self) -> dict[str, Any]:
        return {"op": "leased"}

    _OPERATIONS: ClassVar = {"status": _status, "ping": _pong, "stop": _stop, "lease": _lease}

    async def _build_scanner(self) -> None:
        """Hyperscan's databases take a second or two: not while a host waits for its first server, nor for little."""
        scanner = self._redaction.scanner
        while not (scanner.is_pressed or (scanner.in_use and time.time() - self._born >= SETTLED_S)):
            await anyio.sleep(0.25)
        for step in (self._detection.build, self._redaction.build, keep_what_is_there):
            await anyio.to_thread.run_sync(step)
        await give_back_at_times()

    async def _keep_house(self) -> None:
        """What is done every second: disk, notes, compression. A failure is told and tried again."""
        notes_at = 0.0
        while True:
            try:
                await self._runs.sync()
                if time.monotonic() > notes_at:
                    notes_at = time.monotonic() + NOTES_EVERY_S
                    await self._runs.take_notes()
                await self._runs.compress()
                await anyio.to_thread.run_sync(self._detection.keep)
                self._report("house", None)
            except Exception as problem:  # told, and tried again: one bad file must not stop the others
                what = getattr(problem, "strerror", None) or f"{type(problem).__name__} at {_place(problem)}"
                self._report("house", f"cannot keep the journal: {what}")
            await anyio.sleep(1)

    async def _leave_when_idle(self) -> None:
        busy_at = time.monotonic()
        while time.monotonic() - busy_at < IDLE_S:
            await anyio.sleep(0.5)
            if not self._at_home():
                log.error("the state directory was removed or replaced")
                os._exit(1)  # whatever is there now belongs to another collector
            if self._present or self._runs.live or self._loader.busy or self._telemetry.busy:
                busy_at = time.monotonic()
        self._leave.set()

    def _at_home(self) -> bool:
        with suppress(OSError):
            return os.path.samestat(Path(self._home, LOCK).stat(), os.fstat(self._lock))
        return False

    async def _leave_when_told(self) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                self._leave.set()


def _unwritable(home: Path) -> str | None:
    """Why nothing can be recorded here, if so."""
    try:
        probe = home / f"probe.{os.getpid()}"
        keys.write_private(probe, b"x" * 4096)
        probe.unlink()
    except OSError as problem:
        return f"{home} cannot be written to: {problem.strerror}"
    return None


def _place(bug: BaseException) -> str:
    trace = bug.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
