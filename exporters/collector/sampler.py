"""What the servers that run now take: looked at every few seconds, written down when it has changed.

The idea: the system tells at a server's end what it took at most, but not of one that still runs or was lost, and not
how it came to that. So we look, one server after the other, resting after each look a hundred times as long as it
took: however many servers and processes there are, looking costs a hundredth of a core. What is written is bounded by
the logarithm of a run's age and of its memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import anyio
import psutil
from anyio.to_thread import run_sync

from mcptap.exporters.collector import processes
from mcptap.exporters.collector.live_run import LiveRun
from mcptap.tap.records import Usage

EVERY_S = 5.0  # from one look at a server to the next
REST = 100  # times the processor time that a look took, before the next one
NOTICEABLE = 0.05  # of what was written last; less is noise
NOTICEABLE_BYTES = 1 << 20
NOTICEABLE_CPU_S = 1.0
# A change waits until this part of the run's age has passed since the last one was written; a new peak does not.
SPACING = 1 / 200
# The last two: of processes that it started and that have ended. Told on Linux only.
_TIMES = ("user", "system", "children_user", "children_system")


@dataclass(slots=True)
class _Written:
    """What was written last of a run, and the highest memory that was ever written."""

    usage: Usage | None = None
    peak: int = 0


class Sampler:
    """Looks at the servers of `live` runs; `changed` is told the id of each run that a sample was written for."""

    def __init__(self, live: Mapping[str, LiveRun], changed: Callable[[str], None]) -> None:
        self._live, self._changed = live, changed
        self._written: dict[str, _Written] = {}

    async def run(self) -> None:
        """Looks for ever."""
        while True:
            due = time.monotonic() + EVERY_S
            for run in list(self._live.values()):
                written, took = await run_sync(self._timed, run)
                if written:
                    self._changed(run.run_id)
                await anyio.sleep(REST * took)
            self._written = {run_id: past for run_id, past in self._written.items() if run_id in self._live}
            await anyio.sleep(max(0.0, due - time.monotonic()))

    def _timed(self, run: LiveRun) -> tuple[bool, float]:
        """What `sample` says, and the processor time that it took: on a busy machine waiting is not taking."""
        began = time.thread_time()
        return self.sample(run), time.thread_time() - began

    def sample(self, run: LiveRun) -> bool:
        """Looks at one run's server; whether something was written. Never raises for what the system says."""
        now = time.time_ns()
        usage = look(run.started.server_pid, run.started.server_created, now)
        past = self._written.setdefault(run.run_id, _Written())
        if usage is None or not is_news(usage, past.usage, past.peak, run.started.at):
            return False
        with suppress(OSError):  # the disk is full: whoever writes the traffic tells so
            if run.add_usage(usage):
                past.usage, past.peak = usage, max(past.peak, usage.rss_bytes or 0)
                return True
        return False


def is_news(usage: Usage, last: Usage | None, peak: int, started_at: int) -> bool:
    """Whether a sample is worth being written after `last` and a highest memory of `peak` bytes."""
    if last is None:
        return True
    memory = usage.rss_bytes or 0
    if memory > peak + max(NOTICEABLE_BYTES, peak * NOTICEABLE):
        return True
    if usage.at - last.at < (usage.at - started_at) * SPACING:
        return False
    before = last.rss_bytes or 0
    return (
        abs(memory - before) > max(NOTICEABLE_BYTES, before * NOTICEABLE)
        or (usage.processes, usage.denied) != (last.processes, last.denied)
        or (usage.cpu_seconds or 0) - (last.cpu_seconds or 0) > NOTICEABLE_CPU_S
    )


def look(pid: int | None, created: float | None, at: int) -> Usage | None:
    """What a process and all that it started take; None when it does not live any more.

    Only the very process that has this start time is looked at, and of others only those that are younger.
    """
    root = processes.same_process(pid, created)
    if root is None:
        return None
    try:
        family = [root, *root.children(recursive=True)]
    except psutil.Error:  # it ended just now
        return None
    memory, cpu, denied, seen = 0, 0.0, 0, 0
    for process in family:
        try:
            held, times = process.memory_info().rss, process.cpu_times()
            memory += held
            cpu += sum(getattr(times, field, 0.0) for field in _TIMES)
            seen += 1
        except psutil.AccessDenied:
            denied += 1
        except psutil.Error:
            continue
    if not seen and not denied:
        return None
    return Usage(at, memory if seen else None, round(cpu, 2) if seen else None, seen + denied, denied)
