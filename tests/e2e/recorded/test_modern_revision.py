"""Conversations of the revision without a handshake: each request stands alone and is recorded so.

Servers on the Python SDK's second line, fastmcp and the TypeScript SDK's second line, with clients that probe.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import fastmcp
import mcp
import mcp_types as types
import pytest
from fastmcp.client.transports import StdioTransport

SERVERS = Path(__file__).parents[2] / "servers"
TRAVEL = [sys.executable, str(SERVERS / "sdk_v2_server.py")]
OFFICES = [sys.executable, str(SERVERS / "fastmcp_server.py")]
LETTERS = str(SERVERS / "typescript_server.mjs")
VERSION = "2026-07-28"
PONDERED = 0.2  # seconds that the person takes before answering

# What is asked of the travel server, and what becomes of it.
SCRIPT = [
    ("server/discover", None, "ok"),
    ("tools/list", None, "ok"),
    ("tools/call", "book", "input_required"),
    ("tools/call", "book", "input_required"),
    ("tools/call", "book", "ok"),
    ("tools/call", "book", "input_required"),
    ("tools/call", "book", "tool_error"),
    ("tools/call", "fail", "tool_error"),
    ("tools/call", "count", "ok"),
    ("subscriptions/listen", None, "cancelled"),
    ("tools/call", "change", "ok"),
    ("resources/read", "travel://offers", "ok"),
    ("resources/read", "travel://nothing", "rpc_error"),
    ("prompts/get", "persuade", "ok"),
    ("tools/call", "wait_for", "cancelled"),
    ("subscriptions/listen", None, "rpc_error"),  # left open: so the server answers it when the pipe closes
    ("tools/call", "add", "ok"),
]


class Person:
    """Answers what a server asks, after some thought; declines once all answers are given."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def __call__(self, context, params):
        await anyio.sleep(PONDERED)
        content = self.answers.pop(0) if self.answers else None
        return types.ElicitResult(action="accept" if content else "decline", content=content)


async def progressed(*_):
    """A client that wants to hear of progress asks for it."""


async def talk_of_travel(recorder, read, write):
    person = Person({"city": "Lima"}, {"nights": 3})
    who = types.Implementation(name="a probing client", version="3")
    async with recorder.client(read, write, mode="auto", elicitation_callback=person, client_info=who) as client:
        await client.list_tools()
        assert (await client.call_tool("book", {})).structured_content == {"result": "3 nights in Lima"}
        await client.call_tool("book", {})
        await client.call_tool("fail", {"reason": "as told"})
        await client.call_tool("count", {"upto": 2}, progress_callback=progressed)
        async with client.listen(tools_list_changed=True, resource_subscriptions=["travel://offers"]) as heard:
            await client.call_tool("change", {})
            assert type(await anext(heard)).__name__ == "ToolsListChanged"
            assert (await anext(heard)).uri == "travel://offers"
        await client.read_resource("travel://offers")
        with pytest.raises(mcp.MCPError):
            await client.read_resource("travel://nothing")
        await client.get_prompt("persuade", {"city": "Lima"})
        await give_up(client)
        await leave_listening(client)


async def give_up(client):
    """Calls a tool that waits, and no longer wants to know once it does."""
    with anyio.CancelScope() as scope:

        async def waiting(*_):
            scope.cancel()

        await client.call_tool("wait_for", {"path": "/no/such/file"}, progress_callback=waiting)


async def leave_listening(client):
    """Listens until the pipe closes; that is not for the SDK's user to do."""
    dispatcher, options = client.session._dispatcher, {"cancel_on_abandon": False, "request_id": "left open"}
    data = {"method": "subscriptions/listen", "params": {"notifications": {"toolsListChanged": True}}}
    client.session._stamp(data, options)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(dispatcher.send_raw_request, data["method"], data["params"], options)
        await anyio.lowlevel.checkpoint()
        await client.call_tool("add", {"a": 1, "b": 2})  # once this is answered, the other is known to the server
        tasks.cancel_scope.cancel()


@pytest.fixture(scope="module")
def travel(recorder):
    _, recorded = recorder.play(TRAVEL, partial(talk_of_travel, recorder))
    return recorded


def test_every_exchange_without_a_handshake_is_recorded_as_it_was(travel):
    travel.check()
    assert travel.table("method", "target", "outcome") == SCRIPT
    facts = set(travel.table("side", "protocol_version", "era", "client_name"))
    assert facts == {("client", VERSION, "modern", "a probing client")}
    assert set(travel.table("server_name")) == {("travel",)}
    assert travel.table("method", where=lambda row: row["probe"]) == [("server/discover",)]
    first, second = (row["rpc_id"] for row in travel.exchanges if row["long_lived"])
    assert first.startswith('"listen-')  # counted per process of the client
    assert second == '"left open"'
    numbers = [row["rpc_id"] for row in travel.exchanges if not row["long_lived"]]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    errors = travel.table("method", "error_code", where=lambda row: row["error_code"] is not None)
    assert errors == [("resources/read", -32602), ("subscriptions/listen", -32000)]


def test_a_run_without_a_handshake_is_told_by_its_requests(travel):
    columns = ("host_name", "host_version", "server_name", "server_version", "protocol_version", "exit_code")
    assert tuple(travel.run[name] for name in columns) == ("a probing client", "3", "travel", "2.0", VERSION, 0)
    assert travel.notifications() == {
        ("server", "notifications/progress"): 3,
        ("server", "notifications/subscriptions/acknowledged"): 2,
        ("server", "notifications/tools/list_changed"): 1,
        ("server", "notifications/resources/updated"): 1,
        ("client", "notifications/cancelled"): 2,
    }


def test_the_rounds_of_a_call_are_one_call_in_which_a_person_was_waited_for(travel):
    calls = {(row["target"], row["rounds"], row["outcome"]) for row in travel.calls}
    assert calls >= {("book", 3, "ok"), ("book", 2, "tool_error"), ("count", 1, "ok"), ("wait_for", 1, "cancelled")}
    booked, declined = (row for row in travel.calls if row["target"] == "book")
    assert booked["waiting_ms"] >= 2 * PONDERED * 1e3
    assert declined["waiting_ms"] >= PONDERED * 1e3
    rounds = [row for row in travel.exchanges if row["logical_id"] == booked["logical_id"]]
    assert booked["server_ms"] == pytest.approx(sum(row["duration_ms"] for row in rounds))
    assert all(row["waiting_ms"] < 1 for row in travel.calls if row["rounds"] == 1)


def test_what_a_server_asks_and_a_person_answers_is_kept_but_not_the_state_between(travel):
    first, second, *_ = (row for row in travel.exchanges if row["target"] == "book")
    assert "Where to?" in first["reply_body"]
    assert "Lima" in second["request_body"]
    assert "[REDACTED:request-state:" in first["reply_body"]
    assert "[REDACTED:request-state:" in second["request_body"]


async def talk_of_offices(recorder, read, write):
    async with recorder.client(read, write, mode="auto") as client:
        await client.list_tools()
        await client.call_tool("add", {"a": 1, "b": 2})
        await client.call_tool("fail", {"reason": "as told"})
        await client.read_resource("office://berlin")
        await client.get_prompt("greet", {"name": "Ada"})


def test_a_conversation_with_a_fastmcp_server_is_recorded_as_it_was(recorder):
    _, run = recorder.play(OFFICES, partial(talk_of_offices, recorder))
    run.check()
    assert run.table("method", "target", "outcome", "era", "client_name", "server_name") == [
        (*row, "modern", "mcp", "offices")
        for row in (
            ("server/discover", None, "ok"),
            ("tools/list", None, "ok"),
            ("tools/call", "add", "ok"),
            ("tools/call", "fail", "tool_error"),
            ("resources/read", "office://berlin", "ok"),
            ("prompts/get", "greet", "ok"),
        )
    ]


def test_fastmcps_own_client_probes_and_is_recorded_so(recorder, tmp_path):
    label, words = recorder.around(*OFFICES)
    who = types.Implementation(name="a fastmcp client", version="1")

    async def conversation():
        transport = StdioTransport(words[0], words[1:], keep_alive=False, log_file=tmp_path / "stderr")
        async with fastmcp.Client(transport, client_info=who) as client:
            await client.call_tool("add", {"a": 1, "b": 2})

    asyncio.run(conversation())
    run = recorder.recorded(label)
    run.check()
    asked = [("server/discover", True), ("tools/call", False), ("tools/list", False)]  # for the result's schema
    assert run.table("method", "probe") == asked
    assert set(run.table("outcome", "era", "client_name")) == {("ok", "modern", "a fastmcp client")}
