"""The collector's own life: started by the first tap, one per user, replaced when older, gone when idle."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mcptap.exporters.collector import client

STANDING = """
import os, sys
import mcptap.tap.version as version
version.VERSION = sys.argv[2]
from mcptap.exporters.collector import service
service.IDLE_S = float(sys.argv[3])
os.makedirs(sys.argv[1], mode=0o700, exist_ok=True)
os.umask(0o077)
os.chdir(sys.argv[1])
sys.exit(service.serve(sys.argv[1]))
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a standing collector writes what it has to say."""
    return tmp_path / "collector.err"


@pytest.fixture
def standing(home: Path, log: Path, eventually: Callable[..., Any]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a collector of another version, or one that is soon bored."""
    started: list[subprocess.Popen[bytes]] = []

    def start(version: str = "0.1.0", idle_s: float = 60.0) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", STANDING, str(home), version, str(idle_s)]
        with log.open("wb") as file:
            started.append(subprocess.Popen(command, stderr=file))
        eventually(lambda: client.request(home, "ping", version="0.0.0")["op"], "pong")
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait(30)


def test_many_taps_that_start_at_once_have_one_collector(
    home: Path, converse: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    conversations = [converse() for _ in range(6)]
    for conversation in conversations:
        conversation.call()
    eventually(lambda: client.request(home, "status")["taps"], 6)
    collectors = [one for one in psutil.process_iter(["cmdline"]) if _is_collector_of(home, one.info["cmdline"] or [])]
    assert len(collectors) == 1


def _is_collector_of(home: Path, command: list[str]) -> bool:
    return "mcptap.exporters.collector" in command and str(home) in command


def test_an_older_collector_makes_room_for_one_of_the_taps_version(
    home: Path,
    standing: Callable[..., Any],
    converse: Callable[..., Any],
    rows: Callable[[str], Any],
    eventually: Callable[..., Any],
) -> None:
    old = standing(version="0.0.9")
    conversation = converse()
    conversation.call()
    assert old.wait(30) == 0
    eventually(lambda: client.request(home, "status")["collector"]["version"] != "0.0.9", True)
    conversation.call()
    conversation.close()
    eventually(lambda: rows("select count(*) from exchanges where outcome = 'ok'"), [(2,)])
    assert rows("select count(*) from gaps") == [(0,)]


def test_a_collector_that_nobody_needs_leaves_and_one_with_a_tap_stays(
    home: Path, standing: Callable[..., Any], converse: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    collector = standing(idle_s=1.0)
    conversation = converse()
    for _ in range(30):
        conversation.call()
        with pytest.raises(subprocess.TimeoutExpired):
            collector.wait(0.1)
    conversation.close()
    assert collector.wait(60) == 0
    assert not (home / "collector.sock").exists()


def test_a_reader_with_a_lease_keeps_it_there(home: Path, standing: Callable[..., Any]) -> None:
    collector = standing(idle_s=1.0)
    with client.open_request(home, "lease"), pytest.raises(subprocess.TimeoutExpired):
        collector.wait(4)
    assert collector.wait(60) == 0


def test_when_stopped_it_takes_what_is_there_and_the_taps_find_the_next_one(
    home: Path, converse: Callable[..., Any], rows: Callable[[str], Any], eventually: Callable[..., Any]
) -> None:
    conversation = converse()
    for _ in range(50):
        conversation.call()
    eventually(lambda: client.request(home, "status")["taps"], 1)
    first = client.request(home, "stop")["pid"]
    for _ in range(50):
        conversation.call()
    eventually(lambda: client.request(home, "status")["taps"], 1)
    assert client.request(home, "status")["collector"]["pid"] != first
    conversation.close()
    eventually(lambda: rows("select count(*) from exchanges where outcome = 'ok'"), [(100,)])
    assert rows("select count(*) from gaps") == [(0,)]


def test_it_leaves_in_order_on_sigterm(home: Path, log: Path, standing: Callable[..., Any]) -> None:
    collector = standing()
    collector.send_signal(signal.SIGTERM)
    assert collector.wait(30) == 0
    assert "Traceback" not in log.read_text()
    assert not (home / "collector.json").exists()


def test_it_leaves_when_another_directory_took_the_place_of_its_own(
    home: Path, standing: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    collector = standing()
    home.rename(home.with_name("moved"))
    home.mkdir(mode=0o700)
    assert collector.wait(30) == 1
    left = [one for one in psutil.process_iter(["cmdline"]) if str(home) in (one.info["cmdline"] or [])]
    assert not psutil.wait_procs(left, timeout=10)[1]


@pytest.mark.skipif(os.getuid() != 0, reason="elsewhere: only root can become another user")
def test_another_user_is_not_answered(home: Path, standing: Callable[..., Any]) -> None:
    standing()
    for directory in (home, *home.parents):
        if directory != Path("/") and directory.owner() == "root" and directory != Path("/tmp"):
            directory.chmod(directory.stat().st_mode | 0o011)
    (home / "collector.sock").chmod(0o777)
    ask = (
        "import os, socket, sys; os.setgid(65534); os.setuid(65534); s = socket.socket(socket.AF_UNIX)\n"
        'os.chdir(sys.argv[1]); s.connect("collector.sock"); s.sendall(b\'{"op": "status"}\\n\'); print(s.recv(1000))'
    )
    answer = subprocess.run([sys.executable, "-I", "-c", ask, str(home)], capture_output=True, text=True, check=False)
    assert answer.stdout.strip() in {"", "b''"}  # shut out by the directory's mode, or by us
    assert client.request(home, "status")["collector"]["state"] == "running"


def test_what_is_no_hello_is_answered_or_dropped_and_disturbs_nobody(
    home: Path, log: Path, standing: Callable[..., Any]
) -> None:
    collector = standing()
    for rubbish in (b"\n", b"[]\n", b"{}\n", b"\xff\xfe\n", b'{"op":"tap"}\n', b'{"op":"tap","run_id":"../../x"}\n'):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(home / "collector.sock"))
            connection.sendall(rubbish)
            answer = connection.recv(4096)
            assert not answer or "op" in json.loads(answer)
    assert client.request(home, "status")["collector"]["state"] == "running"
    collector.terminate()
    collector.wait(30)
    assert b"\xff" not in log.read_bytes()
