"""A process that serves without a handshake is no conversation: three at once on one pipe stay three.

Each client is a session of the SDK with a name of its own; they share the pipe and the counter of its ids, as a host
that multiplexes does.
"""

import itertools
import sys
from pathlib import Path

import anyio
import mcp
import mcp_types as types
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher

TRAVEL = [sys.executable, str(Path(__file__).parents[2] / "servers" / "sdk_v2_server.py")]
NAMES = ("Ada", "Grace", "Mary")
ROUNDS = 4


class Shared:
    """The dispatcher of a pipe that another session runs: asks through it, and is told nothing unasked."""

    def __init__(self, dispatcher):
        self.dispatcher = dispatcher

    async def run(self, *handlers, task_status=anyio.TASK_STATUS_IGNORED):
        task_status.started()
        await anyio.sleep_forever()

    async def send_raw_request(self, method, params, opts=None):
        return await self.dispatcher.send_raw_request(method, params, opts)

    async def notify(self, method, params, opts=None):
        await self.dispatcher.notify(method, params, opts)


async def converse(name, dispatcher, place, steps):
    """One client's conversation; at every step it waits for the others, so that all are in flight at once."""
    who = types.Implementation(name=name, version="1")
    async with mcp.ClientSession(dispatcher=dispatcher, client_info=who) as session:
        await session.discover()
        await session.list_tools()
        for number in range(ROUNDS):
            async with anyio.create_task_group() as tasks:
                held = place / f"{name}-{number}"
                tasks.start_soon(session.call_tool, "wait_for", {"path": str(held)})
                await session.call_tool("add", {"a": number, "b": 1})
                await steps[name](number)
                held.touch()
        await session.call_tool("fail", {"reason": name})
        await steps[name](ROUNDS)  # the pipe is closed when all have their answers


def in_step(names):
    """For each name what waits at a step until all have come to it."""
    arrived = [dict.fromkeys(names, False) for _ in range(ROUNDS + 1)]
    open_ = [anyio.Event() for _ in arrived]

    def of(name):
        async def wait(number):
            arrived[number][name] = True
            if all(arrived[number].values()):
                open_[number].set()
            await open_[number].wait()

        return wait

    return {name: of(name) for name in names}


def test_each_of_three_interleaved_conversations_is_recorded_as_its_own_clients(recorder, tmp_path):
    async def conversation(read, write):
        pipe, steps = JSONRPCDispatcher(read, write), in_step(NAMES)
        async with anyio.create_task_group() as tasks:
            for number, name in enumerate(NAMES):
                tasks.start_soon(converse, name, Shared(pipe) if number else pipe, tmp_path, steps)

    _, run = recorder.play(TRAVEL, conversation)
    run.check()
    for name in NAMES:
        own = [row for row in run.exchanges if row["client_name"] == name]
        assert all(f'"name":"{name}"' in row["request_body"] for row in own)
        told = sorted((row["method"], row["target"], row["outcome"]) for row in own)
        assert told == sorted(
            [("server/discover", None, "ok"), ("tools/list", None, "ok"), ("tools/call", "fail", "tool_error")]
            + [("tools/call", "add", "ok"), ("tools/call", "wait_for", "ok")] * ROUNDS
        )
        waited = [row for row in own if row["target"] == "wait_for"]
        assert all(f"/{name}-" in row["request_body"] for row in waited)
    assert {(row["era"], row["protocol_version"]) for row in run.exchanges} == {("modern", "2026-07-28")}
    speakers = run.table("client_name")
    changes = sum(name != following for name, following in itertools.pairwise(speakers))
    assert changes >= 2 * ROUNDS, "they were not interleaved"
