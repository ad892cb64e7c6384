"""Which runs are due, and what of them goes into the next batch.

The idea: whoever sends asks for one batch at a time and nothing is read ahead, so a week's outage takes no memory. Of a
run that is going on a story stays at hand; of the others there is only a mark.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from mcptap.exporters.journal.reader import find_run, run_files, stat_of
from mcptap.exporters.otlp.content import Content
from mcptap.exporters.otlp.items import Item, Mark
from mcptap.exporters.otlp.marks import Marks
from mcptap.exporters.otlp.reading import RunReader, size_of
from mcptap.exporters.store.lengths import unread

ITEMS: Final = 512
BYTES: Final = 1 << 20  # uncompressed: below every limit that backends have
BEFORE_S: Final = 86_400.0  # runs of the day before a destination was first used are sent too


class Batch(NamedTuple):
    """Items, and the marks to move when they have been taken."""

    items: list[Item]
    marks: dict[str, Mark]
    done: set[str]


class Gathering:
    """The runs of one lane. `alone`: only runs that it is told of, not all that are recorded."""

    def __init__(self, home: Path, marks: Marks, content: Content, *, alone: bool) -> None:
        self._home, self._marks, self._content, self._alone = home, marks, content, alone
        self._readers: dict[str, RunReader] = {}
        self._due: dict[str, None] = {}
        self._done: set[str] = set()
        self._upto: dict[str, int] = {}  # of runs that are not done, as noted
        self.problem = ""

    def look(self) -> None:
        """Finds all runs that have something to send; drops the marks of those that have gone."""
        begun = self._marks.begun()
        files = dict(run_files(self._home))
        self._marks.forget(run_id for run_id in begun if run_id not in files)
        self._done = {run_id for run_id, done in begun.items() if done and run_id in files}
        since = self._marks.since / 1e9 - BEFORE_S
        for run_id, path in files.items():
            if run_id in begun or (not self._alone and _changed(path) >= since):
                self._add((run_id,))

    def grown(self, run_ids: Iterable[str]) -> None:
        """Lines have been written for these runs, whosever they are."""
        self._add(run_id for run_id in run_ids if not self._alone or run_id in self._upto)

    def _add(self, run_ids: Iterable[str]) -> None:
        for run_id in run_ids:
            if run_id not in self._done:
                self._due[run_id] = None
                self._upto.setdefault(run_id, self._marks.of(run_id).upto)

    def begin(self, run_ids: Iterable[str]) -> None:
        """These runs are to be sent here."""
        fresh = [run_id for run_id in run_ids if run_id not in self._done]
        self._marks.begin(fresh)
        self._add(fresh)

    def next(self, wanted: Callable[[Item], bool]) -> Batch:
        """The next batch, empty if there is nothing to send. Runs that are not exhausted stay due."""
        batch, size, now = Batch([], {}, set()), 0, time.time_ns()
        for run_id in list(self._due):
            reader = self._readers.get(run_id) or self._open(run_id)
            before = reader.mark
            for item in reader.items(now):
                if wanted(item):
                    batch.items.append(item)
                    size += size_of(item)
            self._note(batch, reader, before)
            if len(batch.items) >= ITEMS or size >= BYTES:
                break
        return batch

    def moved(self, batch: Batch) -> None:
        """The batch has been taken, and its marks were moved."""
        for run_id, mark in batch.marks.items():
            self._upto[run_id] = mark.upto
        for run_id in batch.done:
            self._readers.pop(run_id, None)
            self._upto.pop(run_id, None)
            self._due.pop(run_id, None)
        self._done |= batch.done

    def lag(self) -> tuple[int, int]:
        """Runs, and bytes of the journal, that have not been sent. For any thread."""
        behind = []
        for run_id, upto in list(self._upto.items()):
            path = find_run(self._home, run_id)
            behind.append(unread(path, upto) if path else 0)
        return sum(1 for size in behind if size), sum(behind)

    @property
    def waiting(self) -> bool:
        """Whether there are runs that may have more to send now."""
        return bool(self._due)

    def look_again(self) -> None:
        """Time has passed: what was held may be settled now."""
        self._add([run_id for run_id, reader in self._readers.items() if reader.pending])

    def _open(self, run_id: str) -> RunReader:
        reader = self._readers[run_id] = RunReader(self._home, run_id, self._marks.of(run_id), self._content)
        return reader

    def _note(self, batch: Batch, reader: RunReader, before: Mark) -> None:
        if reader.problem:
            self.problem = reader.problem
        if reader.ended:
            batch.done.add(reader.run_id)
        if reader.ended or reader.mark != before:
            batch.marks[reader.run_id] = reader.mark
        if reader.caught_up:
            self._due.pop(reader.run_id, None)


def _changed(path: Path) -> float:
    known = stat_of(path)
    return known.st_mtime if known else 0.0
