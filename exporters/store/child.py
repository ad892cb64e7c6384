"""The store's process as its parent sees it: started, spoken to, watched, and killed when it takes too much.

The idea: this side imports nothing of the database. It writes lines, remembers the last word it heard, and can always
end the other side.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import psutil
from anyio.abc import Process

from mcptap.exporters.store.limits import MAX_RSS, QUERY_SECONDS
from mcptap.tap.pipe.starter import PASSED

SILENCE_S = 120.0  # it speaks every second, but opening a large database after a crash may take long
WATCH_S = 0.5  # from one look to the next
LEAVE_S = 5.0  # from the end of its stdin to being killed
# glibc: one arena per thread would reserve address space for each, and keep what was freed.
ALLOCATION = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "4194304"}


class Child:
    """One process of the store, from its start to its end."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._rest = b""  # of a line
        self._heard = anyio.Event()
        self._asked = {"loaded": 0, "told": 0}
        self.said: dict[str, Any] = {}
        self.said_at = time.monotonic()
        self.gone = False

    @classmethod
    async def start(cls, home: Path, token: str, *, careful: bool = False) -> Child:
        """Raises OSError."""
        command = [sys.executable, "-P", "-m", "mcptap.exporters.store.worker", "--home", str(home)]
        environment = {name: value for name, value in os.environ.items() if name in PASSED} | ALLOCATION
        process = await anyio.open_process(
            [*command, "--careful"] if careful else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            env=environment,
            start_new_session=True,
        )
        child = cls(process)
        try:
            await child._say(serve=token)
        except BaseException:  # called off: nobody would know of it
            child.kill()
            raise
        return child

    async def listen(self) -> None:
        """Hears all that it says, until it ends."""
        assert self._process.stdout
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                self._take(await self._process.stdout.receive())
        self.gone = True
        self._heard.set()

    async def load(self, runs: set[str] | None) -> bool:
        """True when it has done what can be done, False when it has gone; `listen` must run meanwhile."""
        return await self._ask("loaded", "number", load=None if runs is None else sorted(runs))

    async def tell(self) -> bool:
        """True when it has said how it is, False when it has gone; `listen` must run meanwhile."""
        return await self._ask("told", "tell")

    async def watch(self) -> str:
        """Returns, with the reason, when it must be killed."""
        while not (reason := self._excess()):
            await anyio.sleep(WATCH_S)
        return reason

    def kill(self) -> None:
        """Ends it at once; the database is as it was after its last transaction."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Lets it leave, kills it if it does not, and waits for its end."""
        assert self._process.stdin
        with anyio.CancelScope(shield=True):
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                await self._process.stdin.aclose()
            with anyio.move_on_after(LEAVE_S):
                await self._process.wait()
            self.kill()
            await self._process.aclose()

    async def _ask(self, key: str, number: str, **command: Any) -> bool:
        """Waits for the answer to a command by its number: one that was called off may never have been sent."""
        self._asked[key] += 1
        due = self._asked[key]
        await self._say(**command, **{number: due})
        while self.said.get(key, 0) < due and not self.gone:
            await self._heard.wait()
        return not self.gone

    async def _say(self, **command: Any) -> None:
        assert self._process.stdin
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # `listen` notices
            await self._process.stdin.send(json.dumps(command).encode() + b"\n")

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.said |= json.loads(line)
            self.said_at = time.monotonic()
        self._heard.set()
        self._heard = anyio.Event()

    def _excess(self) -> str | None:
        if self.said.get("overdue"):
            return f"a statement took more than {QUERY_SECONDS:.0f} s"
        if time.monotonic() - self.said_at > SILENCE_S:
            return f"it did not answer for {SILENCE_S:.0f} s"
        with suppress(psutil.Error):
            if psutil.Process(self._process.pid).memory_info().rss > MAX_RSS:
                return f"it took more than {MAX_RSS >> 20} MiB of memory"
        return None
