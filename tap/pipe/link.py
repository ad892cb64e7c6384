"""The tap's conversation with the collector, on a thread of its own: find it, say hello, keep what it acknowledges.

The idea: nothing here can hold up the traffic. Whatever fails is tried again, from the last acknowledged byte; and
when the run ends before its last bytes are acknowledged, a detached copy of this process stays behind to deliver
them, so that the host never waits for us.
"""

from __future__ import annotations

import json
import os
import socket
from select import POLLIN, poll
from time import monotonic, sleep

from mcptap.tap.pipe import starter
from mcptap.tap.pipe.channel import Channel
from mcptap.tap.pipe.wire import FAILING, PROTOCOL, RUN_ENDED
from mcptap.tap.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RETRY_S = (0.02, 0.5)  # first and longest pause between attempts
ANSWER_S = 10.0  # a collector that does not answer a hello for so long is given up
START_S = (1.5, 60.0)  # so long one that was started may take to listen; longer with each that did not
QUIET_MS = 30_000  # so long without news of the collector before memory is given back
SILENCE_S = 5.0  # so long unrecorded before the user is told
NO_MEMORY = "the system grants no memory to record into"
HOPELESS = (PermissionError, FileExistsError, NotADirectoryError)  # the state directory cannot be: told at once


class Link:
    """Connects a channel with the collector until the whole run has been acknowledged."""

    def __init__(self, channel: Channel, home: str, hello: dict[str, Any], warn: Callable[[str], None]) -> None:
        self.finished = self.connected = False
        self._channel, self._home, self._warn = channel, home, warn
        self._hello = {"op": "tap", "protocol": PROTOCOL, "version": VERSION, **hello}
        self._start_lock: int | None = None
        self._alarm, channel.alarm = os.pipe()
        self._start_wait = START_S[0]
        self._alone_since, self._pause = monotonic(), RETRY_S[0]

    def run(self, deadline: float = float("inf")) -> None:
        """Delivers until the end of the run is acknowledged or the monotonic `deadline` (seconds) has passed."""
        if self._channel.memory < 0:
            self._warn(NO_MEMORY)
            return
        while not self.finished and monotonic() < deadline:
            try:
                with self._connect() as connection:
                    self._deliver(connection, deadline)
            except (OSError, ValueError) as problem:
                if monotonic() - self._alone_since > SILENCE_S or isinstance(problem, HOPELESS):
                    self._warn(str(problem))
                sleep(self._pause)
                self._pause = min(self._pause * 1.5, RETRY_S[1])
        self._free_start_lock()

    def take_over(self) -> None:
        """Goes on in a forked process: under its own pid, without the lock that the other one may have held."""
        self._hello["tap_pid"], self._start_lock = os.getpid(), None
        self._alarm, self._channel.alarm = os.pipe()

    def check(self) -> None:
        """Raises OSError or ValueError unless a collector answers that it is able to record."""
        if self._channel.memory < 0:
            raise ValueError(NO_MEMORY)
        with self._connect() as connection:
            _send(connection, {"op": "ping", "protocol": PROTOCOL, "version": VERSION})
            answer = _answer(connection)
            if answer.get("op") == "outdated":
                raise ConnectionResetError("an older collector is leaving")
            if answer.get("op") != "pong":
                raise ValueError(f"the collector answered {answer.get('op')!r}")
            if answer.get("problem"):
                raise ValueError(str(answer["problem"]))

    def _connect(self) -> socket.socket:
        try:
            connection = starter.connect(self._home)
        except OSError:
            if self._start_lock is None:
                self._start_lock = starter.start(self._home)
                self._lock_until = monotonic() + self._start_wait
            elif monotonic() > self._lock_until:
                self._free_start_lock()  # it did not come up: let somebody, perhaps us, try again
                self._start_wait = min(self._start_wait * 1.5, START_S[1])
            raise
        self._free_start_lock()
        self._start_wait = START_S[0]
        return connection

    def _deliver(self, connection: socket.socket, deadline: float) -> None:
        connection.settimeout(ANSWER_S)
        socket.send_fds(connection, [_line(self._hello)], [self._channel.memory])
        answer = _answer(connection)
        if answer.get("op") == "closed":  # this run's record has been closed: nobody will take more of it
            self.finished = True
        if answer.get("op") != "welcome":
            raise ValueError(f"the collector answered {answer.get('op')!r}: {answer.get('problem')}")
        if answer.get("problem"):
            self._warn(str(answer["problem"]))
        connection.setblocking(False)
        self._channel.connect(connection.fileno())
        self.connected = True
        try:
            self._serve(connection, deadline)
        finally:
            self.connected = False
            self._channel.disconnect()
            self._alone_since, self._pause = monotonic(), RETRY_S[0]

    def _serve(self, connection: socket.socket, deadline: float) -> None:
        ready = poll()
        ready.register(connection, POLLIN)
        ready.register(self._alarm, POLLIN)
        while not self.finished and monotonic() < deadline:
            seen = dict(ready.poll(1000 if deadline < float("inf") else QUIET_MS))
            if not seen:
                self._channel.trim()
            if self._alarm in seen:
                os.read(self._alarm, 4096)
                self._warn("the collector does not keep up")
            if connection.fileno() in seen:
                self._hear(connection)

    def _hear(self, connection: socket.socket) -> None:
        states = connection.recv(65536)
        if not states:
            raise ConnectionResetError("the collector went away")
        self.finished = RUN_ENDED in states
        if states.endswith(FAILING):
            self._warn("the collector cannot write")

    def _free_start_lock(self) -> None:
        if self._start_lock is not None:
            os.close(self._start_lock)
            self._start_lock = None


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    connection.settimeout(ANSWER_S)
    connection.sendall(_line(message))


def _answer(connection: socket.socket) -> dict[str, Any]:
    """Reads one JSON line, byte by byte: what follows it is news of the record."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionResetError("the collector went away")
        line += byte
    answer: dict[str, Any] = json.loads(line)
    return answer
