"""A file of sealed lines, open for appending: a batch is there whole or not at all.

Lines go out with one `write`. If the disk takes only part of a batch the file is cut back to where the
batch began, so what a full disk leaves behind is still a valid chain. Only a killed process can leave a
torn line, and the next one to open the file cuts it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from mcptap.exporters.journal.line import hash_of, seal
from mcptap.exporters.journal.reader import read_to_end

MAX_WRITE = 1 << 30  # bytes; one `write` of 2 GiB or more is an error on macOS and a short one on Linux


class Tail(NamedTuple):
    """Where a chain stands: whole lines, the last one's hash, their bytes, and torn bytes behind them."""

    lines: int
    head: str
    size: int
    torn: int


def tail_of(path: Path, root: str) -> Tail:
    """Reads a file through to its end. Damage in the middle is not judged here: `verify` is for that."""
    lines, head, size, offset = 0, root, 0, 0
    for offset, line in read_to_end(path):
        if line.endswith(b"\n"):
            lines, head, size = lines + 1, hash_of(line), offset
    return Tail(lines, head, size, offset - size)


class Chain:
    """One file's writer. `append` and `sync` may be called from different threads."""

    def __init__(self, path: Path, tail: Tail) -> None:
        """Opens or makes the file (0600) and cuts what lies behind the tail. Raises OSError."""
        self.path = path
        self.lines, self.head, self.size, self._torn = tail
        self._unsynced = False
        self._lock = Lock()
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._mend()

    def append(self, lines: Iterable[tuple[str, bytes]]) -> None:
        """Adds one line per (type, JSON object). Raises OSError, and has then added none."""
        with self._lock:
            self._mend()
            n, head, parts = self.lines, self.head, list[bytes | memoryview]()
            for kind, fields in lines:
                n += 1
                sealed, head = seal(n, head, kind, fields)
                parts += sealed
            self._write(b"".join(parts))
            self.lines, self.head = n, head

    def sync(self) -> None:
        """Waits until everything appended so far is on the disk. Raises OSError."""
        with self._lock:
            if not self._unsynced:
                return
            fd, self._unsynced = os.dup(self._fd), False
        try:
            os.fsync(fd)
        except OSError:
            self._unsynced = True
            raise
        finally:
            os.close(fd)

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd = -1

    def _write(self, batch: bytes) -> None:
        rest = memoryview(batch)
        self._torn = len(batch)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest[:MAX_WRITE]) :]
        except OSError:
            self._mend()
            raise
        self.size += len(batch)
        self._torn = 0
        self._unsynced = True

    def _mend(self) -> None:
        """Cuts the file back to its whole batches, now or, if that fails, before the next one."""
        if self._torn:
            os.ftruncate(self._fd, self.size)
            self._torn = 0


def sync_directory(path: Path) -> None:
    """Waits until the names in a directory are on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
