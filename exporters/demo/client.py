"""A scripted MCP client over pipes: starts one wrapped server, makes the calls it is given, keeps count.

The count is the yardstick of the demo: what was sent and what came back is known here without the recorder,
so what the recorder says can be held against it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

Json = dict[str, Any]
TARGETS = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
PATIENCE = 5.0  # seconds for the wrapped server to leave once its stdin is closed


class ServerGoneError(Exception):
    """The wrapped server ended, or answered something else than was asked."""


@dataclass(frozen=True)
class Call:
    """One request to make."""

    method: str
    params: Json = field(default_factory=dict)

    @property
    def target(self) -> str | None:
        """The tool, prompt or resource that the request is about."""
        key = TARGETS.get(self.method)
        return str(self.params[key]) if key else None


def tool(name: str, **arguments: Any) -> Call:
    """A call of a tool."""
    return Call("tools/call", {"name": name, "arguments": arguments})


HANDSHAKE = Call(
    "initialize",
    {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "mcptap-demo-client", "version": "1.0.0"},
    },
)


class Client:
    """One connection to one server. `seen` counts (method, target, outcome) of every request answered;
    `complaints` are the wrapper's own lines on stderr, known once the connection has ended."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.seen: Counter[tuple[str, str | None, str]] = Counter()
        self.complaints: list[str] = []
        self._last_id = 0
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,  # out of the way of the progress display
            env={**os.environ, **(environment or {})},
        )

    def __enter__(self) -> Client:
        try:
            self.request(HANDSHAKE)
            self._send({"method": "notifications/initialized"})
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection as hosts do: closes the server's stdin and waits for it to leave."""
        assert self._process.stdin
        assert self._process.stdout
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self.complaints = self._complaints()

    def request(self, call: Call) -> Json:
        """The answer to one request. Raises ServerGoneError when none comes."""
        self._last_id += 1
        self._send({"id": self._last_id, "method": call.method, "params": call.params})
        answer = self._receive()
        if answer.get("id") != self._last_id:
            raise ServerGoneError(f"answer to {answer.get('id')!r} in place of {self._last_id}")
        self.seen[call.method, call.target, _outcome(answer)] += 1
        return answer

    def play(self, calls: Iterable[Call], after_each: Callable[[Call, Json], None]) -> None:
        """Makes the calls one after another."""
        for call in calls:
            after_each(call, self.request(call))

    def _complaints(self) -> list[str]:
        """The lines that the wrapper wrote to stderr for itself; the rest is the server's."""
        with self._stderr:
            self._stderr.seek(0)
            return [
                text for line in self._stderr if (text := line.decode(errors="replace").strip()).startswith("mcptap")
            ]

    def _send(self, message: Json) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ServerGoneError("the server closed its stdin") from None

    def _receive(self) -> Json:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise ServerGoneError("the server ended without an answer")
        try:
            answer = json.loads(line)
        except ValueError:
            raise ServerGoneError("the server answered something that is not JSON") from None
        return answer if isinstance(answer, dict) else {}


def _outcome(answer: Json) -> str:
    if "error" in answer:
        return "rpc_error"
    result = answer.get("result")
    return "tool_error" if isinstance(result, dict) and result.get("isError") is True else "ok"
