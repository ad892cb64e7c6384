"""Secrets are told by kind, server and side, and followed over servers, and none is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SECRET = "ghp_" + "Zq7Rk2Lm9Xw4Tb6Vn8Yc1Hd3Jf5Gs0Pa2Eu4"
OTHER = "correct-horse-" + "battery-9431"
SERVER = """
import json, sys
sys.stderr.write(f"token {sys.argv[1]}\\n")
sys.stderr.flush()
for line in sys.stdin:
    result = {"content": [{"type": "text", "text": "uses " + sys.argv[1]}]}
    print(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"], "result": result}), flush=True)
"""


def record(line: Any, name: str, script: Path) -> None:
    """A run of a server that is started with a secret and tells it; the host tells another."""
    script.write_text(SERVER)
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "x", "arguments": {"password": OTHER}},
    }
    words = [*line.program, "--home", str(line.home), "--name", name, "--", sys.executable, str(script), SECRET]
    given = json.dumps(call).encode() + b"\n"
    assert subprocess.run(words, input=given, capture_output=True, check=False, timeout=60).returncode == 0


def test_real_runs_are_told_by_kind_and_side_and_what_they_share(fresh: Any, tmp_path: Path, eventually: Any) -> None:
    for name in ("first", "second"):
        record(fresh, name, tmp_path / "server.py")

    def told() -> Any:
        found = json.loads(fresh.say("secrets", "--json").out)
        return found if len(found["secrets"]) == 8 else None

    found = eventually(told)
    kinds = {(row["server"], row["side"], row["rule"]): (row["times"], row["secrets"]) for row in found["secrets"]}
    assert {side for _, side, _ in kinds} == {"client", "server", "stderr", "command"}
    assert kinds["first", "client", "key-name"] == (1, 1)
    assert {row["rule"]: row["servers"] for row in found["shared"]} == {
        "github-token": ["first", "second"],
        "key-name": ["first", "second"],
    }
    assert all(row["first_at"] <= row["last_at"] and row["first_at"].endswith("Z") for row in found["secrets"])
    shown = fresh.say("secrets", "--server", "first")
    assert shown.out.count("first") == 4 + 2 + 2  # rows of both tables, and two headings
    assert "seen on more than one server" in shown.out
    assert SECRET not in shown.out + json.dumps(found)
    assert OTHER not in shown.out + json.dumps(found)
    assert json.loads(fresh.say("secrets", "--since", "2030-01-01", "--json").out) == {"secrets": [], "shared": []}


def test_no_secret_is_told_as_such(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    assert fresh.say("secrets").err == "no secret is recorded yet\n"
    assert fresh.say("secrets", "--server", "x").err == "no secret is recorded that fits\n"
