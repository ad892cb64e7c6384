"""What the host does in a case: one function per part, from its first byte to the facts at the end.

A play may wait for bytes, for an end, or for the server's report, never for a time; the exceptions show that
something does *not* happen.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

from mcptap.exporters.selftest.host import GRACE, Facts, Host
from mcptap.exporters.selftest.odd_server import SIGNALS_REPORTED, pattern

MB = 1 << 20
Play = Callable[[Host], Facts]


def converse(payload: Callable[[], bytes], host: Host) -> Facts:
    """Sends, waits for the whole echo before stdin ends (so nothing may be held back), then ends."""
    data = payload()
    host.notes["sent"] = host.send(data)
    host.notes["answered at once"] = host.await_output(len(data))
    host.close()
    return host.facts()


def send_and_end(payload: Callable[[], bytes], host: Host) -> Facts:
    host.notes["sent"] = host.send(payload())
    host.close()
    return host.facts()


def take_turns(rounds: int, host: Host) -> Facts:
    """A request goes out only when the answer to the one before has come."""
    sent = 0
    for number in range(rounds):
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": "ping"}).encode() + b"\n"
        sent += len(line)
        if host.send(line) != "taken" or not host.await_output(sent):
            break
    host.notes["bytes sent in turns"] = sent
    host.close()
    return host.facts()


def watch(host: Host) -> Facts:
    """Says nothing, keeps stdin open, waits for the server to end."""
    return host.facts()


def press_on(host: Host) -> Facts:
    """Writes to a server that reads nothing until nothing more is taken."""
    host.notes["sent"] = host.send(pattern(8 * MB), patience=0.5)
    host.go()
    return host.facts()


def outlast(host: Host) -> Facts:
    """Ends stdin, sees the server stay, sends TERM."""
    host.close()
    host.await_output(1)
    host.notes["stays after the end of stdin"] = host.still_running(0.3)
    host.signal(signal.SIGTERM)
    return host.facts()


def insist(host: Host) -> Facts:
    """TERM, and KILL two seconds later; a TypeScript host kills only the process that it started."""
    host.await_output(1)
    host.signal(signal.SIGTERM)
    if host.still_running(GRACE):
        host.signal(signal.SIGKILL)
    return host.facts()


def outlive_stdout(host: Host) -> Facts:
    host.notes["stdout ended first"] = host.await_end("stdout")
    host.notes["sent afterwards"] = host.send(b"one more\n")
    host.close()
    return host.facts()


def outlive_stdin(host: Host) -> Facts:
    host.await_output(1)
    host.notes["writing is refused"] = host.send_until_refused()
    host.go()
    return host.facts()


def outlive_stderr(host: Host) -> Facts:
    host.notes["stderr ended first"] = host.await_end("stderr")
    return converse(lambda: b"and still it talks\n", host)


def send_signals(host: Host) -> Facts:
    host.await_output(1)
    for name in SIGNALS_REPORTED:
        host.signal(signal.Signals[f"SIG{name}"])
        if not host.await_report(name):
            break
    return host.facts()


def numbered_lines(count: int) -> bytes:
    return b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % number for number in range(count))


def long_line(size: int) -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"result":"' + b"x" * size + b'"}\n'
