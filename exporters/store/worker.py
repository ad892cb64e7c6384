"""`python -P -m mcptap.exporters.store.worker --home DIR`: the store as a process of its own, a child of the collector.

The idea: what a reader's query takes, it takes from a process that can be killed at any moment and owes nobody
anything: what is loaded is a transaction, and what is not is in the journal. Commands come in on stdin, one JSON object
per line; the state goes out on stdout, likewise. The end of stdin means that the collector has gone, and ends us too.

    {"serve": token}      first of all: readers who know the token are answered, on the port that is told
    {"load": [run ids], "number": n}   load what is new of these runs; of all for null. `loaded` is then n
    {"tell": n}           tell at once, also how far behind the store is; `told` is then n

Told every second and whenever something was done: `state`, `detail`, `port`, `serving`, `loaded` and `overdue` (the
readers' statements that take too long); in answer to `tell` also `lag_runs` and `lag_bytes`.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from mcptap.exporters.store.store import Store

NICENESS = 5  # more than the collector's
ROOM = 2000 << 20  # bytes of memory beyond the stacks of Quack's threads
READERS_THREADS = 128  # Quack's, made when the first reader comes
STACK = 8 << 20  # bytes of a thread's stack, where the system knows no limit
BEAT_S = 1.0  # from one word to the next when nothing happens
LEAVE_S = 1.0  # what may be closed in this time is closed
STATEMENT = 200  # characters of an overdue statement that are told
OVERDUE = 5  # statements

log = logging.getLogger(__name__)


class Worker:
    """Obeys commands with one store. Three threads: one obeys, one loads, one tells."""

    def __init__(self, store: Store, out: int) -> None:
        self._store, self._out = store, out
        self._due: list[tuple[int, list[str] | None]] = []  # commands to load that were not begun
        self._coming = threading.Condition()
        self._telling = threading.Lock()
        self._loaded = 0

    def obey(self, commands: Iterable[bytes]) -> None:
        """Returns when there are no more commands."""
        for line in commands:
            command = json.loads(line)
            if "serve" in command:
                self._store.serve(command["serve"])
                for work in (self._load, self._beat):
                    threading.Thread(target=work, daemon=True).start()
            elif "load" in command:
                with self._coming:
                    self._due.append((command["number"], command["load"]))
                    self._coming.notify()
            else:
                lag = self._store.lag()
                self.tell(told=command["tell"], lag_runs=lag.runs, lag_bytes=lag.bytes)

    def tell(self, **more: Any) -> None:
        """Writes one line about how the store is."""
        with self._telling:
            facts = {
                "state": self._store.state,
                "detail": self._store.detail,
                "port": self._store.port,
                "serving": self._store.serving,
                "loaded": self._loaded,
                "overdue": [statement[:STATEMENT] for statement in self._store.overdue()[:OVERDUE]],
            }
            line = json.dumps(facts | more).encode() + b"\n"
            while line:
                line = line[os.write(self._out, line) :]

    def leave(self) -> None:
        """Ends the process, with whatever could be closed closed."""
        closing = threading.Thread(target=self._store.stop, daemon=True)
        closing.start()
        closing.join(LEAVE_S)
        os._exit(0)

    def _load(self) -> None:
        while True:
            with self._coming:
                self._coming.wait_for(lambda: self._due)
                due, self._due = self._due, []
            named = {run_id for _, runs in due for run_id in runs or ()}
            self._store.load(None if any(runs is None for _, runs in due) else named)
            self._loaded = max(number for number, _ in due)
            self.tell()

    def _beat(self) -> None:
        while True:
            self.tell()
            threading.Event().wait(BEAT_S)


def step_back() -> None:
    """Readers' queries get what time and memory the collector leaves, and are the first to go when that is little."""
    os.nice(NICENESS)
    with suppress(OSError):  # elsewhere than on Linux
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    stacks = READERS_THREADS * (STACK if stack == resource.RLIM_INFINITY else stack)
    with suppress(OSError, ValueError):  # the limit is lower already, or not known
        resource.setrlimit(resource.RLIMIT_AS, (ROOM + stacks, ROOM + stacks))


def main() -> None:
    """Lives until the end of stdin."""
    logging.basicConfig(format="%(asctime)s %(levelname)s store: %(message)s", level=logging.INFO, stream=sys.stderr)
    for number in (signal.SIGINT, signal.SIGTERM):  # the collector says when
        signal.signal(number, _ignore)
    threading.excepthook = _give_up
    step_back()
    os.umask(0o077)
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # DuckDB would load it with the first parameter
    words = sys.argv[1:]
    out = os.dup(1)
    os.dup2(2, 1)  # what a library may print is no word of ours
    worker = Worker(Store(words[words.index("--home") + 1], careful="--careful" in words), out)
    try:
        worker.obey(sys.stdin.buffer)
    finally:
        worker.leave()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    pass


def _give_up(thread: threading.ExceptHookArgs) -> None:
    """Without one of its threads the process is of no use; the collector starts the next one."""
    if not isinstance(thread.exc_value, BrokenPipeError):  # the collector went
        place = traceback.extract_tb(thread.exc_traceback)[-1]
        log.error("%s at %s:%s", thread.exc_type.__name__, Path(place.filename).name, place.lineno)
    os._exit(1)


if __name__ == "__main__":
    main()
