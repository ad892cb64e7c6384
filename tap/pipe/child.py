"""The wrapped server as a child process: spawned first, signalled as we are, imitated at its end.

The idea: whoever started us must see what they would have seen of the server itself. So it gets our environment,
working directory, inherited descriptors, process group and signal mask untouched; signals sent to us are sent on;
and when it ends we end the same way, by the same code or the same signal.

Signals are *waited for* by one thread in place of being handled: no system call is ever interrupted, and on Linux
the sender is known, so that Ctrl-C, which the terminal sends to the whole group, does not reach the server twice.
`_signal` is what the standard `signal` module wraps in enumerations that take 6 ms to import.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import sys
from _thread import start_new_thread
from errno import ENOENT, ENOEXEC
from fcntl import fcntl
from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing it costs 2 ms
    from collections.abc import Callable
    from typing import NoReturn

FORWARDED = frozenset(
    getattr(_signal, name)
    for name in ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTSTP", "SIGCONT"]
)
TERM_GRACE_S = 1.0  # TypeScript hosts send SIGKILL to us alone 2 s after SIGTERM; a server that stays must be gone
PIPE_BYTES = 1 << 18
_F_SETPIPE_SZ = 1031
_SENT_BY_KERNEL = 0x80  # si_code SI_KERNEL on Linux: a terminal signal, which the server has got as well

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # what a shell answers


def block_signals() -> set[int]:
    """Blocks the signals that are passed on, in this thread and those it will start. Returns the mask before."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # else the host has it ignored
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    mask: set[int] = _signal.pthread_sigmask(_signal.SIG_BLOCK, FORWARDED)
    return mask


class Child:
    """A spawned server: its pid and our ends of its three pipes (None for a stream that it inherits)."""

    def __init__(self, command: list[str], mask: set[int], *, pipe_stderr: bool) -> None:
        """Raises OSError when the command cannot be started."""
        self.ended = False
        merged = pipe_stderr and _merged()
        stdin, self.stdin = os.pipe()
        self.stdout, stdout = os.pipe()
        for pipe in (stdin, stdout):
            _enlarge(pipe)
        stderr: int | None = None
        self.stderr: int | None = None
        if pipe_stderr and not merged:
            self.stderr, stderr = os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, stdout, 1)]
        if merged or stderr is not None:
            actions.append((os.POSIX_SPAWN_DUP2, stdout if stderr is None else stderr, 2))
        if _signal.getsignal(_signal.SIGCHLD) == _signal.SIG_IGN:  # else the system would throw the exit status away
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        try:
            self.pid = _spawn(command, actions, mask)
        finally:
            for descriptor in (stdin, stdout, stderr):
                if descriptor is not None:
                    os.close(descriptor)

    def wait(self) -> tuple[int, int, float]:
        """Waits for the end; returns (wait status, peak resident memory in bytes, CPU seconds)."""
        _, status, usage = os.wait4(self.pid, 0)
        self.ended = True
        unit = 1 if sys.platform == "darwin" else 1024
        return status, usage.ru_maxrss * unit, usage.ru_utime + usage.ru_stime

    def forward_signals(self, after_end: Callable[[], None]) -> None:
        """Starts the thread that passes signals on; once the server has ended it calls `after_end` instead."""
        start_new_thread(self._forward, (after_end,))

    def _forward(self, after_end: Callable[[], None]) -> None:
        while True:
            number, from_terminal = _next_signal()
            if self.ended:
                after_end()
                continue
            if not from_terminal:
                self._kill(number)
            if number == _signal.SIGTERM:
                start_new_thread(self._kill_later, ())
            elif number == _signal.SIGTSTP and _signal.getsignal(number) != _signal.SIG_IGN:
                os.kill(os.getpid(), _signal.SIGSTOP)

    def _kill_later(self) -> None:
        sleep(TERM_GRACE_S)
        self._kill(_signal.SIGKILL)

    def _kill(self, number: int) -> None:
        if not self.ended:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass  # it ended in this very moment


def _enlarge(pipe: int) -> None:
    """Lets a pipe hold several of our chunks, so that large messages move on while the other side is not running."""
    try:
        fcntl(pipe, _F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # macOS, or the user's share is used up: the default is enough to work with


def _spawn(command: list[str], actions: list[tuple[int, int, int]], mask: set[int]) -> int:
    """Starts the command; as `execvp` and every shell do, a script that does not say by what it is run is run by sh."""
    if not command[0]:
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
    try:
        return _posix_spawn(command, actions, mask)
    except OSError as problem:
        if problem.errno != ENOEXEC:
            raise
        return _posix_spawn(["/bin/sh", *command], actions, mask)


def _posix_spawn(command: list[str], actions: list[tuple[int, int, int]], mask: set[int]) -> int:
    return os.posix_spawnp(
        command[0],
        command,
        environment(),
        file_actions=actions,
        setsigmask=mask,
        setsigdef=(_signal.SIGPIPE, _signal.SIGXFSZ),  # Python ignores these two; the server must not
    )


def environment() -> dict[str, str]:
    """The environment as the host gave it: Python itself adds LC_CTYPE when it starts in the C locale (PEP 538)."""
    given = dict(os.environ)
    if given.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8") and not _was_given(b"LC_CTYPE="):
        del given["LC_CTYPE"]
    return given


def _was_given(prefix: bytes) -> bool:
    try:
        with open("/proc/self/environ", "rb") as block:  # what we were started with, whatever was set since
            return any(line.startswith(prefix) for line in block.read().split(b"\0"))
    except OSError:  # no Linux: Python that has coerced the locale is in UTF-8 mode, and seldom is otherwise
        return not sys.flags.utf8_mode


def _next_signal() -> tuple[int, bool]:
    """Waits for the next signal sent to us; tells whether a terminal sent it (macOS does not say)."""
    if not hasattr(_signal, "sigwaitinfo"):
        return _signal.sigwait(FORWARDED), False
    information = _signal.sigwaitinfo(FORWARDED)
    return information.si_signo, information.si_code == _SENT_BY_KERNEL


def _merged() -> bool:
    """Whether our stdout and stderr are one pipe: then their order is part of what passes, and must stay."""
    try:
        out, err = os.fstat(1), os.fstat(2)
    except OSError:
        return False
    return (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino) and not os.isatty(1)


def imitate(status: int) -> NoReturn:
    """Ends this process as the server ended: the same exit code, or the same signal without a core file of ours."""
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number:
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (ImportError, OSError, ValueError):
            pass  # then there may be a core file
        if number not in (_signal.SIGKILL, _signal.SIGSTOP):
            _signal.signal(number, _signal.SIG_DFL)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(128 + number if number else os.WEXITSTATUS(status))
