"""One tap's connection: its pipe is read, recorded, acknowledged, until the run ends or the tap goes.

The idea: read a little less often than there is something to read. While we rest the pipe gathers, and one pass over
a hundred chunks costs little more than over one; the pipe, not the tap, is what waits for us.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import anyio
from anyio.abc import ByteSendStream
from anyio.to_thread import run_sync

from mcptap.exporters.collector.live_run import LiveRun

READ = 1 << 20  # bytes: what the pipe holds at most
REST_S = 0.02  # between two reads; far below the second that a reader waits for rows
BUSY = READ // 8  # bytes at once from which on there is no time to rest
RETRY_S = 0.5  # between two attempts to write to a full disk

Problem = Callable[[str | None], None]


class Intake:
    """Reads one pipe until its end."""

    def __init__(
        self, run: LiveRun, pipe: int, connection: ByteSendStream, analysing: anyio.CapacityLimiter, *, problem: Problem
    ) -> None:
        self._run, self._pipe, self._connection = run, pipe, connection
        self._analysing, self._problem = analysing, problem
        self._last = 0  # bytes of the last read
        self._buffer, self._filled = memoryview(bytearray(READ)), 0  # one for all reads: fresh memory is dear

    async def read(self, written: Callable[[], None]) -> None:
        """Returns when the run has ended, or its tap has closed the pipe. When cancelled, takes what is there first.

        `written` is called whenever lines have been written to the journal.
        """
        os.set_blocking(self._pipe, False)
        try:
            while not self._run.ended:
                await anyio.wait_readable(self._pipe)
                if not await self._pass():
                    return
                written()
                if not self._run.ended and self._last < BUSY:
                    await anyio.sleep(REST_S)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True), suppress(OSError):  # what cannot be written, the tap still holds
                if self._fill():
                    await run_sync(self._take, limiter=self._analysing)
                    await self._acknowledge()
            raise

    async def _pass(self) -> bool:
        """Takes what is in the pipe now; False at its end."""
        size = self._fill()
        if size:
            await self._until_written(self._take)
            await self._acknowledge()
        return size != 0

    def _fill(self) -> int | None:
        """Reads what is there; 0 at the end, None if there is nothing now."""
        try:
            self._last = os.readv(self._pipe, [self._buffer[self._filled :]])
        except BlockingIOError:
            return None
        self._filled += self._last
        return self._last

    async def _acknowledge(self, *, failing: bool = False) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # gone, but its pipe is still to be read
            await self._connection.send(self._run.acknowledgement(failing=failing))

    def _take(self) -> None:
        taken = self._run.take(self._buffer[: self._filled])
        rest = self._filled - taken
        self._buffer[:rest] = self._buffer[taken : self._filled]
        self._filled = rest
        self._run.write()

    async def _until_written(self, step: Callable[[], None]) -> None:
        while True:
            try:
                with anyio.CancelScope(shield=True):
                    await run_sync(step, limiter=self._analysing)
            except OSError as error:
                self._problem(f"cannot write the journal: {error.strerror or error}")
                step = self._run.write
                await self._acknowledge(failing=True)
                await anyio.sleep(RETRY_S)
            else:
                self._problem(None)
                return
