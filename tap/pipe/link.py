"""The tap's conversation with the collector, on a thread of its own: find it, say hello, keep what it acknowledges.

The idea: nothing here can hold up the traffic. Whatever fails is tried again, from the last acknowledged byte; and
when the run ends before its last bytes are acknowledged, a detached copy of this process stays behind to deliver
them, so that the host never waits for us.
"""

from __future__ import annotations

import json
import os
import socket
from select import POLLIN, POLLOUT, poll
from time import monotonic, sleep

from mcptap.tap.pipe import starter
from mcptap.tap.pipe.channel import Channel
from mcptap.tap.pipe.wire import ACK, FAILING, PROTOCOL, RUN_ENDED
from mcptap.tap.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PIPE_BYTES = 1 << 20  # as much as the system lets an ordinary user have: what is in there survives our death
_F_SETPIPE_SZ = 1031
RETRY_S = (0.02, 0.5)  # first and longest pause between attempts
ANSWER_S = 10.0  # a collector that does not answer a hello for so long is given up
START_S = (1.5, 60.0)  # so long one that was started may take to listen; longer with each that did not
QUIET_MS = 5000  # so long without traffic before memory is given back
SILENCE_S = 5.0  # so long unrecorded before the user is told
HOPELESS = (PermissionError, FileExistsError, NotADirectoryError)  # the state directory cannot be: told at once


class Link:
    """Connects a channel with the collector until the whole run has been acknowledged."""

    def __init__(self, channel: Channel, home: str, hello: dict[str, Any], warn: Callable[[str], None]) -> None:
        self.finished = False
        self._channel, self._home, self._warn = channel, home, warn
        self._hello = {"op": "tap", "protocol": PROTOCOL, "version": VERSION, **hello}
        self._start_lock: int | None = None
        self._start_wait = START_S[0]
        self._alone_since, self._pause = monotonic(), RETRY_S[0]

    def run(self, deadline: float = float("inf")) -> None:
        """Delivers until the end of the run is acknowledged or the monotonic `deadline` (seconds) has passed."""
        while not self.finished and monotonic() < deadline:
            try:
                with self._connect() as connection:
                    self._deliver(connection, deadline)
            except (OSError, ValueError) as problem:
                self._channel.disconnect()
                if monotonic() - self._alone_since > SILENCE_S or isinstance(problem, HOPELESS):
                    self._warn(str(problem))
                sleep(self._pause)
                self._pause = min(self._pause * 1.5, RETRY_S[1])
        self._free_start_lock()

    def take_over(self) -> None:
        """Goes on in a forked process: under its own pid, without the lock that the other one may have held."""
        self._hello["tap_pid"], self._start_lock = os.getpid(), None

    def check(self) -> None:
        """Raises OSError or ValueError unless a collector answers that it is able to record."""
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
        out, into = os.pipe()
        try:
            _enlarge(into)
            os.set_blocking(into, False)
            connection.settimeout(ANSWER_S)
            socket.send_fds(connection, [_line(self._hello)], [out])
        except OSError:
            os.close(into)
            raise
        finally:
            os.close(out)
        try:
            answer = _answer(connection)
        except (OSError, ValueError):
            os.close(into)
            raise
        if answer.get("op") == "closed":  # this run's record has been closed: nobody will take more of it
            self.finished = True
        if answer.get("op") != "welcome":
            os.close(into)
            raise ValueError(f"the collector answered {answer.get('op')!r}: {answer.get('problem')}")
        if answer.get("problem"):
            self._warn(str(answer["problem"]))
        self._channel.connect(into, answer["offsets"])
        try:
            self._serve(connection, into, deadline)
        finally:
            self._alone_since, self._pause = monotonic(), RETRY_S[0]

    def _serve(self, connection: socket.socket, pipe: int, deadline: float) -> None:
        channel, received = self._channel, b""
        connection.setblocking(False)
        while not self.finished and channel.connected and monotonic() < deadline:
            ready = poll()
            ready.register(connection, POLLIN)
            ready.register(channel.wake_descriptor, POLLIN)
            if channel.full:
                ready.register(pipe, POLLOUT)
            seen = dict(ready.poll(self._patience(deadline)))
            if not seen:
                channel.arenas.trim()
            if channel.dropping:
                self._warn("the collector does not keep up")
            if channel.wake_descriptor in seen:
                channel.hear()
            if connection.fileno() in seen:
                received += self._receive(connection)
                received = self._acknowledge(received)
            channel.resume()

    def _patience(self, deadline: float) -> int | None:
        """How many milliseconds to wait for something to happen; without need of us, for ever."""
        if self._channel.full or deadline < float("inf"):
            return 1000
        return QUIET_MS if self._channel.arenas.spare else None

    def _receive(self, connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        if not data:
            raise ConnectionResetError("the collector went away")
        return data

    def _acknowledge(self, received: bytes) -> bytes:
        whole = len(received) - len(received) % ACK.size
        if whole:
            *offsets, state = ACK.unpack_from(received, whole - ACK.size)
            self.finished = state == RUN_ENDED
            self._channel.acknowledge(offsets, ended=self.finished)
            if state == FAILING:
                self._warn("the collector cannot write")
        return received[whole:]

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
    """Reads one JSON line, byte by byte: what follows it is acknowledgements."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionResetError("the collector went away")
        line += byte
    answer: dict[str, Any] = json.loads(line)
    return answer


def _enlarge(pipe: int) -> None:
    try:
        from fcntl import fcntl

        fcntl(pipe, _F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # macOS, or the user's share is used up: the default is enough to work with
