"""Real taps, a real collector per test, and a client that speaks JSON-RPC over pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from mcptap.exporters.collector import client
from mcptap.exporters.store import read

ECHO = Path(__file__).with_name("echo_server.py")
PATIENCE_S = 60.0


class Conversation:
    """A client of one wrapped server."""

    def __init__(self, home: Path, *options: str, server: tuple[str, ...] = (sys.executable, str(ECHO))) -> None:
        command = [sys.executable, "-m", "mcptap.exporters.entry", "--home", str(home), *options, "--", *server]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        self.sent = self.received = self.calls = 0

    def call(self, text: str = "hello") -> dict[str, Any]:
        """One request and its answer; the answer must be to this request and hold this text."""
        assert self.process.stdin
        assert self.process.stdout
        self.calls += 1
        params = {"name": "echo", "arguments": {"text": text}}
        request = {"jsonrpc": "2.0", "id": self.calls, "method": "tools/call", "params": params}
        line = json.dumps(request).encode() + b"\n"
        self.process.stdin.write(line)
        answer = self._line()
        self.sent += len(line)
        self.received += len(answer)
        parsed: dict[str, Any] = json.loads(answer)
        assert parsed["id"] == self.calls
        assert parsed["result"]["content"][0]["text"] == text
        return parsed

    def _line(self) -> bytes:
        assert self.process.stdout
        parts: list[bytes] = []
        while not parts or not parts[-1].endswith(b"\n"):
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            assert data, "the tap ended"
            parts.append(data)
        return b"".join(parts)

    def close(self) -> tuple[int, bytes]:
        """Ends the conversation; (exit status, stderr)."""
        _, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, err


def collector_pid(home: Path) -> int | None:
    try:
        return int(json.loads((home / "collector.json").read_bytes())["pid"])
    except (OSError, ValueError):
        return None


def processes_of(home: Path) -> list[psutil.Process]:
    """Collectors and taps that work for this state directory."""
    return [one for one in psutil.process_iter(["cmdline"]) if str(home) in (one.info["cmdline"] or [])]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "state"
    yield directory
    with suppress(client.NotRunningError, OSError):
        client.request(directory, "stop")
    _, alive = psutil.wait_procs(processes_of(directory), timeout=10)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=5)


@pytest.fixture
def converse(home: Path) -> Iterator[Callable[..., Conversation]]:
    started: list[Conversation] = []

    def start(*options: str, **more: Any) -> Conversation:
        started.append(Conversation(home, *options, **more))
        return started[-1]

    yield start
    for conversation in started:
        if conversation.process.poll() is None:
            conversation.process.send_signal(signal.SIGKILL)
        conversation.process.communicate()


@pytest.fixture
def rows(home: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """Asks the store through the collector, as `mcptap query` does."""

    def ask(sql: str) -> list[tuple[Any, ...]]:
        client.ensure(home)
        _, found = read.run(sql, home)
        return [tuple(row) for row in found]

    return ask


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any], Any], Any]:
    """Asks again until the answer is the expected one; fails with the last answer when patience ends."""

    def until(ask: Callable[[], Any], expected: Any, patience: float = PATIENCE_S) -> Any:
        limit, last, pause = time.monotonic() + patience, None, 0.05
        while time.monotonic() < limit:
            try:
                last = ask()
            except (client.NotRunningError, read.StoreError, OSError) as problem:
                last = problem
            if last == expected:
                return last
            time.sleep(pause)
            pause = min(1.5 * pause, 0.3)  # asking is work for those who are waited for
        raise AssertionError(f"expected {expected!r}, last answer {last!r}")

    return until


@pytest.fixture
def kill_collector(home: Path) -> Callable[[float], int]:
    """Kills a collector with SIGKILL, so many seconds after it is seen to be there, and returns its pid."""

    killed: set[int] = set()

    def kill(after: float) -> int:
        limit = time.monotonic() + PATIENCE_S
        while time.monotonic() < limit:
            pid = collector_pid(home)
            if pid and pid not in killed and psutil.pid_exists(pid):
                time.sleep(after)
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
                return pid
            time.sleep(0.01)
        raise AssertionError("no collector to kill")

    return kill
