"""Of each revision with a handshake a real conversation, pinned to it, is recorded as what it was.

The reference server has everything that those revisions brought; the client declares what its revision knows.
"""

import asyncio
from itertools import count

import mcp
import mcp_types as types
import pytest

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
DOCUMENT = "demo://resource/static/document/architecture.md"
DYNAMIC = "demo://resource/dynamic/text/1"
EVERYTHING = "mcp-servers/everything"
PONDERED = 0.2  # seconds that the person, or the model, takes before answering

# The conversation: since which revision, who asks, what, about what, and what becomes of it.
SCRIPT = (
    ("2024-11-05", "client", "initialize", None, "ok"),
    ("2024-11-05", "server", "roots/list", None, "ok"),  # asked 350 ms after the handshake
    ("2024-11-05", "client", "ping", None, "ok"),
    ("2024-11-05", "client", "tools/list", None, "ok"),
    ("2024-11-05", "client", "tools/call", "echo", "ok"),
    ("2024-11-05", "client", "tools/call", "get-sum", "tool_error"),
    ("2024-11-05", "client", "tools/call", "no-such-tool", "tool_error"),
    ("2024-11-05", "client", "tools/call", "trigger-long-running-operation", "ok"),
    ("2024-11-05", "client", "prompts/list", None, "ok"),
    ("2024-11-05", "client", "prompts/get", "args-prompt", "ok"),
    ("2024-11-05", "client", "prompts/get", "args-prompt", "rpc_error"),
    ("2024-11-05", "client", "resources/list", None, "ok"),
    ("2024-11-05", "client", "resources/templates/list", None, "ok"),
    ("2024-11-05", "client", "resources/read", DOCUMENT, "ok"),
    ("2024-11-05", "client", "resources/read", "demo://nothing", "rpc_error"),
    ("2024-11-05", "client", "resources/subscribe", DYNAMIC, "ok"),
    ("2024-11-05", "client", "tools/call", "toggle-subscriber-updates", "ok"),
    ("2024-11-05", "client", "tools/call", "toggle-subscriber-updates", "ok"),
    ("2024-11-05", "client", "resources/unsubscribe", DYNAMIC, "ok"),
    ("2024-11-05", "client", "logging/setLevel", None, "ok"),
    ("2024-11-05", "client", "completion/complete", "completable-prompt", "ok"),
    ("2024-11-05", "client", "tools/call", "trigger-sampling-request", "ok"),
    ("2024-11-05", "server", "sampling/createMessage", None, "ok"),
    ("2025-06-18", "client", "tools/call", "get-structured-content", "ok"),
    ("2025-06-18", "client", "tools/call", "trigger-elicitation-request", "ok"),
    ("2025-06-18", "server", "elicitation/create", None, "ok"),
)


class Asked:
    """A client's answers to what a server asks, and that they were asked for."""

    def __init__(self):
        self.roots = asyncio.Event()
        self.updated = asyncio.Event()

    async def list_roots(self, context):
        return types.ListRootsResult(roots=[types.Root(uri="file:///tmp")])

    async def sample(self, context, params):
        await asyncio.sleep(PONDERED)
        return types.CreateMessageResult(role="assistant", content=types.TextContent(text="drawn"), model="m")

    async def elicit(self, context, params):
        await asyncio.sleep(PONDERED)
        return types.ElicitResult(action="accept", content={"name": "Ada"})

    async def log(self, params):
        if "Roots updated" in str(params.data):
            self.roots.set()

    async def message(self, message):
        if isinstance(message, types.ResourceUpdatedNotification):
            self.updated.set()


async def refused(awaited):
    with pytest.raises(mcp.MCPError):
        await awaited


async def progressed(*_):
    """A client that wants to hear of progress asks for it."""


async def talk(version, handshake, read, write):
    asked = Asked()
    known = {"sampling": types.SamplingCapability(), "roots": types.RootsCapability(list_changed=True)}
    if version >= "2025-06-18":
        known["elicitation"] = types.ElicitationCapability()
    answers = {"sampling_callback": asked.sample, "elicitation_callback": asked.elicit}
    async with mcp.ClientSession(
        read,
        write,
        **answers,
        list_roots_callback=asked.list_roots,
        logging_callback=asked.log,
        message_handler=asked.message,
    ) as session:
        await handshake(session, version, **known)
        await asked.roots.wait()
        await session.send_ping()
        await session.list_tools()
        await session.call_tool("echo", {"message": "a message"})
        await session.call_tool("get-sum", {"a": "not a number"})
        await session.call_tool("no-such-tool", {})
        await session.call_tool(
            "trigger-long-running-operation", {"duration": 0.1, "steps": 2}, progress_callback=progressed
        )
        await talk_of_resources_and_prompts(session, asked)
        await session.call_tool("trigger-sampling-request", {"prompt": "?", "maxTokens": 5})
        if version >= "2025-06-18":
            await session.call_tool("get-structured-content", {"location": "New York"})
            await session.call_tool("trigger-elicitation-request", {})


async def talk_of_resources_and_prompts(session, asked):
    await session.list_prompts()
    await session.get_prompt("args-prompt", {"city": "Lima"})
    await refused(session.get_prompt("args-prompt", {}))
    await session.list_resources()
    await session.list_resource_templates()
    await session.read_resource(DOCUMENT)
    await refused(session.read_resource("demo://nothing"))
    await session.send_request(
        types.SubscribeRequest(params=types.SubscribeRequestParams(uri=DYNAMIC)), types.EmptyResult
    )
    await session.call_tool("toggle-subscriber-updates", {})
    await asked.updated.wait()
    await session.call_tool("toggle-subscriber-updates", {})  # its timer would keep the server from ending
    await session.send_request(
        types.UnsubscribeRequest(params=types.UnsubscribeRequestParams(uri=DYNAMIC)), types.EmptyResult
    )
    await session.send_request(
        types.SetLevelRequest(params=types.SetLevelRequestParams(level="error")), types.EmptyResult
    )
    ref = types.PromptReference(type="ref/prompt", name="completable-prompt")
    await session.complete(ref, {"name": "department", "value": "E"})


@pytest.fixture(scope="module", params=VERSIONS)
def recorded(request, recorder, npm, handshake):
    """The conversation in one revision, played once."""

    async def conversation(read, write):
        await talk(request.param, handshake, read, write)

    _, recorded = recorder.play([npm("mcp-server-everything"), "stdio"], conversation)
    return request.param, recorded


def test_every_exchange_of_a_handshake_revision_is_recorded_as_it_was(recorded):
    version, run = recorded
    run.check()
    expected = [row[1:] for row in SCRIPT if row[0] <= version]
    assert run.table("side", "method", "target", "outcome") == expected
    for side, first in (("client", 1), ("server", 0)):  # the ids of either side count for themselves
        ids = [row["rpc_id"] for row in run.exchanges if row["side"] == side]
        assert ids == [str(number) for number, _ in zip(count(first), ids, strict=False)]
    client = f"client of {version}"
    facts = set(run.table("protocol_version", "era", "client_name", "server_name", "long_lived"))
    assert facts == {(version, "legacy", client, EVERYTHING, False)}
    assert run.table("method", where=lambda row: row["probe"]) == [("ping",)]
    errors = run.table("target", "error_code", where=lambda row: row["error_code"] is not None)
    assert errors == [("args-prompt", -32602), ("demo://nothing", -32602)]


def test_a_run_of_a_handshake_revision_is_told_by_its_handshake_and_its_end(recorded):
    version, run = recorded
    columns = ("host_name", "host_version", "server_name", "server_version", "protocol_version", "exit_code", "state")
    assert tuple(run.run[name] for name in columns) == (
        *(f"client of {version}", "1", EVERYTHING, "2.0.0"),
        *(version, 0, "ended"),
    )
    assert run.stderr == ["Starting default (STDIO) server..."]
    notifications = run.notifications()
    assert notifications["client", "notifications/initialized"] == 1
    assert notifications["server", "notifications/progress"] == 2
    assert notifications["server", "notifications/resources/updated"] == 1
    assert notifications["server", "notifications/message"] >= 3
    assert notifications["server", "notifications/tools/list_changed"] >= 3


def test_the_calls_of_a_handshake_revision_tell_what_was_called(recorded):
    version, run = recorded
    expected = [row[3:] for row in SCRIPT if row[0] <= version and row[3] is not None]
    assert [(row["target"], row["outcome"], row["rounds"]) for row in run.calls] == [(*row, 1) for row in expected]


def test_what_a_person_or_a_model_takes_is_not_the_time_of_the_server(recorded):
    version, run = recorded
    waiting = {"trigger-sampling-request": 1, "trigger-elicitation-request": version >= "2025-06-18"}
    for call in run.calls:
        waited = PONDERED * 1e3 * waiting.get(call["target"], 0)
        assert (call["waiting_ms"] >= waited) if waited else (call["waiting_ms"] < 1)
        (exchange,) = [row for row in run.exchanges if row["logical_id"] == call["logical_id"]]
        assert call["server_ms"] + call["waiting_ms"] == pytest.approx(exchange["duration_ms"])
