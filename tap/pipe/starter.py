"""Finding the collector, and starting it where there is none.

The idea: the collector must not be a part of what the host started. It gets nothing of ours but a few harmless
environment variables: no descriptor (a host that waits for EOF would hang), no secret of the server's environment, no
controlling terminal, no parent (hosts kill process trees). It detaches itself; we only wait for its first half.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys

from mcptap.tap.pipe.home import ensure
from mcptap.tap.pipe.wire import SOCKET

LONGEST = 100  # bytes that a socket's path may have everywhere (macOS 103, Linux 107)
PASSED = frozenset(
    ["HOME", "USER", "LOGNAME", "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONHOME", "PYTHONPATH"]
)


def connect(home: str) -> socket.socket:
    """A connection to the collector of this state directory. Raises OSError when nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        at_socket(home, connection.connect)
    except OSError:
        connection.close()
        raise
    return connection


def at_socket(home: str, act: object) -> None:
    """Calls `act(path)` with a path of the socket that the system takes, however long the directory's own path is."""
    path = os.path.join(home, SOCKET)
    if len(os.fsencode(path)) <= LONGEST:
        act(path)  # type: ignore[operator]
        return
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(home)
        act(SOCKET)  # type: ignore[operator]
    finally:
        os.fchdir(here)
        os.close(here)


def collector_command(home: str, server: int | None = None) -> list[str]:
    """`server`: the pid that is to be looked after should we be killed before the collector listens."""
    watched = ["--server", str(server)] if server else []
    return [sys.executable, "-P", "-m", "mcptap.exporters.collector", "--home", home, "--detach", *watched]


def start(home: str, server: int | None = None) -> int | None:
    """Starts a collector and returns a descriptor that keeps others from doing the same until it is closed.

    None: somebody else is starting one. Raises OSError when the state directory cannot be written to.
    """
    ensure(home)
    lock = os.open(os.path.join(home, "start.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    try:
        os.waitpid(_spawn(home, server), 0)
    except ChildProcessError:
        pass  # whoever started us ignores the ends of children
    except BaseException:
        os.close(lock)
        raise
    return lock


def _spawn(home: str, server: int | None) -> int:
    command = collector_command(home, server)
    return os.posix_spawn(
        command[0],
        command,
        {name: value for name, value in os.environ.items() if name in PASSED},
        file_actions=_nothing_of_ours(home),
        setsigmask=(),
        setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
    )


def _nothing_of_ours(home: str) -> list[tuple[object, ...]]:
    log = os.path.join(home, "collector.log")
    actions: list[tuple[object, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
    ]
    return actions + [(os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in inherited()]


def inherited() -> list[int]:
    """The descriptors beyond stderr that a child of ours would get: the host gave them to us for the server."""
    found = []
    for name in os.listdir("/dev/fd"):
        try:
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:
            pass  # the listing's own descriptor
    return found
