"""Read-only SQL over the running collector's database, from any other process.

Statements are sent whole and run where the data is, so views, sorting and limits cost no transfer.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import orjson

from mcptap.exporters.store.access import objection
from mcptap.exporters.store.database import load_extensions, open_memory
from mcptap.exporters.store.limits import QUERY_SECONDS
from mcptap.exporters.store.quack import uri

COLLECTOR = "collector.json"
TOKEN = "quack.token"  # noqa: S105  the file's name

Row = tuple[Any, ...]


class StoreError(Exception):
    """The database cannot be read; `hint` says what can be done about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NotServingError(StoreError):
    """Nobody answers: no collector runs, or its database cannot be opened now."""


class RefusedError(StoreError):
    """The statement does more than read, or reads what is not meant to be read."""


class QueryError(StoreError):
    """The statement is wrong, or too large for the limits."""


_NOT_SERVING = "start one with `mcptap collector`; `mcptap status` says how the database is"
_ENDED = f"try again; a statement that takes more than {QUERY_SECONDS:.0f} s or too much memory is ended that way"
_ADMITTED = "one statement that reads the documented relations: SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN"
_ASKED = "FROM quack_query(getvariable('target'), getvariable('statement'), token := getvariable('token'))"
_ZONED = "TIMESTAMP WITH TIME ZONE"
_LARGE = "leave the bodies out (body, request_body, reply_body), or ask for those of some rows, by run_id and seq"
_AT = 'at is a reserved word: write "at" in quotes, or m.at'
# DuckDB reads `seq = 1 AND facts->>'x' = 'y'` as `(seq = 1 AND facts)->>('x' = 'y')`.
_ARROW = "-> and ->> bind weakly: write (facts->>'name') in parentheses"
_WEAKLY = ("Could not convert string", "Failed to cast", "(VARCHAR, BOOLEAN)")
_BARE_AT = re.compile(r"""'[^']*'|"[^"]*"|--[^\n]*|(?<![\w.])(?P<at>at)(?!\w|\s+time\s)""", re.IGNORECASE)
# What Quack says -> what it means; first match wins.
_SAYINGS: tuple[tuple[str, type[StoreError], str, str], ...] = (
    ("Authorization failed", RefusedError, "this statement is not admitted", _ADMITTED),
    ("Out of Memory Error:", QueryError, "this needs more memory than a reader may take", _LARGE),
    ("Authentication failed", NotServingError, "the collector does not accept the token", "try again"),
    ("Could not connect", NotServingError, "the collector does not answer", _NOT_SERVING),
    ("Database was closed", NotServingError, "the database went away meanwhile", "try again"),
    ("Failed to send message", NotServingError, "the database went away meanwhile", _ENDED),
    ("Invalid connection id", NotServingError, "the collector was restarted meanwhile", "try again"),
)


def connect(home: str | Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with the collector's database attached as `store`.

    `FROM store.runs` fetches and then computes here; `FROM store.query('SELECT …')` computes there. Raises
    StoreError. After a restart of the collector, connect again.
    """
    target, token = _address(home)
    connection = _client()
    try:
        connection.execute(f"ATTACH '{target}' AS store (TOKEN {_quote(token)})")
    except duckdb.Error as error:
        connection.close()
        told = _told(error)
        if isinstance(told, RefusedError):  # there is no statement yet: the database is unwell
            told = NotServingError("the database cannot answer now", _ENDED)
        raise told from None
    return connection


def run(sql: str, home: str | Path) -> tuple[list[str], list[Row]]:
    """The column names and rows of one statement, run by the collector. Raises StoreError."""
    target, token = _address(home)
    with _client() as connection:
        try:
            bind(connection, target=target, statement=sql, token=token)
            return fetched(connection, _ASKED)
        except duckdb.Error as error:
            told = _told(error, objection(connection, sql))
            told.hint = _pitfall(str(told), sql) or told.hint
            raise told from None


def fetched(connection: duckdb.DuckDBPyConnection, asked: str) -> tuple[list[str], list[Row]]:
    """The column names and rows of what is sent to Quack. Raises duckdb.Error.

    Made a relation of, as times with a zone need, it would be run there to know its columns, and again for its rows.
    """
    answer = connection.execute(asked)
    columns, types = [told[0] for told in answer.description], [str(told[1]) for told in answer.description]
    if _ZONED in types:
        return columns, connection.sql(asked).project(", ".join(map(_fetchable, columns, types))).fetchall()
    return columns, answer.fetchall()


def _pitfall(told: str, sql: str) -> str:
    """What trips whoever writes SQL for these tables."""
    if "syntax error" in told and any(word["at"] for word in _BARE_AT.finditer(sql)):
        return _AT
    return _ARROW if "->" in sql and any(saying in told for saying in _WEAKLY) else ""


def bind(connection: duckdb.DuckDBPyConnection, **texts: str) -> None:
    """Gives texts to a statement, which names them `getvariable('name')`.

    With a parameter DuckDB would load pandas, where that is installed, to see whether it is one of its: 0.3 s.
    """
    for name, text in texts.items():
        connection.execute(f"SET VARIABLE {name} = {_quote(text)}")


def _fetchable(column: str, type_: str) -> str:
    """Python's DuckDB cannot fetch a time with zone without one more package; ours are all in UTC."""
    name = '"' + column.replace('"', '""') + '"'
    return f"{name}::TIMESTAMP AS {name}" if type_ == _ZONED else name


def _client() -> duckdb.DuckDBPyConnection:
    try:
        connection = open_memory()
        load_extensions(connection)
        connection.execute("SET TimeZone = 'UTC'")
    except (duckdb.Error, ImportError) as error:
        raise StoreError(str(error), "install mcptap again, with all it needs") from None
    return connection


def _address(home: str | Path) -> tuple[str, str]:
    try:
        port = int(orjson.loads(Path(home, COLLECTOR).read_bytes())["quack_port"])
        token = Path(home, TOKEN).read_text("ascii").strip()
    except (OSError, ValueError, KeyError, TypeError):
        raise NotServingError("no collector is serving", _NOT_SERVING) from None
    return uri(port), token


def _told(error: duckdb.Error, objection: str | None = None) -> StoreError:
    text = str(error)
    for saying, kind, message, hint in _SAYINGS:
        if saying in text:
            return kind(objection or message if kind is RefusedError else message, hint)
    # The last position told is that of our own statement around theirs.
    message = re.split(r"\n\nLINE 1: (?=FROM quack_query)", text)[0]
    return QueryError(re.sub(r"^(Invalid Input Error: )+", "", message), "")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
