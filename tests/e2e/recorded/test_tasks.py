"""A call that goes on as a task: many exchanges, one call, its outcome and the time that somebody was waited for.

Tasks there are of a server and, in the revision of 2025-11-25, of a client; since then they are an extension. Each kind
is played by the one server and client of it that there are.
"""

import json
import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

SERVERS = Path(__file__).parents[2] / "servers"
RESEARCH, SAMPLING = "simulate-research-query", "trigger-sampling-request-async"
PONDERED_MS = 200  # that each client takes before it answers


def play(recorder, client, *server):
    """What a client that is a program of its own printed, and what was recorded."""
    label, words = recorder.around(*server)
    ended = subprocess.run([*client, *words], capture_output=True, text=True, timeout=60, check=True)
    run = recorder.recorded(label)
    run.check()
    return ended.stdout, run


def methods_of(run, call):
    """Of a call the methods of its exchanges, repetitions told once."""
    return [name for name, _ in groupby(row["method"] for row in run.exchanges if row["logical_id"] == call)]


def outcomes(run):
    return [(row["target"], row["outcome"]) for row in run.calls]


@pytest.fixture(scope="module")
def research(recorder, npm):
    """The reference server works for four seconds and asks its user meanwhile; a second task is cancelled."""
    client = [shutil.which("node"), str(SERVERS / "typescript_v1_client.mjs")]
    printed, run = play(recorder, client, npm("mcp-server-everything"), "stdio")
    heard = json.loads(printed)
    assert [heard[0], heard[-1], *set(heard[1:-1])] == ["taskCreated", "result", "taskStatus"]
    return run


def test_every_exchange_about_a_task_is_recorded(research):
    told = research.table("side", "method", "target", "long_lived")
    assert [row for row, _ in groupby(told)] == [  # it asks for the task's state once a second
        ("client", "initialize", None, False),
        ("client", "tools/list", None, False),
        ("client", "tools/call", RESEARCH, False),
        ("client", "tasks/get", None, False),
        ("client", "tasks/result", None, True),
        ("server", "elicitation/create", None, False),
        ("client", "tools/call", RESEARCH, False),
        ("client", "tasks/cancel", None, False),
        ("client", "tasks/list", None, False),
    ]
    ids = [row["rpc_id"] for row in research.exchanges if row["side"] == "client"]
    assert ids == [str(number) for number in range(len(ids))]
    (asked,) = (row for row in research.exchanges if row["side"] == "server")
    assert (asked["rpc_id"], asked["outcome"]) == ("0", "ok")
    facts = set(research.table("protocol_version", "era", "client_name"))
    assert facts == {("2025-11-25", "legacy", "of-the-first-line")}
    assert research.notifications()["server", "notifications/tasks/status"] >= 6


def test_a_server_that_a_live_task_keeps_from_ending_is_told_by_its_signal(research):
    assert (research.run["state"], research.run["exit_code"], research.run["exit_signal"]) == ("ended", None, 15)


def test_all_exchanges_about_a_task_are_one_call_with_the_tasks_own_end(research):
    first, second = (row["logical_id"] for row in research.exchanges if row["target"] == RESEARCH)
    assert methods_of(research, first)[:3] == ["tools/call", "tasks/get", "tasks/result"]
    assert methods_of(research, second) == ["tools/call", "tasks/cancel"]
    assert outcomes(research) == [(RESEARCH, "ok"), (RESEARCH, "cancelled")]
    researched = research.calls[0]
    assert researched["waiting_ms"] >= PONDERED_MS
    assert researched["server_ms"] >= 3_000  # four stages of a second each


def test_a_task_of_the_client_is_time_in_which_the_server_waits(recorder, npm):
    client = [shutil.which("node"), str(SERVERS / "typescript_v2_receiver.mjs")]
    printed, run = play(recorder, client, npm("mcp-server-everything"), "stdio")
    assert "Async sampling completed" in printed
    (sampled,) = (row for row in run.exchanges if row["method"] == "sampling/createMessage")
    assert (sampled["side"], sampled["client_name"]) == ("server", "a-receiver-of-tasks")
    assert methods_of(run, sampled["logical_id"]) == ["sampling/createMessage", "tasks/get", "tasks/result"]
    assert run.notifications()["client", "notifications/tasks/status"] == 1
    assert outcomes(run) == [(SAMPLING, "ok")]
    assert run.calls[0]["waiting_ms"] >= PONDERED_MS


@pytest.fixture(scope="module")
def reports(recorder, python):
    """Reports are compiled, with a question to the user; one fails, two are cancelled."""
    client = (python("v2"), str(SERVERS / "reports_server.py"))
    printed, run = play(recorder, client, *client, "serve")
    assert printed == "the report of May\nTrue\n"
    return run


def test_a_task_of_the_extension_is_one_call_with_the_tasks_own_end(reports):
    called = [row["logical_id"] for row in reports.exchanges if row["method"] == "tools/call"]
    assert [methods_of(reports, call) for call in called] == [
        ["tools/call", "tasks/get", "tasks/update", "tasks/get"],
        ["tools/call", "tasks/get"],
        ["tools/call", "tasks/cancel", "tasks/get"],
        ["tools/call", "tasks/cancel"],
    ]
    assert outcomes(reports)[:3] == [("compile_report", "ok"), ("fail", "tool_error"), ("never_end", "cancelled")]
    compiled, failed, *_ = reports.calls
    assert compiled["waiting_ms"] >= PONDERED_MS > failed["waiting_ms"]
    facts = set(reports.table("protocol_version", "era", "client_name", "server_name"))
    assert facts == {("2026-07-28", "modern", "a fastmcp-tasks client", "reports")}


def test_a_task_whose_cancelling_was_accepted_is_cancelled_though_nobody_asks_again(reports):
    assert outcomes(reports)[3:] == [("never_end", "cancelled")]
