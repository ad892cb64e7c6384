"""What the system says of processes: who a pid is, whether it still lives, which file it runs.

The idea: a pid alone names nobody, since it is used again; a pid with its start time names one process for ever.
"""

from __future__ import annotations

import functools
import hashlib
import re
import socket
import struct
import sys
from pathlib import Path

import psutil

_STAT = re.compile(
    r"(?P<pid>[0-9]{1,10}) \((?P<name>.{0,64})\)(?: [\w-]{1,20}){19} (?P<started>[0-9]{1,20}) ", re.DOTALL | re.ASCII
)
SAME_START_S = 2.0  # the kernel tells start times relative to its boot, whose own time it rounds to seconds


def created(pid: int | None) -> float | None:
    """When the process started, in seconds since the epoch; None when there is no such process."""
    if pid is None:
        return None
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def created_by(pid: int | None, parent: int) -> float | None:
    """When a process started, provided this parent started it: a number told by somebody may name anything."""
    try:
        if pid is None or psutil.Process(pid).ppid() != parent:
            return None
    except psutil.Error:
        return None
    return created(pid)


def same_process(pid: int | None, started: float | None) -> psutil.Process | None:
    """The living process that has this pid and start time, if it still lives (a zombie does not)."""
    if pid is None or started is None:
        return None
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) < SAME_START_S and process.status() != psutil.STATUS_ZOMBIE:
            return process
    except psutil.Error:
        pass
    return None


def name(pid: int | None) -> str | None:
    """The name of the program that a process runs; None when there is no such process, or it is not told."""
    try:
        return None if pid is None else psutil.Process(pid).name()
    except psutil.Error:
        return None


def told(pid: int | None, stat: object) -> tuple[str, str] | None:
    """Name and start of a process by the line of `/proc/PID/stat` that a tap has read (proc_pid_stat(5)).

    The name has up to 15 characters. The start is in clock ticks since the boot. None: it is no such line.
    """
    found = _STAT.match(stat) if isinstance(stat, str) else None
    return (found["name"], found["started"]) if found and int(found["pid"]) == pid else None


def host_name(pid: int | None, stat: object) -> str | None:
    """The name of the program that started a run, also when it has ended since, and another process has its pid."""
    known, now = told(pid, stat), name(pid)
    return now if known is None or (now or "").startswith(known[0]) else known[0]


def host_session_id(pid: int | None, stat: object) -> str | None:
    """One name for all runs that one host process started; None when nobody can tell when it started.

    The line that the run's own tap has read counts most: the host may have ended since, and each of its runs must get
    the same name whether it has or not.
    """
    if known := told(pid, stat):
        return f"{pid}-{known[1]}-{_boot()}"
    started = created(pid)
    return None if started is None else f"{pid}-{started:.2f}"


@functools.cache
def _boot() -> str:
    """Tells one boot of the system from the next (random(4))."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        return ""


def file_sha256(path: str | None) -> str | None:
    """The hash of an executable; None when it cannot be read. Remembered until the file changes."""
    try:
        facts = Path(path or "").stat()
        return _hash(str(path), facts.st_size, facts.st_mtime_ns)
    except OSError:
        return None


@functools.lru_cache(maxsize=256)
def _hash(path: str, size: int, mtime_ns: int) -> str:  # noqa: ARG001  # size and mtime are part of the key
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def peer(connection: socket.socket) -> tuple[int | None, int]:
    """Process and user at the other end of a Unix socket, as the kernel knows them here. Raises OSError.

    The process is None on macOS. It may differ from what the other side takes for its own number (containers).
    """
    if sys.platform == "darwin":
        credentials = connection.getsockopt(0, 1, 8)  # SOL_LOCAL, LOCAL_PEERCRED: version, uid
        return None, int(struct.unpack("II", credentials)[1])
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", credentials)
    return int(pid), int(uid)
