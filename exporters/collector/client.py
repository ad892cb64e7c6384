"""Asking the collector something from another process: one JSON line each way over its socket.

Operations (`op`): `status` (what `mcptap status` shows), `stop` (drain and leave), `ping`, and `lease` (stay as long as
this connection lives; for readers). `ensure` starts a collector where there is none.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mcptap.tap.pipe import starter
from mcptap.tap.pipe.wire import PROTOCOL
from mcptap.tap.version import VERSION

ANSWER_S = 30.0
START_S = 20.0


class NotRunningError(Exception):
    """No collector answers; the text says what to do."""


def request(home: str | Path, op: str, **more: Any) -> dict[str, Any]:
    """Sends one operation and returns the answer. Raises NotRunningError when nobody listens."""
    with open_request(home, op, **more) as (_, answer):
        return answer


@contextmanager
def open_request(home: str | Path, op: str, **more: Any) -> Iterator[tuple[socket.socket, dict[str, Any]]]:
    """Like `request`, but keeps the connection for the block: with `lease`, the collector stays meanwhile."""
    question = {"op": op, "protocol": PROTOCOL, "version": VERSION, **more}
    try:
        connection = starter.connect(str(home))
    except OSError as problem:
        raise NotRunningError(f"no collector is running for {home} ({problem.strerror})") from problem
    with connection:
        connection.settimeout(ANSWER_S)
        connection.sendall(json.dumps(question).encode() + b"\n")
        with connection.makefile("rb") as answers:
            line = answers.readline()
        if not line:
            raise NotRunningError(f"the collector of {home} is leaving; try again")
        yield connection, json.loads(line)


def ensure(home: str | Path) -> None:
    """Makes sure that a collector runs. Raises NotRunningError when it cannot be started."""
    lock: int | None = None
    problem: Exception | None = None
    until = time.monotonic() + START_S
    try:
        while time.monotonic() < until:
            try:
                request(home, "ping")
            except (NotRunningError, OSError) as error:
                problem = error
            else:
                return
            if lock is None:
                lock = starter.start(str(home))
            time.sleep(0.05)
    except OSError as error:
        problem = error
    finally:
        if lock is not None:
            os.close(lock)
    raise NotRunningError(f"the collector cannot be started ({problem}); see {home}/collector.log")
