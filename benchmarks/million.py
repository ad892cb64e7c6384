"""A million exchanges of which no two are alike: the collector's rate, and that its memory has an end.

`python -m benchmarks.million [COUNT]`. The idea: what is kept of what passed (values, texts, definitions, findings) has
limits, and only traffic that never repeats itself reaches them. Several servers are asked at once, with what another
one has said, too, so that findings become as many as they can be.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.corpus import texts
from benchmarks.memory import Peak
from benchmarks.recording import Recorder
from benchmarks.unlike import text, token
from benchmarks.wire import Connection

COUNT: Final = 1_000_000
STEPS: Final = 10
SERVERS: Final = ("files", "pages", "mail", "tickets")
REPLY, ASKED = 640, 120  # characters of text in an answer, and in a request
CORPUS: Final = 400_000  # characters of each kind
KINDS: Final = ("prose", "code", "JSON", "logs")
BATCH: Final = 50  # requests that are written at once
LISTED: Final = 500  # requests of which one asks what is offered
CARRIED: Final = 20  # requests of which one carries what another server has said
SAMPLE: Final = 0.1  # seconds
BUDGET: Final = 150.0  # MB, without the recognizers of personal data
CONFIG: Final = "[pii]\nentities = []\n"


def requests(source: str, name: str, other: str, numbers: range) -> Iterator[bytes]:
    """What one server is asked: some of it is what `other` has said."""
    chance = random.Random(numbers.start)
    for number in numbers:
        method, params = "tools/call", {"name": "read", "arguments": {}}
        if number % LISTED == 0:
            method, params = "tools/list", {}
        elif number % CARRIED == 0:
            params["arguments"] = {"body": f"about {token(other, max(1, number - chance.randrange(1, 40)))}"}
        else:
            params["arguments"] = {"query": text(source, f"ask-{name}", number, ASKED), "limit": number}
        yield json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


def _ask(connection: Connection, asked: Iterator[bytes], answers: int) -> None:
    connection.stream([b"".join(batch) for batch in iter(lambda: list(islice(asked, BATCH)), [])], answers)


def flood(recorder: Recorder, source: Path, count: int) -> tuple[int, float]:
    """Asks all servers at once, step by step, and tells of each once it is stored.

    Returns the messages that are stored, and the most memory that the collector held, in MB.
    """
    script, corpus = str(Path(__file__).with_name("unlike.py")), source.read_text()
    connections = {
        name: Connection((
            *recorder.prefix(name, "--strict"), sys.executable, "-I", "-S", script, str(source), str(REPLY), name,
        )) for name in SERVERS
    }  # fmt: skip
    each = count // STEPS // len(SERVERS)
    peak, stored = Peak(recorder.collector, SAMPLE), 0
    for step in range(STEPS):
        began, used = time.perf_counter(), recorder.cpu_seconds()
        numbers = range(1 + step * each, 1 + (step + 1) * each)
        threads = [
            threading.Thread(target=_ask, args=(connections[name], requests(corpus, name, other, numbers), each))
            for name, other in zip(SERVERS, SERVERS[1:] + SERVERS[:1], strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = sum(recorder.await_messages(name, 2 * (step + 1) * each).stored for name in SERVERS)
        took, used = time.perf_counter() - began, recorder.cpu_seconds() - used
        done = each * len(SERVERS)
        held = recorder.collector.memory_info().rss / 1e6
        print(f"{(step + 1) * done:9,} exchanges  {done / took:7,.0f}/s  {1e3 * used / done:6.3f} s of processor time "
              f"per 1,000  {held:6.1f} MB", flush=True)  # fmt: skip
    for connection in connections.values():
        connection.close()
    return stored, peak.end()


def main() -> int:
    """Prints the figures of each step. Exit status 1 if the memory was not kept or something was not recorded."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    count -= count % (STEPS * len(SERVERS))
    with tempfile.TemporaryDirectory(prefix="mcptap-million-", ignore_cleanup_errors=True) as directory:
        source = Path(directory, "source.txt")
        source.write_text("\n".join(text for kind in KINDS for text in texts(kind, CORPUS)), encoding="utf-8")
        recorder = Recorder(Path(directory), CONFIG)
        try:
            recorder.start()
            stored, most = flood(recorder, source, count)
            print(f"{stored:,} of {2 * count:,} messages stored; at most {most:.1f} MB, the budget is {BUDGET:.0f} MB")
            print(f"{sum(row[2] for row in recorder.findings(len(SERVERS))):,} findings", flush=True)
        finally:
            recorder.stop()
    return 0 if most <= BUDGET and stored == 2 * count else 1


if __name__ == "__main__":
    sys.exit(main())
