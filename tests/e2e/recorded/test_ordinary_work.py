"""Ordinary work with real servers gives no finding above low: the benchmark of a day, a small one."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
EXCHANGES = 100


def test_ordinary_work_with_real_servers_is_quiet(npm, python):
    for name in ("mcp-server-filesystem", "mcp-server-memory", "mcp-server-everything"):
        npm(name)
    python("v1", "mcp-server-sqlite")
    day = subprocess.run(
        [sys.executable, "-m", "benchmarks.day", str(EXCHANGES)],
        cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert day.stdout.startswith(f"{EXCHANGES + 1} exchanges with files, git"), day.stderr
    assert day.returncode == 0, day.stdout
