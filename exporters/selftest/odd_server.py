"""A server that is odd in one chosen way: `python odd_server.py REPORT CASE [ARGUMENT]`.

Each case does one thing that wrappers get wrong. What the server saw goes to the file REPORT, past the
pipes and so past whatever stands in them; process ids, which no two runs share, go to `REPORT.pids`. Where
a case has to wait for the host it waits for the file `REPORT.go`, not for a time. Standard library and raw
descriptors only.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

CHUNK = 1 << 16
PATIENCE = 60.0  # seconds; an odd server that everybody forgot ends by itself
ANSWERS_AFTER_EOF = 20
SIGNALS_REPORTED = ("WINCH", "USR1", "USR2", "HUP", "INT", "QUIT", "TSTP", "CONT", "TERM")  # TERM is the last
PATTERN = bytes(range(256)) * 256


def pattern(size: int) -> bytes:
    """`size` bytes with every value in them."""
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


def write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


class Report:
    """What the host reads afterwards."""

    def __init__(self, path: str) -> None:
        self.path = path

    def say(self, text: str) -> None:
        self._append(self.path, text)

    def remember(self, pid: int) -> None:
        self._append(self.path + ".pids", f"{pid} {os.getpgrp()}")

    def wait_for_go(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not Path(self.path + ".go").exists() and time.monotonic() < deadline:
            time.sleep(0.005)

    def _append(self, path: str, text: str) -> None:
        with Path(path).open("ab", 0) as file:
            file.write(text.encode() + b"\n")


def read_all(report: Report, size: int = CHUNK, pause: float = 0.0) -> bytes:
    """Reads stdin to its end and reports how much of what it was."""
    chunks, digest = [], hashlib.sha256()
    while chunk := os.read(0, size):
        digest.update(chunk)
        chunks.append(chunk)
        time.sleep(pause)
    data = b"".join(chunks)
    report.say(f"stdin: {len(data)} bytes, sha256 {digest.hexdigest()}")
    return data


def copy(report: Report, _: str, outputs: tuple[int, ...] = (1,)) -> int:
    """Sends every byte back at once, wherever the line ends are."""
    size, digest = 0, hashlib.sha256()
    while chunk := os.read(0, CHUNK):
        size += len(chunk)
        digest.update(chunk)
        for output in outputs:
            write(output, chunk)
    report.say(f"stdin: {size} bytes, sha256 {digest.hexdigest()}")
    return 0


def copy_to_stderr(report: Report, _: str) -> int:
    return copy(report, _, outputs=(2,))


def leave(_: Report, code: str) -> int:
    return int(code)


def die(report: Report, name: str) -> int:
    number = signal.Signals[f"SIG{name}"]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return outlive(report)


def last_words(_: Report, size: str) -> int:
    """Writes and is gone: what stands in the pipes must still arrive."""
    speaker = threading.Thread(target=write, args=(2, pattern(int(size))))
    speaker.start()
    write(1, pattern(int(size)))
    speaker.join()
    return 4


def flood(report: Report, size: str) -> int:
    """Writes without pause while it reads without pause."""
    writer = threading.Thread(target=write, args=(1, pattern(int(size))))
    writer.start()
    read_all(report)
    writer.join()
    return 0


def write_before_reading(report: Report, size: str) -> int:
    write(1, pattern(int(size)))
    read_all(report)
    return 0


def read_slowly(report: Report, _: str) -> int:
    write(1, hashlib.sha256(read_all(report, 4096, 0.001)).digest())
    return 0


def never_read(report: Report, _: str) -> int:
    report.wait_for_go()
    return 6


def ignore_end(report: Report, _: str) -> int:
    read_all(report)
    write(1, b"still here\n")
    return outlive(report)


def ignore_term(report: Report, _: str) -> int:
    signal.signal(signal.SIGTERM, lambda *_: report.say("TERM"))
    write(1, b"ready\n")
    return outlive(report)


def leave_grandchild(report: Report, _: str) -> int:
    """Leaves a process behind that holds stdout and stderr open."""
    grandchild = os.fork()
    if grandchild == 0:
        report.wait_for_go()
        os._exit(0)
    report.remember(grandchild)
    write(1, b"bye\n")
    return 3


def close_stdout(report: Report, _: str) -> int:
    write(1, b"the last line\n")
    os.close(1)
    read_all(report)
    return 5


def close_stdin(report: Report, _: str) -> int:
    os.close(0)
    write(1, b"closed\n")
    report.wait_for_go()
    write(1, pattern(200_000))
    return 0


def close_stderr(report: Report, _: str) -> int:
    write(2, b"the last line")
    os.close(2)
    return copy(report, _)


def answer_after_end(report: Report, _: str) -> int:
    """Works for a while on what was asked before stdin ended, as any server with slow tools does."""
    for line in read_all(report).splitlines(keepends=True):
        time.sleep(0.01)
        write(1, b"answer to " + line)
    return 0


def write_for_ever(report: Report, _: str) -> int:
    """Writes until the reader is gone, and tells how that looked."""
    deadline = time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            write(1, pattern(CHUNK))
    except BrokenPipeError:
        report.say("broken pipe")
        return 7
    return 8


def tell_surroundings(_: Report, __: str) -> int:
    """All that a process gets from its parent besides bytes."""
    mask = os.umask(0o777)
    os.umask(mask)
    limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    facts = {
        "arguments": [os.fsencode(argument).hex() for argument in sys.argv[3:]],
        "directory": str(Path.cwd()),
        "umask": mask,
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in limits},
        "niceness": os.nice(0),
        "blocked signals": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "descriptors": [number for number in range(3, 256) if _is_open(number)],
    }
    for number in facts["descriptors"]:  # type: ignore[attr-defined]
        write(number, b"an inherited descriptor works\n")
    write(1, json.dumps(facts, sort_keys=True, indent=1).encode() + b"\n")
    return 0


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def report_signals(report: Report, _: str) -> int:
    """Reports each signal, and leaves when TERM has come."""
    ended = threading.Event()

    def receive(number: int, _: object) -> None:
        name = signal.Signals(number).name.removeprefix("SIG")
        report.say(name)
        if name == "TERM":
            ended.set()

    for name in SIGNALS_REPORTED:
        signal.signal(signal.Signals[f"SIG{name}"], receive)
    write(1, b"ready\n")
    ended.wait(PATIENCE)
    return 9


def outlive(report: Report) -> int:
    """Stays, whatever happens."""
    report.wait_for_go()
    return 99


CASES: dict[str, Callable[[Report, str], int]] = {
    "copy": copy,
    "copy-to-stderr": copy_to_stderr,
    "exit": leave,
    "die": die,
    "last-words": last_words,
    "flood": flood,
    "write-before-reading": write_before_reading,
    "read-slowly": read_slowly,
    "never-read": never_read,
    "ignore-end": ignore_end,
    "ignore-term": ignore_term,
    "leave-grandchild": leave_grandchild,
    "close-stdout": close_stdout,
    "close-stdin": close_stdin,
    "close-stderr": close_stderr,
    "answer-after-end": answer_after_end,
    "write-for-ever": write_for_ever,
    "tell-surroundings": tell_surroundings,
    "report-signals": report_signals,
}


def main() -> None:
    report = Report(sys.argv[1])
    report.remember(os.getpid())
    code = CASES[sys.argv[2]](report, sys.argv[3] if len(sys.argv) > 3 else "")
    os._exit(code)  # not `sys.exit`: that would flush streams which some cases have closed


if __name__ == "__main__":
    main()
