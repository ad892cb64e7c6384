"""One run's records in, their findings out; and what the watches of all runs know together.

The idea: a detector never costs a record. Each is called by itself, an error in it becomes a finding of its own kind
and a log line, and the records go on. Seeing the same records again finds the same, with the same ids: so a collector
that resumes a run shows its watch what was written, and writes only what is not there yet.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from mcptap.tap.detect import flow, health, hidden
from mcptap.tap.detect import said as saying
from mcptap.tap.detect.changed import Changes, Offered
from mcptap.tap.detect.command import Programs
from mcptap.tap.detect.context import Context
from mcptap.tap.detect.credentials import Held
from mcptap.tap.detect.found import Found, by, finding
from mcptap.tap.detect.glance import ENCODED, HIDDEN, VIEWED, Glance
from mcptap.tap.detect.injected import Injected
from mcptap.tap.detect.readings import readings
from mcptap.tap.detect.repeats import Repeats
from mcptap.tap.detect.rule import Rule
from mcptap.tap.detect.rules import TEXT_RULES
from mcptap.tap.detect.said import Said
from mcptap.tap.detect.settings import Settings
from mcptap.tap.detect.shadowed import Neighbours
from mcptap.tap.detect.violations import Violations
from mcptap.tap.dissect.server_key import server_key
from mcptap.tap.records import Finding, MessageRecord, Record, RunEnded, RunStarted, StderrLine, Usage

INTERNAL: Final = Rule(
    "internal-error",
    "internal_error",
    "info",
    "a detector failed",
    "",
    "a bug of ours: the record is whole, a finding may lack",
)
RULES: Final = (INTERNAL,)
MOST: Final = 5_000  # findings of one run: nobody reads more
LAST_WORDS: Final = 5  # lines of stderr that a crash is told with

Step = tuple[str, Callable[[], list[Found]]]  # a detector's name, and what calls it

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Everywhere:
    """What all watches share. `lock` keeps their threads apart."""

    key: bytes = b"\0" * 32
    settings: Settings = field(default_factory=Settings)
    lock: AbstractContextManager[Any] = field(default_factory=nullcontext)
    memory: flow.Memory = field(init=False)
    held: Held = field(default_factory=Held)
    neighbours: Neighbours = field(default_factory=Neighbours)
    crashes: health.Crashes = field(default_factory=health.Crashes)
    offered: Offered = field(default_factory=Offered)
    programs: Programs = field(default_factory=Programs)
    injected: Injected = field(init=False)

    def __post_init__(self) -> None:
        self.memory = flow.Memory(self.key)
        self.injected = Injected((*TEXT_RULES, *self.settings.rules))


class Watch:
    """Looks at the records of one run. Not safe for threads, but `usage` may come from another one."""

    def __init__(self, started: RunStarted, everywhere: Everywhere) -> None:
        self._run, self._all = started, everywhere
        self._server = server_key(started.name, started.command, started.cwd)
        self._repeats, self._violations, self._context, self._growth = (
            Repeats(),
            Violations(),
            Context(),
            health.Growth(),
        )
        self._changes = Changes(self._server, everywhere.offered, everywhere.injected)
        self._glance = Glance(everywhere.injected.automaton)
        self._of_offers: tuple[tuple[str, Callable[[Said], list[Found]]], ...] = (
            ("poisoned", self._poisoned), ("changed", self._compare), ("shadowed", self._shadow),
            ("context", self._context.find),
        )  # fmt: skip
        self._written: set[str] = set()  # ids that are in the journal
        self._said: list[str] = []
        self._made: set[str] = set()  # ids

    def began(self) -> list[Finding]:
        """What is to be said of the run as it starts."""
        return self._findings(None, self._run.at, [("command", self._start)])

    def see(self, record: Record) -> list[Finding]:
        """What is found in a record, in the order of the run. Never raises."""
        match record:
            case MessageRecord():
                return self._message(record)
            case Finding():
                self._written.add(record.finding_id)
            case StderrLine():
                self._said = [*self._said[1 - LAST_WORDS :], record.text[:300]]
            case Usage():
                return self.usage(record)
            case RunEnded():
                steps: list[Step] = [("health", lambda: self._end(record)), ("context", self._context.end)]
                return self._findings(None, record.at, steps)
        return []

    def usage(self, usage: Usage) -> list[Finding]:
        """What is found in a sample. May be called from another thread than `see`."""
        return self._findings(None, usage.at, [("growth", lambda: self._growth.find(usage))])

    def unwritten(self, findings: list[Finding]) -> list[Finding]:
        """Those of `findings` that are not in the journal, after `see` has seen all that is."""
        return [found for found in findings if found.finding_id not in self._written]

    def _message(self, record: MessageRecord) -> list[Finding]:
        try:
            said = saying.read(record)
            number = self._number(said)
            steps = list(self._steps(said, known=self._all.memory.knows(number)))
        except Exception as bug:
            return self._failed(record.seq, record.at, "said", bug)
        if record.kind == "request" and record.side == "client":
            self._changes.asked(said)
        found = self._findings(record.seq, record.at, steps)
        if number and not found:
            self._all.memory.learn(number)
        return found

    def _number(self, said: Said) -> int:
        """Of what a server says, as far as it is known by that alone; 0 for all else."""
        if said.channel not in ("result", "error") or said.record.side == "client":
            return 0
        return hash((said.channel, self._server, self._run.host_session_id, *(text for _, text in said.texts)))

    def _steps(self, said: Said, *, known: bool) -> Iterator[Step]:
        """The detectors for a message, by name. `known`: the same text was looked at before, and nothing found."""
        yield "violations", lambda: self._violations.find(said)
        if said.offers:
            for name, step in self._of_offers:
                yield name, partial(step, said)
        elif said.channel is not None:
            if not known:
                yield from self._of_texts(said)
            if said.channel == "argument":
                yield "repeats", lambda: self._repeats.asked(said)
                self._context.called(said.target or "")
            elif said.exchange is not None:
                yield "repeats", lambda: self._repeats.answered(said)
        for exchange in said.record.exchanges:
            if exchange.outcome == "cancelled":
                yield "health", partial(health.cancelled, exchange)

    def _of_texts(self, said: Said) -> Iterator[Step]:
        """The detectors that read texts: those for which the quick look sees a reason."""
        channel = said.channel or "result"
        seen = self._glance("\0".join([text for _, text in said.texts]))
        if HIDDEN in seen.signs:
            yield "hidden", lambda: hidden.find(said.texts, channel, said.target)
        viewed = not seen.signs.isdisjoint((VIEWED, ENCODED))
        if (seen.rules or viewed) and self._all.injected.listens(channel):
            yield "injected", lambda: self._all.injected.find(said.texts, channel, said.target, seen, self._glance)
        if channel == "argument":
            yield "flow", lambda: self._sink(said, viewed=viewed)
        elif said.record.side == "server" and said.record.kind != "request":
            yield "flow", lambda: self._source(said, viewed=viewed)

    def _poisoned(self, said: Said) -> list[Found]:
        found = []
        for name, texts in saying.offered(said.record.body):
            found += hidden.find(texts, "definition", name)
            found += self._all.injected.find(texts, "definition", name)
        return found

    def _compare(self, said: Said) -> list[Found]:
        with self._all.lock:
            return self._changes.find(said)

    def _shadow(self, said: Said) -> list[Found]:
        with self._all.lock:
            return self._all.neighbours.find(
                self._run.run_id, self._server, self._run.host_session_id, said.record.body
            )

    def _place(self, said: Said) -> flow.Place:
        record, run = said.record, self._run
        return flow.Place(self._server, run.run_id, record.seq, record.at, said.target, run.host_session_id)

    def _sink(self, said: Said, *, viewed: bool) -> list[Found]:
        place, redactions, memory, held = self._place(said), said.record.redactions, self._all.memory, self._all.held
        spoken = list(readings(said, viewed=viewed))
        with self._all.lock:
            plain = held.plain(spoken, place, self._all.key)
            found = [*held.find(redactions, place), *plain] if redactions or plain else []
            return found + flow.find(spoken, place, memory)

    def _source(self, said: Said, *, viewed: bool) -> list[Found]:
        place = self._place(said)
        with self._all.lock:
            if said.record.redactions:
                self._all.held.had(said.record.redactions, place, result=True)
            return flow.remember(said, place, self._all.memory, viewed=viewed)

    def _start(self) -> list[Found]:
        run = self._run
        with self._all.lock:
            place = flow.Place(self._server, run.run_id, 0, run.at, "its command line", run.host_session_id)
            self._all.held.had(run.redactions, place, result=False)
            return self._all.programs.find(run, self._server)

    def _end(self, record: RunEnded) -> list[Found]:
        with self._all.lock:
            started, words = self._run.server_pid is not None, "\n".join(self._said)
            return health.ended(record, self._server, self._all.crashes, started, words)

    def _findings(self, seq: int | None, at: int, steps: Iterable[Step]) -> list[Finding]:
        """The records of what these detectors find, without those that are not wanted."""
        made: list[Finding] = []
        for name, step in steps:
            try:
                for found in step():
                    record = finding(self._run.run_id, seq, at, found)
                    if self._wanted(found) and record.finding_id not in self._made:
                        self._made.add(record.finding_id)
                        made.append(record)
            except Exception as bug:
                made += self._failed(seq, at, name, bug)
        return made

    def _wanted(self, found: Found) -> bool:
        return self._all.settings.wanted(found.channel, found.severity) and len(self._made) < MOST

    def _failed(self, seq: int | None, at: int, name: str, bug: Exception) -> list[Finding]:
        """A bug of ours, without the error's text: it may hold what a server sent."""
        where = traceback.extract_tb(bug.__traceback__)[-1]
        place = f"{type(bug).__name__} at {where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
        log.error("%s in detector %s", place, name)
        found = by(
            INTERNAL, "process", f"detector {name}: {place}", pointer=f"/{name}", title=f"{INTERNAL.title}: {name}"
        )
        return [finding(self._run.run_id, seq, at, found)]
