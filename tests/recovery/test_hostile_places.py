"""Where a tap is started oddly, or finds oddly left things, it still passes everything and records what it can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.collector import client
from mcptap.exporters.journal.verify import verify

ENTRY = [sys.executable, "-m", "mcptap.exporters.entry"]


def test_a_text_without_end_of_line_on_stderr_does_not_hold_up_the_other_streams(
    converse: Callable[..., Any], home: Path, rows: Callable[[str], Any], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    script = tmp_path / "prompt.py"
    script.write_text(
        "import sys\nsys.stderr.write('listening...'); sys.stderr.flush()\n"
        "for line in sys.stdin.buffer: sys.stdout.buffer.write(line); sys.stdout.buffer.flush()\n"
    )
    conversation = converse(server=(sys.executable, str(script)))
    line = b'{"jsonrpc":"2.0","method":"x","params":"' + b"y" * 900_000 + b'"}\n'
    journal = "journal/*/*.jsonl"
    for times in range(1, 41):  # 72 MB both ways: more than a tap holds
        conversation.process.stdin.write(line)
        left = len(line)
        while left:
            left -= len(os.read(conversation.process.stdout.fileno(), left))
        eventually(lambda: sum(path.stat().st_size for path in home.glob(journal)) > 2 * times * 900_000, True)  # noqa: B023
    assert conversation.close()[0] == 0
    eventually(lambda: rows("select count(*) from messages"), [(80,)])
    assert rows("select count(*) from gaps") == [(0,)]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_without_a_standard_descriptor_the_server_ends_as_it_would_and_hears_nothing_of_us(
    home: Path, closed: str
) -> None:
    script = f'exec "$@" {closed}'
    server = ["sh", "-c", "cat > /dev/null; exit 7"]
    ended = subprocess.run(
        ["sh", "-c", script, "sh", *ENTRY, "--home", str(home), "--", *server],
        input=b"hello\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 7
    assert ended.stdout == b""


def test_a_host_that_ignores_the_ends_of_its_children_still_sees_the_exit_status(home: Path) -> None:
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", ignoring, *ENTRY, "--home", str(home), "--", "sh", "-c", "exit 7"]
    assert subprocess.run(command, timeout=60, check=False).returncode == 7


def test_a_script_that_does_not_say_by_what_it_is_run_is_run_by_the_shell(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo ran with $1\nexit 3\n")
    script.chmod(0o755)
    command = [*ENTRY, "--home", str(home), "--", str(script), "it"]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (3, b"ran with it\n")


@pytest.mark.parametrize("options", [[], ["--strict"]])
def test_a_deleted_working_directory_is_no_hindrance(home: Path, tmp_path: Path, options: list[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$@"'
    command = ["sh", "-c", script, "sh", sys.executable, "-P", "-m", "mcptap.exporters.entry"]
    command += ["--home", str(home), *options, "--", "echo", "hi"]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, b"hi\n")


def test_what_cannot_be_started_is_told_without_what_may_be_secret_or_move_the_cursor(home: Path) -> None:
    for name in ("server --token=" + "ghp_" + "Zq7Rk2Lm9Xw4Tb6Vn8Yc1Hd3Jf5Gs0Pa2Eu4", "\x1b[31mred", ""):
        command = [*ENTRY, "--home", str(home), "--", name]
        ended = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert ended.returncode == 127
        assert ended.stderr.count(b"\n") == 1
        assert b"ghp_" not in ended.stderr
        assert b"\x1b" not in ended.stderr


def test_damaged_leftovers_stop_nobody_else_from_being_recorded(
    home: Path,
    converse: Callable[..., Any],
    rows: Callable[[str], Any],
    eventually: Callable[..., Any],
    kill_collector: Callable[[float], int],
) -> None:
    first = converse()
    first.call()
    eventually(lambda: rows("select count(*) from messages"), [(2,)])
    os.kill(first.process.pid, signal.SIGSTOP)
    kill_collector(0)
    (journal,) = home.glob("journal/*/*.jsonl")
    content = bytearray(journal.read_bytes())
    content[3] ^= 1
    journal.write_bytes(content)
    notes = home / "unrecorded"
    notes.mkdir(mode=0o700)
    (notes / "empty.json").write_bytes(b"")
    (notes / "unknown.json").write_text(json.dumps({"run_id": "unknown", "offsets": [10, 20, 0]}))
    second = converse("--name", "second")
    second.call()
    assert second.close()[0] == 0
    eventually(lambda: rows("select state from runs where name = 'second'"), [("ended",)])
    eventually(lambda: rows("select sum(bytes) from gaps where run_id = 'unknown'"), [(30,)])
    assert client.request(home, "status")["collector"]["state"] == "running"
    assert [problem.line for problem in verify(home).problems] == [1]
    os.kill(first.process.pid, signal.SIGCONT)


@pytest.mark.parametrize("limit", ["-S -v 100000", "-S -f 100", "-S -t 60"])
def test_what_a_host_limits_itself_to_limits_neither_the_traffic_nor_the_record(
    home: Path, rows: Callable[[str], Any], eventually: Callable[..., Any], limit: str
) -> None:
    ended = subprocess.run(
        ["bash", "-c", f'ulimit {limit}; exec "$@"', "bash", *ENTRY, "--home", str(home), "--", "cat"],
        input=b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == (b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n', b"")
    eventually(lambda: rows("select count(*) from messages"), [(2,)])
