"""The bounded buffer between the pumps and the collector: what passed stays here until the journal has it.

The idea: a pump reads straight into memory that the collector sees too, so that to record a chunk is to say where it
ends: no copy, no system call, no lock. Every chunk is numbered by its byte offset in its stream. Whatever goes wrong
after that, a full buffer, a dead collector, a replay, shows as an offset that jumps or repeats, so gaps are counted
exactly and nothing is recorded twice, without any bookkeeping of losses.

A chunk is recorded before it is written on: a request is always there before its answer. Blocks that the collector is
done with are used again, the last one first: what costs time is not filling memory but the first touch of it.
"""

from __future__ import annotations

import os
from _collections import deque  # type: ignore[import-not-found]  # the C type; the package takes 2 ms to import
from _thread import allocate_lock
from itertools import count
from mmap import mmap
from time import sleep, time_ns

from mcptap.tap.pipe.wire import (
    ASLEEP,
    AWAKE,
    BLOCK,
    CHUNK,
    DATA,
    ENDED,
    ENTRY,
    FACTS,
    HEAD,
    NEXT,
    SLEEP,
    STREAMS,
    TAIL,
    after,
)

SIZES = (64 << 20, 16 << 20, 4 << 20)  # bytes: a minute of heavy traffic; less where the system does not grant it
LEAST_ROOM = 16384  # bytes: a chunk is not made smaller than this so as to fill a block
WARM = 4  # blocks that are not given back: so much a large message finds ready
STRICT_S = 0.002  # between two looks for room, of a pump that may not drop

_pack = ENTRY.pack_into
_F_ADD_SEALS, _F_SEAL_SHRINK = 1033, 2


class Channel:
    """The memory, and which stream has which block of it. `memory` is its descriptor, -1 if there is none."""

    def __init__(self, *, strict: bool = False, sizes: tuple[int, ...] = SIZES) -> None:
        self.strict = strict
        self.dropping = False
        self.alarm = -1  # written to when something is dropped
        self.bell = os.open(os.devnull, os.O_WRONLY)  # later the socket: one number, that nothing else ever gets
        self.memory, size = _make_memory(sizes)
        self._map = mmap(self.memory, size) if size else None
        _advise(self._map, "MADV_DONTDUMP")
        self.view = memoryview(self._map or bytearray(BLOCK))
        self.words = self.view[:FACTS].cast("Q")
        self.order = count(1).__next__  # atomic, also between threads
        self._lock = allocate_lock()
        self._used: list[int] = []  # free blocks that have been touched
        self._fresh = list(range(size - BLOCK, 0, -BLOCK))  # and those that cost no memory so far
        self._half = len(self._fresh) // 2
        self._lent: list[deque[int]] = [deque() for _ in STREAMS]
        self.lanes = [Lane(self, stream) for stream in range(len(STREAMS))]

    @property
    def offsets(self) -> list[int]:
        """Bytes that passed, per stream."""
        return [lane.offset for lane in self.lanes]

    def lend(self, stream: int) -> int | None:
        """The position of a block for this stream; None while the buffer is full, and then until half is free."""
        with self._lock:
            self._reclaim()
            free = len(self._used) + len(self._fresh)
            before, self.dropping = self.dropping, not free or (self.dropping and free < self._half)
            if self.dropping and not before and self.alarm >= 0:
                os.write(self.alarm, b"!")
            if self.dropping:
                return None
            block = (self._used or self._fresh).pop()
            self._lent[stream].append(block)
            return block

    def ring(self) -> None:
        """Wakes the collector."""
        self.words[SLEEP] = AWAKE
        try:
            os.write(self.bell, b"!")
        except OSError:
            pass  # it has been rung and not heard yet, or nobody is there

    def connect(self, socket: int) -> None:
        """From now on this socket is what wakes the collector."""
        os.dup2(socket, self.bell, inheritable=False)

    def disconnect(self) -> None:
        """Nobody can be woken; what is recorded waits for the next one."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.bell, inheritable=False)
        os.close(null)

    def end(self, facts: bytes) -> None:
        """Tells how the run ended, after the last chunk."""
        self.view[FACTS : FACTS + len(facts)] = facts
        self.words[ENDED] = len(facts)
        self.ring()

    def trim(self) -> None:
        """Gives memory back, after a while without traffic. Only Linux can do it for a part."""
        with self._lock:
            self._reclaim()
            while len(self._used) > WARM and _advise(self._map, "MADV_REMOVE", self._used[-1]):
                self._fresh.append(self._used.pop())

    def renew(self) -> None:
        """Goes on in a forked process: the lock may have been held, and every descriptor but `memory` is closed."""
        self._lock = allocate_lock()
        self.bell = os.open(os.devnull, os.O_WRONLY)

    def _reclaim(self) -> None:
        for stream, lent in enumerate(self._lent):
            needed = self.words[TAIL[stream]] // BLOCK * BLOCK
            while len(lent) > 1 and lent[0] != needed:
                self._used.append(lent.popleft())


class Lane:
    """The writing end of one stream: where to read the next chunk into, and its record once it is there."""

    def __init__(self, channel: Channel, stream: int) -> None:
        self.offset = 0  # bytes that passed
        self.room: tuple[memoryview, ...]
        self._channel, self._stream, self._words, self._view = channel, stream, channel.words, channel.view
        self._order, self._head = channel.order, HEAD[stream]
        self._refuge = (memoryview(bytearray(CHUNK)),)  # what is read here is dropped
        self._position = self._recording = 0
        block = channel.lend(stream)
        if block is None:
            self.room = self._refuge
        else:
            channel.words[TAIL[stream]] = block
            self._go_to(block)

    def add(self, size: int) -> memoryview:
        """Records the bytes that were read into `room` and are about to be passed on; returns them.

        Only a strict channel makes its caller wait, when it is full. Of what is dropped the offset tells.
        """
        chunk, offset = self.room[0][:size], self.offset
        self.offset = offset + size
        if not self._recording:
            self._turn()
            return chunk
        position = self._position
        _pack(self._view, position, self._order(), offset, time_ns(), size, DATA)
        self._position = position = (position + ENTRY.size + size + 7) & ~7
        words = self._words
        words[self._head] = position
        if words[SLEEP] == ASLEEP:
            self._channel.ring()
        start = position + ENTRY.size
        if start + CHUNK < self._end:
            self.room = (self._view[start : start + CHUNK],)
        else:
            self._near_end(start)
        return chunk

    def give_up(self) -> None:
        """The memory cannot be written to: what is read now is dropped."""
        self.room, self._recording = self._refuge, False

    def _near_end(self, start: int) -> None:
        """Uses up what is left of the block, if it is worth it."""
        if self._end - start >= LEAST_ROOM:
            self.room = (self._view[start : self._end],)
        else:
            self._turn()

    def _turn(self) -> None:
        """Goes on in another block, or in none while the buffer is full. Who rests is told: there is much to do."""
        if self._words[SLEEP]:
            self._channel.ring()
        block = self._channel.lend(self._stream)
        while block is None and self._channel.strict and self._channel.memory >= 0:
            sleep(STRICT_S)
            block = self._channel.lend(self._stream)
        if block is None:
            self.give_up()
            return
        _pack(self._view, self._position, 0, block, 0, 0, NEXT)
        self._go_to(block)

    def _go_to(self, block: int) -> None:
        self._position, self._recording = block, True
        self._end = block + BLOCK - after(0, 0)  # an entry of the kind NEXT always finds room
        self._words[self._head] = block
        start = block + ENTRY.size
        self.room = (self._view[start : start + CHUNK],)


def _make_memory(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Memory that can be handed over: its descriptor and size. It has no name, and ends with its last holder."""
    for size in sizes:
        descriptor = -1
        try:
            descriptor = _anonymous()
            _enlarge(descriptor, size)
            mmap(descriptor, size).close()
        except (OSError, ValueError, MemoryError):  # limits on files or on memory
            if descriptor >= 0:
                os.close(descriptor)
            continue
        _seal(descriptor)
        return descriptor, size
    return -1, 0


def _anonymous() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("mcptap", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    import _posixshmem  # type: ignore[import-not-found]  # macOS

    name = f"/mcptap-{os.urandom(8).hex()}"
    descriptor: int = _posixshmem.shm_open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600)
    _posixshmem.shm_unlink(name)
    return descriptor


def _enlarge(descriptor: int, size: int) -> None:
    """Gives the memory its size. A limit on the size of files is the host's for files, and for those of the server."""
    try:
        os.ftruncate(descriptor, size)
    except OSError:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        try:
            os.ftruncate(descriptor, size)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _seal(descriptor: int) -> None:
    """Whoever maps it may rely on its size."""
    if hasattr(os, "memfd_create"):
        from fcntl import fcntl

        fcntl(descriptor, _F_ADD_SEALS, _F_SEAL_SHRINK)


def _advise(memory: mmap | None, advice: str, start: int = 0) -> bool:
    import mmap as module

    number = getattr(module, advice, None)
    if number is None or memory is None:
        return False
    memory.madvise(number, start, BLOCK if start else len(memory))
    return True
