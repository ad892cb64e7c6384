"""Follows one chained file to its first bad line, or to its end.

Inside a file the chain proves only that the lines belong together; that they are the ones once written, and
all of them, shows when the number and hash of the last are compared with the ledger's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mcptap.exporters.journal.line import fault, hash_of, torn_fault
from mcptap.exporters.journal.reader import read_to_end

Judge = Callable[[int, dict[str, Any]], str | None]  # (line number, its members) to what is wrong with them
Tick = Callable[[int], None]  # told how many uncompressed bytes are done
EVERY = 1024  # lines between two ticks


@dataclass(slots=True)
class Walked:
    """How far a file is good: whole lines, the last one's hash and type, their bytes; torn bytes behind."""

    lines: int
    head: str
    size: int = 0
    kind: str | None = None
    torn: int = 0
    fault: str | None = None  # what is wrong with line `lines + 1`, which begins at byte `size`
    unreadable: bool = False  # the fault is that nothing can be read from there on


def walk(path: Path, root: str, judge: Judge, tick: Tick) -> Walked:
    """Checks form, numbers, hashes and JSON of every line, and what `judge` says of its members.

    Never raises for what is in the file.
    """
    walked = Walked(0, root)
    try:
        for offset, line in read_to_end(path):
            _step(walked, line, judge)
            if walked.fault or walked.torn:
                break
            walked.size = offset
            if walked.lines % EVERY == 0:
                tick(offset)
    except OSError as error:
        walked.fault, walked.unreadable = error.strerror or str(error), True
    return walked


def _step(walked: Walked, line: bytes, judge: Judge) -> None:
    n = walked.lines + 1
    if not line.endswith(b"\n"):
        walked.fault = torn_fault(line, n, walked.head)
        walked.torn = len(line)
        return
    walked.fault = fault(line, n, walked.head)
    if walked.fault:
        return
    try:
        members = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        walked.fault = f"not JSON: {error.msg}"
        return
    walked.fault = judge(n, members)
    if not walked.fault:
        walked.lines, walked.head, walked.kind = n, hash_of(line), members["type"]
