"""What the pages read: one connection for the whole process, and answers that are kept as `answers` says.

The idea: a page asks as often as it is drawn and need not think of what that costs. What has to be new to the second is
asked with `fresh`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import streamlit as st

from mcptap.dashboard.answers import Answers
from mcptap.dashboard.presence import Condition, condition
from mcptap.exporters.store import read
from mcptap.exporters.store.store import FILE
from mcptap.tap.pipe.home import state_directory

FRESH_S: Final = 1

Row = dict[str, Any]


class Link:
    """A connection that is made when it is needed, and anew when the collector was started again."""

    def __init__(self, home: Path) -> None:
        self._home, self._lock = home, threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._port: bytes | None = None

    def table(self, sql: str) -> pa.Table:
        """The answer to one of our own statements. Raises read.StoreError."""
        try:
            return self._asked(sql)
        except duckdb.Error:
            self._forget()
        try:
            return self._asked(sql)
        except duckdb.Error as problem:
            self._forget()
            raise read.QueryError(str(problem).split("\n\n", maxsplit=1)[0]) from None

    def _asked(self, sql: str) -> pa.Table:
        return _in_utc(self._cursor().sql("FROM store.query(?)", params=[sql]).to_arrow_table())

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._connection is None:
                self._connection = read.connect(self._home)
            return self._connection.cursor()

    def _forget(self) -> None:
        """Others may still be reading from it: it goes when they are done."""
        with self._lock:
            self._connection = None


def home() -> Path:
    """The state directory that is shown."""
    return Path(state_directory(os.environ.get("MCPTAP_HOME")))


def rows(sql: str) -> list[Row]:
    """The rows of a statement, by column; up to a few seconds old. Raises read.StoreError."""
    return _rows(table(sql))


def table(sql: str) -> pa.Table:
    """The same, in columns. Times are in UTC and say so."""
    return _answers(str(home())).get(sql)


def fresh(sql: str) -> list[Row]:
    """The rows as they are now, to the second. Raises read.StoreError."""
    return _rows(_answers(str(home())).get(sql, FRESH_S))


def held(sql: str) -> list[Row] | None:
    """The rows, if they need not be asked for."""
    found = _answers(str(home())).held(sql)
    return None if found is None else _rows(found)


def is_fresh(sql: str) -> bool:
    """Whether the rows are known as they are now, to the second."""
    return _answers(str(home())).held(sql, FRESH_S) is not None


def ahead(*statements: str) -> None:
    """Says what will be asked for, in this order, so that two are asked for at a time."""
    _answers(str(home())).ahead(*statements)


def one(sql: str) -> Row:
    """The only row of a statement; an empty one if there is none."""
    found = rows(sql)
    return found[0] if found else {}


def forget() -> None:
    """What was kept is asked for again: something was changed from a page."""
    _answers(str(home())).forget()
    _condition.clear()


def state() -> tuple[Condition, Mapping[str, Any]]:
    """How the collector is and what it tells, to the second."""
    return _condition(str(home()))


@lru_cache(maxsize=4)
def _answers(place: str) -> Answers[pa.Table]:
    return Answers(Link(Path(place)).table, written=partial(_written, Path(place)))


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def _condition(place: str) -> tuple[Condition, Mapping[str, Any]]:
    return condition(Path(place))


def _written(place: Path) -> float:
    """When the database last changed: each commit is added to its log, each checkpoint to its file."""
    changed = [time.time()]
    with suppress(OSError):
        changed = [(place / FILE).stat().st_mtime]
        changed.append((place / f"{FILE}.wal").stat().st_mtime)
    return max(changed)


def _rows(found: pa.Table) -> list[Row]:
    told: list[Row] = found.to_pylist()
    return told


def _in_utc(found: pa.Table) -> pa.Table:
    """The store's times are in UTC without saying so; a browser would take them for its own."""
    zoned = [
        pa.field(field.name, pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(field.type) else field
        for field in found.schema
    ]
    return found.cast(pa.schema(zoned))
