"""A journal to load from, made of real records and sealed lines.

The idea: tests say what passed (`exchange`, `cancelled`, `late`), and this writes the lines that the collector would
have written.
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mcptap.exporters.journal.encode import encode
from mcptap.exporters.journal.line import run_root, seal
from mcptap.exporters.store import read
from mcptap.exporters.store.store import Store
from mcptap.tap.records import Exchange, MessageRecord, Record, Redaction, RunEnded, RunStarted

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

    def end(self, *exchanges: Exchange) -> None:
        self.write(RunEnded(START + 10**9, "ended", 0, None, 1000, 0.5, 1, 2, 3, None, exchanges))

    def compress(self) -> None:
        packed = self.path.with_name(self.path.name + ".gz")
        packed.write_bytes(gzip.compress(self.path.read_bytes()))
        self.path.unlink()
        self.path = packed


class Home:
    """A state directory with a store that serves, as a collector has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.store = Store(path, clock=lambda: self.now)

    def run(self, run_id: str) -> Run:
        return Run(self.path, run_id)

    def serve(self) -> None:
        token = os.urandom(16).hex()
        port = self.store.serve(token)
        (self.path / read.TOKEN).write_text(token)
        (self.path / read.COLLECTOR).write_text(json.dumps({"pid": os.getpid(), "quack_port": port}))

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        return read.run(sql, self.path)[1]

    def later(self) -> None:
        """Lets the time for the next attempt come."""
        self.now += 1000.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.path.mkdir(mode=0o700)
    yield made  # type: ignore[misc]
    made.store.stop()
