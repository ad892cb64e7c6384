"""A server is started, asked for all that it offers, and ended; what was said is told message by message.

The idea: whatever the server does (no answer, an early end, noise, a flood), there is an end within a given time and a
given memory, and what it said until then is told all the same.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import orjson

from mcptap.exporters.cli.errors import CommandError
from mcptap.tap.records import Side
from mcptap.tap.version import VERSION

REVISION: Final = "2025-06-18"
MOST_PAGES: Final = 100
MAX_LINE: Final = 8 << 20  # bytes of one line
MOST_SAID: Final = 32 << 20  # bytes of all lines
MOST_LINES: Final = 10_000
LONGEST_CURSOR: Final = 10_000  # characters; no pipe takes more than some of them from who does not read
LISTED: Final = {"tools": ("tools/list",), "prompts": ("prompts/list",),
                 "resources": ("resources/list", "resources/templates/list")}  # fmt: skip
Told = tuple[Side, Any]


class Server:
    """A server that is asked one thing at a time."""

    def __init__(self, command: list[str], timeout: float) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._until, self._timeout, self._asked = time.monotonic() + timeout, timeout, 0
        self._lines: queue.SimpleQueue[bytes | str | None] = queue.SimpleQueue()  # str: why nothing more is read
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.told: list[Told] = []

    def _listen(self) -> None:
        """Reads until the end, or until it is too much: then the server waits until it is ended."""
        assert self._process.stdout
        left = MOST_SAID
        for _ in range(MOST_LINES):
            line = self._process.stdout.readline(min(MAX_LINE, left))
            left -= len(line)
            if not line.endswith(b"\n") and (len(line) == MAX_LINE or not left):
                what = f"a line of more than {MAX_LINE >> 20} MB" if left else f"more than {MOST_SAID >> 20} MB"
                return self._lines.put(what)
            if not line:
                return self._lines.put(None)
            self._lines.put(line)
        return self._lines.put(f"more than {MOST_LINES:,} lines")

    def say(self, message: dict[str, Any]) -> None:
        """Sends a message. Raises CommandError if the server has gone."""
        message = {"jsonrpc": "2.0", **message}
        self.told.append(("client", message))
        assert self._process.stdin
        try:
            self._process.stdin.write(orjson.dumps(message) + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise self._gone() from None

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises CommandError if there is none."""
        self._asked += 1
        self.say({"id": self._asked, "method": method, "params": params})
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, self._until - time.monotonic()))
            except queue.Empty:
                raise CommandError(f"the server did not answer {method} within {self._timeout:g} s") from None
            if line is None:
                raise self._gone()
            if isinstance(line, str):
                raise CommandError(f"the server said {line}", "only what it said before has been looked at")
            message = _parsed(line)
            self.told.append(("server", message))
            if isinstance(message, dict) and message.get("id") == self._asked and "method" not in message:
                return message

    def _gone(self) -> CommandError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        return CommandError(f"the server ended (exit status {self._process.returncode}) before it had answered")

    def close(self) -> None:
        """Ends it, and all that it started."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(OSError):  # what it has not read
            self._process.stdin.close()
        self._listener.join(1)
        if not self._listener.is_alive():  # who left the group may still hold the pipe
            self._process.stdout.close()


def conversation(command: list[str], timeout: float) -> Iterator[Told]:
    """All that was said, each with its side. Raises CommandError behind it, if that was not all."""
    with _told_to_end():
        server = Server(command, timeout)
        yield from _conversation(server)


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """Who is told to end takes the server along: it has a session of its own."""

    def leave(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conversation(server: Server) -> Iterator[Told]:
    problem: CommandError | None = None
    try:
        hello = {"protocolVersion": REVISION, "capabilities": {}}
        answer = server.ask("initialize", hello | {"clientInfo": {"name": "mcptap-scan", "version": VERSION}})
        result = answer.get("result")
        offered = result.get("capabilities") if isinstance(result, dict) else None
        server.say({"method": "notifications/initialized"})
        for name, methods in LISTED.items():
            for method in methods if isinstance(offered, dict) and name in offered else ():
                _pages(server, method)
    except CommandError as error:
        problem = error
    finally:
        server.close()
    yield from server.told
    if problem:
        raise problem


def _pages(server: Server, method: str) -> None:
    cursor: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        result = server.ask(method, cursor).get("result")
        following = result.get("nextCursor") if isinstance(result, dict) else None
        if not isinstance(following, str) or len(following) > LONGEST_CURSOR:
            return
        cursor = {"cursor": following}


def _parsed(line: bytes) -> Any:
    """A message; noise as text."""
    try:
        return orjson.loads(line)
    except ValueError:
        return line.decode(errors="replace").rstrip("\n")
