"""Where a body is not to be kept, nothing that is read from it is kept in another place."""

import json
from typing import Any

from mcptap.tap.analysis import Analysis
from mcptap.tap.records import RunStarted
from mcptap.tap.redact import Redactor
from mcptap.tap.redact.settings import Settings

STARTED = RunStarted("run", 1, "n", ("srv",), "/", (), "0", 1, None, 2, None, None, None, None)


def rpc(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **members}).encode() + b"\n"


def test_what_a_failed_task_tells_is_not_kept_where_bodies_are_not() -> None:
    analysis = Analysis(STARTED, Redactor(b"k" * 32, settings=Settings(mode="metadata")))
    failed = {"content": [{"type": "text", "text": "patient Jane Roe"}], "isError": True}
    client = [
        rpc(id=1, method="tools/call", params={"name": "t", "task": {}}),
        rpc(id=2, method="tasks/result", params={"taskId": "T"}),
        rpc(id=3, method="tasks/get", params={"taskId": "T"}),
    ]
    server = [
        rpc(id=1, result={"task": {"taskId": "T", "status": "working"}}),
        rpc(id=3, result={"taskId": "T", "status": "failed", "statusMessage": "Jane Roe"}),
        rpc(id=2, result=failed),
    ]
    records = analysis.data("client", 0, 1, b"".join(client)) + analysis.data("server", 0, 2, b"".join(server))
    assert "Jane" not in str(records)
    assert [one.task_outcome for one in records[-1].exchanges] == [None]
    assert records[-2].exchanges[-1].task_outcome == "tool_error"
