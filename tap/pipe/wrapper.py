"""`mcptap [options] -- command`: one run, from spawn to exit.

The idea: the server first. It is spawned before anything is imported, connected or started; while it boots we find
the collector. When it ends, the host sees the end at once; what the collector has not acknowledged by then is
delivered behind the host's back.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock, stack_size, start_new_thread
from time import time, time_ns

from mcptap.tap.pipe.channel import Channel
from mcptap.tap.pipe.child import NOT_EXECUTABLE, NOT_FOUND, Child, block_signals, environment, imitate
from mcptap.tap.pipe.home import state_directory
from mcptap.tap.pipe.pump import Pump, release
from mcptap.tap.pipe.wire import CLIENT, SERVER, STDERR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from mcptap.tap.pipe.link import Link

FLUSH_S = 0.5  # at most so long does our exit wait for the collector; hosts grant 2 s
SWITCH_S = 0.0002  # a pump waits at most so long for the interpreter while the link's thread has it
HEAD_START_S = 0.02  # so long our own imports wait, not to take the first answer's time
STACK = 1 << 20  # bytes for each of our few threads: 8 MiB would not fit where a host limits memory
TELEMETRY = {"--otlp-endpoint": "ENDPOINT", "--otlp-protocol": "PROTOCOL", "--otlp-headers": "HEADERS"}
STRICT_S = 15.0  # so long a strict tap tries to find a collector that can record


def run(command: list[str], options: dict[str, str | bool]) -> NoReturn:
    """Runs the command with its traffic recorded and ends as it ended."""
    _keep_standard_descriptors()
    mask = block_signals()
    sys.setswitchinterval(SWITCH_S)
    stack_size(STACK)
    strict = bool(options.get("--strict"))
    tap = Tap(command, options)
    if strict:
        tap.refuse_unless_recorded()
    try:
        tap.child = Child(command, mask, pipe_stderr=not options.get("--no-stderr"))
    except OSError as problem:
        tap.say(f"cannot start {command[0].split(' ')[0]}: {problem.strerror}")  # the rest may hold a secret
        code = NOT_FOUND if isinstance(problem, FileNotFoundError) else NOT_EXECUTABLE
        tap.start_link()
        tap.leave(code << 8, 0, 0.0)
    tap.pump()
    tap.start_link()
    status, max_rss_bytes, cpu_seconds = tap.child.wait()
    tap.leave(status, max_rss_bytes, cpu_seconds)


class Tap:
    """What belongs to one run: the child, its pumps, the channel and the link to the collector."""

    def __init__(self, command: list[str], options: dict[str, str | bool]) -> None:
        self.child: Child | None = None
        self.home = state_directory(str(options["--home"]) if "--home" in options else None)
        self.command, self.options = command, options
        self._channel: Channel | None = None
        self.run_id, self.at = run_id(), time_ns()
        host = os.getppid()
        self._host = host, _stat(host)
        self._said: set[str] = set()
        self._stop, self._stopper = os.pipe()
        self._outputs: list[Any] = []
        self._imported, self._delivered, self._hurry = allocate_lock(), allocate_lock(), allocate_lock()
        self.link: Link | None = None

    @property
    def channel(self) -> Channel:
        """Made when it is first needed: that is when the server boots already, unless we are strict."""
        if self._channel is None:
            self._channel = Channel(strict=bool(self.options.get("--strict")))
        return self._channel

    def say(self, text: str) -> None:
        """One line on stderr; never twice."""
        line = f"mcptap: {text}\n"
        if line not in self._said:
            self._said.add(line)
            try:
                os.write(2, ascii(line)[1:-1].replace("\\n", "").encode() + b"\n")  # what is told may hold anything
            except OSError:
                pass  # nobody listens

    def warn(self, reason: str) -> None:
        """Tells once that this run is not recorded, and why."""
        if not self._said:
            self.say(f"traffic passes, but is not recorded: {reason} (see {self.home}/collector.log)")

    def pump(self) -> None:
        """Starts a pump for each direction, and the thread that passes signals on."""
        assert self.child is not None
        child, channel = self.child, self.channel
        ways = {CLIENT: (0, child.stdin), SERVER: (child.stdout, 1), STDERR: (child.stderr, 2)}
        for stream, (source, sink) in ways.items():
            if source is None:
                continue
            pump, ended = Pump(source, sink, self._stop, channel.lanes[stream]), allocate_lock()
            ended.acquire()
            if stream != CLIENT:
                self._outputs.append(ended)
            start_new_thread(_run_then_release, (pump, ended))
        child.forward_signals(self._give_up_draining)

    def start_link(self) -> None:
        """Looks for the collector on a thread of its own."""
        for lock in (self._imported, self._delivered, self._hurry):
            lock.acquire()
        start_new_thread(self._run_link, ())

    def refuse_unless_recorded(self) -> None:
        """Ends with status 1 and one line when no collector can be found that is able to record."""
        from time import monotonic, sleep

        from mcptap.tap.pipe.link import HOPELESS

        link, until = self._make_link(), monotonic() + STRICT_S
        while True:
            try:
                return link.check()
            except ValueError as problem:
                reason = str(problem)
            except OSError as problem:
                reason = str(problem)
                if monotonic() < until and not isinstance(problem, HOPELESS):
                    sleep(0.05)
                    continue
            self.say(f"--strict refuses to start unrecorded: {reason}")
            os._exit(1)

    def leave(self, status: int, max_rss_bytes: int, cpu_seconds: float) -> NoReturn:
        """The server has ended: drain, let the host see it, deliver the rest, end the same way."""
        _release(self._hurry)
        os.close(self._stopper)
        for ended in self._outputs:
            ended.acquire()
        try:
            for descriptor in (0, 1, 2):
                release(descriptor)
            self._imported.acquire()
            self.channel.end(self._facts(status, max_rss_bytes, cpu_seconds))
            if not (self.link and self.link.connected and self._delivered.acquire(timeout=FLUSH_S)):
                self._hand_over()
        finally:  # whatever became of the record, the host sees the server's end
            imitate(status)

    def _make_link(self) -> Link:
        from mcptap.tap.pipe.link import Link

        return Link(self.channel, self.home, self._hello(), self.warn)

    def _run_link(self) -> None:
        self._hurry.acquire(timeout=HEAD_START_S)
        try:
            try:
                self.link = self._make_link()
                import mcptap.tap.pipe.handover  # noqa: F401  # at the end it may be too late to load anything
            finally:
                self._imported.release()
            self.link.run()
        except BaseException as bug:  # a module of the server's that shadows one of ours may even try to exit
            self.warn(type(bug).__name__)
        self._delivered.release()

    def _hand_over(self) -> None:
        """Leaves a detached copy of this process behind that delivers what is not acknowledged."""
        from mcptap.tap.pipe.handover import deliver

        if self.link is None or self.link.finished:
            return
        try:
            copy = os.fork()
        except OSError:
            return
        if copy == 0:
            deliver(self.link, self.channel, self.home, self.run_id)

    def _give_up_draining(self) -> None:
        """Told to go while the host does not read: nobody waits for these bytes any more."""
        for ended in self._outputs:
            _release(ended)

    def _hello(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "at": self.at,
            "name": self.options.get("--name"),
            "command": [_printable(word) for word in self.command],
            "cwd": _directory(),
            "env_names": sorted(map(_printable, environment())),
            "executable_path": _resolve(self.command[0]),
            "tap_pid": os.getpid(),
            "host_pid": self._host[0],
            "host_stat": self._host[1],
            "server_pid": self.child.pid if self.child else None,
            "otel": _telemetry(self.options),
        }

    def _facts(self, status: int, max_rss_bytes: int, cpu_seconds: float) -> bytes:
        import json

        by_signal = os.WIFSIGNALED(status)
        facts = {
            "at": time_ns(),
            "exit_code": None if by_signal else os.WEXITSTATUS(status),
            "exit_signal": os.WTERMSIG(status) if by_signal else None,
            "max_rss_bytes": max_rss_bytes or None,
            "cpu_seconds": cpu_seconds,
            "offsets": self.channel.offsets,
        }
        return json.dumps(facts).encode()


def run_id() -> str:
    """A UUIDv7 (RFC 9562): sortable by time, without importing `uuid`."""
    value = (int(time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    digits = f"{value & ~(0x3 << 62) | (0x2 << 62):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _run_then_release(pump: Pump, ended: Any) -> None:
    try:
        pump.run()
    finally:
        _release(ended)


def _release(lock: Any) -> None:
    try:
        lock.release()
    except RuntimeError:
        pass  # somebody else did


def _keep_standard_descriptors() -> None:
    """A host may start us without one of the three; no pipe of ours may then get its number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def _directory() -> str:
    try:
        return _printable(os.getcwd())
    except OSError:
        return ""  # it has been deleted


def _stat(pid: int) -> str | None:
    """What Linux tells of a process in a line. When the collector asks, a host of a moment may have ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as line:
            return line.read().decode("utf-8", "replace")
    except OSError:
        return None


def _telemetry(options: dict[str, str | bool]) -> dict[str, str]:
    """Where this run is to be sent, by OpenTelemetry's variables; an option counts more than any of them."""
    found = {name: _printable(value) for name, value in os.environ.items() if name.startswith("OTEL_")}
    if "--otlp-endpoint" in options:  # the environment's credentials are for another place
        found = {name: value for name, value in found.items() if not _is_about(name, "HEADERS")}
    for option, setting in TELEMETRY.items():
        if option in options:
            found = {name: value for name, value in found.items() if not _is_about(name, setting)}
            found[f"OTEL_EXPORTER_OTLP_{setting}"] = str(options[option])
    return found


def _is_about(name: str, setting: str) -> bool:
    return name.startswith("OTEL_EXPORTER_OTLP_") and name.endswith(setting)


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _resolve(program: str) -> str | None:
    """The file that a command name stands for, by the server's own PATH."""
    places = [""] if os.sep in program else os.get_exec_path()
    for place in places:
        path = os.path.abspath(os.path.join(place, program))
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return _printable(path)
    return None
