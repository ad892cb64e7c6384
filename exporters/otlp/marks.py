"""How far each destination has got, in one small SQLite file beside the journal.

The idea: a mark is moved in a transaction, and only after what stands before it has been taken by the backend. Whatever
is killed in between, the worst is that something is sent again, with the same ids. No setting and no secret is here: a
destination is known by a hash of where it is.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from mcptap.exporters.otlp.items import Mark

FILE: Final = "export.db"
WAIT_S: Final = 20.0  # for another thread's transaction

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS marks (lane TEXT, run_id TEXT, resume INTEGER, upto INTEGER, state BLOB, done INTEGER,
        PRIMARY KEY (lane, run_id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS lanes (lane TEXT PRIMARY KEY, since INTEGER, state BLOB,
        sent INTEGER DEFAULT 0, rejected INTEGER DEFAULT 0, skipped INTEGER DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS installation (id TEXT);
"""


def begin_again(home: Path, run_id: str) -> None:
    """The run's file is to be written anew: what is not sent whole of it is sent from its beginning, with the same ids.

    Metrics are not: they have been counted. A file of marks that cannot be changed is left as it is.
    """
    if not (home / FILE).exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(home / FILE, timeout=WAIT_S)) as base, base:
        base.execute(
            "UPDATE marks SET resume = 0, upto = 0, state = X'7B7D'"
            " WHERE run_id = ? AND NOT done AND lane NOT LIKE '%/metrics'",
            (run_id,),
        )


class Marks:
    """The marks of one lane: one signal of one destination. For one thread. Raises sqlite3.Error."""

    def __init__(self, home: Path, lane: str, now: int) -> None:
        self._lane = lane
        path = home / FILE
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._base = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
        self._base.executescript(_SCHEMA)
        self._base.execute("INSERT OR IGNORE INTO lanes (lane, since) VALUES (?, ?)", (lane, now))
        with self._transaction():
            if self._base.execute("SELECT 1 FROM installation").fetchone() is None:
                self._base.execute("INSERT INTO installation VALUES (?)", (str(uuid.uuid4()),))
        row = self._base.execute("SELECT since, state FROM lanes WHERE lane = ?", (lane,)).fetchone()
        self.since: int = row[0]  # ns since the epoch, when this lane was first used
        self.state: bytes | None = row[1]
        self.installation: str = self._base.execute("SELECT id FROM installation").fetchone()[0]

    def of(self, run_id: str) -> Mark:
        """Where to go on with a run."""
        found = self._base.execute(
            "SELECT resume, upto, state FROM marks WHERE lane = ? AND run_id = ?", (self._lane, run_id)
        ).fetchone()
        return Mark(*found) if found else Mark()

    def begun(self) -> dict[str, bool]:
        """The runs that have a mark, and whether they are done."""
        rows = self._base.execute("SELECT run_id, done FROM marks WHERE lane = ?", (self._lane,))
        return {run_id: bool(done) for run_id, done in rows}

    def begin(self, run_ids: Iterable[str]) -> None:
        """Notes runs that are to be sent, so that they are after a restart too."""
        rows = [(self._lane, run_id) for run_id in run_ids]
        with self._transaction():
            self._base.executemany("INSERT OR IGNORE INTO marks VALUES (?, ?, 0, 0, X'7B7D', 0)", rows)

    def move(
        self,
        marks: Mapping[str, Mark],
        done: Iterable[str] = (),
        *,
        sent: int = 0,
        rejected: int = 0,
        skipped: int = 0,
        state: bytes | None = None,
    ) -> None:
        """Moves marks, and counts what became of the items before them."""
        ended = set(done)
        rows = [(self._lane, run_id, *mark, run_id in ended) for run_id, mark in marks.items()]
        with self._transaction():
            self._base.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._base.execute(
                "UPDATE lanes SET sent = sent + ?, rejected = rejected + ?, skipped = skipped + ?,"
                " state = coalesce(?, state) WHERE lane = ?",
                (sent, rejected, skipped, state, self._lane),
            )

    def forget(self, run_ids: Iterable[str]) -> None:
        """Drops the marks of runs whose journal has gone."""
        with self._transaction():
            self._base.executemany(
                "DELETE FROM marks WHERE lane = ? AND run_id = ?", [(self._lane, run_id) for run_id in run_ids]
            )

    def counts(self) -> dict[str, int]:
        """What has been sent, rejected by the backend, and passed over because it could not be sent."""
        row = self._base.execute("SELECT sent, rejected, skipped FROM lanes WHERE lane = ?", (self._lane,)).fetchone()
        return dict(zip(("sent", "rejected", "skipped"), row, strict=True))

    def close(self) -> None:
        self._base.close()

    def _transaction(self) -> sqlite3.Connection:
        self._base.execute("BEGIN IMMEDIATE")
        return self._base
