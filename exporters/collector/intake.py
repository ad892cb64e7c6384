"""One tap's connection: its memory is read and recorded until the run ends or the tap goes.

The idea: read a little less often than there is something to read. While we rest the memory gathers, and one pass over
a hundred chunks costs little more than over one; the tap notices nothing of it. Only after a while without traffic do
we sleep until the tap wakes us, so that waking costs it a system call per silence and not one per message.

Passes over different runs take turns in two lanes, one for those whose last pass was brief and one for the others: two
threads that compute side by side only wait for each other's interpreter lock, but nobody shall wait for a flood.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import inf
from time import monotonic

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream
from anyio.to_thread import run_sync

from mcptap.exporters.collector.live_run import LiveRun
from mcptap.exporters.collector.memory import AT_ONCE, Entry, Memory
from mcptap.tap.pipe.wire import ASLEEP, AWAKE, FAILING, GOING_ON, RESTING, RUN_ENDED

REST_S = 0.02  # between two reads; far below the second that a reader waits for rows
BUSY = AT_ONCE // 8  # bytes at once from which on there is no time to rest
QUIET = 10  # rests without traffic before we sleep
RECORDS = 250  # that are held before they are written: each takes some 10 kB until then
RETRY_S = 0.5  # between two attempts to write to a full disk
BRIEF_S = 0.05  # of a pass; a flood of ordinary messages takes four times as long for the megabyte of one pass

Problem = Callable[[str | None], None]
Lanes = tuple[anyio.CapacityLimiter, anyio.CapacityLimiter]  # for brief passes, for others


def make_lanes() -> Lanes:
    """What all intakes of a collector share."""
    return anyio.CapacityLimiter(1), anyio.CapacityLimiter(1)


class Intake:
    """Reads one run's memory until its end."""

    def __init__(
        self,
        run: LiveRun,
        memory: Memory,
        connection: ByteStream,
        lanes: Lanes,
        *,
        problem: Problem,
    ) -> None:
        self._run, self._memory, self._connection = run, memory, connection
        self._lanes, self._problem = lanes, problem
        self._taken: deque[Entry] = deque()  # and not analysed yet
        self._facts: bytes | None = None  # how the run ended
        self._last, self._brief = 0, True  # bytes of the last pass, and whether it took little time
        self._gone = False

    async def read(self, written: Callable[[], None]) -> None:
        """Returns when the run has ended, or its tap has gone. When cancelled, takes what is there first.

        `written` is called whenever lines have been written to the journal.
        """
        quiet = 0
        try:
            while not self._run.ended:
                if self._memory.waiting:
                    await self._until_written()
                    written()
                    quiet = 0
                elif self._gone:
                    return
                else:
                    self._last, quiet = 0, quiet + 1
                if self._run.ended or self._gone or self._last >= BUSY:
                    await anyio.lowlevel.checkpoint()  # others have their turn, and we can be cancelled
                else:
                    await self._rest(quiet)
            await self._say(RUN_ENDED)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True), suppress(OSError):  # what cannot be written, the tap still holds
                await self._pass()
            raise

    async def _rest(self, quiet: int) -> None:
        """Waits a moment, or until there is much to do; after a while without traffic, until there is anything.

        What is recorded while we fall asleep may find us awake: so the first sleep is no longer than a rest.
        """
        self._memory.sleep(ASLEEP if quiet >= QUIET else RESTING)
        with anyio.move_on_after(inf if quiet > QUIET else REST_S):
            try:
                await self._connection.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                self._gone = True
        self._memory.sleep(AWAKE)

    async def _say(self, state: bytes) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # gone, but its memory is still to be read
            await self._connection.send(state)

    async def _pass(self) -> None:
        await run_sync(self._timed, limiter=self._lanes[not self._brief])

    def _timed(self) -> None:
        began = monotonic()
        try:
            self._take()
        finally:
            self._brief = monotonic() - began < BRIEF_S

    def _take(self) -> None:
        """One pass. Raises OSError where it cannot be written, and goes on from there when it is called again."""
        if self._run.pending:
            self._write()  # what a full disk held up: nothing more is taken before it
        if not (self._taken or self._run.ended):
            entries, self._facts = self._memory.take()
            self._last = sum(entry.length for entry in entries)
            self._taken.extend(piece for entry in entries for piece in self._pieces(entry))
        while self._taken:
            if self._run.pending >= RECORDS:
                self._write()
            piece = self._taken.popleft()
            self._run.take(piece.stream, piece.offset, piece.at, self._memory.payload(piece))
        if self._facts:
            self._run.end(self._facts)
            self._facts = None
        self._write()
        if self._memory.crowded:
            self._run.let_go()
            self._write()

    def _pieces(self, entry: Entry) -> Iterable[Entry]:
        """The entry, in several pieces where it is full of short lines: each of them becomes a record."""
        lines = self._memory.lines(entry) if entry.length > RECORDS else 0
        if lines <= RECORDS:
            return (entry,)
        step = entry.length * RECORDS // lines
        return (
            entry._replace(offset=entry.offset + at, start=entry.start + at, length=min(step, entry.length - at))
            for at in range(0, entry.length, step)
        )

    def _write(self) -> None:
        self._run.write()
        self._memory.free(self._run.written)

    async def _until_written(self) -> None:
        failing = False
        while True:
            try:
                with anyio.CancelScope(shield=True):
                    await self._pass()
            except OSError as error:
                self._problem(f"cannot write the journal: {error.strerror or error}")
                failing = True
                await self._say(FAILING)
                await anyio.sleep(RETRY_S)
            else:
                self._problem(None)
                if failing:
                    await self._say(GOING_ON)
                return
