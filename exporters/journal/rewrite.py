"""Writes a closed run's file anew, with other records under a new chain, and tells the ledger.

The idea: the ledger first tells what the file was and what it will be; then the new file, complete on the disk, takes
the place of the old one in one step. So at any moment there is the old or the new one, the ledger knows both, and
doing it all again after a crash is right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mcptap.exporters.journal.chain import sync_directory
from mcptap.exporters.journal.compression import write_synced
from mcptap.exporters.journal.encode import encode
from mcptap.exporters.journal.ledger import Ledger, RunTold
from mcptap.exporters.journal.line import SEALED_TO, run_root, seal
from mcptap.exporters.journal.reader import RunFile, packed, read_lines
from mcptap.exporters.journal.walk import walk
from mcptap.tap.record_json import record_from_json
from mcptap.tap.records import Record, RunStarted

TEMPORARY = "*/*.tmp"  # below the journal: what a crash left, of this or of a compression


class NotProvenError(Exception):
    """A file is not what the ledger tells; writing it anew would hide that. The argument says what is wrong."""


class Cleaner(Protocol):
    """Gives each record of a run, in order, as it shall be written; counts what it has changed."""

    values: int

    def clean(self, record: Record) -> Record: ...


Begin = Callable[[RunStarted], Cleaner]


@dataclass(slots=True)
class Rewriting:
    """One run's file, line by line, under its new chain."""

    file: RunFile
    begin: Begin
    lines: int = 0
    head: str = ""
    cleaner: Cleaner | None = None

    @property
    def values(self) -> int:
        """How many were taken out so far."""
        return self.cleaner.values if self.cleaner else 0

    def blocks(self) -> Iterator[bytes]:
        """The new file's content. Raises NotProvenError for a line that is no record."""
        self.lines, self.head, self.cleaner = 0, run_root(self.file.run_id), None
        for _, line in read_lines(self.file.path):
            self.lines += 1
            kind, fields = self._written_anew(line)
            parts, self.head = seal(self.lines, self.head, kind, fields)
            yield b"".join(parts)

    def _written_anew(self, line: bytes) -> tuple[str, bytes]:
        """A line's type and fields. What has not changed keeps its bytes."""
        try:
            before = record_from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as problem:
            raise NotProvenError(f"line {self.lines} is no record ({type(problem).__name__})") from None
        if self.cleaner is None:
            if not isinstance(before, RunStarted):
                raise NotProvenError("the first line does not tell the start of a run")
            self.cleaner = self.begin(before)
        after = self.cleaner.clean(before)
        return before.type, _fields(line, before.type) if after == before else encode(after)


def _fields(line: bytes, kind: str) -> bytes:
    """The record's members in a line, as the object that was sealed."""
    opening = b'"type":"%b",' % kind.encode()
    start = line.index(opening) + len(opening)
    return b"{" + line[start:SEALED_TO] + b"}"


def count(file: RunFile, told: RunTold, begin: Begin) -> int:
    """How many values would be taken out. Raises NotProvenError, OSError."""
    _prove(file, told)
    rewriting = Rewriting(file, begin)
    for _ in rewriting.blocks():
        pass
    return rewriting.values


def rewrite(
    ledger: Ledger, file: RunFile, told: RunTold, begin: Begin, *, rules: str, before: Callable[[], None]
) -> int:
    """Takes values out of a closed run's file; how many. Calls `before` when there are any, before the file changes.

    Raises NotProvenError, OSError; the file is then as it was. The caller is the journal's only writer.
    """
    old_head = _prove(file, told)
    fresh = file.path.with_name(file.path.name + ".tmp")
    rewriting = Rewriting(file, begin)
    compressed = file.path.suffix == ".gz"
    try:
        sha256, size = write_synced(rewriting.blocks(), fresh, compressed=compressed)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    if not rewriting.values and old_head == told.head:
        fresh.unlink()
        return 0
    before()
    ledger.append(
        "scrubbed",
        run_id=file.run_id,
        old_head=old_head,
        head=rewriting.head,
        lines=rewriting.lines,
        sha256=sha256 if compressed else None,
        bytes=size if compressed else None,
        rules=rules,
        values=rewriting.values,
    )
    ledger.sync()
    if not compressed:  # of a compression that a crash ended
        packed(file.path).unlink(missing_ok=True)
    fresh.replace(file.path)
    sync_directory(file.path.parent)
    return rewriting.values


def _prove(file: RunFile, told: RunTold) -> str:
    """The hash that the file ends in, which must be one that the ledger tells."""
    walked = walk(file.path, run_root(file.run_id), lambda _n, _members: None, lambda _done: None)
    if walked.fault or walked.torn:
        raise NotProvenError(f"line {walked.lines + 1}: {walked.fault or 'is unfinished'}")
    if walked.lines != told.lines or not told.knows(walked.head):
        raise NotProvenError("it does not end as the ledger tells")
    return walked.head
