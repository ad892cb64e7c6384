"""A real server that changes between two starts, grows and crashes: all of it can be asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

SERVER = str(Path(__file__).parents[1] / "servers" / "changing_server.py")
HELD = 64  # MiB
VERSION = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "the-host", "version": "9"}}


class Client:
    """Speaks to one wrapped server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self._asked = process, 0

    def send(self, method: str, params: dict[str, Any], **more: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}) + "\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: Any) -> Any:
        self._asked += 1
        self.send(method, params, id=self._asked)
        assert self.process.stdout
        for line in self.process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._asked:
                return answer["result"]
        raise AssertionError("no answer")


@contextmanager
def conversation(tap: Any, changed: str) -> Iterator[Client]:
    """With a server that has told what it offers."""
    command = tap.around(sys.executable, SERVER, options=("--name", "changing"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=os.environ | {"CHANGED": changed}, **pipes) as process:
        client = Client(process)
        client.ask("initialize", **VERSION)
        client.send("notifications/initialized", {})
        assert len(client.ask("tools/list")["tools"]) == 3
        yield client


def test_a_server_that_changes_grows_and_crashes_is_told_of(tap: Any) -> None:
    with conversation(tap, ""):
        pass
    tap.until(lambda: tap.query("SELECT 1 FROM runs WHERE state = 'ended'"))
    with conversation(tap, "yes") as client:
        client.ask("tools/call", name="grow", arguments={"mebibytes": HELD})
        running = "SELECT peak_rss_bytes AS peak FROM run_health WHERE state = 'running'"
        tap.until(lambda: any((row["peak"] or 0) > HELD << 20 for row in tap.query(running)))
        client.send("tools/call", {"name": "crash", "arguments": {}}, id="last")
        assert client.process.wait() == 3
    (crash,) = tap.until(lambda: tap.query("SELECT * FROM crashes"))
    assert (crash["server_key"], crash["how"], crash["exit_code"]) == ("changing", "exit", 3)
    assert crash["stderr_tail"].endswith("fatal: out of luck")
    assert crash["unanswered"] == 1

    changes = tap.query("SELECT kind, name, change FROM definition_changes ORDER BY kind, name")
    assert [tuple(row.values()) for row in changes] == [
        ("instructions", "instructions", "changed"),
        ("tool", "added", "added"),
        ("tool", "grow", "changed"),
        ("tool", "removed", "removed"),
    ]
    current = tap.query("SELECT name, tokens_estimate > 5 AS costs FROM current_definitions ORDER BY name")
    assert [(row["name"], row["costs"]) for row in current] == [
        ("added", True), ("crash", True), ("grow", True), ("instructions", False)
    ]  # fmt: skip
    (restart,) = tap.query("SELECT previous_exit_code, start_number, pause_ms > 0 AS later FROM restarts")
    assert restart == {"previous_exit_code": 0, "start_number": 2, "later": True}
    health = tap.query(
        "SELECT host_process, requests, unanswered, first_answer_ms > 1 AS took FROM run_health ORDER BY 2"
    )
    me = psutil.Process().name()
    assert [tuple(row.values()) for row in health] == [(me, 1, 0, True), (me, 3, 1, True)]
    shown = tap.say("show", "last").stdout
    assert " of memory, " in shown
    assert tap.say("verify").returncode == 0
