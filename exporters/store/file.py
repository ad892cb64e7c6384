"""The database file as a thing that other programs may lock, cut, replace or delete.

Opening gives a database of the right schema or raises; what is no such database is first put out of the way.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from mcptap.exporters.store import schema
from mcptap.exporters.store.database import open_file

KEEP_DAMAGED = 2  # each may be as large as the database
_DAMAGED = ".damaged-"
_HEADERS = 3 * 4096  # bytes, before the first block


class Identity(NamedTuple):
    """What tells one file from another that took its name."""

    device: int
    inode: int


class ReplacedError(OSError):
    """The file under the database's name is not the one that is open."""


def open_store(path: Path) -> tuple[duckdb.DuckDBPyConnection, Identity]:
    """Opens the database, made or made anew if need be. Raises duckdb.Error, OSError."""
    if not path.exists():
        _make(path)
    logged = _log(path).exists()
    connection = open_file(path)
    try:
        if not logged:  # what the log tells is counted before it is written
            _check_whole(connection, path)
        if _version(connection) != schema.VERSION:
            connection.close()
            remove(path)
            _make(path)
            connection = open_file(path)
        return connection, identity(path)
    except BaseException:
        connection.close()
        raise


def identity(path: Path) -> Identity:
    """Raises ReplacedError if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise ReplacedError(f"{path.name} was deleted") from None
    return Identity(found.st_dev, found.st_ino)


def check(path: Path, opened: Identity, size: int) -> int:
    """The size now of a file that was `size` when last looked at. Raises ReplacedError, and OSError if it was cut.

    DuckDB itself makes a file shorter only while it writes, and it writes only when we load.
    """
    if identity(path) != opened:
        raise ReplacedError(f"{path.name} was replaced")
    now = path.stat().st_size
    if now < size:
        raise OSError(f"{path.name} is corrupt: it was cut from {size} to {now} bytes")
    return now


def put_aside(path: Path) -> Path | None:
    """Renames what is no database of ours, and keeps the last few of its kind. Raises OSError."""
    aside = path.with_name(f"{path.name}{_DAMAGED}{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")
    remove_log(path)
    try:
        path.rename(aside)
    except FileNotFoundError:
        return None
    for old in sorted(path.parent.glob(f"{path.name}{_DAMAGED}*"))[:-KEEP_DAMAGED]:
        old.unlink(missing_ok=True)
    return aside


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    remove_log(path)


def remove_log(path: Path) -> None:
    """The write-ahead log of a file that is gone must not be taken for the log of the next."""
    _log(path).unlink(missing_ok=True)


def make_private(path: Path) -> None:
    """DuckDB creates its log anew after each checkpoint, with the process's umask."""
    log = _log(path)
    try:
        if log.stat().st_mode & 0o077:
            os.chmod(log, 0o600)  # noqa: PTH101
    except FileNotFoundError:
        pass


def _log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _check_whole(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raises OSError if blocks that the file's own header counts are missing: DuckDB misses them when it reads them.

    Only those in use count: free ones at the end may have been cut off by DuckDB itself.
    """
    row = connection.execute("SELECT block_size * used_blocks FROM pragma_database_size()").fetchone()
    due, size = _HEADERS + int(row[0] if row else 0), path.stat().st_size
    if size < due:
        raise OSError(f"{path.name} is corrupt: it has {size} bytes of {due}")


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    """0 for one that is not ours."""
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if "schema_version" not in tables:
        return 0
    row = connection.execute("SELECT max(version) FROM internal.schema_version").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _make(path: Path) -> None:
    """An empty database under this name, whole or not at all: who makes it may be killed at any moment."""
    new = path.with_name(path.name + ".new")
    remove(new)
    with open_file(new) as connection:
        connection.begin()  # or each statement waits for the disk
        for statement in schema.statements():
            connection.execute(statement)
        connection.commit()
        connection.execute("CHECKPOINT")
    remove_log(new)
    remove_log(path)
    new.rename(path)
