"""Today's rules over what was recorded earlier: the journal of every closed run, then the database made anew from it.

The idea: the journal has one writer, who holds the collector's lock. So the collector is asked to leave, and what taps
bring meanwhile waits in their memory. The database goes before the first file changes: a crash leaves none, and the
next collector makes it from the journal, in place of one that still holds what was to go.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mcptap.exporters.collector import client
from mcptap.exporters.collector.redaction import Redaction
from mcptap.exporters.collector.service import LOCK
from mcptap.exporters.journal import rewrite
from mcptap.exporters.journal.ledger import Ledger, RunTold, runs_told
from mcptap.exporters.journal.reader import RunFile, run_files
from mcptap.exporters.otlp.marks import begin_again
from mcptap.exporters.store import file as database
from mcptap.exporters.store.rebuild import rebuild
from mcptap.exporters.store.store import FILE
from mcptap.tap.records import RunStarted
from mcptap.tap.scrub import Scrubber

LEAVING_S = 60.0  # a collector may have much to load before it leaves
POLL_S = 0.02
PLACES = ("rebuild", "tmp")  # where the database may have left something
Progress = Callable[[int, int], None]  # runs done, runs in all


class BusyError(Exception):
    """The collector does not leave."""


@dataclass(slots=True)
class Outcome:
    """What was done, or would be. Runs by run_id."""

    values: dict[str, int] = field(default_factory=dict)  # taken out, of the runs that had any
    runs: int = 0  # searched
    open: list[str] = field(default_factory=list)  # not yet closed: left alone
    refused: dict[str, str] = field(default_factory=dict)  # damaged or changed, and how: left alone


def look(home: Path, redaction: Redaction, progress: Progress) -> Outcome:
    """How many values would go. Writes nothing; recording may go on meanwhile."""
    told = runs_told(home)
    return _each(home, told, progress, lambda run: rewrite.count(run, told[run.run_id], _begin(redaction)))


def scrub(home: Path, redaction: Redaction, progress: Progress) -> Outcome:
    """Takes the values out. Raises BusyError, OSError; StoreError if only the database could not be made anew."""
    with alone(home):
        for left in (home / "journal").glob(rewrite.TEMPORARY):
            left.unlink()
        told, ledger = runs_told(home), Ledger(home)

        def one(run: RunFile) -> int:
            begin, before = _begin(redaction), partial(_forget, home, run.run_id)
            return rewrite.rewrite(ledger, run, told[run.run_id], begin, rules=redaction.scanner.name, before=before)

        try:
            done = _each(home, told, progress, one)
        finally:
            ledger.close()
        if not (home / FILE).exists():
            rebuild(home)
    return done


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Holds the collector's lock, which a collector at work is asked to give up. Raises BusyError, OSError."""
    lock = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + LEAVING_S
        while not _locked(lock):
            if time.monotonic() > until:
                raise BusyError("the collector does not leave")
            with suppress(client.NotRunningError, OSError, ValueError):
                client.request(home, "stop")
            time.sleep(POLL_S)
        yield
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _each(home: Path, told: dict[str, RunTold], progress: Progress, act: Callable[[RunFile], int]) -> Outcome:
    done, files = Outcome(), run_files(home)
    for number, run in enumerate(files):
        progress(number, len(files))
        if run.run_id not in told or told[run.run_id].lines is None:
            done.open.append(run.run_id)
            continue
        done.runs += 1
        try:
            if values := act(run):
                done.values[run.run_id] = values
        except rewrite.NotProvenError as problem:
            done.refused[run.run_id] = str(problem)
    progress(len(files), len(files))
    return done


def _begin(redaction: Redaction) -> Callable[[RunStarted], Scrubber]:
    return lambda started: Scrubber(started, redaction.redactor)


def _forget(home: Path, run_id: str) -> None:
    """What points into the file that is to be written anew, or holds what was in it."""
    _forget_database(home)
    begin_again(home, run_id)


def _forget_database(home: Path) -> None:
    """Rows that are deleted stay in a database's free blocks, so it goes as a whole, and its damaged copies too."""
    database.remove(home / FILE)
    for aside in home.glob(f"{FILE}.*"):
        aside.unlink()
    for place in PLACES:
        shutil.rmtree(home / place, ignore_errors=True)
