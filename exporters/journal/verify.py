"""Checks the whole journal against itself and against its ledger, and names each file's first bad line.

Everything is judged from one listing of the files and one reading of the ledger made after it, so a file
that is there must be told of, and one that is told of as closed must be complete. Where that fails because
recording goes on meanwhile, the file is judged once more by what the ledger says then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcptap.exporters.journal.judge import Problem, judge_chain, judge_run
from mcptap.exporters.journal.ledger import NAME, RunTold, Scrubbed, ledger_path, runs_told
from mcptap.exporters.journal.line import LEDGER_ROOT, run_root
from mcptap.exporters.journal.reader import RunFile, run_files
from mcptap.exporters.journal.walk import Tick, Walked, walk

__all__ = ["Problem", "Progress", "Report", "verify"]

PATIENCE_S = 1.0  # between a file's first line and the ledger's word of it
STEP_S = 0.01
Progress = Callable[[int, int], None]  # bytes done, bytes to do; as they lie on the disk


@dataclass(slots=True)
class Report:
    """What `verify` found. `ledger_head`, kept elsewhere, shows later that nothing was cut off."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    files: int = 0  # of runs
    lines: int = 0  # good ones in them
    bytes: int = 0  # of those lines, uncompressed
    scrubbed: list[Scrubbed] = field(default_factory=list)  # later rules have taken values out of these runs
    ledger_lines: int = 0
    ledger_head: str = LEDGER_ROOT

    @property
    def ok(self) -> bool:
        return not self.problems

    def add(self, found: Iterable[Problem]) -> None:
        for problem in found:
            (self.notes if problem.note else self.problems).append(problem)


def verify(home: str | Path, *, expect_head: str | None = None, progress: Progress | None = None) -> Report:
    """Reads everything once; recording may go on meanwhile. Memory is bounded by the longest line.

    `expect_head` is the `ledger_head` of an earlier report; a ledger that no longer holds it is a problem.
    """
    home, report = Path(home), Report()
    files = run_files(home)
    ledger = ledger_path(home)
    meter = _Meter([ledger, *(file.path for file in files)], progress)
    report.add(_check_ledger(ledger, report, expect_head, meter.begin(ledger)))
    told = _Told(home)
    for file in files:
        tick = meter.begin(file.path)
        walked = _walk_run(file, tick)
        found = list(judge_run(home, file, told.runs.get(file.run_id), walked))
        if found and told.refresh(0.0 if file.run_id in told.runs else _patience(file.path)):
            walked = _walk_run(file, tick)
            found = list(judge_run(home, file, told.runs.get(file.run_id), walked))
        report.add(found)
        report.files += 1
        report.lines += walked.lines
        report.bytes += walked.size
    meter.end()
    if files and not ledger.exists():
        report.add([Problem(NAME, None, None, "the ledger is missing")])
    report.add(_missing(home, told.runs))
    report.scrubbed = [scrub for run in told.runs.values() for scrub in run.scrubbed]
    return report


class _Meter:
    """Turns places in files into bytes done of all bytes. A compressed file is done when it is done."""

    def __init__(self, paths: list[Path], progress: Progress | None) -> None:
        self._progress = progress or (lambda _done, _total: None)
        self._sizes = {path: _size(path) for path in paths}
        self._total = sum(self._sizes.values())
        self._done = self._next = 0

    def begin(self, path: Path) -> Tick:
        size = 0 if path.suffix == ".gz" else self._sizes[path]
        self._done, self._next = self._next, self._next + self._sizes[path]
        self._progress(self._done, self._total)
        return lambda offset: self._progress(self._done + min(offset, size), self._total)

    def end(self) -> None:
        self._progress(self._next, self._total)


class _Told:
    """What the ledger told when it was last read."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._size = -1
        self.runs: dict[str, RunTold] = {}
        self.refresh()

    def refresh(self, patience_s: float = 0.0) -> bool:
        """Reads the ledger if it has changed its size, or does so within this time; whether it has."""
        deadline = time.monotonic() + patience_s
        while (size := _size(ledger_path(self._home))) == self._size:
            if time.monotonic() > deadline:
                return False
            time.sleep(STEP_S)
        self.runs, self._size = runs_told(self._home), size
        return True


def _patience(path: Path) -> float:
    """So long the ledger may take to tell of a file: nothing, unless somebody wrote to it a moment ago."""
    try:
        return PATIENCE_S if time.time() - path.stat().st_mtime < PATIENCE_S else 0.0
    except FileNotFoundError:
        return 0.0


def _check_ledger(path: Path, report: Report, expect_head: str | None, tick: Tick) -> Iterator[Problem]:
    heads = {LEDGER_ROOT, None}

    def expected(_n: int, members: dict[str, Any]) -> None:
        if members["hash"] == expect_head:
            heads.add(expect_head)

    walked = walk(path, LEDGER_ROOT, expected, tick) if path.exists() else Walked(0, LEDGER_ROOT)
    report.ledger_lines, report.ledger_head = walked.lines, walked.head
    yield from judge_chain(NAME, walked, None)
    if expect_head not in heads and not walked.fault:
        what = f"no line has the hash {expect_head}: the end was cut off, or it was written anew"
        yield Problem(NAME, None, None, what)


def _walk_run(file: RunFile, tick: Tick) -> Walked:
    def starts(n: int, members: dict[str, Any]) -> str | None:
        if n == 1 and (members["type"], members.get("run_id")) != ("run_started", file.run_id):
            return "the line does not tell the start of this run"
        return None

    return walk(file.path, run_root(file.run_id), starts, tick)


def _missing(home: Path, runs: dict[str, RunTold]) -> Iterator[Problem]:
    for run_id, told in runs.items():
        if told.file and not any((home / (told.file + end)).exists() for end in ("", ".gz")):
            yield Problem(told.file, None, None, "the file is missing", run_id)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
