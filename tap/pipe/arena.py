"""Memory that chunks are read into, used again as soon as the collector has acknowledged them.

The idea: what costs time in keeping a copy is not the copying but fresh memory: the kernel takes longer to find and
clear a page than to fill it. So chunks are read one behind the other into an arena, kept there as views until they
are acknowledged, and a free arena goes to the next one who reads; after a while without traffic it is given back.
Small chunks are copied out at once, since a view of a few bytes would keep a whole arena.
"""

from __future__ import annotations

from mcptap.tap.pipe.wire import MAX_PAYLOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType

CHUNK = MAX_PAYLOAD  # bytes read at once: what a pipe holds by default
SMALL = 4096  # bytes of a chunk that is rather copied behind its header: cheaper than two buffers in one system call
ARENA = 8 * CHUNK


class Arena:
    """One stretch of memory and the number of chunks in it that are still held."""

    __slots__ = ("held", "in_use", "view")

    def __init__(self) -> None:
        self.view = memoryview(bytearray(ARENA))
        self.held = 0
        self.in_use = True  # somebody reads into it


class Arenas:
    """The free arenas; `lock` is the channel's, which is held wherever a chunk is let go."""

    def __init__(self, lock: LockType) -> None:
        self._lock = lock
        self._free: list[Arena] = []

    def get(self) -> Arena:
        """An arena nobody uses."""
        with self._lock:
            arena = self._free.pop() if self._free else None
        if arena is None:
            return Arena()
        arena.in_use = True
        return arena

    def leave(self, arena: Arena) -> None:
        """Nobody reads into it any more; it is free when its chunks are."""
        with self._lock:
            arena.in_use = False
            if not arena.held:
                self._free.append(arena)

    def let_go(self, arena: Arena) -> None:
        """One of its chunks is no longer held. The caller holds the lock."""
        arena.held -= 1
        if not (arena.held or arena.in_use):
            self._free.append(arena)

    @property
    def spare(self) -> bool:
        """Whether memory could be given back."""
        return len(self._free) > 1

    def trim(self) -> None:
        """Gives memory back, after a while without traffic."""
        with self._lock:
            del self._free[1:]
