"""From what passed to one row per call, however the loading was cut."""

from __future__ import annotations

import json

import pytest

from mcptap.exporters.journal.line import run_root, seal
from mcptap.tap.analysis import Analysis
from mcptap.tap.records import RunStarted
from mcptap.tap.redact import Redactor

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
START = 10**18
CALLS = "SELECT rounds, server_ms, waiting_ms, outcome FROM calls ORDER BY started_at"


def call(number, **params):
    return "client", {"id": number, "method": "tools/call", "params": {"name": "t", **params}}


def result(number, side="server", **members):
    return side, {"id": number, "result": members}


def status(status):
    return "server", {"method": "notifications/tasks/status", "params": {"taskId": "T", "status": status}}


@pytest.fixture(params=[True, False], ids=["at once", "message by message"])
def record(home, request):
    """Records messages, one per 10 ms, and loads them: all at once, or each by itself."""

    def recorded(*messages):
        run = home.run("run-1")
        started = RunStarted("run-1", START, None, ("s",), "/", (), "0", 1, 1.0, 2, 1.0, None, None, None)
        analysis = Analysis(started, Redactor(b"k" * 32))
        run.write(started)
        home.serve()
        offsets = {"client": 0, "server": 0}
        for index, (side, message) in enumerate(messages):
            line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
            run.write(*analysis.data(side, offsets[side], START + index * 10_000_000, line))
            offsets[side] += len(line)
            if not request.param:
                home.store.load()
        run.write(*analysis.end(START + 10**9))
        home.store.load()
        return home

    return recorded


def test_plain_calls(record):
    home = record(
        call(1),
        result(1, isError=True),
        call(2),
        ("server", {"id": 1, "method": "roots/list"}),
        result(1, "client", roots=[]),
        result(2),
        call(3),
        ("client", {"method": "notifications/cancelled", "params": {"requestId": 3}}),
        call(4),
        ("client", {"id": 5, "method": "tools/list"}),
    )
    assert home.ask(CALLS) == [
        (1, 10.0, 0.0, "tool_error"),
        (1, 20.0, 10.0, "ok"),
        (1, 10.0, 0.0, "cancelled"),
        (1, None, 0.0, "no_response"),
    ]


def test_a_call_in_three_rounds_is_one_row_and_people_are_waited_for_between_them(record):
    back = {"resultType": "input_required", "inputRequests": {"k": {"method": "elicitation/create"}}}
    home = record(
        call(1, _meta=META),
        result(1, **back, requestState="one"),
        ("client", {"id": 9, "method": "tools/list"}),
        call(2, _meta=META, requestState="one"),
        result(2, **back, requestState="two"),
        call(3, _meta=META, requestState="two"),
        ("server", {"id": 9, "error": {"code": 1, "message": "m"}}),
        result(3, resultType="complete", isError=True),
    )
    assert home.ask(CALLS) == [(3, 40.0, 30.0, "tool_error")]
    bodies = home.ask("SELECT count(*), count(body) FROM messages WHERE body LIKE '%[REDACTED:request-state:%'")
    assert bodies == [(4, 4)]


def test_a_task_is_one_row_until_its_end_and_keeps_its_bodies(record):
    home = record(
        call(1, task={"ttl": 1}),
        status("working"),
        result(1, task={"taskId": "T", "status": "working"}),
        ("client", {"id": 2, "method": "tasks/result", "params": {"taskId": "T"}}),
        ("server", {"id": 7, "method": "elicitation/create", "params": {"_meta": {
            "io.modelcontextprotocol/related-task": {"taskId": "T"}}}}),
        result(7, "client", action="accept"),
        status("failed"),
        result(2, content=[], isError=True),
    )  # fmt: skip
    assert home.ask(CALLS) == [(1, 50.0, 10.0, "tool_error")]
    assert home.ask("SELECT outcome, task_outcome, task_ms, request_body IS NULL, reply_body IS NULL FROM exchanges "
                    "WHERE method = 'tools/call'") == [("task_created", "tool_error", 60.0, False, False)]  # fmt: skip
    assert home.ask("SELECT count(DISTINCT logical_id) FROM exchanges") == [(1,)]
    assert home.ask("SELECT exchange_seq FROM messages ORDER BY seq") == [(n,) for n in (1, 1, 1, 4, 5, 5, 1, 4)]
    assert home.ask("SELECT count(*) FROM messages WHERE body IS NULL") == [(0,)]


def test_a_task_that_has_not_ended_is_a_row_too(record):
    home = record(call(1, _meta=META), result(1, resultType="task", taskId="T", status="working"))
    assert home.ask(CALLS) == [(1, 10.0, 0.0, "task_created")]


def test_a_run_that_was_only_probed_can_be_found(record):
    home = record(
        ("client", {"id": 1, "method": "server/discover", "params": {"_meta": META}}),
        ("server", {"id": 1, "error": {"code": -32601, "message": "Method not found"}}),
    )
    assert home.ask("SELECT run_id FROM exchanges GROUP BY run_id HAVING bool_and(probe)") == [("run-1",)]


def test_progress_and_log_messages_are_counted(record):
    home = record(
        call(1, _meta={**META, "progressToken": "p", "io.modelcontextprotocol/logLevel": "info"}),
        ("server", {"method": "notifications/progress", "params": {"progressToken": "p", "progress": 1}}),
        ("server", {"method": "notifications/message", "params": {"level": "info", "data": 1}}),
        result(1),
    )
    assert home.ask("SELECT progress_count, log_count FROM exchanges") == [(1, 1)]
    assert home.ask("SELECT DISTINCT exchange_seq FROM messages") == [(1,)]


NEWER = ("client_version", "server_version", "round", "waiting_ms", "progress_count", "log_count", "task_id")


def test_lines_of_an_earlier_version_load_without_what_they_lack(home):
    run = home.run("run-1")
    none = dict.fromkeys(("error_code", "error_message", "protocol_version", "era", "client_name", "server_name"))
    exchange = none | {"seq": 1, "reply_seq": 2, "side": "client", "method": "tools/call", "target": "t", "rpc_id": "1",
        "started_at": START, "duration_ms": 2.0, "outcome": "ok", "request_bytes": 1, "reply_bytes": 1, "probe": False,
        "long_lived": False, "trace_id": "0", "span_id": "0", "logical_id": "l"}  # fmt: skip
    reply = {"seq": 2, "side": "server", "at": START, "kind": "result", "method": None, "rpc_id": "1", "offset": 0,
        "size_bytes": 1, "body": {}, "truncated": False, "unscanned": None, "exchanges": [exchange]}  # fmt: skip
    parts, _ = seal(1, run_root("run-1"), "message", json.dumps(reply).encode())
    run.path.write_bytes(b"".join(parts))
    home.serve()
    home.store.load()
    assert home.ask(f"SELECT {', '.join(NEWER)} FROM exchanges") == [(None,) * len(NEWER)]
    assert home.ask(CALLS) == [(1, 2.0, 0.0, "ok")]
