"""A server is started, asked for all that it offers, and ended; what was said is told message by message.

The idea: whatever the server does (no answer, an early end, noise), there is an end within a given time.
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
        self._lines: queue.Queue[bytes | None] = queue.Queue(10_000)
        threading.Thread(target=self._listen, daemon=True).start()
        self.told: list[Told] = []

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

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


def conversation(command: list[str], timeout: float) -> Iterator[Told]:
    """All that was said, each with its side. Raises CommandError."""
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
    try:
        hello = {"protocolVersion": REVISION, "capabilities": {}}
        answer = server.ask("initialize", hello | {"clientInfo": {"name": "mcptap-scan", "version": VERSION}})
        result = answer.get("result")
        offered = result.get("capabilities") if isinstance(result, dict) else None
        server.say({"method": "notifications/initialized"})
        for name, methods in LISTED.items():
            for method in methods if isinstance(offered, dict) and name in offered else ():
                _pages(server, method)
    finally:
        server.close()
    yield from server.told


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
