"""A tap's memory as the collector reads it: which chunks are there, in which order, and which are needed no more.

The idea: the tap writes and never waits for us; we read what lies before its heads and move the tails. Entries carry
one running number over all streams. Since a chunk is recorded before it is passed on, whatever it may have caused has
a later number, and was recorded after it: so we read the heads, read them again, and take what is no later than the
latest of the first look. Then nothing is taken before what caused it.

The other side is only known to be the same user: every number is checked before it is used.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
from collections import deque
from typing import NamedTuple

from mcptap.tap.pipe.wire import (
    BLOCK,
    CHUNK,
    DATA,
    ENDED,
    ENTRY,
    FACTS,
    HEAD,
    NEXT,
    PAGE,
    SLEEP,
    STREAMS,
    TAIL,
    after,
)

AT_ONCE = 1 << 20  # bytes of one stream that are taken in one go
SIZES = range(4 * BLOCK, (1 << 30) + 1)  # bytes that the memory of a tap may have
_GET_SEALS, _SEAL_SHRINK = 1034, 2


class Entry(NamedTuple):
    """One recorded chunk: its place in the order of the run and of its stream, and where it lies."""

    order: int
    stream: int
    offset: int  # of its first byte in the stream
    at: int  # ns since the epoch
    start: int  # of the payload in the memory
    length: int


class Memory:
    """One run's memory. Raises OSError, ValueError where it is none, or does not hold what a tap writes."""

    def __init__(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        if size not in SIZES or size % BLOCK:
            raise ValueError(f"a memory of {size} bytes")
        if hasattr(os, "memfd_create") and not fcntl.fcntl(descriptor, _GET_SEALS) & _SEAL_SHRINK:
            raise ValueError("a memory that may shrink")
        self._map = mmap.mmap(descriptor, size)
        self._view = memoryview(self._map)
        self._words = self._view[:PAGE].cast("Q")
        self._size = size
        self._next = [self._words[tail] for tail in TAIL]
        # Per stream, of what is still needed: its end in the stream, the position behind it, and how much it takes.
        self._taken: list[deque[tuple[int, int, int]]] = [deque() for _ in STREAMS]
        self._held = 0
        self._freed = [0] * len(STREAMS)  # the block up to which each stream is needed no more
        self._latest = [0] * len(STREAMS)  # running numbers

    @property
    def crowded(self) -> bool:
        """Whether what was taken and is still needed is so much that the tap may soon find no room."""
        return self._held > self._size // 2

    @property
    def waiting(self) -> bool:
        """Whether there is something to take, the end of the run included."""
        return bool(self._words[ENDED]) or any(self._words[HEAD[s]] != self._next[s] for s in range(len(STREAMS)))

    def sleep(self, how: int) -> None:
        """Says when the tap is to wake us: `AWAKE`, `ASLEEP` or `RESTING`."""
        self._words[SLEEP] = how

    def take(self) -> tuple[list[Entry], bytes | None]:
        """What has not been taken yet, about `AT_ONCE` bytes of it, in the order of the run.

        With the last of it comes what the tap told of the run's end.
        """
        ended = self._words[ENDED]
        seen = [self._words[head] for head in HEAD]
        heads = [self._words[head] for head in HEAD]
        walks = [self._walk(stream, heads[stream], seen[stream]) for stream in range(len(STREAMS))]
        latest = max(walk.seen for walk in walks)
        latest = min([latest, *(walk.entries[-1].order for walk in walks if walk.more)])
        taken = [entry for stream, walk in enumerate(walks) for entry in self._take(stream, walk, latest)]
        done = ended and len(taken) == sum(len(walk.entries) for walk in walks) and not any(w.more for w in walks)
        return sorted(taken), bytes(self._view[FACTS : min(FACTS + ended, PAGE)]) if done else None

    def payload(self, entry: Entry) -> bytes:
        """The bytes of an entry."""
        return bytes(self._view[entry.start : entry.start + entry.length])

    def lines(self, entry: Entry) -> int:
        """How many lines end in an entry. Of a long line's middle nothing is copied to say that."""
        end = entry.start + entry.length
        return self.payload(entry).count(b"\n") if self._map.find(b"\n", entry.start, end) >= 0 else 0

    def free(self, offsets: list[int]) -> None:
        """Everything before these offsets, one per stream, is in the journal: the tap may use its memory again."""
        for stream, taken in enumerate(self._taken):
            behind, blocks = None, {self._freed[stream]}
            while taken and taken[0][0] <= offsets[stream]:
                _, behind, size = taken.popleft()
                blocks.add(behind // BLOCK)
                self._held -= size
            if behind is not None:
                self._words[TAIL[stream]] = behind
                self._freed[stream] = behind // BLOCK
                self._leave(blocks - {behind // BLOCK})

    def _leave(self, blocks: set[int]) -> None:
        """These blocks are the tap's alone from now on, and no longer counted as ours; nothing in them changes."""
        for block in blocks if sys.platform == "linux" else ():
            self._map.madvise(mmap.MADV_DONTNEED, block * BLOCK, BLOCK)

    def _take(self, stream: int, walk: _Walk, latest: int) -> list[Entry]:
        """The entries that are not later than the `latest`; the others are met again."""
        taken = [entry for entry in walk.entries if entry.order <= latest]
        ends = [after(entry.start - ENTRY.size, entry.length) for entry in taken]
        for entry, end in zip(taken, ends, strict=True):
            size = end - entry.start + ENTRY.size
            self._taken[stream].append((entry.offset + entry.length, end, size))
            self._held += size
        if taken:
            self._latest[stream] = taken[-1].order
        if len(taken) == len(walk.entries):
            self._next[stream] = walk.position
        elif taken:
            self._next[stream] = ends[-1]
        return taken

    def _walk(self, stream: int, head: int, seen: int) -> _Walk:
        """The entries of a stream from where we are up to its head, or fewer if they are many."""
        entries: list[Entry] = []
        position, size, latest, before = self._next[stream], 0, 0, self._latest[stream]
        reached = jumped = False
        while True:
            reached |= position == seen
            if position == head or size >= AT_ONCE:
                return _Walk(entries, position, position != head, latest)
            order, offset, at, length, kind = self._header(position)
            if kind == NEXT and not jumped and not offset % BLOCK:
                position, jumped = offset, True
                continue
            fits = 0 < length <= CHUNK and after(position, length) <= self._size
            if kind != DATA or not fits or order <= before:  # running in a circle, for example
                raise ValueError("not what a tap writes")
            before = order
            entries.append(Entry(order, stream, offset, at, position + ENTRY.size, length))
            position, jumped, size = after(position, length), False, size + ENTRY.size + length
            latest = latest if reached else order

    def _header(self, position: int) -> tuple[int, int, int, int, int]:
        if not BLOCK <= position <= self._size - ENTRY.size:
            raise ValueError("not what a tap writes")
        return ENTRY.unpack_from(self._view, position)


class _Walk(NamedTuple):
    """What was found in one stream, up to which position, whether there is more behind it, and the running number of
    the latest entry that the first look at the heads saw."""

    entries: list[Entry]
    position: int
    more: bool
    seen: int
