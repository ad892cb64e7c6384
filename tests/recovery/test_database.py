"""A database that is locked, gone, damaged or on a full disk never stops capture; it catches up by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.collector import client
from mcptap.exporters.journal.verify import verify

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
COUNT = "select count(*), count(distinct (run_id, seq)) from messages"


def _store_state(home: Path) -> str:
    return str(client.request(home, "status")["store"]["state"])


def _talk(conversation: Any, times: int = 20) -> None:
    for _ in range(times):
        conversation.call("some text")


def test_while_another_process_holds_the_database_capture_goes_on_and_then_it_catches_up(
    home: Path, converse: Callable[..., Any], rows: Callable[[str], Any], eventually: Callable[..., Any]
) -> None:
    home.mkdir(mode=0o700)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home / "store.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin
    assert holder.stdout
    try:
        assert holder.stdout.readline() == b"held\n"
        conversation = converse()
        _talk(conversation)
        eventually(lambda: _store_state(home), "locked")
        _talk(conversation)
        eventually(lambda: client.request(home, "status")["store"]["lag_bytes"] > 0, True)
    finally:
        holder.communicate()
    eventually(lambda: rows(COUNT), [(80, 80)])
    assert _store_state(home) == "ok"


@pytest.mark.parametrize("harm", ["delete", "truncate", "overwrite"])
def test_a_database_that_is_harmed_while_it_is_open_is_made_anew_from_the_journal(
    home: Path, converse: Callable[..., Any], rows: Callable[[str], Any], eventually: Callable[..., Any], harm: str
) -> None:
    conversation = converse()
    _talk(conversation)
    eventually(lambda: rows(COUNT), [(40, 40)])
    database = home / "store.duckdb"
    if harm == "delete":
        database.unlink()
    elif harm == "truncate":
        os.truncate(database, 100)
    else:
        database.write_bytes(os.urandom(50_000))
    _talk(conversation)
    eventually(lambda: rows(COUNT), [(80, 80)])
    assert conversation.close()[0] == 0
    eventually(lambda: rows("select state from runs"), [("ended",)])
    assert not list(verify(home).problems)


@pytest.mark.parametrize("harm", ["truncate", "overwrite", "delete"])
def test_a_database_that_was_harmed_while_nobody_had_it_open_is_made_anew_from_the_journal(
    home: Path, converse: Callable[..., Any], rows: Callable[[str], Any], eventually: Callable[..., Any], harm: str
) -> None:
    conversation = converse()
    _talk(conversation)
    conversation.close()
    eventually(lambda: rows(COUNT), [(40, 40)])
    client.request(home, "stop")
    eventually((home / "collector.json").exists, False)
    database = home / "store.duckdb"
    if harm == "truncate":
        os.truncate(database, database.stat().st_size // 2)
    elif harm == "overwrite":
        database.write_bytes(b"not a database" * 1000)
    else:
        database.unlink()
    eventually(lambda: rows(COUNT), [(40, 40)])
    assert _store_state(home) == "ok"


@pytest.fixture
def small_disk(home: Path) -> Iterator[Path]:
    """The state directory on a file system of 12 MB."""
    home.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs", str(home)]
    made = subprocess.run(mount, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"cannot mount a small file system here: {made.stderr.decode().strip()}")
    yield home
    try:
        pid = client.request(home, "stop")["pid"]
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(") ")[1][:1]:
            pass
    except (client.NotRunningError, OSError):
        pass
    subprocess.run(["umount", "-l", home], check=True)


def fill(ballast: Path) -> None:
    """Takes all that is left, if anything is left."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def test_on_a_full_disk_the_traffic_passes_the_state_is_told_and_afterwards_it_is_recorded(
    small_disk: Path, converse: Callable[..., Any], rows: Callable[[str], Any], eventually: Callable[..., Any]
) -> None:
    conversation = converse()
    _talk(conversation)
    eventually(lambda: rows(COUNT), [(40, 40)])
    ballast = small_disk / "ballast"
    fill(ballast)
    for _ in range(20):
        conversation.call(os.urandom(20_000).hex())
    eventually(lambda: client.request(small_disk, "status")["journal"]["state"], "failing")
    _talk(conversation)
    ballast.unlink(missing_ok=True)
    assert conversation.close()[0] == 0
    passed = conversation.sent + conversation.received
    whole = "select (select sum(size_bytes) from messages) + (select coalesce(sum(bytes), 0) from gaps)"
    eventually(lambda: rows("select state from runs"), [("ended",)])
    eventually(lambda: rows(whole), [(passed,)])
    assert rows("select count(*) from gaps") == [(0,)]
    assert not list(verify(small_disk).problems)
