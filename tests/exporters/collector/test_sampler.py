"""What a server takes: of the right processes, seldom, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import psutil
import pytest

from mcptap.exporters.collector import processes, sampler
from mcptap.exporters.collector.live_run import LiveRun
from mcptap.exporters.collector.sampler import Sampler, is_news, look
from mcptap.exporters.journal.ledger import Ledger
from mcptap.exporters.journal.verify import verify
from mcptap.tap.records import Usage
from mcptap.tap.redact import Redactor

S, MB = 10**9, 1 << 20
WRAPPER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE)
print("ready", flush=True)
sys.stdin.read()
child.communicate()
"""
CHILD = "import sys; held = bytearray(b'x') * (64 << 20); sys.stdin.read()"


@pytest.fixture
def wrapped() -> Iterator[psutil.Process]:
    """A process that starts another one, which holds 64 MiB."""
    process = subprocess.Popen([sys.executable, "-c", WRAPPER, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    yield psutil.Process(process.pid)
    process.communicate()


def until(condition: Callable[[], Any], patience: float = 60.0) -> Any:
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def taken(process: psutil.Process) -> Usage:
    found = look(process.pid, process.create_time(), 5)
    assert found is not None
    return found


def test_what_a_wrapper_starts_is_counted_with_it(wrapped: psutil.Process) -> None:
    found = until(lambda: usage if ((usage := taken(wrapped)).rss_bytes or 0) > 64 * MB else None)
    assert (found.at, found.processes, found.denied) == (5, 2, 0)
    assert wrapped.memory_info().rss < 64 * MB
    assert found.cpu_seconds > 0


def test_another_process_with_the_same_number_is_never_looked_at() -> None:
    me = psutil.Process()
    assert look(me.pid, me.create_time() - 60, 5) is None
    assert look(me.pid, None, 5) is None
    assert look(None, me.create_time(), 5) is None


def test_a_process_that_has_ended_is_not_looked_at(wrapped: psutil.Process) -> None:
    created = wrapped.create_time()
    with subprocess.Popen(["true"]) as ended:
        until(lambda: psutil.Process(ended.pid).status() == psutil.STATUS_ZOMBIE)
        assert look(ended.pid, processes.created(ended.pid), 5) is None
    assert look(wrapped.pid, created, 5) is not None


def test_what_may_not_be_read_is_counted_as_such(wrapped: psutil.Process, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = psutil.Process.memory_info

    def memory_info(process: psutil.Process) -> Any:
        if process.pid == wrapped.pid:
            raise psutil.AccessDenied
        return allowed(process)

    monkeypatch.setattr(psutil.Process, "memory_info", memory_info)
    found = taken(wrapped)
    assert (found.processes, found.denied) == (2, 1)
    assert found.rss_bytes
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda _: (_ for _ in ()).throw(psutil.AccessDenied))
    assert taken(wrapped) == Usage(5, None, None, 2, 2)


def test_a_process_that_ends_while_it_is_looked_at_is_left_out(
    wrapped: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil.Process, "cpu_times", lambda _: (_ for _ in ()).throw(psutil.NoSuchProcess(1)))
    assert look(wrapped.pid, wrapped.create_time(), 5) is None


@pytest.mark.parametrize(
    ("usage", "peak", "news"),
    [
        (Usage(200 * S, 100 * MB, 1.0, 1), 100 * MB, False),
        (Usage(200 * S, 104 * MB, 1.0, 1), 100 * MB, False),
        (Usage(200 * S, 106 * MB, 1.0, 1), 100 * MB, True),
        (Usage(200 * S, 106 * MB, 1.0, 1), 110 * MB, True),
        (Usage(100 * S + 1, 106 * MB, 1.0, 1), 110 * MB, False),  # too soon
        (Usage(100 * S + 1, 106 * MB, 1.0, 1), 100 * MB, True),  # a new peak is never too soon
        (Usage(200 * S, 90 * MB, 1.0, 1), 100 * MB, True),
        (Usage(200 * S, 100 * MB, 2.5, 1), 100 * MB, True),
        (Usage(200 * S, 100 * MB, 1.0, 2), 100 * MB, True),
        (Usage(200 * S, None, None, 1, 1), 100 * MB, True),
    ],
)
def test_only_what_has_changed_is_worth_writing(usage: Usage, peak: int, news: bool) -> None:
    assert is_news(usage, Usage(100 * S, 100 * MB, 1.0, 1), peak, 0) is news


def test_a_month_of_a_restless_server_is_a_few_thousand_lines() -> None:
    last, peak, written = None, 0, 0
    for second in range(0, 30 * 86_400, 50):
        usage = Usage(second * S, ((second // 50) % 7 + 1) * 50 * MB, float(second), second % 3 + 1)
        if is_news(usage, last, peak, 0):
            last, peak, written = usage, max(peak, usage.rss_bytes or 0), written + 1
    assert 100 < written < 3_000


@dataclass
class Recorded:
    """Stands for a run that is recorded: keeps what is written, or cannot."""

    pid: int
    created: float | None
    run_id: str = "run-1"
    taking: Callable[[Usage], bool] = lambda _: True
    written: list[Usage] = field(default_factory=list)

    @property
    def started(self) -> Any:
        return SimpleNamespace(server_pid=self.pid, server_created=self.created, at=time.time_ns() - 100 * S)

    def add_usage(self, usage: Usage) -> bool:
        if done := self.taking(usage):
            self.written.append(usage)
        return done


def full(_: Usage) -> bool:
    raise OSError(28, "no space left")


def test_a_sample_is_written_once_and_again_when_it_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Recorded(os.getpid(), psutil.Process().create_time())
    looking = Sampler({}, lambda _: None)
    seen = iter([Usage(1 * S, 10 * MB, 0.0, 1), Usage(2 * S, 10 * MB, 0.0, 1), Usage(3 * S, 30 * MB, 0.0, 1), None])
    monkeypatch.setattr(sampler, "look", lambda *_: next(seen))
    assert [looking.sample(run) for _ in range(4)] == [True, False, True, False]
    assert [usage.rss_bytes for usage in run.written] == [10 * MB, 30 * MB]


@pytest.mark.parametrize("taking", [full, lambda _: False])
def test_what_cannot_be_written_is_tried_again(taking: Callable[[Usage], bool]) -> None:
    run = Recorded(os.getpid(), psutil.Process().create_time(), taking=taking)
    looking = Sampler({}, lambda _: None)
    assert not looking.sample(run)
    run.taking = lambda _: True
    assert looking.sample(run)
    assert len(run.written) == 1


# How a sample gets into the journal


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveRun]:
    """A run that is being recorded."""
    ledger = Ledger(tmp_path)
    hello = {
        "run_id": "run-1", "at": 1, "name": None, "command": ["srv"], "cwd": "/", "env_names": [], "version": "0",
        "tap_pid": os.getpid(), "server_pid": None, "host_pid": os.getpid(), "executable_path": None,
    }  # fmt: skip
    yield LiveRun.begin(tmp_path, ledger, Redactor(b"k" * 32), hello)
    ledger.close()


def lines(run: LiveRun) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run._journal.path.read_text().splitlines()]


def test_a_sample_is_written_at_once_while_nothing_passes(live: LiveRun) -> None:
    assert live.add_usage(Usage(7, 1, 0.5, 1))
    assert lines(live)[-1].items() >= {"type": "usage", "at": 7, "rss_bytes": 1, "cpu_seconds": 0.5}.items()


def test_a_sample_goes_with_what_is_pending_and_the_last_of_some_counts(live: LiveRun) -> None:
    live.take(0, 0, 5, b'{"jsonrpc":"2.0","method":"a"}\n')
    assert live.add_usage(Usage(7, 1, 0.5, 1))
    assert live.add_usage(Usage(8, 1, 0.5, 1))
    assert [line["type"] for line in lines(live)] == ["run_started"]
    live.write()
    assert [(line["type"], line["at"]) for line in lines(live)[1:]] == [("usage", 8), ("message", 5)]


def test_after_its_end_a_run_has_no_samples(live: LiveRun) -> None:
    live.lose("the tap vanished")
    assert not live.add_usage(Usage(7, 1, 0.5, 1))
    assert [line["type"] for line in lines(live)] == ["run_started", "run_ended"]


def test_a_run_with_samples_is_taken_up_where_it_stood(live: LiveRun, tmp_path: Path) -> None:
    live.take(0, 0, 5, b'{"jsonrpc":"2.0","method":"a"}\n')
    live.write()
    live.add_usage(Usage(7, 1, 0.5, 1))
    resumed = LiveRun.resume(tmp_path, Ledger(tmp_path), Redactor(b"k" * 32), "run-1")
    assert resumed.written == live.written == [31, 0, 0]
    assert resumed.started.host_process == psutil.Process().name()
    live.add_usage(Usage(8, 1, 0.5, 1))
    assert not list(verify(tmp_path).problems)


def test_every_run_that_is_live_is_looked_at_and_told_of(live: LiveRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "look", lambda *_: Usage(7, 1, 0.5, 1))

    async def until_told() -> str:
        told: list[str] = []
        changed = anyio.Event()

        def tell(run_id: str) -> None:
            told.append(run_id)
            changed.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Sampler({"run-1": live}, tell).run)
            await changed.wait()
            tasks.cancel_scope.cancel()
        return told[0]

    assert anyio.run(until_told) == "run-1"
    assert lines(live)[-1]["type"] == "usage"
