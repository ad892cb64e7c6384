"""`python -P -m mcptap.exporters.otlp.worker --home DIR`: sends to OpenTelemetry backends, as a child of the collector.

The idea: OpenTelemetry's libraries, their memory and their blocking calls live where they can be killed at any moment:
what has been sent stands in the marks, and the rest in the journal. Commands come in on stdin, one JSON object per
line; the state goes out on stdout, likewise. The end of stdin means that the collector has gone, and ends us too.
Settings, and the secrets in them, come by stdin only.

    {"destinations": [{...}]}           all that are to be served from now on (`settings.to_json`); `alone` with it says
                                        that only those runs are sent there that are named by
    {"own": [run ids], "to": key}       these runs are to be sent there
    {"changed": [run ids]}              lines have been written for these runs
    {"finish": seconds}                 send what can be sent in this time; `finished` is told then

Told every second and after `finish`: `lanes`, each as `Lane.status` has it with its destination's `key` and `name`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from mcptap.exporters.otlp.lane import Lane
from mcptap.exporters.otlp.settings import Destination, from_json

NICENESS = 5  # more than the collector's
BEAT_S = 1.0
REPLACE_S = 12.0  # so long a lane whose settings have changed may take to finish what is on its way


class Served(NamedTuple):
    """A destination and its lanes."""

    destination: Destination
    alone: bool
    lanes: tuple[Lane, ...]


class Worker:
    """Obeys commands; one thread for each lane, and one that tells."""

    def __init__(self, home: Path, out: int) -> None:
        self._home, self._out = home, out
        self._served: dict[str, Served] = {}
        self._telling = threading.Lock()

    def obey(self, commands: Iterable[bytes]) -> None:
        """Returns when there are no more commands."""
        threading.Thread(target=self._beat, daemon=True).start()
        for line in commands:
            command = json.loads(line)
            if "destinations" in command:
                self._serve(command["destinations"])
            if "own" in command and command["to"] in self._served:
                for lane in self._served[command["to"]].lanes:
                    lane.changed(command["own"], own=True)
            if "changed" in command:
                for served in self._served.values():
                    for lane in served.lanes:
                        lane.changed(command["changed"])
            if "finish" in command:
                self._finish(command["finish"])

    def tell(self, **more: Any) -> None:
        """Writes one line about how everything is."""
        with self._telling:
            lanes = [
                {"key": key, "name": served.destination.name, **lane.status()}
                for key, served in list(self._served.items())
                for lane in served.lanes
            ]
            line = json.dumps({"lanes": lanes, **more}).encode() + b"\n"
            while line:
                line = line[os.write(self._out, line) :]

    def _serve(self, told: list[dict[str, Any]]) -> None:
        wanted = {one.key: (one, bool(row.get("alone"))) for row in told for one in (from_json(row),)}
        for key, served in list(self._served.items()):
            if wanted.get(key) != (served.destination, served.alone):
                self._drop(self._served.pop(key))
        for key, (destination, alone) in wanted.items():
            if key not in self._served:
                lanes = tuple(Lane(self._home, destination, route, alone=alone) for route in destination.routes)
                self._served[key] = Served(destination, alone, lanes)
                for lane in lanes:
                    lane.start()

    def _drop(self, served: Served) -> None:
        for lane in served.lanes:
            lane.leave()
        for lane in served.lanes:
            lane.join(REPLACE_S)

    def _finish(self, seconds: float) -> None:
        lanes = [lane for served in self._served.values() for lane in served.lanes]
        threads = [threading.Thread(target=lane.finish, args=(seconds,), daemon=True) for lane in lanes]
        until = time.monotonic() + seconds
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.tell(finished=True)

    def _beat(self) -> None:
        while True:
            try:
                self.tell()
            except OSError:  # the collector went
                os._exit(1)
            time.sleep(BEAT_S)


def step_back() -> None:
    """What records comes first, and this is the first to go when memory is little."""
    os.nice(NICENESS)
    with suppress(OSError):  # elsewhere than on Linux
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")


def main() -> None:
    """Lives until the end of stdin."""
    logging.basicConfig(format="%(asctime)s %(levelname)s export: %(message)s", level=logging.INFO, stream=sys.stderr)
    for number in (signal.SIGINT, signal.SIGTERM):  # the collector says when
        signal.signal(number, _ignore)
    step_back()
    os.umask(0o077)
    words = sys.argv[1:]
    out = os.dup(1)
    os.dup2(2, 1)  # what a library may print is no word of ours
    worker = Worker(Path(words[words.index("--home") + 1]), out)
    try:
        worker.obey(sys.stdin.buffer)
    finally:
        os._exit(0)  # whatever a lane is waiting for


def _ignore(_number: int, _frame: FrameType | None) -> None:
    pass


if __name__ == "__main__":
    main()
