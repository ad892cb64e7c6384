"""One direction of the traffic: read, record, write on.

The idea: each direction is a thread of its own with blocking writes, so that back-pressure reaches the sender just
as without us and no side can hold up the other (one thread for both deadlocks when both sides send more than a pipe
holds). It moves chunks, never lines. It polls its sink as well: a reader that closed its end must be seen by the
writer at once, as it would be on a direct pipe.
"""

from __future__ import annotations

import os
from errno import EFAULT, ENOMEM
from fcntl import ioctl
from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, poll
from struct import unpack
from termios import FIONREAD

from mcptap.tap.pipe.wire import CHUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mcptap.tap.pipe.channel import Lane

_BROKEN = POLLERR | POLLHUP | POLLNVAL


def release(descriptor: int) -> None:
    """Closes our hold on the file; of the standard descriptors the number stays taken, so that nothing else gets it."""
    if descriptor > 2:
        os.close(descriptor)
        return
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)


def write_all(sink: int, chunk: bytes | memoryview) -> None:
    """Writes everything, also where somebody else made the file non-blocking. Raises OSError when it is broken."""
    written = 0
    while written < len(chunk):
        try:
            written += os.write(sink, memoryview(chunk)[written:] if written else chunk)
        except BlockingIOError:
            writable = poll()
            writable.register(sink, POLLOUT)
            writable.poll()


def waiting(source: int) -> int:
    """How many bytes can be read from this pipe right now."""
    (count,) = unpack("i", ioctl(source, FIONREAD, b"\0\0\0\0"))
    return int(count)


class Pump:
    """Moves bytes from `source` to `sink` until one of them ends or `stop` (a pipe's reading end) is closed."""

    def __init__(self, source: int, sink: int, stop: int, lane: Lane) -> None:
        self.source, self.sink, self.stop, self._lane = source, sink, stop, lane

    def run(self) -> None:
        """Pumps until the end, then passes that end on: EOF forwards, a broken pipe backwards."""
        try:
            broken = self._pump()
        except Exception:  # whatever it is, the other sides must see an end
            broken = True
        release(self.sink)
        if broken or self.source > 2:
            release(self.source)

    def _pump(self) -> bool:
        ready = poll()
        ready.register(self.source, POLLIN)
        ready.register(self.sink, 0)
        ready.register(self.stop, POLLIN)
        events, move, ordinary = ready.poll, self.move, [(self.source, POLLIN)]
        while True:
            happened = events()
            if happened != ordinary:
                seen = dict(happened)
                if self.stop in seen:
                    return self._drain()
                if seen.get(self.sink, 0) & _BROKEN:
                    return True
            if not move():
                return False

    def move(self) -> int:
        """Moves one chunk and returns its size; 0 at the end of the source."""
        try:
            size = os.readv(self.source, self._lane.room)
        except BlockingIOError:
            return CHUNK  # a descriptor that somebody else made non-blocking, and another reader was faster
        except OSError as problem:
            if problem.errno not in (EFAULT, ENOMEM):
                raise
            self._lane.give_up()  # no memory to record into, but the traffic goes on
            return CHUNK
        if size:
            chunk = self._lane.room[0]
            try:
                self._lane.add(size)
            except Exception:  # whatever keeps it from being recorded, what was read is passed on
                self._lane.give_up()
            write_all(self.sink, chunk[:size])
        return size

    def _drain(self) -> bool:
        """The server is gone: pass on what it left in the pipe, but not what a grandchild goes on writing."""
        left = waiting(self.source) if self.source > 2 else 0
        while left > 0:
            moved = self.move()
            if not moved:
                break
            left -= moved
        return True
