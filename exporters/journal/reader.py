"""Reads run files, plain or compressed, a whole line at a time.

An offset always counts uncompressed bytes, so a reader's place survives the compression of a file; and only
what ends in a newline is a line, so a file can be read while it is being written.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mcptap.exporters.journal.inflate import DamagedFileError, Inflate

__all__ = ["DamagedFileError", "RunFile", "find_run", "packed", "read_lines", "read_to_end", "run_files", "stat_of"]

PLAIN = ".jsonl"
COMPRESSED = ".jsonl.gz"
BLOCK = 1 << 20
RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")  # it becomes a file name
MAX_LINE = 1 << 29  # bytes; several times the largest message kept, so that a damaged file cannot fill the memory


class RunFile(NamedTuple):
    """Where a run's journal lies: `.jsonl` while it is written, `.jsonl.gz` some time after it has ended."""

    run_id: str
    path: Path


def run_files(home: str | Path) -> list[RunFile]:
    """Every run's file, oldest first. Where compression was interrupted, the plain file stands for both.

    The plain ones are listed first: a file that is compressed meanwhile is then found twice rather than never.
    """
    found: dict[tuple[str, str], Path] = {}
    for suffix in (PLAIN, COMPRESSED):
        for path in Path(home, "journal").glob(f"*/*{suffix}"):
            found.setdefault((path.parent.name, path.name.removesuffix(suffix)), path)
    return [RunFile(run_id, path) for (_, run_id), path in sorted(found.items())]


def packed(plain: Path) -> Path:
    """Where the lines of a plain run file are once it has been compressed."""
    return plain.with_name(plain.name.removesuffix(PLAIN) + COMPRESSED)


def stat_of(path: Path) -> os.stat_result | None:
    """How the file of a run is, or its `.gz` if it was compressed since it was listed; None when it has gone."""
    for name in (path, packed(path)):
        with suppress(OSError):
            return name.stat()
    return None


def find_run(home: str | Path, run_id: str) -> Path | None:
    """The file of one run, the plain one if there are two."""
    if not RUN_ID.fullmatch(run_id):
        return None
    directory = Path(home, "journal")
    for suffix in (PLAIN, COMPRESSED):
        for path in directory.glob(f"*/{run_id}{suffix}"):
            return path
    return None


def read_lines(path: str | Path, from_offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Each whole line, newline included, with the offset of the byte after it.

    A plain file that was compressed meanwhile is read from its `.gz`. Raises FileNotFoundError, and
    DamagedFileError after the last line that could be had.
    """
    for offset, line in read_to_end(path, from_offset):
        if line.endswith(b"\n"):
            yield offset, line


def read_to_end(path: str | Path, from_offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """As `read_lines`, and after the last whole line what stands behind it, if anything."""
    offset = from_offset
    with _open(Path(path), from_offset) as file:
        while line := file.readline(MAX_LINE):
            if len(line) == MAX_LINE:
                raise DamagedFileError(f"{path}: a line of more than {MAX_LINE} bytes")
            offset += len(line)
            yield offset, line


def _open(path: Path, offset: int) -> BinaryIO:
    if path.suffix != ".gz":
        try:
            file = path.open("rb", buffering=BLOCK)
        except FileNotFoundError:
            return _open(packed(path), offset)
        file.seek(offset)
        return file
    inflated = io.BufferedReader(Inflate(path.open("rb")), BLOCK)
    while offset and (skipped := len(inflated.read(min(offset, BLOCK)))):
        offset -= skipped
    return inflated
