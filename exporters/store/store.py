"""The database beside the journal: loaded from it, repaired from it, and never in its way.

Nothing in the database is more than a copy. So every trouble has one of two cures: wait and try again (it is locked,
the disk is full), or put the file aside and load everything anew (it is damaged, replaced, of another version). No
method raises because of the database; `state` and `detail` say how it is.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import duckdb

from mcptap.exporters.journal.reader import RunFile, find_run, run_files
from mcptap.exporters.store import file, ingest, quack
from mcptap.exporters.store.faults import State, is_exhausted, sentence, state_of
from mcptap.exporters.store.ingest import Limits, batches, insert
from mcptap.exporters.store.kindly import kindly
from mcptap.exporters.store.lengths import unread
from mcptap.exporters.store.limits import QUERY_SECONDS
from mcptap.tap.pipe.home import ensure

FILE = "store.duckdb"
RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # from one attempt to the next while something is the matter
LOCKED_SECONDS = 1.0  # at most, while another process has the file: it may be our predecessor, who is leaving
PATIENCE = 3  # failures of an unknown kind in a row, before the file is taken for damaged
DESPERATE = 4  # failures in a row, from which on a body that is too large is left out
CAREFULLY = 64 << 20  # bytes that are loaded in small pieces after a lack of memory: more than any batch


class Lag(NamedTuple):
    """What the journal has and the database has not."""

    runs: int
    bytes: int


class Store:
    """One thread at a time works (others wait for it); `state`, `detail` and `lag()` may be read from any."""

    def __init__(self, home: str | Path, *, careful: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """`careful`: loading was tried before and ended, for lack of memory as it seems."""
        self.home = Path(home)
        self.path = self.home / FILE
        self.state: State = "loading"
        self.detail = "not opened yet"
        self.serving = False  # whether readers are being answered now
        self.port = 0  # where they are, or were last
        self.refused = 0  # journal lines that were no JSON
        self.unreadable: dict[str, str] = {}  # run_id -> why its file cannot be read to its end
        self._clock = clock
        self._work = threading.Lock()
        self._leaving = threading.Event()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._observer: duckdb.DuckDBPyConnection | None = None  # sees readers while the other one loads
        self._identity = file.Identity(0, 0)
        self._size = 0
        self._upto: dict[str, int] = {}
        self._due: dict[str, None] | None = None  # runs that may have grown; None: any may
        self._careful = CAREFULLY if careful else 0  # bytes still to be loaded in small pieces
        self._failures = 0
        self._retry_at = 0.0
        self._token = ""

    def load(self, changed: Iterable[str] | None = None) -> int:
        """Brings what is new into the database; the number of lines. Opens and repairs it first if need be.

        `changed` names the runs that may have grown since the last call; None means that any may have.
        """
        with self._work:
            self._add_due(changed)
            if self._leaving.is_set() or self._clock() < self._retry_at:
                return 0
            lines = 0
            try:
                connection = self._open()
                for batch in batches(self._files(), self._upto, self.unreadable, self._limits):
                    self.refused += insert(connection, batch)
                    self._upto |= batch.upto
                    lines += batch.lines
                    if batch.full(self._limits()):
                        self._tell("loading", f"{lines} lines so far")
                    self._careful = max(0, self._careful - batch.size)
                    if self._leaving.is_set():
                        return lines
                self._succeed()
            except (duckdb.Error, OSError, MemoryError) as error:
                self._fail(error)
            return lines

    def lag(self) -> Lag:
        """What has not been loaded; after a failed opening that is everything."""
        upto = dict(self._upto)
        behind = [unread(path, upto.get(run_id, 0)) for run_id, path in run_files(self.home)]
        return Lag(sum(1 for size in behind if size), sum(behind))

    def serve(self, token: str) -> None:
        """Answers readers who know the token, on the loopback `port`, now and after every reopening.

        While the database cannot be opened, nobody is answered. If there is no port, `detail` says so.
        """
        with self._work:
            self._token = token
            atexit.register(self.stop)
            self._serve()

    def overdue(self, seconds: float = QUERY_SECONDS) -> list[str]:
        """Readers' statements that have been running for longer than that. For one thread, also while another loads.

        DuckDB gives no way to end the query of another connection: only the end of the process does.
        """
        observer = self._observer
        if observer is not None:
            with suppress(duckdb.Error):  # it was closed just now
                return quack.running(observer, seconds)
        return []

    def stop(self) -> None:
        """Stops serving and closes the database, after the batch in hand. The store can be used again."""
        self._leaving.set()
        with self._work:
            self._close()
            self._token = ""
            self._leaving.clear()
            atexit.unregister(self.stop)

    def _limits(self) -> Limits:
        if self._careful:
            return ingest.LAST_RESORT if self._failures >= DESPERATE else ingest.CAREFUL
        return ingest.NORMAL

    def _add_due(self, changed: Iterable[str] | None) -> None:
        if changed is None:
            self._due = None
        elif self._due is not None:
            self._due |= dict.fromkeys(changed)

    def _files(self) -> list[RunFile]:
        """Those of the runs that may have grown which have."""
        if self._due is None:
            files = run_files(self.home)
        else:
            found = ((run_id, find_run(self.home, run_id)) for run_id in self._due)
            files = [RunFile(run_id, path) for run_id, path in found if path]
        return [run for run in files if unread(run.path, self._upto.get(run.run_id, 0))]

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._connection is not None:
            self._size = file.check(self.path, self._identity, self._size)
            self._serve()
            return self._connection
        ensure(str(self.home))
        connection, self._identity = kindly(lambda: file.open_store(self.path))
        self._connection, self._size, self._due = connection, 0, None
        self._upto = dict(connection.execute("SELECT run_id, upto FROM internal.loaded").fetchall())
        quack.prepare(connection, self.path)
        self._serve()
        return connection

    def _serve(self) -> None:
        connection = self._connection
        if not self._token or connection is None or self.serving:
            return
        try:
            self.port = kindly(lambda: quack.start(connection, self._token))
            self.serving, self._observer = True, connection.cursor()
        except duckdb.Error as error:
            self.detail = f"not serving: {sentence(error)}"

    def _succeed(self) -> None:
        self._due = {}
        self._failures, self._retry_at = 0, 0.0
        file.make_private(self.path)
        self._size = file.check(self.path, self._identity, 0)
        serving = self.serving or not self._token
        self._tell("ok", "" if serving else self.detail)

    def _fail(self, error: Exception) -> None:
        """Closes, so that the next attempt begins afresh, and puts aside what no attempt could open."""
        state = "loading" if isinstance(error, file.ReplacedError) else state_of(error)
        self._failures += 1
        exhausted = is_exhausted(error)
        if exhausted and self._failures > 1:  # once it may have been a reader, and closing ends readers
            self._careful = CAREFULLY
        unknown = state == "unavailable" and not exhausted
        self._close()
        if isinstance(error, file.ReplacedError):
            file.remove_log(self.path)
        elif state == "damaged" or (unknown and self._failures >= PATIENCE and not isinstance(error, OSError)):
            state = "damaged"
            self._put_aside()
        delay = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]
        delay = min(delay, LOCKED_SECONDS) if state == "locked" else delay
        at_once = state in ("damaged", "loading") and self._failures == 1
        self._retry_at = 0.0 if at_once else self._clock() + delay
        self._tell(state, sentence(error))

    def _put_aside(self) -> None:
        try:
            file.put_aside(self.path)
        except OSError as error:
            self.detail = sentence(error)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        observer, self._observer = self._observer, None
        if self.serving:
            quack.stop(connection, self.port)
        self.serving = False
        with suppress(duckdb.Error):  # it failed before, and said so
            if observer is not None:
                observer.close()
            connection.close()
        self._due = None

    def _tell(self, state: State, detail: str) -> None:
        self.state, self.detail = state, detail
