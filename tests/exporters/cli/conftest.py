"""A state directory full of hostile text, a real collector over it, and `mcptap` as a process, also on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.collector import client
from mcptap.exporters.journal.ledger import Ledger
from mcptap.exporters.journal.writer import JournalFile
from mcptap.tap.records import Exchange, Gap, MessageRecord, RunEnded, RunStarted, StderrLine, Usage

# Title, colour, cursor, C1, return, bell, delete, bidi, zero width, tags, line separator, markup, emoji, link, newline.
HOSTILE = (
    "\x1b]0;owned\x07\x1b[31m\x1b[2J\x9b5m\x90q\r\b\x7f\u202egnp\u2066\u200b\u200f\U000e0041\ufeff\u2028\u2029\u061c"
    "[bold]b[/bold][link=http://x.invalid]l[/link]:skull:\t\n\x00=1+1"
)
RAW = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
COLOURS = re.compile(r"\x1b\[[\d;]*m")
AT = 1_795_000_000_000_000_000  # 2026-11-18T11:06:40Z
MS = 1_000_000
PATIENCE_S = 60.0


def started(run_id: str, at: int, **changes: Any) -> RunStarted:
    known: dict[str, Any] = {
        "run_id": run_id, "at": at, "name": "files", "command": ("/bin/serve", "--all"), "cwd": "/srv",
        "env_names": ("PATH",), "tap_version": "0", "tap_pid": 1, "tap_created": 1.5, "server_pid": 2,
        "server_created": None, "host_session_id": None, "executable_path": "/bin/serve", "executable_sha256": None,
    }  # fmt: skip
    return RunStarted(**known | changes)


def message(seq: int, at: int, **changes: Any) -> MessageRecord:
    known: dict[str, Any] = {
        "seq": seq, "side": "client", "at": at, "kind": "request", "method": "tools/call", "rpc_id": str(seq),
        "offset": 100 * seq, "size_bytes": 100, "body": {"jsonrpc": "2.0", "id": seq, "method": "tools/call"},
    }  # fmt: skip
    return MessageRecord(**known | changes)


def exchange(seq: int, reply_seq: int | None, at: int, **changes: Any) -> Exchange:
    known: dict[str, Any] = {
        "seq": seq, "reply_seq": reply_seq, "side": "client", "method": "tools/call", "target": "read",
        "rpc_id": str(seq), "started_at": at, "duration_ms": 12.5, "outcome": "ok", "error_code": None,
        "error_message": None, "request_bytes": 100, "reply_bytes": 200, "protocol_version": "2025-11-25",
        "era": "legacy", "probe": False, "long_lived": False, "client_name": None, "server_name": None,
        "trace_id": "0" * 32, "span_id": "0" * 16, "logical_id": f"{seq}",
    }  # fmt: skip
    return Exchange(**known | changes)


def ended(at: int, exit_code: int = 0) -> RunEnded:
    return RunEnded(at, "ended", exit_code, None, 9_000_000, 0.25, 300, 400, 500)


def answered(seq: int, at: int, **changes: Any) -> list[MessageRecord]:
    """A request and its answer, 12.5 ms later."""
    settled = exchange(seq, seq + 1, at, **changes)
    reply = {"kind": "result", "side": "server", "method": None, "size_bytes": 200, "rpc_id": str(seq)}
    body = {"jsonrpc": "2.0", "id": seq, "result": {"text": changes.get("target", "done")}}
    return [message(seq, at), message(seq + 1, at + 12_600_000, body=body, exchanges=(settled,), **reply)]


def plain_run() -> list[Any]:
    """Two calls; a line of stderr, a gap and a sample of usage between them."""
    at = AT + 3_600_000 * MS
    return [
        started("01-plain-aaaa1111", at),
        *answered(1, at + 100 * MS),
        StderrLine(at + 200 * MS, 0, 9, "warming up"),
        Gap(at + 300 * MS, "server", 200, 4096, "the buffer was full"),
        Usage(at + 350 * MS, 12_000_000, 1.5, 2, 1),
        *answered(3, at + 400 * MS, outcome="rpc_error", error_code=-32601, error_message="no such method"),
        ended(at + 500 * MS, 3),
    ]


def hostile_run() -> list[Any]:
    """The worst of text in every place that takes text."""
    facts = dict.fromkeys(("client_name", "client_version", "server_name", "server_version"), HOSTILE)
    told = {"target": HOSTILE, "method": HOSTILE, "outcome": "rpc_error", "error_code": 1, "error_message": HOSTILE}
    return [
        started("02-hostile-bbbb2222", AT, name=HOSTILE, command=(HOSTILE, HOSTILE), cwd=HOSTILE,
                executable_path=HOSTILE, env_names=(HOSTILE,), host_process=HOSTILE),
        *answered(1, AT + 100 * MS, **told),
        message(3, AT + 200 * MS, kind="noise", method=None, rpc_id=None, body=HOSTILE),
        message(4, AT + 210 * MS, method=HOSTILE, rpc_id=HOSTILE, body={HOSTILE: [HOSTILE]}, facts=facts),
        message(5, AT + 220 * MS, body=None, unscanned=HOSTILE, sha256="0" * 64),
        *answered(6, AT + 230 * MS, target=HOSTILE, outcome="tool_error", error_message=HOSTILE),
        StderrLine(AT + 300 * MS, 0, 9, HOSTILE),
        Gap(AT + 400 * MS, "server", 200, 10, HOSTILE),
        ended(AT + 500 * MS),
    ]  # fmt: skip


def many_messages(count: int) -> list[Any]:
    """More of them than are read at once."""
    records = [message(seq, AT + seq * MS, kind="notification", method="n", rpc_id=None) for seq in range(1, count)]
    return [started("00-many-cccc3333", AT - 1), *records, ended(AT + count * MS)]


def write(home: Path, *runs: list[Any]) -> None:
    ledger = Ledger(home)
    for first, *rest in runs:
        journal = JournalFile.create(home, ledger, first)
        journal.append(rest)
        journal.close("ended")
    ledger.close()


class Said:
    """What a command said."""

    def __init__(self, status: int, out: str, err: str = "") -> None:
        self.status, self.out, self.err = status, out, err


class CommandLine:
    """`mcptap` over one state directory."""

    def __init__(self, home: Path, program: list[str]) -> None:
        self.home, self.program = home, program

    def words(self, *words: str) -> list[str]:
        return [*self.program, "--home", str(self.home), *words]

    def say(self, *words: str, **options: Any) -> Said:
        known = {"capture_output": True, "timeout": PATIENCE_S, "env": environment()}
        ran = subprocess.run(self.words(*words), check=False, **known | options)
        return Said(ran.returncode, ran.stdout.decode(), ran.stderr.decode())

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        known = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment()}
        return subprocess.Popen(self.words(*words), **known | options)

    def on_terminal(self, *words: str, columns: int = 100) -> Said:
        """The same with a terminal of so many columns; what it was sent."""
        pid, terminal = pty.fork()
        if pid == 0:
            command = self.words(*words)
            os.execvpe(command[0], command, environment() | {"TERM": "xterm-256color", "COLUMNS": str(columns)})
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        sent, until = b"", time.monotonic() + PATIENCE_S
        while time.monotonic() < until and (data := _read(terminal)) is not None:
            sent += data
        os.close(terminal)
        return Said(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), sent.decode().replace("\r\n", "\n"))


# Runs command after command, and says at the end of each on both outputs how it ended.
STANDING = """
import json, sys
from mcptap.exporters.cli.main import run_command
for line in sys.stdin:
    home, *words = json.loads(line)
    try:
        run_command({"--home": home}, words)
    except SystemExit as end:
        for output in (sys.stderr, sys.stdout):
            print(f"<ended with status {end.code}>", file=output, flush=True)
"""
ENDED = re.compile(r"<ended with status (\d+)>\r?\n")


class Standing:
    """One process that runs command after command, with pipes or on a terminal of so many columns.

    Starting a process takes longer than most commands.
    """

    def __init__(self, home: Path, columns: int | None = None) -> None:
        self.home, self._ends = home, 1
        words, piped = [sys.executable, "-c", STANDING], subprocess.PIPE
        if columns is None:
            self.process = subprocess.Popen(words, stdin=piped, stdout=piped, stderr=piped, env=environment())
            assert self.process.stdout
            assert self.process.stderr
            self._outputs = [self.process.stdout.fileno(), self.process.stderr.fileno()]
            return
        terminal, its_own = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        told = environment() | {"TERM": "xterm-256color", "COLUMNS": str(columns)}
        self.process = subprocess.Popen(words, stdin=piped, stdout=its_own, stderr=its_own, env=told)
        os.close(its_own)
        self._outputs, self._ends = [terminal], 2

    def say(self, *words: str) -> Said:
        assert self.process.stdin
        self.process.stdin.write(json.dumps([str(self.home), *words]).encode() + b"\n")
        self.process.stdin.flush()
        said = [self._said_on(output) for output in self._outputs]
        return Said(said[0][0], *(text for _, text in said))

    def _said_on(self, output: int) -> tuple[int, str]:
        sent, until = b"", time.monotonic() + PATIENCE_S
        while len(ends := ENDED.findall(sent.decode(errors="replace"))) < self._ends:
            data = _read(output)
            assert data is not None, sent
            assert time.monotonic() < until, sent
            sent += data
        return int(ends[0]), ENDED.sub("", sent.decode()).replace("\r\n", "\n")

    def close(self) -> None:
        self.process.communicate()
        if self._ends == 2:
            os.close(self._outputs[0])


def _read(terminal: int) -> bytes | None:
    if not select.select([terminal], [], [], 0.1)[0]:
        return b""
    try:
        return os.read(terminal, 65536) or None
    except OSError:  # Linux's way to say that nobody has the other end any more
        return None


def environment() -> dict[str, str]:
    """Ours without what changes colours or sizes, in a zone that is not UTC."""
    left_out = ("MCPTAP_HOME", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    return {name: value for name, value in os.environ.items() if name not in left_out} | {"TZ": "Etc/GMT-2"}


@pytest.fixture(scope="session")
def stop_at_end() -> Iterator[Callable[[Path], None]]:
    """Registers state directories whose collectors are to be gone in the end."""
    homes: list[Path] = []
    yield homes.append
    for home in homes:
        _end(home)


def _end(home: Path) -> None:
    try:
        pid = client.request(home, "status")["collector"]["pid"]
        os.kill(pid, signal.SIGKILL)
    except (client.NotRunningError, OSError, KeyError):
        return


@pytest.fixture(scope="session")
def recorded(
    tmp_path_factory: pytest.TempPathFactory, mcptap: list[str], stop_at_end: Callable[[Path], None]
) -> CommandLine:
    """A plain run, a hostile one and a long one, for tests that only look."""
    home = tmp_path_factory.mktemp("recorded") / "home"
    write(home, many_messages(4500), hostile_run(), plain_run())
    stop_at_end(home)
    return CommandLine(home, mcptap)


@pytest.fixture(scope="session")
def standing(recorded: CommandLine) -> Iterator[Callable[[int | None], Standing]]:
    """What `recorded` is asked by one process, made once: with pipes, or on a terminal of so many columns."""
    made: dict[int | None, Standing] = {}

    def get(columns: int | None = None) -> Standing:
        if columns not in made:
            made[columns] = Standing(recorded.home, columns)
        return made[columns]

    yield get
    for one in made.values():
        one.close()


@pytest.fixture
def fresh(fresh_home: Path, mcptap: list[str]) -> CommandLine:
    """A state directory of a test's own, not yet made."""
    return CommandLine(fresh_home, mcptap)


@pytest.fixture(scope="session")
def journal() -> Callable[[Path], None]:
    """Writes the plain run into a state directory."""
    return lambda home: write(home, plain_run())


@pytest.fixture(scope="session")
def journal_of() -> Callable[..., None]:
    """Writes a run for each name, of a server and a tool that are called so, with one call that failed."""

    def make(home: Path, names: tuple[str, ...], **changes: Any) -> None:
        told = {"outcome": "tool_error", "server_name": "s"} | changes
        runs = [
            [started(f"0{n}-named", AT, name=name), *answered(1, AT + MS, target=name, error_message=name, **told)]
            for n, name in enumerate(names)
        ]
        write(home, *([*run, ended(AT + 50 * MS)] for run in runs))

    return make


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """The first true value of a condition; fails when none comes."""

    def wait(condition: Callable[[], Any]) -> Any:
        until, pause = time.monotonic() + PATIENCE_S, 0.05
        while not (value := condition()):
            assert time.monotonic() < until
            time.sleep(pause)
            pause = min(1.5 * pause, 0.3)  # asking is work for those who are waited for
        return value

    return wait


@pytest.fixture(scope="session")
def hostile() -> str:
    return HOSTILE


@pytest.fixture(scope="session")
def obeyed() -> Callable[[str], list[str]]:
    """What a terminal would obey or hide in a text, apart from colours."""
    return lambda text: RAW.findall(COLOURS.sub("", text))
