"""A host that notes everything: it starts one server command, plays its part, and keeps what it saw as facts.

The facts of two runs, of the server alone and of the server behind the tap, are then compared. So a fact is a
plain value that does not depend on time, process ids or how the bytes were cut into reads.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import psutil

CHUNK = 1 << 16
PATIENCE = 20.0  # seconds without any progress after which a run counts as hung
PATIENCE_LOST = 1.0  # seconds; the same, after the first time
GRACE = 2.0  # seconds between the end of stdin, TERM and KILL, as in the official SDKs

Sent = Literal["taken", "refused", "held back"]
Fact = bytes | str | int | bool | None
Facts = dict[str, Fact]


class Host:
    """One started command. Use as a context manager: nothing that was started outlives it."""

    def __init__(
        self,
        command: Sequence[str | bytes],
        *,
        report: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        hang_up_after: int | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.report, self.patience = report, patience
        for end in ("", ".pids", ".go"):
            self._path(end).unlink(missing_ok=True)
        source, inherited = _far_pipe()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environment,
            cwd=directory,
            pass_fds=(inherited,),
            start_new_session=True,
        )
        os.close(inherited)
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self._stdin = self.process.stdin
        os.set_blocking(self._stdin.fileno(), False)
        self._progress = threading.Condition()
        self._received = {"stdout": bytearray(), "stderr": bytearray(), "inherited": bytearray()}
        self._ended: set[str] = set()
        self.notes: Facts = {}
        pipes = (self.process.stdout, self.process.stderr, os.fdopen(source, "rb", 0))
        for name, pipe, limit in zip(self._received, pipes, (hang_up_after, None, None), strict=True):
            threading.Thread(target=self._read, args=(name, pipe, limit), daemon=True).start()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self._release_leftovers()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.close()

    # What a host does

    def send(self, data: bytes, patience: float | None = None) -> Sent:
        """Writes all of `data`; "held back" if nobody took a byte for `patience` seconds."""
        view = memoryview(data)
        while view:
            _, writable, _ = select.select([], [self._stdin], [], patience or self.patience)
            if not writable:
                return "held back"
            try:
                view = view[os.write(self._stdin.fileno(), view[:CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                return "refused"
        return "taken"

    def send_until_refused(self) -> bool:
        """Whether writing into the void is refused sooner or later."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            if self.send(b"is anybody there?\n") == "refused":
                return True
            time.sleep(0.005)
        return self._waited_in_vain()

    def close(self) -> None:
        self._stdin.close()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def go(self) -> None:
        """Lets the server go on that waits for it."""
        self._path(".go").touch()

    # What a host sees

    def await_output(self, size: int, stream: str = "stdout") -> bool:
        """Whether `size` bytes came; the clock starts anew with every byte."""
        received = self._received[stream]
        with self._progress:
            while len(received) < size and stream not in self._ended:
                if not self._progress.wait(self.patience):
                    return self._waited_in_vain()
            return len(received) >= size

    def await_end(self, stream: str = "stdout") -> bool:
        with self._progress:
            ended = self._progress.wait_for(lambda: stream in self._ended, self.patience)
        return ended or self._waited_in_vain()

    def await_report(self, text: str) -> bool:
        return self._until(lambda: text in self.reported())

    def reported(self) -> list[str]:
        return self.report.read_text().splitlines() if self.report.exists() else []

    def received(self, stream: str = "stdout") -> bytes:
        with self._progress:
            return bytes(self._received[stream])

    def still_running(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def shut_down(self) -> Facts:
        """The end as the SDKs bring it about: end of stdin, TERM, KILL, with two seconds between."""
        self.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.still_running(GRACE):
                break
            self.signal(number)
        return self.facts()

    def facts(self) -> Facts:
        """Waits for the end of the process, then tells all."""
        hung = self.still_running(self.patience)
        ended = None if hung else self._end_of_output()
        return {
            "exit status": f"hung for {self.patience:g} s" if hung else self.process.returncode,
            "output ends with the process": ended,
            "stdout": self.received("stdout"),
            "stderr": self.received("stderr"),
            "server is gone": self._until(lambda: not any(_alive(pid) for pid, _ in self._pids()[:1])),
            "server reports": "\n".join(self.reported()),
            "written to an inherited descriptor": self.received("inherited"),
            "in the host's process group": all(group == self.process.pid for _, group in self._pids()),
            **self.notes,
        }

    # Within

    def _end_of_output(self) -> bool:
        """Whether EOF follows the process's end. Short of it: somebody else holds the pipe."""
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline and len(self._ended) < len(self._received):
            before = sum(map(len, self._received.values()))
            with self._progress:
                self._progress.wait(0.25)
            if sum(map(len, self._received.values())) > before:
                deadline = time.monotonic() + 0.5
        return len(self._ended) == len(self._received)

    def _read(self, name: str, pipe: object, limit: int | None) -> None:
        received = self._received[name]
        with pipe as source:  # type: ignore[attr-defined]
            while limit is None or len(received) < limit:
                chunk = os.read(source.fileno(), CHUNK)
                if not chunk:
                    break
                with self._progress:
                    received += chunk
                    self._progress.notify_all()
        with self._progress:
            self._ended.add(name)
            self._progress.notify_all()

    def _until(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self.patience
        while not (met := condition()) and time.monotonic() < deadline:
            time.sleep(0.005)
        return met or self._waited_in_vain()

    def _waited_in_vain(self) -> bool:
        """Something is broken for good: what else does not come is waited for only shortly."""
        self.patience = min(self.patience, PATIENCE_LOST)
        return False

    def _pids(self) -> list[tuple[int, int]]:
        """The server's pid and process group, then those of its children."""
        path = self._path(".pids")
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(pid), int(group)) for pid, group in map(str.split, lines)]

    def _release_leftovers(self) -> None:
        self.go()
        for pid, _ in self._pids():
            if _alive(pid) and pid != self.process.pid:
                os.kill(pid, signal.SIGKILL)

    def _path(self, end: str) -> Path:
        return Path(f"{self.report}{end}")


def _far_pipe() -> tuple[int, int]:
    """A pipe for the server's own use, its number far from those that a wrapper would use itself."""
    source, near = os.pipe()
    far = fcntl.fcntl(near, fcntl.F_DUPFD, 60)
    os.close(near)
    return source, far


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
