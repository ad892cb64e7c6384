"""A journal to load from, made of real records and sealed lines.

The idea: tests say what passed (`exchange`, `cancelled`, `late`), and this writes the lines that the collector would
have written.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mcptap.exporters.journal.encode import encode
from mcptap.exporters.journal.line import run_root, seal
from mcptap.exporters.store import read
from mcptap.exporters.store.store import Store
from mcptap.tap.analysis import Analysis
from mcptap.tap.records import Exchange, MessageRecord, Record, Redaction, RunEnded, RunStarted, Side, Usage
from mcptap.tap.redact import Redactor

START = 1_800_000_000_000_000_000
DAY = "2027-01-15"


class Run:
    """One run's journal file."""

    def __init__(self, home: Path, run_id: str) -> None:
        self.run_id = run_id
        self.path = home / "journal" / DAY / f"{run_id}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._n, self._prev, self.seq = 0, run_root(run_id), 0

    def write(self, *records: Record) -> None:
        with self.path.open("ab") as file:
            for record in records:
                self._n += 1
                parts, self._prev = seal(self._n, self._prev, record.type, encode(record))
                file.write(b"".join(parts))

    def start(self, **changes: object) -> Run:
        started = RunStarted(
            self.run_id, START, "demo", ("python", "server.py"), "/w", ("HOME", "PATH"), "0.1.0", 10, 1.0, 11, 1.0,
            "host-1", "/usr/bin/python", "ab" * 32, (Redaction("/command/1", "jwt", "0a0b0c0d", 20),),
        )  # fmt: skip
        self.write(replace(started, **changes))  # type: ignore[arg-type]
        return self

    def message(self, side: str, kind: str, body: object, *exchanges: Exchange) -> MessageRecord:
        self.seq += 1
        size = len(json.dumps(body)) + 1
        return MessageRecord(
            self.seq, side, START + self.seq * 1_000_000, kind, "tools/call", str(self.seq), 0, size, body,  # type: ignore[arg-type]
            exchanges=exchanges,
        )  # fmt: skip

    def exchanged(self, outcome: str = "ok", seq: int | None = None, **changes: object) -> Exchange:
        """The exchange of the request `seq` (the last message) with the next message."""
        seq = self.seq if seq is None else seq
        made = Exchange(
            seq, self.seq + 1, "client", "tools/call", "read", str(seq), START + seq * 1_000_000, 1.0, outcome,  # type: ignore[arg-type]
            None, None, 10, 20, "2025-11-25", "legacy", False, False, "host", "server", "0" * 32, "1" * 16, f"l{seq}",
        )  # fmt: skip
        return replace(made, **changes)  # type: ignore[arg-type]

    def call(self, number: int, text: str = "") -> None:
        """A whole exchange: request, then result."""
        request = self.message("client", "request", {"params": {"number": number, "text": text}})
        exchange = self.exchanged()
        self.write(request, self.message("server", "result", {"result": {"number": number}}, exchange))

    def usage(self, seconds: int, rss_bytes: int | None, cpu_seconds: float | None = 0.1, **more: int) -> None:
        """A sample, so many seconds after the start."""
        at = START + seconds * 10**9
        self.write(Usage(at, rss_bytes, cpu_seconds, **{"processes": 1} | more))

    def end(self, *exchanges: Exchange) -> None:
        self.write(RunEnded(START + 10**9, "ended", 0, None, 1000, 0.5, 1, 2, 3, None, exchanges))

    def compress(self) -> None:
        packed = self.path.with_name(self.path.name + ".gz")
        packed.write_bytes(gzip.compress(self.path.read_bytes()))
        self.path.unlink()
        self.path = packed


class Talk:
    """A run whose lines the analysis makes of what the two sides say; `at` is in seconds after START."""

    def __init__(self, run: Run, at: float = 0.0, **changes: object) -> None:
        self.run, self._at = run, START + int(at * 1e9)
        started = RunStarted(
            run.run_id, self._at, "demo", ("python", "/s.py"), "/w", (), "0.1.0", 10, 1.0, 11, 1.0, "h-1", None, None,
        )  # fmt: skip
        self.started = replace(started, **changes)  # type: ignore[arg-type]
        self._analysis = Analysis(self.started, Redactor(b"k" * 32))
        self._offsets: dict[Side, int] = {"client": 0, "server": 0}
        self._asked = 0
        run.write(self.started)

    def say(self, side: Side, message: dict[str, object]) -> None:
        """One message, a millisecond after the one before."""
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        self._at += 1_000_000
        self.run.write(*self._analysis.data(side, self._offsets[side], self._at, line))
        self._offsets[side] += len(line)

    def ask(self, method: str, result: dict[str, object] | None, **params: object) -> None:
        """A request of the host, and its result; None: no answer comes."""
        self._asked += 1
        self.say("client", {"id": self._asked, "method": method, "params": params})
        if result is not None:
            self.say("server", {"id": self._asked, "result": result})

    def end(self, **how: object) -> None:
        self._at += 1_000_000
        self.run.write(*self._analysis.end(self._at, **how))  # type: ignore[arg-type]


class Home:
    """A state directory with a store that serves, as a collector has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.store = Store(path, clock=lambda: self.now)

    def run(self, run_id: str) -> Run:
        return Run(self.path, run_id)

    def talk(self, run_id: str, at: float = 0.0, **changes: object) -> Talk:
        return Talk(Run(self.path, run_id), at, **changes)

    def serve(self) -> None:
        token = os.urandom(16).hex()
        self.store.serve(token)
        (self.path / read.TOKEN).write_text(token)
        self.announce()

    def announce(self) -> None:
        """Tells readers where they are answered, once the database is open."""
        if not self.store.serving:
            return
        (self.path / read.COLLECTOR).write_text(json.dumps({"pid": os.getpid(), "quack_port": self.store.port}))

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        self.announce()
        return read.run(sql, self.path)[1]

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What the database holds, without the way that readers take."""
        connection = self.store._connection
        assert connection is not None
        return connection.execute(sql).fetchall()

    def later(self) -> None:
        """Lets the time for the next attempt come."""
        self.now += 1000.0


@pytest.fixture
def make_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Home]:
    """A new state directory at each call, for a test that needs some; nobody stops their stores."""
    return lambda: Home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.path.mkdir(mode=0o700)
    yield made  # type: ignore[misc]
    made.store.stop()
