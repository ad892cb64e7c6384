"""A reader's place at the collector: started if need be, kept while we read, and up to date first.

The idea: what was recorded a moment ago should be in the answer, so a reader waits, briefly, until the tables have
caught up with the journal; and it holds a lease, so the collector does not leave in between.
"""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.output import note
from mcptap.exporters.cli.units import size
from mcptap.exporters.collector import client

FRESH_S = 1.0  # what a run just ended has still to deliver reaches a new collector in this time
CATCH_UP_S = 1.0  # under constant traffic the tables are always a little behind
START_UP_S = 10.0  # to open the database
POLL_S = 0.05
CURES = {
    "locked": "close the program that has store.duckdb open",
    "full": "make room on the disk",
    "damaged": "it is being made anew from the journal; try again",
    "loading": "it is being filled from the journal; try again",
}

Row = tuple[Any, ...]


def ask(home: Path, op: str) -> dict[str, Any]:
    """The collector's answer. Raises client.NotRunningError, and CommandError when it is there but does not answer."""
    try:
        return client.request(home, op)
    except (OSError, ValueError) as problem:
        raise CommandError(
            f"the collector of {home} does not answer ({problem})", f"see {home}/collector.log"
        ) from None


def literal(text: str) -> str:
    """A string as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


class Reader:
    """Reads rows while the `with` block lasts. Raises CommandError when there is nothing to read or nobody to ask."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._held = ExitStack()
        self._connection: Any = None
        self._at_once = False  # whether we have changed what Ctrl-C does

    def __enter__(self) -> Reader:
        if not self.home.is_dir():
            raise CommandError(f"nothing is recorded in {self.home}", "wrap a server first: mcptap -- <server command>")
        # Ctrl-C ends us at once: DuckDB would wait for the collector's answer first, and sometimes forget the signal.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self._at_once = True
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._at_once:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def open(self, *, start: bool = True) -> None:
        """Takes a lease, from a new collector if there is none and `start` is set, and waits for the tables."""
        until = time.monotonic() + START_UP_S
        while not self._lease(start=start):
            if time.monotonic() > until:
                raise CommandError(f"the collector of {self.home} does not take readers", "try again")
            time.sleep(POLL_S)
        _await_tables(self.home)

    def close(self) -> None:
        """Gives the lease back; the reader can be opened again."""
        self._held.close()
        self._connection = None

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of one of our own statements, by column, over a connection that is kept."""
        import duckdb

        from mcptap.exporters.store import read

        try:
            if self._connection is None:
                self._connection = self._held.enter_context(self._connect())
            read.bind(self._connection, statement=sql)
            columns, found = read.fetched(self._connection, "FROM store.query(getvariable('statement'))")
        except duckdb.Error as problem:
            message = str(problem).split("\n\n", maxsplit=1)[0]
            raise CommandError(f"the tables cannot be read: {message}", "try again") from None
        return [dict(zip(columns, row, strict=True)) for row in found]

    def run(self, sql: str) -> tuple[list[str], list[Row]]:
        """Columns and rows of a user's statement."""
        from mcptap.exporters.store import read

        try:
            return read.run(sql, self.home)
        except read.StoreError as problem:  # the part about the place in the statement takes lines of its own
            raise CommandError(str(problem).split("\n\nLINE ", maxsplit=1)[0], problem.hint) from None

    def _connect(self) -> Any:
        from mcptap.exporters.store import read

        try:
            return read.connect(self.home)
        except read.StoreError as problem:
            raise CommandError(str(problem), problem.hint) from None

    def _lease(self, *, start: bool) -> bool:
        """False: one that is leaving answered."""
        try:
            self._held.close()
            if start:
                client.ensure(self.home)
            _, answer = self._held.enter_context(client.open_request(self.home, "lease"))
        except client.NotRunningError as problem:
            if start and "leaving" in str(problem):
                return False
            raise CommandError(str(problem)) from None
        except (OSError, ValueError):
            return False
        return answer.get("op") == "leased"


def _behind(store: dict[str, Any]) -> str:
    """The line that says what an answer leaves out."""
    why = "" if store["state"] == "ok" else f" ({store['state']} {store['detail']})"
    return f"{size(store['lag_bytes'])} of the journal are not in the tables yet{why}; ask again for the rest"


def _await_tables(home: Path) -> None:
    """Returns when the tables are up to date, or have had their time and can at least be read. Raises CommandError."""
    begun = time.monotonic()
    while True:
        try:
            told = ask(home, "status")
        except client.NotRunningError as problem:
            raise CommandError(str(problem), "try again") from None
        waited, store = time.monotonic() - begun, told["store"]
        readable = store["port"] is not None
        if readable and store["lag_bytes"] == 0 and told["collector"]["uptime_s"] > FRESH_S:
            return
        if readable and waited > CATCH_UP_S + FRESH_S:
            note(_behind(store))
            return
        if not readable and (waited > START_UP_S or store["state"] in {"locked", "full"}):
            cure = CURES.get(store["state"], "mcptap status tells more")
            raise CommandError(f"the database is {store['state']}: {store['detail']}", cure)
        time.sleep(POLL_S)
