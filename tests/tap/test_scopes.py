"""Each message is kept as its server and tool want it, and an answer as its request."""

import json
from typing import Any

import pytest

from mcptap.tap.analysis import Analysis
from mcptap.tap.records import MessageRecord, Record, RunStarted, StderrLine
from mcptap.tap.redact import Redactor
from mcptap.tap.redact.settings import Allow, Scope, Settings

SECRET = "ghp_" + "a1B2" * 10
STARTED = RunStarted("run", 1, "vault", ("srv",), "/", (), "0", 1, None, 2, None, None, None, None)


def analysis(settings: Settings, started: RunStarted = STARTED) -> Analysis:
    return Analysis(started, Redactor(b"k" * 32, settings=settings))


def line(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **members}).encode() + b"\n"


def call(rpc_id: int, tool: str) -> bytes:
    return line(id=rpc_id, method="tools/call", params={"name": tool, "arguments": {"token": SECRET}})


def answer(rpc_id: int) -> bytes:
    return line(id=rpc_id, result={"content": [{"type": "text", "text": f"it is {SECRET}"}]})


def messages(records: list[Record]) -> list[MessageRecord]:
    return [record for record in records if isinstance(record, MessageRecord)]


def converse(of: Analysis, tool: str) -> list[MessageRecord]:
    asked, answered = call(1, tool), answer(1)
    return messages([*of.data("client", 0, 1, asked), *of.data("server", 0, 2, answered)])


@pytest.mark.parametrize(
    ("mode", "bodies", "unscanned", "hashed"),
    [
        ("redact", True, None, False),
        ("hash", False, "mode hash", True),
        ("metadata", False, "mode metadata", False),
        ("full", True, None, False),
    ],
)
def test_a_tools_calls_and_answers_are_kept_as_its_mode_says(
    mode: Any, bodies: bool, unscanned: str | None, hashed: bool
) -> None:
    records = converse(analysis(Settings(scopes=(Scope(mode, "vault", "read_*"),))), "read_secret")
    for record in records:
        assert (record.body is not None) is bodies
        assert record.unscanned == unscanned
        assert (record.sha256 is not None) is hashed
        assert (SECRET in str(record)) is (mode == "full")
    assert records[1].exchanges[0].target == "read_secret"
    assert records[1].exchanges[0].outcome == "ok"


def test_another_tool_of_the_server_is_redacted_as_ever() -> None:
    records = converse(analysis(Settings(scopes=(Scope("full", "vault", "read_*"),))), "write")
    assert all(record.body and record.redactions for record in records)
    assert SECRET not in str(records)


def test_answers_find_their_tool_whatever_their_order_and_after_a_restart() -> None:
    settings = Settings(scopes=(Scope("hash", "vault", "a"),))
    first = analysis(settings)
    asked = call(1, "a") + call(2, "b")
    written = first.data("client", 0, 1, asked)
    again = Analysis.resume(STARTED, Redactor(b"k" * 32, settings=settings), written)
    answered = messages(again.data("server", 0, 2, answer(2) + answer(1)))
    assert [record.unscanned for record in answered] == [None, "mode hash"]


PRIVATE = {"content": [{"type": "text", "text": "patient Jane Roe"}]}
READ = ("client", {"id": 1, "method": "tools/call", "params": {"name": "read_x", "_meta": {"progressToken": 7}}})
AS_TASK = ("client", {"id": 1, "method": "tools/call", "params": {"name": "read_x", "task": {}}})
OTHER = ("client", {"id": 1, "method": "tools/call", "params": {"name": "other"}})
TASK = ("server", {"id": 1, "result": {"task": {"taskId": "T", "status": "working"}}})
MODERN_TASK = ("server", {"id": 1, "result": {"resultType": "task", "taskId": "T", "status": "working"}})
DONE = {"taskId": "T", "status": "completed", "result": PRIVATE}
LONG = "k" * 900
SAMPLE = {"messages": [{"role": "user", "content": {"type": "text", "text": "on patient Jane Roe"}}]}
OF_TASK = {"_meta": {"io.modelcontextprotocol/related-task": {"taskId": "T"}}}
ABOUT_A_TOOL: dict[str, list[Any]] = {
    "its answer": [READ, ("server", {"id": 1, "result": PRIVATE})],
    "its answer, the id in another form": [READ, ("server", {"id": 1.0, "result": PRIVATE})],
    "a second answer": [READ, ("server", {"id": 1, "result": {}}), ("server", {"id": 1, "result": PRIVATE})],
    "an answer after its end": [
        READ,
        ("client", {"method": "notifications/cancelled", "params": {"requestId": 1}}),
        ("server", {"id": 1, "result": PRIVATE}),
    ],
    "one of two calls with one id": [READ, OTHER, ("server", {"id": 1, "result": PRIVATE})],
    "an answer to nothing": [("server", {"id": 99, "result": PRIVATE})],
    "an id that is cut": [
        ("client", {"id": LONG, "method": "tools/call", "params": {"name": "read_x"}}),
        ("server", {"id": LONG, "result": PRIVATE}),
    ],
    "a task's result": [
        AS_TASK, TASK, ("client", {"id": 2, "method": "tasks/result", "params": {"taskId": "T"}}),
        ("server", {"id": 2, "result": PRIVATE}),
    ],
    "a task's state": [
        READ, MODERN_TASK, ("client", {"id": 2, "method": "tasks/get", "params": {"taskId": "T"}}),
        ("server", {"id": 2, "result": DONE}),
    ],
    "a word on a task": [READ, MODERN_TASK, ("server", {"method": "notifications/tasks", "params": DONE})],
    "what a task asks": [
        AS_TASK, TASK, ("server", {"id": 5, "method": "sampling/createMessage", "params": SAMPLE | OF_TASK}),
    ],
    "its progress": [
        READ,
        ("server", {"method": "notifications/progress", "params": {"progressToken": 7, "message": "patient Jane"}}),
    ],
    "its progress after the answer": [
        READ, ("server", {"id": 1, "result": {}}),
        ("server", {"method": "notifications/progress", "params": {"progressToken": 7, "message": "patient Jane"}}),
    ],
    "what the server asks meanwhile": [
        READ, ("server", {"id": "s", "method": "sampling/createMessage", "params": SAMPLE}),
        ("client", {"id": "s", "result": {"model": "m", "role": "assistant", "content": PRIVATE["content"][0]}}),
    ],
    "what the server logs meanwhile": [
        READ, ("server", {"method": "notifications/message", "params": {"level": "info", "data": "patient Jane Roe"}}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("restarts", [False, True], ids=["", "the collector restarts"])
@pytest.mark.parametrize("said", ABOUT_A_TOOL.values(), ids=ABOUT_A_TOOL)
def test_all_that_is_said_of_a_tools_calls_is_kept_as_its_mode_says(said: list[Any], restarts: bool) -> None:
    settings = Settings(scopes=(Scope("metadata", "vault", "read_*"),))
    of, written, offsets = analysis(settings), [], {"client": 0, "server": 0}
    for side, members in said:
        data = line(**members)
        written += of.data(side, offsets[side], 1, data)
        offsets[side] += len(data)
        if restarts:
            of = Analysis.resume(STARTED, Redactor(b"k" * 32, settings=settings), written)
    assert len(messages(written)) == len(said)
    assert "Jane" not in str(written)


@pytest.mark.parametrize("name", ["x" * 5000 + "_private", f"read {SECRET}_private"], ids=["cut", "with a secret"])
@pytest.mark.parametrize("restarts", [False, True], ids=["", "the collector restarts"])
def test_a_name_that_is_not_written_whole_keeps_its_mode(name: str, restarts: bool) -> None:
    settings = Settings(scopes=(Scope("metadata", "vault", "*_private"),))
    of = analysis(settings)
    written = of.data("client", 0, 1, call(1, name))
    if restarts:
        of = Analysis.resume(STARTED, Redactor(b"k" * 32, settings=settings), written)
    written += of.data("server", 0, 1, line(id=1, result=PRIVATE))
    assert [record.unscanned for record in messages(written)] == ["mode metadata"] * 2
    assert "Jane" not in str(written)


def test_what_is_not_of_the_tool_keeps_its_body() -> None:
    of = analysis(Settings(scopes=(Scope("metadata", "vault", "read_*"),)))
    log = line(method="notifications/message", params={"level": "info", "data": "ready"})
    sent = [("client", line(**READ[1])), ("server", line(id=1, result={})), ("server", log), ("client", call(2, "a")),
            ("server", answer(2)), ("client", call(1, "a")), ("server", answer(1))]  # fmt: skip
    written, offsets = [], {"client": 0, "server": 0}
    for side, data in sent:
        written += of.data(side, offsets[side], 1, data)  # type: ignore[arg-type]
        offsets[side] += len(data)
    assert [record.body is not None for record in messages(written)] == [False, False, *[True] * 5]


def test_an_error_in_a_mode_without_bodies_leaves_its_code_but_not_its_text() -> None:
    of = analysis(Settings(mode="metadata"))
    failed = line(id=1, error={"code": -32000, "message": "patient Jane Roe is unknown"})
    (_, record) = messages([*of.data("client", 0, 1, call(1, "a")), *of.data("server", 0, 2, failed)])
    assert "Jane" not in str(record)
    assert record.exchanges[0].error_code == -32000


def test_what_a_server_says_on_stderr_and_beside_the_protocol_has_its_mode_too() -> None:
    of = analysis(Settings(mode="hash"))
    (noise,) = messages(of.data("server", 0, 1, b"a private banner\n"))
    (said,) = of.data("stderr", 0, 1, b"a private line\n")
    assert isinstance(said, StderrLine)
    assert "private" not in str((noise, said))


def test_an_exemption_keeps_what_one_rule_finds_at_one_place_readable() -> None:
    settings = Settings(allow=(Allow(rule="github-token", pointer="/result/content/*"),))
    asked, answered = converse(analysis(settings), "read")
    assert SECRET not in str(asked.body)
    assert SECRET in str(answered.body)


def test_an_exemption_of_another_server_or_tool_changes_nothing() -> None:
    settings = Settings(allow=(Allow(rule="*", server="other"), Allow(rule="*", tool="write")))
    assert SECRET not in str(converse(analysis(settings), "read"))


def test_a_server_without_a_name_is_known_by_its_command() -> None:
    nameless = RunStarted("run", 1, None, ("/usr/bin/npx", "-y", "@acme/server"), "/", (), "0", 1, None, 2, *[None] * 4)
    for server in ("npx", "@acme/*", "/usr/bin/npx"):
        (record, _) = converse(analysis(Settings(scopes=(Scope("hash", server),)), nameless), "x")
        assert record.unscanned == "mode hash"


def test_a_late_answer_to_a_cancelled_call_is_not_that_of_another_with_its_id() -> None:
    of = analysis(Settings(scopes=(Scope("metadata", "vault", "strict"),)))
    cancel = line(method="notifications/cancelled", params={"requestId": 1})
    asked = call(1, "strict") + cancel + call(1, "lax")
    [*of.data("client", 0, 1, asked)]
    assert [record.body for record in messages([*of.data("server", 0, 2, answer(1))])] == [None]


def test_an_answer_that_two_spellings_of_an_id_asked_for_is_kept_as_the_stricter_wants() -> None:
    of = analysis(Settings(scopes=(Scope("metadata", "vault", "strict"),)))
    asked = call(1, "strict").replace(b'"id": 1', b'"id": 1.0') + call(1, "lax")
    [*of.data("client", 0, 1, asked)]
    assert [record.body for record in messages([*of.data("server", 0, 2, answer(1))])] == [None]
