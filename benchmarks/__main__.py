"""The command line of the benchmarks: measures, prints, and says whether the budgets are kept."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from benchmarks import (
    appearance,
    dashboard,
    export,
    firstreply,
    ingest,
    memory,
    queries,
    redaction,
    report,
    roundtrip,
    throughput,
)
from benchmarks.bench import Bench
from benchmarks.recording import Recorder
from benchmarks.subjects import subjects

BENCHMARKS: dict[str, Callable[[Bench], Iterator[report.Row]]] = {
    "roundtrip": roundtrip.run,
    "firstreply": firstreply.run,
    "throughput": throughput.run,
    "memory": memory.run,
    "appearance": appearance.run,
    "ingest": ingest.run,
    "export": export.run,
    "queries": queries.run,
    "redaction": redaction.run,
    "dashboard": dashboard.run,
}
WITHOUT = "[detection]\nenabled = false\n"
QUICK = 0.2  # of the full number of rounds and messages


def main() -> int:
    """Exit status 1 when a budget is not kept or something was not recorded."""
    arguments = _arguments()
    console, began = Console(width=None if sys.stdout.isatty() else 200), time.monotonic()
    rows: list[report.Row] = []
    for name in arguments.names or BENCHMARKS:
        with console.status(f"{name} …"):
            measured = _measure(BENCHMARKS[name], arguments.scale, arguments.config)
        report.show(measured, console)
        rows += measured
    seconds = time.monotonic() - began
    if arguments.json:
        report.write(rows, arguments.json, quick=arguments.scale < 1, seconds=seconds)
    failed = sum(row.passed is False for row in rows)
    console.print(f"{sum(row.passed is True for row in rows)} budgets kept, {failed} not; {seconds:.0f} s")
    return 1 if failed else 0


def _measure(benchmark: Callable[[Bench], Iterator[report.Row]], scale: float, config: str) -> list[report.Row]:
    """Runs one benchmark with a home and a collector of its own, so that none inherits another's backlog."""
    with tempfile.TemporaryDirectory(prefix="mcptap-bench-", ignore_cleanup_errors=True) as directory:
        recorder = Recorder(Path(directory), config)
        try:
            recorder.start()
            return list(benchmark(Bench(subjects(recorder), recorder, scale)))
        finally:
            recorder.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures mcptap beside a direct pipe.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--quick", dest="scale", action="store_const", const=QUICK, default=1.0, help="under a minute")
    parser.add_argument("--scale", type=float, help="a fraction of the full number of rounds and messages")
    parser.add_argument(
        "--without-detection", dest="config", action="store_const", const=WITHOUT, default="", help="with detection off"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in BENCHMARKS]:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
