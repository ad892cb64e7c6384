"""Every benchmark runs with the smallest counts and writes the document that its readers expect."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFTEN = ("redaction",)
SELDOM = ("roundtrip", "firstreply", "throughput", "memory", "appearance", "ingest", "export", "queries", "dashboard")
NAMES = [*OFTEN, *(pytest.param(name, marks=pytest.mark.slow) for name in SELDOM)]
DOCUMENT = {"format", "version", "at", "quick", "seconds", "machine", "rows"}
ROW = {
    "benchmark": str,
    "case": str,
    "subject": str,
    "unit": str,
    "median": float,
    "low": float,
    "high": float,
    "rounds": int,
    "ratio": float | None,
    "recorded": str | None,
    "budget": str | None,
    "passed": bool | None,
}


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_writes_its_figures_as_json(name: str, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--scale", "0.005", "--json", str(path), name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: a budget was missed, which proves nothing here
    assert path.exists(), done.stdout + done.stderr
    document = json.loads(path.read_text())
    assert document.keys() == DOCUMENT
    assert document["format"] == 1
    assert document["quick"] is True
    assert any(row["subject"] == "mcptap" for row in document["rows"])
    for row in document["rows"]:
        assert row.keys() == ROW.keys()
        assert all(isinstance(row[key], kind) for key, kind in ROW.items()), row
        if row["recorded"]:
            stored, expected = row["recorded"].split(" of ")
            assert stored == expected, row


def test_an_unknown_benchmark_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "nonsense"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no such benchmark: nonsense" in done.stderr


@pytest.mark.slow
def test_a_million_exchanges_are_told_step_by_step_with_the_memory_that_they_took() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.million", "400"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    *steps, stored, most = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [step.split()[0] for step in steps] == [str(40 * number) for number in range(1, 11)]
    assert stored.startswith("800 of 800 messages stored")
    assert most.endswith("the budget is 150 MB")
