"""The journal as items to send, a part at a time and from where each run stands.

The idea: the journal and not the database is read. Its lines are only ever added, and an offset in a file is a mark
that survives everything: compression, a restart, a database that is locked, damaged or made anew. The database keeps
the last word on an exchange and no order in which words came, so it has nothing that a mark could point to.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from mcptap.exporters.journal.bodiless import without_body
from mcptap.exporters.journal.reader import DamagedFileError, find_run, read_lines
from mcptap.exporters.otlp.content import Content
from mcptap.exporters.otlp.items import Alarm, Item, Mark, Span
from mcptap.exporters.otlp.story import Story
from mcptap.tap.record_json import record_from_json
from mcptap.tap.records import RunStarted

LARGE: Final = 1 << 20  # bytes of a line, more than which it is read without its body
TOO_LARGE: Final = b"too large to be sent"
AT_ONCE: Final = 2000  # lines of one run between two looks at the others
_ITEM, _EVENT = 700, 200  # bytes on the way, about


class RunReader:
    """One run's items in order. `mark` says where they end; `ended`: there will be no more."""

    def __init__(self, home: Path, run_id: str, mark: Mark, content: Content) -> None:
        self.run_id, self._home, self._content, self._first = run_id, home, content, mark
        self._story: Story | None = None
        self._lines: Iterator[tuple[int, bytes]] | None = None
        self._offset = mark.resume
        self.ended = self.caught_up = False
        self.problem = ""

    @property
    def mark(self) -> Mark:
        """How far it has been read, if all that came was sent."""
        return self._story.mark() if self._story else self._first

    def items(self, now: int) -> Iterator[Item]:
        """What there is to send now, after at most `AT_ONCE` lines. `caught_up` then says if that was all."""
        self.caught_up = False
        story = self._story or self._begin()
        if story is None:
            self.caught_up = True
            return
        for _ in range(AT_ONCE):
            line = self._next()
            if line is None:
                self.caught_up = True
                yield from story.pass_time(now)
                self.ended = story.done or bool(self.problem)
                return
            start, self._offset = self._offset, line[0]
            yield from story.feed(line[1], start, line[0])

    @property
    def pending(self) -> bool:
        """Whether something is held that time alone settles."""
        return self._story is not None and self._story.pending

    def _begin(self) -> Story | None:
        """The story, when the run's first line is there."""
        path = find_run(self._home, self.run_id)
        try:
            first = next(read_lines(path, 0), None) if path else None
            record = record_from_json(orjson.loads(first[1])) if first else None
        except (OSError, ValueError, KeyError, TypeError) as problem:
            self._give_up(problem)
            return None
        if isinstance(record, RunStarted):
            self._story = Story(record, self._first, self._content)
        elif record is not None or path is None:
            self._give_up(ValueError("no run's beginning"))
        return self._story

    def _next(self) -> tuple[int, bytes] | None:
        try:
            if self._lines is None:
                path = find_run(self._home, self.run_id)
                self._lines = read_lines(path, self._offset) if path else iter(())
            found = next(self._lines, None)
        except FileNotFoundError:
            found = None
        except (DamagedFileError, OSError) as problem:
            self._give_up(problem)
            found = None
        if found is None:
            self._lines = None  # looked for again when there is more
            return None
        offset, line = found
        return offset, line if len(line) <= LARGE else without_body(line, TOO_LARGE)

    def _give_up(self, problem: Exception) -> None:
        self.problem, self.ended = f"run {self.run_id}: {type(problem).__name__}", True


def size_of(item: Item) -> int:
    """About how many bytes the item takes on its way."""
    if isinstance(item, Span):
        content = sum(len(value) for value in item.request.content.values() if isinstance(value, str))
        values = (value for event in item.request.events for value in event.attributes.values())
        texts = sum(len(value) for value in values if isinstance(value, str))
        return _ITEM + _EVENT * len(item.request.events) + content + texts
    return _ITEM + (len(item.finding.evidence) if isinstance(item, Alarm) else 0)
