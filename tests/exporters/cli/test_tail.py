"""Tail shows the latest exchanges, and following misses none, whatever happens to the collector."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from mcptap.exporters.collector import client


def test_the_latest_exchanges_are_shown_oldest_first(recorded: Any) -> None:
    lines = recorded.say("tail", "--server", "files").out.splitlines()
    assert [line.split()[2] for line in lines] == ["ok", "rpc_error"]
    assert lines[0].split()[:8] == ["2026-11-18", "14:06:40.100", "ok", "12.5", "ms", "files", "→", "tools/call"]
    assert lines[1].endswith("-32601 no such method")
    assert len(recorded.say("tail", "-n", "1").out.splitlines()) == 1


def test_the_latest_exchanges_can_be_had_as_json(recorded: Any) -> None:
    last = json.loads(recorded.say("tail", "--json").out.splitlines()[-1])
    assert last["started_at"] == "2026-11-18T12:06:40.400000Z"
    assert (last["run_id"], last["server"], last["seq"], last["outcome"]) == (
        "01-plain-aaaa1111",
        "files",
        3,
        "rpc_error",
    )


def test_that_nothing_fits_is_told(recorded: Any) -> None:
    said = recorded.say("tail", "--since", "1m")
    assert (said.status, said.out) == (0, "")
    assert "no exchange is recorded that fits" in said.err


def test_following_shows_each_exchange_once_as_it_happens(fresh: Any, journal: Any, eventually: Any) -> None:
    journal(fresh.home)
    with _following(fresh) as (told, process):
        eventually(lambda: len(told) == 2)
        for count in range(1, 4):
            _traffic(fresh, f"server{count}")
            eventually(lambda: len(told) == 2 + 2 * count)  # noqa: B023
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == -signal.SIGINT
    assert [row["server"] for row in told[2:]] == [f"server{count}" for count in (1, 1, 2, 2, 3, 3)]


def test_following_goes_on_with_the_next_collector(fresh: Any, journal: Any, eventually: Any) -> None:
    journal(fresh.home)
    with _following(fresh) as (told, _):
        eventually(lambda: len(told) == 2)
        os.kill(client.request(fresh.home, "status")["collector"]["pid"], signal.SIGKILL)
        _traffic(fresh, "after")
        eventually(lambda: len(told) == 4)
    assert [row["server"] for row in told[2:]] == ["after", "after"]


def test_following_goes_on_after_a_rebuild(fresh: Any, journal: Any, eventually: Any) -> None:
    journal(fresh.home)
    with _following(fresh) as (told, _):
        eventually(lambda: len(told) == 2)
        _traffic(fresh, "before")
        eventually(lambda: len(told) == 4)
        assert fresh.say("rebuild").status == 0
        _traffic(fresh, "after")
        eventually(lambda: len(told) >= 6)
    assert [row["server"] for row in told[2:]] == ["before", "before", "after", "after"]


def test_following_starts_no_collector_after_a_stop(fresh: Any, journal: Any, eventually: Any) -> None:
    journal(fresh.home)
    with _following(fresh) as (told, process):
        eventually(lambda: len(told) == 2)
        assert fresh.say("stop").status == 0
        eventually(lambda: b"waiting for the next one" in process.stderr.readline())
        assert json.loads(fresh.say("status", "--json").out)["collector"]["state"] == "stopped"


@contextmanager
def _following(fresh: Any) -> Iterator[tuple[list[dict[str, Any]], subprocess.Popen[bytes]]]:
    """`tail --follow` at work, and the rows that it has told so far."""
    process = fresh.start("tail", "--follow", "--json")
    told: list[dict[str, Any]] = []

    def listen() -> None:
        for line in process.stdout:
            told.append(json.loads(line))  # noqa: PERF401  each as soon as it comes

    listener = Thread(target=listen)
    listener.start()
    try:
        yield told, process
    finally:
        process.kill()
        process.wait()
        listener.join()
        process.stdout.close()
        process.stderr.close()


def _traffic(fresh: Any, name: str) -> None:
    """Two exchanges: what a host asks, `cat` asks back, and nobody answers."""
    request = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    assert fresh.say("--name", name, "--", "cat", input=request).status == 0
