"""The client at the near end: raw descriptors, prepared requests, nothing between the clock and the pipe."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from benchmarks.echo import HEAD_BYTES, READ_BYTES, filler, write_all

CALL = b'"method":"tools/call","params":{"name":"echo","arguments":{"text":"'
END = b'"}}}\n'
FIRST_ID = 1_000_000_000  # ids of one width, so that the server finds them without parsing
PATIENCE = 30.0  # seconds for a wrapped server to leave


def request(number: int, size: int, variety: int = 1) -> bytes:
    """The `number`th request, `size` bytes with its newline (at least the envelope)."""
    return b'{"jsonrpc":"2.0","id":%d,' % (FIRST_ID + number) + _body(size, number % variety)


@lru_cache(maxsize=128)
def _body(size: int, variant: int) -> bytes:
    return CALL + filler(size - HEAD_BYTES - len(CALL) - len(END), variant) + END


def echo_server(reply_bytes: int, variety: int = 1) -> list[str]:
    """The command of a server that answers with `reply_bytes` per request."""
    script = str(Path(__file__).with_name("echo.py"))
    return [sys.executable, "-I", "-S", script, str(reply_bytes), str(variety)]


class Connection:
    """One started command and the pipes to it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.sent = 0  # requests
        self.process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()

    def round_trip(self, size: int) -> float:
        """Sends one request of `size` bytes and waits for its answer. Returns seconds."""
        data = request(self.sent, size)
        self.sent += 1
        began = time.perf_counter()
        write_all(self._in, data)
        self.receive_line()
        return time.perf_counter() - began

    def receive_line(self) -> None:
        """Reads to the end of one line, which must be the last that is due. Raises EOFError."""
        while chunk := os.read(self._out, READ_BYTES):
            if chunk.endswith(b"\n"):
                return
        raise EOFError("the server, or what wraps it, ended without an answer")

    def stream(self, requests: Sequence[bytes], answers: int) -> float:
        """Sends all requests without waiting while it reads their answers. Returns seconds until the last."""
        writer = threading.Thread(target=self._write_all, args=(requests,), daemon=True)
        self.sent += answers
        began = time.perf_counter()
        writer.start()
        while answers > 0:
            chunk = os.read(self._out, READ_BYTES)
            if not chunk:
                raise EOFError("the server, or what wraps it, ended before the last answer")
            answers -= chunk.count(b"\n")
        took = time.perf_counter() - began
        writer.join()
        return took

    def close(self) -> None:
        """Ends the connection by closing the server's stdin and waits for the command to leave."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _write_all(self, requests: Sequence[bytes]) -> None:
        for data in requests:
            write_all(self._in, data)


def can_pin() -> bool:
    """Whether this system lets a process choose its cores (macOS does not)."""
    return hasattr(os, "sched_setaffinity")


@contextmanager
def pinned(wanted: bool) -> Iterator[None]:
    """Keeps this process, and what it starts meanwhile, on one core."""
    if not wanted:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
