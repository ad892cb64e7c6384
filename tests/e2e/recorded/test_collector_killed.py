"""A collector that is killed in the middle of open exchanges costs nothing: they are completed by the next one.

Open are, at that moment, a slow tool in one direction and a question to the user in the other; without a handshake a
subscription and a call between its rounds.
"""

import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import anyio.to_thread
import mcp_types as types

TRAVEL = [sys.executable, str(Path(__file__).parents[2] / "servers" / "sdk_v2_server.py")]


class Person:
    """Is asked, and answers when told to."""

    def __init__(self):
        self.asked, self.may_answer = anyio.Event(), anyio.Event()

    async def __call__(self, context, params):
        self.asked.set()
        await self.may_answer.wait()
        content = {"city": "Lima"} if "Where" in params.message else {"nights": 3}
        return types.ElicitResult(action="accept", content=content)


def kill_collector(recorder, open_requests):
    """Kills the collector once it has the requests; returns when another serves."""
    tap = recorder.tap
    recorded = "select method from messages where kind = 'request' and run_id = (select max(run_id) from runs)"
    tap.until(lambda: [row["method"] for row in recorder.query(f"{recorded} order by seq")] == open_requests)
    old = tap.collector()
    recorder.close()
    os.kill(old, signal.SIGKILL)
    tap.until(lambda: tap.collector() != old and tap.query("select run_id from runs"))


def play(recorder, mode, held, meanwhile):
    """Has a slow tool, a question and, in the modern era, a subscription open while `meanwhile` happens."""
    person, waits = Person(), anyio.Event()

    async def waiting(*_):
        waits.set()

    async def conversation(read, write):
        async with (
            recorder.client(read, write, mode=mode, elicitation_callback=person) as client,
            AsyncExitStack() as listening,
            anyio.create_task_group() as tasks,
        ):
            await client.list_tools()
            if mode == "auto":
                await listening.enter_async_context(client.listen(tools_list_changed=True))
            tasks.start_soon(lambda: client.call_tool("wait_for", {"path": str(held)}, progress_callback=waiting))
            await waits.wait()
            tasks.start_soon(client.call_tool, "book", {})
            await person.asked.wait()
            await anyio.to_thread.run_sync(meanwhile)
            held.touch()
            person.may_answer.set()

    return recorder.play(TRAVEL, conversation)[1]


def test_what_a_handshake_client_and_its_server_ask_is_completed_after_the_collector_was_killed(recorder, tmp_path):
    asked = ["initialize", "tools/list", "tools/call", "tools/call", "elicitation/create"]
    run = play(recorder, "legacy", tmp_path / "held", lambda: kill_collector(recorder, asked))
    run.check()
    assert run.table("side", "method", "target", "outcome") == [
        ("client", "initialize", None, "ok"),
        ("client", "tools/list", None, "ok"),
        ("client", "tools/call", "wait_for", "ok"),
        ("client", "tools/call", "book", "ok"),
        ("server", "elicitation/create", None, "ok"),
        ("server", "elicitation/create", None, "ok"),
    ]
    assert set(run.table("era", "client_name", "server_name")) == {("legacy", "mcp", "travel")}
    assert run.run["state"] == "ended"


def test_a_subscription_and_a_call_between_its_rounds_go_on_after_the_collector_was_killed(recorder, tmp_path):
    asked = ["server/discover", "tools/list", "subscriptions/listen", "tools/call", "tools/call"]
    run = play(recorder, "auto", tmp_path / "held", lambda: kill_collector(recorder, asked))
    run.check()
    told = run.table("method", "target", "outcome", "era")
    assert told == [
        (*row, "modern")
        for row in (
            ("server/discover", None, "ok"),
            ("tools/list", None, "ok"),
            ("subscriptions/listen", None, "cancelled"),
            ("tools/call", "wait_for", "ok"),
            ("tools/call", "book", "input_required"),
            ("tools/call", "book", "input_required"),
            ("tools/call", "book", "ok"),
        )
    ]
    calls = {(row["target"], row["rounds"], row["outcome"]) for row in run.calls}
    assert calls == {("wait_for", 1, "ok"), ("book", 3, "ok")}
    assert recorder.tap.say("verify").returncode == 0
