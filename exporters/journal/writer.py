"""One run's file: its records in order of arrival, told to the ledger when it begins and when it ends.

The file exists, with its `run_started` line in it, before the ledger tells of it; so after a crash in between
there is a file that the ledger does not know, which recovery puts right, and never a run without its file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from mcptap.exporters.journal.chain import Chain, Tail, sync_directory, tail_of
from mcptap.exporters.journal.encode import encode
from mcptap.exporters.journal.ledger import Ledger, relative, runs_told
from mcptap.exporters.journal.line import run_root
from mcptap.exporters.journal.reader import PLAIN, RUN_ID, find_run, read_lines, run_files
from mcptap.tap.pipe.home import ensure
from mcptap.tap.record_json import record_from_json
from mcptap.tap.records import Record, RunStarted, RunState


class JournalFile:
    """The writer of one run. One thread appends at a time; `sync` may come from another."""

    def __init__(self, chain: Chain, ledger: Ledger, run_id: str) -> None:
        self._chain, self._ledger = chain, ledger
        self._named = False  # whether the file's name in its directory is on the disk
        self.run_id = run_id
        self.closed = False

    @classmethod
    def create(cls, home: str | Path, ledger: Ledger, started: RunStarted) -> JournalFile:
        """Begins a run's file with its first record and tells the ledger.

        Raises OSError (FileExistsError if the run already has lines), ValueError for an impossible run_id.
        """
        if not RUN_ID.fullmatch(started.run_id):
            raise ValueError(f"not a run_id: {started.run_id!r}")
        path = find_run(home, started.run_id) or _new_path(home, started)
        journal = cls(_begin(path, ledger, started.run_id), ledger, started.run_id)
        try:
            journal.append([started])
            ledger.append("run_opened", run_id=started.run_id, file=relative(Path(home), path))
        except BaseException:
            journal._chain.close()
            path.unlink()
            raise
        return journal

    @classmethod
    def reopen(
        cls, home: str | Path, ledger: Ledger, run_id: str, *, settled: bool = False
    ) -> tuple[JournalFile, Iterator[Record]]:
        """Goes on with a run whose writer was killed: its file, and the records in it, read when asked for.

        `settled`: with the exchanges that they settle; those who settle them again do without.

        Cuts a torn last line and tells the ledger. Raises FileNotFoundError, OSError; ValueError for a run
        that was closed.
        """
        path = find_run(home, run_id)
        if path is None or path.suffix == ".gz":
            raise FileNotFoundError(f"no open journal file of run {run_id}")
        if run_id not in ledger.open:
            if run_id in runs_told(home):
                raise ValueError(f"run {run_id} was closed")
            ledger.append("run_opened", run_id=run_id, file=relative(Path(home), path))
        tail = tail_of(path, run_root(run_id))
        _tell_cut(ledger, run_id, tail)
        return cls(Chain(path, tail), ledger, run_id), _records(path, tail.size, settled=settled)

    @property
    def path(self) -> Path:
        return self._chain.path

    @property
    def lines(self) -> int:
        return self._chain.lines

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self._chain.head

    def append(self, records: Sequence[Record]) -> None:
        """Adds the records with one write. Raises OSError, and has then added none of them."""
        self._chain.append([(record.type, encode(record)) for record in records])

    def sync(self) -> None:
        """Waits until the file, its name, and then the ledger are on the disk. Raises OSError."""
        self._chain.sync()
        if not self._named:
            sync_directory(self.path.parent)
            sync_directory(self.path.parent.parent)
            self._named = True
        self._ledger.sync()

    def close(self, state: RunState) -> None:
        """Tells the ledger that the run has ended, and how. Raises OSError; it can then be called again."""
        if self.closed:
            return
        self.sync()
        self._ledger.append("run_closed", run_id=self.run_id, lines=self.lines, head=self.head, state=state)
        self._ledger.sync()
        self._chain.close()
        self.closed = True


def open_runs(home: str | Path) -> list[str]:
    """The runs to recover, oldest first: those whose file is there and that the ledger does not call closed.

    A file without one whole line is none of them: nothing of its run was kept.
    """
    told = runs_told(home)
    return [
        run_id
        for run_id, path in run_files(home)
        if path.suffix != ".gz" and (run_id not in told or told[run_id].lines is None) and next(read_lines(path), None)
    ]


def _new_path(home: str | Path, started: RunStarted) -> Path:
    """Where the file of a new run belongs, by the day (UTC) that it started; makes the directories."""
    day = datetime.fromtimestamp(started.at / 1e9, UTC).date().isoformat()
    ensure(str(home))
    directory = Path(home)
    for name in ("journal", day):
        directory /= name
        directory.mkdir(mode=0o700, exist_ok=True)
    return directory / (started.run_id + PLAIN)


def _begin(path: Path, ledger: Ledger, run_id: str) -> Chain:
    """An empty chain; over what a crash left of a first line, if there is any."""
    tail = tail_of(path, run_root(run_id)) if path.exists() else Tail(0, run_root(run_id), 0, 0)
    if tail.lines:
        raise FileExistsError(f"run {run_id} has a journal file: {path}")
    _tell_cut(ledger, run_id, tail)
    return Chain(path, tail)


def _tell_cut(ledger: Ledger, run_id: str, tail: Tail) -> None:
    """Before it is cut: a crash between the two then tells it twice, not never."""
    if tail.torn:
        ledger.append("recovered", run_id=run_id, cut_bytes=tail.torn)


def _records(path: Path, size: int, *, settled: bool) -> Iterator[Record]:
    """The records that a file held when it was `size` bytes long."""
    for offset, line in read_lines(path):
        if offset > size:
            return
        if record := _record(line, settled=settled):
            yield record


def _record(line: bytes, *, settled: bool) -> Record | None:
    """None for a damaged line: recording goes on, and `verify` names it."""
    try:
        return record_from_json(orjson.loads(line), settled=settled)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
