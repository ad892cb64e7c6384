"""One run while it is recorded: chunks from a tap's memory in, journal lines out, then what may be acknowledged.

The idea: nothing is acknowledged before it is in the journal, and the journal alone says where a run stands. When
writing fails, the records wait here, nothing more is read from the tap, and the tap's own buffer does the rest.
Everything in this module is synchronous and runs on a worker thread, one at a time for a run.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcptap.exporters.collector import processes
from mcptap.exporters.journal.ledger import Ledger
from mcptap.exporters.journal.writer import JournalFile
from mcptap.tap.analysis import Analysis
from mcptap.tap.detect.watch import Everywhere, Watch
from mcptap.tap.pipe.wire import STREAMS
from mcptap.tap.records import Finding, Record, RunEnded, RunStarted, Usage
from mcptap.tap.redact import Redactor, redact_started


class DamagedRunError(Exception):
    """The journal of a run that has not ended cannot be read; nothing more is written to it."""


class LiveRun:
    """The analysis and the journal of one run that has not ended."""

    def __init__(
        self, started: RunStarted, journal: JournalFile, analysis: Analysis, watch: Watch | None = None
    ) -> None:
        self.started, self._journal, self._analysis, self._watch = started, journal, analysis, watch
        self.since = time.time()
        self.tap = started.tap_pid, started.tap_created  # who could go on with this run
        self.ended = False
        self._unwritten: list[Record] = []
        self._sampled: list[Record] = []  # the last sample, if it could not be written at once, and what it told
        self._writing = threading.Lock()  # samples come from another thread
        self._safe = self._analysed()

    @classmethod
    def begin(
        cls, home: Path, ledger: Ledger, redactor: Redactor, hello: dict[str, Any], everywhere: Everywhere | None = None
    ) -> LiveRun:
        """Opens the record of a new run. Raises OSError, KeyError, ValueError for a hello that is none."""
        started = redact_started(redactor, _started(hello))
        journal = JournalFile.create(home, ledger, started)
        watch = _watch(started, everywhere)
        run = cls(started, journal, Analysis(started, redactor), watch)
        run._unwritten += watch.began() if watch else []
        return run

    @classmethod
    def resume(
        cls, home: Path, ledger: Ledger, redactor: Redactor, run_id: str, everywhere: Everywhere | None = None
    ) -> LiveRun:
        """Goes on where the journal of a run ends. Raises OSError; ValueError if it has been closed."""
        seen_again = everywhere is not None and everywhere.settings.enabled
        journal, records = JournalFile.reopen(home, ledger, run_id, settled=seen_again)
        started = next(records, None)
        if not isinstance(started, RunStarted):
            raise DamagedRunError(f"the first line of run {run_id} cannot be read; `mcptap verify` tells more")
        watch = _watch(started, everywhere)
        if watch is None:
            return cls(started, journal, Analysis.resume(started, redactor, records))
        found = watch.began()
        run = cls(started, journal, Analysis.resume(started, redactor, _shown(records, watch, found)), watch)
        run._unwritten += watch.unwritten(found)  # a torn last line may have been a finding
        return run

    @property
    def run_id(self) -> str:
        return self.started.run_id

    def told(self) -> dict[str, Any]:
        """What `mcptap status` tells of it."""
        started = self.started
        return {
            "run_id": started.run_id,
            "name": started.name,
            "server_pid": started.server_pid,
            "since": self.since,
        }

    @property
    def written(self) -> list[int]:
        """Per stream, the offset before which everything is in the journal."""
        return self._safe

    def _analysed(self) -> list[int]:
        safe = self._analysis.safe_offsets()
        return [safe[stream] for stream in STREAMS]  # type: ignore[index]

    def take(self, stream: int, offset: int, at: int, chunk: bytes) -> None:
        """Analyses one recorded chunk. Its records wait for `write`."""
        self._detect(self._analysis.data(STREAMS[stream], offset, at, chunk))  # type: ignore[arg-type]

    def _detect(self, records: list[Record]) -> None:
        """Takes records that have been redacted, each with what is found in it. The end stays the end."""
        if self._watch is None:
            self._unwritten += records
            return
        for record in records:
            found = self._watch.see(record)
            self._unwritten += [*found, record] if isinstance(record, RunEnded) else [record, *found]

    @property
    def pending(self) -> int:
        """Records that wait for `write`."""
        return len(self._unwritten)

    def let_go(self) -> None:
        """Keeps of messages whose end has not come yet no more than size, hash and envelope."""
        self._analysis.let_go()

    def end(self, facts: bytes) -> None:
        """Takes what the tap tells of the end, as JSON. Raises ValueError, KeyError, TypeError where it is none."""
        told = json.loads(facts)
        ended = self._analysis.end(
            at=told["at"],
            final_offsets=dict(zip(STREAMS, told["offsets"], strict=True)),  # type: ignore[arg-type]
            exit_code=told["exit_code"],
            exit_signal=told["exit_signal"],
            max_rss_bytes=told["max_rss_bytes"],
            cpu_seconds=told["cpu_seconds"],
            state="ended",
            reason=None,
        )
        self._detect(ended)
        self.ended, self._state = True, "ended"

    def lose(self, reason: str, offsets: list[int] | None = None) -> None:
        """Closes the record of a run whose tap is gone. `offsets`: how far its streams had come, if it left a note."""
        if self.ended:
            self.write()
            return
        ended = self._analysis.end(
            at=time.time_ns(),
            final_offsets=dict(zip(STREAMS, offsets, strict=True)) if offsets else None,  # type: ignore[arg-type]
            exit_code=None,
            exit_signal=None,
            max_rss_bytes=None,
            cpu_seconds=None,
            state="lost",
            reason=reason,
        )
        self._detect(ended)
        self.ended = True
        self._state = "lost"
        self.write()

    def write(self) -> None:
        """Writes what is pending; closes the journal after the last record. Raises OSError and keeps it pending."""
        if self._unwritten:
            with self._writing:
                self._journal.append([*self._sampled, *self._unwritten])
                self._sampled = []
            self._unwritten = []
        self._safe = self._analysed()
        if self.ended:
            self._journal.close(self._state)  # type: ignore[arg-type]

    def add_usage(self, usage: Usage) -> bool:
        """Writes one sample, now or with what is pending, from any thread; False once the run has ended.

        Raises OSError.
        """
        with self._writing:
            found = self._watch.usage(usage) if self._watch else []
            if self._unwritten:
                self._sampled = [*(one for one in self._sampled if isinstance(one, Finding)), usage, *found]
            elif not self.ended:
                self._journal.append([usage, *found])
            return not self.ended

    def sync(self) -> None:
        """Waits until the journal is on the disk. Raises OSError."""
        if not self.ended:
            self._journal.sync()


def _shown(records: Iterator[Record], watch: Watch, found: list[Finding]) -> Iterator[Record]:
    """The records of a journal, each seen by the watch as it passes."""
    for record in records:
        found += watch.see(record)
        yield record


def _watch(started: RunStarted, everywhere: Everywhere | None) -> Watch | None:
    """What searches a run, if its user wants that."""
    return Watch(started, everywhere) if everywhere is not None and everywhere.settings.enabled else None


def _started(hello: dict[str, Any]) -> RunStarted:
    """What a tap's hello tells, with what the system knows of the processes in it."""
    return RunStarted(
        run_id=hello["run_id"],
        at=hello["at"],
        name=hello["name"],
        command=tuple(hello["command"]),
        cwd=hello["cwd"],
        env_names=tuple(hello["env_names"]),
        tap_version=hello["version"],
        tap_pid=hello["tap_pid"],
        tap_created=processes.created(hello["tap_pid"]),
        server_pid=hello["server_pid"],
        server_created=processes.created_by(hello["server_pid"], hello["tap_pid"]),
        host_session_id=processes.host_session_id(hello["host_pid"], hello.get("host_stat")),
        host_process=processes.host_name(hello["host_pid"], hello.get("host_stat")),
        executable_path=hello["executable_path"],
        executable_sha256=processes.file_sha256(hello["executable_path"]),
    )
