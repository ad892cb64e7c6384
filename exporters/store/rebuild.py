"""Builds the database anew from the journal, beside the old one, and then puts it in its place.

A collector that has the old one open notices the new file and goes on with that.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

from mcptap.exporters.journal.reader import run_files
from mcptap.exporters.store import file
from mcptap.exporters.store.faults import sentence, state_of
from mcptap.exporters.store.ingest import batches, insert
from mcptap.exporters.store.lengths import unread
from mcptap.exporters.store.read import StoreError
from mcptap.exporters.store.store import FILE

Progress = Callable[[int, int], None]  # bytes of the journal loaded, bytes in all


class Rebuilt(NamedTuple):
    """How many lines of the journal were loaded, how many of them are no JSON, and what cannot be read to its end."""

    lines: int
    refused: int
    unreadable: list[str]  # "<file>: why", one per run


def rebuild(home: str | Path, progress: Progress = lambda _done, _total: None) -> Rebuilt:
    """Loads every run of the journal. Raises StoreError, and the old database then stays."""
    path = Path(home, FILE)
    # Under the same name, for views remember the name of the database that they were made in.
    fresh = path.parent / "rebuild" / FILE
    try:
        fresh.parent.mkdir(mode=0o700, exist_ok=True)
        file.remove(fresh)
        built = _build(Path(home), fresh, progress)
        fresh.replace(path)
        file.remove_log(path)
    except (duckdb.Error, OSError) as error:
        raise StoreError(sentence(error), f"the database was left as it is ({state_of(error)})") from None
    finally:
        shutil.rmtree(fresh.parent, ignore_errors=True)
    return built


def _build(home: Path, fresh: Path, progress: Progress) -> Rebuilt:
    connection, _ = file.open_store(fresh)
    unreadable: dict[str, str] = {}
    with connection:
        files = run_files(home)
        total = sum(unread(run.path, 0) for run in files)
        done = lines = refused = 0
        for batch in batches(files, {}, unreadable):
            refused += insert(connection, batch)
            done, lines = done + batch.size, lines + batch.lines
            progress(min(done, total), total)
        connection.execute("CHECKPOINT")
    return Rebuilt(lines, refused, list(unreadable.values()))
