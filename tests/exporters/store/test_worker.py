"""The store's process: it obeys, it ends with its parent, and killing it at any moment costs nothing."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import duckdb
import psutil
import pytest

from mcptap.exporters.store import read, worker
from mcptap.exporters.store.child import ALLOCATION

ENDLESS = "SELECT sum(a.range * b.range) FROM range(6000000) a, range(6000000) b"
COUNTS = "SELECT (SELECT count(*) FROM messages), (SELECT count(DISTINCT (run_id, seq)) FROM messages)"
PATIENCE_S = 60.0


class Commanded:
    """One process, with a thread that listens to it."""

    def __init__(self, home, *options):
        command = [sys.executable, "-P", "-m", "mcptap.exporters.store.worker", "--home", str(home), *options]
        environment = os.environ | ALLOCATION
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.home, self.said, self.loads = home, {}, 0
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        token = os.urandom(8).hex()
        (home / read.TOKEN).write_text(token)
        self.say(serve=token)

    def say(self, **command):
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def load(self, runs=None):
        self.loads += 1
        self.say(load=runs, number=self.loads)
        self.until(lambda: self.said.get("loaded") == self.loads)
        (self.home / read.COLLECTOR).write_text(json.dumps({"quack_port": self.said["port"]}))
        assert self.said["detail"] == ""
        return self.said["state"]

    def until(self, condition):
        limit = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < limit, self.said
            time.sleep(0.01)

    def end(self):
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self._listener.join()
        self.process.stdout.close()

    def _listen(self):
        for line in self.process.stdout:
            self.said |= json.loads(line)


@pytest.fixture
def start(home):
    started = []

    def start_one(*options):
        started.append(Commanded(home.path, *options))
        return started[-1]

    yield start_one
    for one in started:
        one.end()


@pytest.fixture
def stuck_reader(home):
    """A reader whose query does not end by itself."""
    code = f"from mcptap.exporters.store import read; read.run({ENDLESS!r}, {str(home.path)!r})"
    readers = []
    yield lambda: readers.append(subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL))
    for reader in readers:
        reader.kill()
        reader.wait()


def works(one):
    """Waits until it has had a second of a processor."""
    process = psutil.Process(one.process.pid)
    begun = process.cpu_times().user
    one.until(lambda: process.cpu_times().user > begun + 1)


def test_it_loads_what_it_is_told_to_and_tells_how_it_is(home, start):
    run = home.run("run-1").start()
    run.call(1)
    one = start()
    assert one.load() == "ok"
    assert home.ask(COUNTS) == [(2, 2)]
    run.call(2)
    one.say(tell=7)
    one.until(lambda: one.said.get("told") == 7)
    assert (one.said["lag_runs"], one.said["lag_bytes"] > 0, one.said["serving"]) == (1, True, True)
    one.load(["run-1"])
    assert home.ask(COUNTS) == [(4, 4)]


def test_it_steps_back_behind_its_parent_in_time_and_memory(home, start):
    one = start()
    one.load()
    process = psutil.Process(one.process.pid)
    assert process.nice() == min(19, os.nice(0) + worker.NICENESS)
    if sys.platform == "linux":
        assert process.rlimit(psutil.RLIMIT_AS)[0] != resource.RLIM_INFINITY


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(repeat('x', 3000000000))",
        "SELECT len(range(200000000))",
        pytest.param("SELECT len(string_split(repeat('x,', 200000000), ','))", marks=pytest.mark.slow),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: the system does not bound memory")
def test_a_function_that_takes_too_much_memory_fails_and_the_process_lives(home, start, sql):
    home.run("run-1").start().call(1)
    one = start()
    one.load()
    with pytest.raises(read.QueryError, match="bad allocation"):
        home.ask(sql)
    assert home.ask(COUNTS) == [(2, 2)]
    assert one.process.poll() is None


@pytest.mark.parametrize("stuck", [False, True])
def test_the_end_of_stdin_ends_it_soon_also_while_a_query_runs(home, start, stuck_reader, stuck):
    home.run("run-1").start().call(1)
    one = start()
    one.load()
    if stuck:
        stuck_reader()
        works(one)
    one.process.stdin.close()
    assert one.process.wait(60) == 0
    with duckdb.connect(str(home.store.path), read_only=True) as after:
        assert after.execute("SELECT count(*) FROM exchanges").fetchone() == (1,)


def test_it_does_not_leave_because_of_a_signal_that_is_meant_for_all(start):
    one = start()
    one.load()
    for number in (signal.SIGINT, signal.SIGTERM):
        one.process.send_signal(number)
    assert one.load() == "ok"


def test_killed_at_any_moment_under_load_it_loses_nothing_and_repeats_nothing(home, start, stuck_reader):
    for name in ("run-1", "run-2", "run-3"):
        run = home.run(name).start()
        for number in range(2000):
            run.call(number, "x" * 500)
    for after in (0.0, 0.1, 0.2, 0.4, 0.8):
        one = start()
        one.say(load=None, number=1)
        one.until(lambda one=one: one.said.get("state") == "loading")
        time.sleep(after)
        one.process.kill()
        one.process.wait()
    last = start()
    assert last.load() == "ok"
    assert home.ask(COUNTS) == [(12_000, 12_000)]
    assert home.ask("SELECT count(*), count(DISTINCT (run_id, seq)) FROM exchanges") == [(6_000, 6_000)]
    assert not list(home.path.glob("*.damaged-*"))
