"""The bounded buffer between the pumps and the collector: what passed stays here until the journal has it.

The idea: every chunk is numbered by its byte offset in its stream. Whatever goes wrong after that, a full buffer,
a dead collector, a replay, shows as an offset that jumps or repeats, so gaps are counted exactly and nothing is
recorded twice, without any bookkeeping of losses. A pump lets the channel `take` a chunk before it writes it on, which
keeps a request before its answer and costs a microsecond, and `flush` afterwards: then it is written to the pipe if
there is room, since what is in the pipe outlives this process. The rest is the business of `link`, on its own thread.
"""

from __future__ import annotations

import os
from _collections import deque  # type: ignore[import-not-found]  # the C type; the package takes 2 ms to import
from _thread import allocate_lock

from mcptap.tap.pipe.arena import SMALL, Arena, Arenas
from mcptap.tap.pipe.wire import ENDED, HEADER, STREAMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    # running number, stream, offset of its end, bytes of payload, header and payload, where the payload lies
    Entry = tuple[int, int, int, int, tuple[bytes | memoryview, ...], Arena | None]

_pack, _write, _writev = HEADER.pack, os.write, os.writev

LIMIT = 64 << 20  # bytes: a minute of heavy traffic, little beside what a host itself takes
OVERHEAD = 256  # bytes that Python needs to hold one entry, whatever its size


class Channel:
    """Takes chunks from the pumps, holds them until acknowledged, drops and counts the newest when it is full."""

    def __init__(self, *, strict: bool = False, limit: int = LIMIT) -> None:
        self.lock = allocate_lock()
        self.arenas = Arenas(self.lock)
        self.offsets = [0, 0, 0]  # bytes that passed, per stream
        self.connected = False
        self.dropping = False
        self.full = False  # the pipe, so that something is left to send
        self._limit = self._bound = limit
        self._strict = strict
        self._room = allocate_lock()  # held while a strict channel is full
        self._held = 0
        self._pipe = -1
        self._unsent: deque[Entry] = deque()
        self._sending: Sequence[bytes | memoryview] = ()  # of the last that was sent: what did not fit
        self._order = 0
        # Per stream, for one that waits for the end of its line must not hold up the others.
        self._unacknowledged: tuple[deque[Entry], ...] = (deque(), deque(), deque(), deque())
        self._make_wake()

    @property
    def wake_descriptor(self) -> int:
        """Readable when there is something to send that the pumps could not send themselves."""
        return self._wake_out

    @property
    def drained(self) -> bool:
        """Whether everything that was taken has been acknowledged."""
        return not (self._unsent or any(self._unacknowledged))

    def take(self, stream: int, at: int, chunk: bytes | memoryview, arena: Arena | None = None) -> bool:
        """Takes a chunk that is about to be passed on. Called by the pumps; blocks only when strict and full.

        True: the chunk itself is held, in its arena, until it is acknowledged. False: it was copied, or dropped.
        """
        size = len(chunk)
        with self.lock:
            start = self.offsets[stream]
            held = self._held + size + OVERHEAD
            if held <= self._bound:
                try:
                    kept = self._add(stream, start, at, chunk, arena)
                except MemoryError:
                    kept = False  # dropped, as below
                else:
                    self._held = held
                self.offsets[stream] = start + size
                return kept
            self.dropping, self._bound = True, self._limit // 2  # one long gap rather than many small ones
            if not self._strict:
                self.offsets[stream] = start + size  # the jump is what counts the gap
                return False
            self._room.acquire(False)
        with self._room:
            pass
        return self.take(stream, at, chunk, arena)

    def end(self, at: int, facts: bytes) -> None:
        """Takes the last entry, how the run ended. It always fits."""
        with self.lock:
            self._add(ENDED, 0, at, facts, None)
            self._held += len(facts) + OVERHEAD
        self.flush()

    def connect(self, pipe: int, acknowledged: Sequence[int]) -> None:
        """Goes on into a new pipe, from what its reader has in its journal; resends the rest."""
        with self.lock:
            self._forget_pipe()
            again = sorted((entry for queue in self._unacknowledged for entry in queue), key=_order)
            for queue in self._unacknowledged:
                queue.clear()
            wanted = [entry for entry in (*again, *self._unsent) if not self._let_go(entry, acknowledged)]
            self._unsent.clear()
            self._unsent.extend(wanted)
            self._pipe, self.connected = pipe, True
            self._reopen()
        self.flush()

    def disconnect(self) -> None:
        """The reader is gone; chunks are held for the next one."""
        with self.lock:
            self._forget_pipe()

    def acknowledge(self, offsets: Sequence[int], *, ended: bool) -> None:
        """Forgets what the journal has: everything before these offsets, and the end of the run."""
        with self.lock:
            for queue in self._unacknowledged:
                while queue and self._let_go(queue[0], offsets, ended=ended):
                    queue.popleft()
            self._reopen()

    def flush(self) -> None:
        """Sends what the pipe takes; once that is full, sending is left to the thread that `wake` rouses."""
        if not self.full:
            with self.lock:
                self._send()
            if self.full:
                self.wake()

    def resume(self) -> None:
        """Goes on sending into a pipe that was full."""
        with self.lock:
            self._send()

    def wake(self) -> None:
        """Rouses the thread that waits on `wake_descriptor`."""
        try:
            os.write(self._wake_in, b"!")
        except BlockingIOError:
            pass  # it has been woken and did not look yet

    def hear(self) -> None:
        """Takes back what `wake` wrote."""
        os.read(self._wake_out, 4096)

    def renew(self) -> None:
        """Goes on in a forked process whose descriptors have all been closed."""
        self.lock = allocate_lock()
        self._pipe, self._sending, self.full, self.connected = -1, (), False, False
        self._make_wake()

    def _make_wake(self) -> None:
        self._wake_out, self._wake_in = os.pipe()
        for descriptor in (self._wake_out, self._wake_in):
            os.set_blocking(descriptor, False)

    def _add(self, stream: int, start: int, at: int, chunk: bytes | memoryview, arena: Arena | None) -> bool:
        size, self._order = len(chunk), self._order + 1
        header = _pack(stream, size, start, at)
        if size < SMALL:
            self._unsent.append((self._order, stream, start + size, size, (header + chunk,), None))
            return False
        self._unsent.append((self._order, stream, start + size, size, (header, chunk), arena))
        if arena is not None:
            arena.held += 1
        return True

    def _send(self) -> None:
        unsent, sending, pipe = self._unsent, self._sending, self._pipe
        while pipe >= 0 and (sending or unsent):
            if not sending:
                entry = unsent.popleft()
                self._unacknowledged[entry[1]].append(entry)
                sending = entry[4]
            try:
                sent = _write(pipe, sending[0]) if len(sending) == 1 else _writev(pipe, sending)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._forget_pipe()
                return
            sending = _rest(sending, sent)
            if sending:
                break
        self._sending, self.full = sending, bool(sending)

    def _forget_pipe(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
        self._pipe, self._sending, self.full, self.connected = -1, (), False, False

    def _let_go(self, entry: Entry, offsets: Sequence[int], *, ended: bool = False) -> bool:
        """Whether this entry need not be held any more; gives back what it took."""
        _, stream, end, size, _, arena = entry
        if not (ended if stream == ENDED else end <= offsets[stream]):
            return False
        self._held -= size + OVERHEAD
        if arena is not None:
            self.arenas.let_go(arena)
        return True

    def _reopen(self) -> None:
        """Takes chunks again when enough has been let go."""
        if self.dropping and self._held < self._bound:
            self.dropping, self._bound = False, self._limit
            self._release_room()

    def _release_room(self) -> None:
        if self._room.locked():
            try:
                self._room.release()
            except RuntimeError:
                pass  # a pump that waited for it was faster


def _order(entry: Entry) -> int:
    return entry[0]


def _rest(parts: Sequence[bytes | memoryview], sent: int) -> Sequence[bytes | memoryview]:
    """What is left of the parts after so many bytes."""
    if len(parts) == 1 and sent == len(parts[0]):
        return ()
    for number, part in enumerate(parts):
        if sent < len(part):
            return (memoryview(part)[sent:], *parts[number + 1 :])
        sent -= len(part)
    return ()


assert len(STREAMS) == ENDED
