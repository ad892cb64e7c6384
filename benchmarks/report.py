"""Figures as rows: what was measured, under which conditions, against which budget; printed and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.recording import Recorded
from mcptap.tap.version import VERSION

FORMAT = 1  # of the JSON document; raised when a key changes its meaning


@dataclass(frozen=True)
class Row:
    """One figure. `ratio` is to the direct pipe, taken within rounds; `passed` is None without a budget."""

    benchmark: str
    case: str
    subject: str
    unit: str
    median: float
    low: float
    high: float
    rounds: int
    ratio: float | None = None
    recorded: str | None = None
    budget: str | None = None
    passed: bool | None = None


def row(
    benchmark: str,
    case: str,
    subject: str,
    unit: str,
    samples: Sequence[float],
    base: Sequence[float] | None = None,
) -> Row:
    """A row from one sample per round; `base` holds the direct pipe's samples of the same rounds."""
    ratio = statistics.median(mine / its for mine, its in zip(samples, base, strict=True)) if base else None
    extent = (statistics.median(samples), min(samples), max(samples))
    return Row(benchmark, case, subject, unit, *extent, rounds=len(samples), ratio=ratio)


def judged(figure: Row, budget: str | None, within: bool, recorded: Recorded | None = None) -> Row:
    """The row with its verdict. A budget counts as kept only if everything was recorded meanwhile."""
    whole = recorded is None or recorded.whole
    verdict = (within and whole) if budget else (None if whole else False)
    return replace(figure, budget=budget, passed=verdict, recorded=str(recorded) if recorded else None)


def show(rows: Sequence[Row], console: Console) -> None:
    """Prints one table per benchmark."""
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        table = Table(title=benchmark, title_justify="left", title_style="bold")
        for column in ("case", "subject", "median", "min", "max", "x direct", "recorded", "budget", ""):
            table.add_column(column, justify="right" if column in ("median", "min", "max", "x direct") else "left")
        for figure in rows:
            if figure.benchmark == benchmark:
                table.add_row(*_cells(figure))
        console.print(table)


def write(rows: Sequence[Row], path: Path, *, quick: bool, seconds: float) -> None:
    """Writes the document: `format`, `version`, `at`, `quick`, `seconds`, `machine` and `rows`."""
    machine = {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    document = {
        "format": FORMAT,
        "version": VERSION,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "quick": quick,
        "seconds": round(seconds, 1),
        "machine": machine,
        "rows": [asdict(figure) for figure in rows],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def _cells(figure: Row) -> tuple[str, ...]:
    verdict = {None: "", True: "[green]pass[/]", False: "[bold red]FAIL[/]"}[figure.passed]
    return (
        figure.case,
        figure.subject,
        f"{_short(figure.median)} {figure.unit}",
        _short(figure.low),
        _short(figure.high),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.recorded or "",
        figure.budget or "",
        verdict,
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
