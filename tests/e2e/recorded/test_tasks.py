"""A tool called as a task, by the TypeScript SDK's client: many exchanges, one call.

The reference server works for four seconds and asks its user meanwhile; a second task is cancelled, and it keeps the
server from ending by itself.
"""

import json
import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[2] / "servers" / "typescript_v1_client.mjs"
TOOL = "simulate-research-query"
PONDERED_MS = 200  # that the client takes before it answers


@pytest.fixture(scope="module")
def recorded(recorder, npm):
    label, words = recorder.around(npm("mcp-server-everything"), "stdio")
    command = [shutil.which("node"), str(CLIENT), *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    heard = json.loads(ended.stdout)
    assert [heard[0], heard[-1], *set(heard[1:-1])] == ["taskCreated", "result", "taskStatus"]
    return recorder.recorded(label)


def test_every_exchange_about_a_task_is_recorded(recorded):
    recorded.check()
    told = recorded.table("side", "method", "target", "long_lived")
    assert [row for row, _ in groupby(told)] == [  # it asks for the task's state once a second
        ("client", "initialize", None, False),
        ("client", "tools/list", None, False),
        ("client", "tools/call", TOOL, False),
        ("client", "tasks/get", None, False),
        ("client", "tasks/result", None, True),
        ("server", "elicitation/create", None, False),
        ("client", "tools/call", TOOL, False),
        ("client", "tasks/cancel", None, False),
        ("client", "tasks/list", None, False),
    ]
    ids = [row["rpc_id"] for row in recorded.exchanges if row["side"] == "client"]
    assert ids == [str(number) for number in range(len(ids))]
    (asked,) = (row for row in recorded.exchanges if row["side"] == "server")
    assert (asked["rpc_id"], asked["outcome"]) == ("0", "ok")
    assert set(recorded.table("protocol_version", "era", "client_name")) == {
        ("2025-11-25", "legacy", "of-the-first-line")
    }
    assert recorded.notifications()["server", "notifications/tasks/status"] >= 6


def test_a_server_that_a_live_task_keeps_from_ending_is_told_by_its_signal(recorded):
    assert (recorded.run["state"], recorded.run["exit_code"], recorded.run["exit_signal"]) == ("ended", None, 15)


def test_all_exchanges_about_a_task_are_one_call_with_the_tasks_own_end(recorded):
    first, second = (row for row in recorded.exchanges if row["target"] == TOOL)
    belonging = {
        row["method"] for row in recorded.exchanges if row["logical_id"] == first["logical_id"] and row is not first
    }
    assert belonging >= {"tasks/get", "tasks/result"}
    (cancelled,) = (row for row in recorded.exchanges if row["method"] == "tasks/cancel")
    assert cancelled["logical_id"] == second["logical_id"] != first["logical_id"]
    assert [(row["target"], row["outcome"]) for row in recorded.calls] == [(TOOL, "ok"), (TOOL, "cancelled")]
    researched = recorded.calls[0]
    assert researched["waiting_ms"] >= PONDERED_MS
    assert researched["server_ms"] >= 3_000  # four stages of a second each
