"""The collector's side of the store: whatever becomes of the store's process, the next one goes on."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from mcptap.exporters.collector.loader import Loader
from mcptap.exporters.store import child, read

PATIENCE_S = 60.0
ENDLESS = "SELECT sum(a.range * b.range) FROM range(6000000) a, range(6000000) b"
HOLD = """
import duckdb, sys, time
print(flush=True)
held = None
while held is None:
    try:
        held = duckdb.connect(sys.argv[1])
    except duckdb.IOException:  # the store's process was faster; it will be killed
        time.sleep(0.01)
print(flush=True)
sys.stdin.read()
"""
LINE = '{"n":1,"type":"message","seq":%d,"side":"client","at":1,"kind":"request","size_bytes":9,"body":{},"hash":"0"}\n'


class Kept:
    """A loader with a journal, as the collector keeps it."""

    def __init__(self, home: Path) -> None:
        self.home, self.ports, self.lines = home, [], 0
        self.loader = Loader(home, self._announce)
        (home / "journal/2027-01-15").mkdir(parents=True)

    def write(self, lines: int = 1) -> None:
        with (self.home / "journal/2027-01-15/run-1.jsonl").open("a") as file:
            for _ in range(lines):
                self.lines += 1
                file.write(LINE % self.lines)
        self.loader.changed("run-1")

    @property
    def pid(self) -> int:
        return self.loader._child._process.pid

    async def count(self) -> int | None:
        """Messages in the store, as readers see them."""
        try:
            _, rows = await anyio.to_thread.run_sync(read.run, "SELECT count(*) FROM messages", self.home)
        except read.StoreError:
            return None
        return rows[0][0]

    async def until(self, **expected: Any) -> dict[str, Any]:
        """The status, when it is like that."""
        with anyio.fail_after(PATIENCE_S):
            while not expected.items() <= (told := await self.loader.status()).items() or told["port"] is None:
                await anyio.sleep(0.02)
        return told

    async def all_loaded(self) -> None:
        with anyio.fail_after(PATIENCE_S):
            while await self.count() != self.lines:
                await anyio.sleep(0.05)

    def _announce(self, port: int | None) -> None:
        self.ports.append(port)
        (self.home / read.COLLECTOR).write_text(json.dumps({"quack_port": port}))


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Callable[[Kept], Awaitable[None]]], Kept]:
    """Runs a test's body while the loader runs, and closes the loader after it."""

    def run(body: Callable[[Kept], Awaitable[None]]) -> Kept:
        async def whole() -> Kept:
            kept = Kept(tmp_path)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(kept.loader.run)
                await body(kept)
                tasks.cancel_scope.cancel()
            await kept.loader.close()
            assert not [one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in (one.info["cmdline"] or ())]
            return kept

        return anyio.run(whole)

    return run


def test_the_collector_never_loads_the_database_library() -> None:
    code = (
        "import mcptap.exporters.collector.service, sys; sys.exit('duckdb' in sys.modules or '_duckdb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_written_is_loaded_and_the_rest_when_it_closes(keep) -> None:
    async def body(kept: Kept) -> None:
        kept.write(3)
        await kept.all_loaded()
        assert (await kept.until(state="ok", lag_bytes=0))["age_s"] < PATIENCE_S
        assert kept.ports == [(await kept.loader.status())["port"]]
        kept.write(4)

    kept = keep(body)
    code = "import duckdb, sys; print(duckdb.connect(sys.argv[1]).sql('select count(*) from messages').fetchone()[0])"
    store = str(kept.home / "store.duckdb")
    assert subprocess.run([sys.executable, "-c", code, store], capture_output=True, check=True).stdout == b"7\n"


def test_its_process_gets_no_descriptor_no_secret_and_the_least_of_the_processor(keep, monkeypatch) -> None:
    monkeypatch.setenv("API_KEY", "not for the store")
    inherited = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(inherited, True)

    async def body(kept: Kept) -> None:
        await kept.until(state="ok")
        process = psutil.Process(kept.pid)
        assert "API_KEY" not in process.environ()
        assert os.devnull not in {file.path for file in process.open_files()}
        assert process.nice() > os.nice(0) or os.nice(0) == 19
        assert os.getsid(kept.pid) == kept.pid

    keep(body)
    os.close(inherited)


def test_a_process_that_is_killed_is_replaced_and_nothing_is_missing(keep) -> None:
    async def body(kept: Kept) -> None:
        for _ in range(3):
            kept.write(2)
            await kept.all_loaded()
            os.kill(kept.pid, signal.SIGKILL)
            kept.write(1)
        await kept.all_loaded()
        assert None in kept.ports, "nobody is sent to a port that is free for anybody"

    keep(body)


@pytest.mark.parametrize("why", [pytest.param("statement", marks=pytest.mark.slow), "memory"])
def test_a_reader_that_takes_too_much_costs_the_process_and_is_told(keep, monkeypatch, why) -> None:
    async def body(kept: Kept) -> None:
        kept.write(2)
        await kept.all_loaded()
        if why == "memory":
            monkeypatch.setattr(child, "MAX_RSS", 1 << 20)
        else:
            code = f"from mcptap.exporters.store import read; read.run({ENDLESS!r}, {str(kept.home)!r})"
            reader = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
            with anyio.fail_after(PATIENCE_S):
                begun = psutil.Process(kept.pid).cpu_times().user
                while psutil.Process(kept.pid).cpu_times().user < begun + 1:
                    await anyio.sleep(0.05)
            kept.loader._child.said["overdue"] = [ENDLESS]
        with anyio.fail_after(PATIENCE_S):
            while kept.ports[-1] is not None:
                await anyio.sleep(0.01)
        monkeypatch.undo()
        kept.write(1)
        await kept.all_loaded()
        assert why in (await kept.until(state="ok"))["detail"]
        if why == "statement":
            _, told = await anyio.to_thread.run_sync(reader.communicate)
            assert b"went away" in told

    keep(body)


def test_status_answers_while_the_process_does_not(keep) -> None:
    async def body(kept: Kept) -> None:
        kept.write(2)
        await kept.until(state="ok", lag_bytes=0)
        process = psutil.Process(kept.pid)
        process.suspend()
        kept.write(1)
        with anyio.fail_after(PATIENCE_S):
            told = await kept.loader.status()
        assert told["state"] == "ok"
        assert told["age_s"] > 0
        assert told["lag_bytes"] > 0, "nobody may take it for up to date"
        process.resume()
        await kept.all_loaded()

    keep(body)


def test_a_command_that_was_called_off_does_not_hold_up_the_next(keep) -> None:
    async def body(kept: Kept) -> None:
        await kept.until(state="ok", lag_bytes=0)
        for ask in (lambda: kept.loader._child.load(None), kept.loader._child.tell):
            with anyio.move_on_after(0):
                await ask()
            with anyio.fail_after(PATIENCE_S):
                assert await ask()

    keep(body)


def test_a_file_that_was_locked_is_loaded_soon_after(keep) -> None:
    async def body(kept: Kept) -> None:
        command = [sys.executable, "-c", HOLD, str(kept.home / "store.duckdb")]
        with subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            holder.stdout.readline()  # it tries from now on: who is killed often is started another way
            while not select.select([holder.stdout], [], [], 0)[0]:
                os.kill(kept.pid, signal.SIGKILL) if kept.loader._child else None
                await anyio.sleep(0.5)
            kept.write(2)
            with anyio.fail_after(PATIENCE_S):
                while (await kept.loader.status())["state"] != "locked":
                    await anyio.sleep(0.02)
            holder.communicate()
        await kept.all_loaded()
        assert await kept.count() == 2

    keep(body)


def test_a_process_that_cannot_be_started_is_a_state(keep, monkeypatch) -> None:
    def nowhere(*_words: Any, **_options: Any) -> None:
        raise OSError("no more processes")

    async def body(kept: Kept) -> None:
        with anyio.fail_after(PATIENCE_S):
            while "no more processes" not in (await kept.loader.status())["detail"]:
                await anyio.sleep(0.02)
        monkeypatch.undo()
        kept.write(1)
        await kept.all_loaded()
        assert await kept.count() == 1

    monkeypatch.setattr(child.anyio, "open_process", nowhere)
    keep(body)


def test_when_the_collector_is_killed_its_store_leaves_soon(tmp_path: Path) -> None:
    code = (
        "import anyio, pathlib; from mcptap.exporters.collector.loader import Loader\n"
        f"loader = Loader(pathlib.Path({str(tmp_path)!r}), lambda port: print(port, flush=True))\n"
        "anyio.run(loader.run)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as collector:
        assert collector.stdout
        collector.stdout.readline()
        (store,) = psutil.Process(collector.pid).children()
        collector.kill()
        assert psutil.wait_procs([store], timeout=PATIENCE_S)[1] == []
