"""The ledger: one chained file for the whole home that tells when each run's file began and how it ended.

A run file's own chain cannot show that its last lines are gone, or the file itself. The ledger can: it
keeps each ended run's number of lines and last hash. What nothing inside can show is a ledger cut short
together with the runs it told of; for that, keep its head (`mcptap verify` prints it) somewhere else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from mcptap.exporters.journal.chain import Chain, Tail, sync_directory
from mcptap.exporters.journal.line import LEDGER_ROOT, hash_of, is_sealed
from mcptap.exporters.journal.reader import read_to_end
from mcptap.tap.pipe.home import ensure

NAME = "ledger.jsonl"
Told = Literal["run_opened", "run_closed", "run_compressed", "recovered", "scrubbed"]


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """One time that values were taken out of a run's file after it was closed."""

    run_id: str
    at: int  # nanoseconds since the epoch
    values: int
    rules: str  # digest of the rules that found them


@dataclass(slots=True)
class RunTold:
    """What the ledger tells of one run. Sizes in bytes; hashes in hex."""

    file: str | None = None  # relative to the home, uncompressed name
    lines: int | None = None  # None: not closed
    head: str | None = None
    state: str | None = None
    gz_sha256: str | None = None  # None: not compressed
    gz_bytes: int | None = None
    # The head of the file that the latest scrubbing was to replace, and its compressed file's hash.
    scrubbed_from: tuple[str, str | None] | None = None
    scrubbed: list[Scrubbed] = field(default_factory=list)

    def knows(self, head: str) -> bool:
        """Whether the file may end in this hash: it does, or did before a scrubbing that a crash may have ended."""
        return head == self.head or self.was(head)

    def was(self, head: str) -> bool:
        """Whether the file ended in this hash before it was last scrubbed."""
        return head != self.head and self.scrubbed_from is not None and head == self.scrubbed_from[0]

    def take(self, kind: str, told: dict[str, Any]) -> None:
        """Adds what one ledger line tells."""
        if kind == "scrubbed":
            self._scrub(told)
        for name, key in FACTS.get(kind, {}).items():
            setattr(self, name, told.get(key))

    def _scrub(self, told: dict[str, Any]) -> None:
        old = str(told.get("old_head"))
        if not self.was(old):  # else the one before never got so far
            self.scrubbed_from = old, self.gz_sha256
        facts = [told.get(name) for name in ("run_id", "at", "values", "rules")]
        self.scrubbed.append(Scrubbed(*facts))  # type: ignore[arg-type]


FACTS = {
    "run_opened": {"file": "file"},
    "run_closed": {"lines": "lines", "head": "head", "state": "state"},
    "run_compressed": {"gz_sha256": "sha256", "gz_bytes": "bytes"},
    "scrubbed": {"lines": "lines", "head": "head", "gz_sha256": "sha256", "gz_bytes": "bytes"},
}


def ledger_path(home: str | Path) -> Path:
    return Path(home, NAME)


def told_lines(home: str | Path) -> Iterator[dict[str, Any]]:
    """Every ledger line that is whole and bears out its own hash, in order; none if there is no ledger."""
    path = ledger_path(home)
    if not path.exists():
        return
    for _, line in read_to_end(path):
        if is_sealed(line) and isinstance(told := _parse(line), dict):
            yield told


def runs_told(home: str | Path) -> dict[str, RunTold]:
    """What the ledger tells of every run, by run_id, in the order of opening."""
    runs: dict[str, RunTold] = {}
    for told in told_lines(home):
        if isinstance(run_id := told.get("run_id"), str):
            runs.setdefault(run_id, RunTold()).take(str(told.get("type")), told)
    return runs


class Ledger:
    """The ledger's one writer, shared by all runs and threads."""

    def __init__(self, home: str | Path) -> None:
        """Opens or makes the ledger; cuts its own torn last line and tells so. Raises OSError."""
        ensure(str(home))
        self.home = Path(home)
        path = ledger_path(home)
        self.open: dict[str, str] = {}
        tail = self._read(path) if path.exists() else Tail(0, LEDGER_ROOT, 0, 0)
        self._chain = Chain(path, tail)
        if not tail.lines:
            sync_directory(self.home)
        if tail.torn:
            self.append("recovered", run_id=None, cut_bytes=tail.torn)

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self._chain.head

    def append(self, kind: Told, *, run_id: str | None, **fields: Any) -> None:
        """Adds one line, with the time. Raises OSError, and has then added nothing."""
        told = {"run_id": run_id, "at": time.time_ns(), **fields}
        self._chain.append([(kind, orjson.dumps(told))])
        self._follow({"type": kind, **told})

    def sync(self) -> None:
        """Waits until everything appended so far is on the disk. Raises OSError."""
        self._chain.sync()

    def close(self) -> None:
        """Syncs and closes."""
        self._chain.sync()
        self._chain.close()

    def _read(self, path: Path) -> Tail:
        lines, head, size, offset = 0, LEDGER_ROOT, 0, 0
        for offset, line in read_to_end(path):
            if line.endswith(b"\n"):
                lines, head, size = lines + 1, hash_of(line), offset
                self._follow(_parse(line))
        return Tail(lines, head, size, offset - size)

    def _follow(self, told: Any) -> None:
        """Keeps `open`: the files of the runs that have begun and not ended."""
        match told:
            case {"type": "run_opened", "run_id": str(run_id), "file": str(file)}:
                self.open[run_id] = file
            case {"type": "run_closed", "run_id": str(run_id)}:
                self.open.pop(run_id, None)


def _parse(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def relative(home: Path, path: Path) -> str:
    """A file's name in the ledger."""
    return os.path.relpath(path, home).replace(os.sep, "/")
