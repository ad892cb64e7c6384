"""A hosted server behind a stdio bridge: the tap stands before the bridge, and sees what its client and server say."""

import subprocess
import sys
from pathlib import Path

import mcp_types as types
import pytest

HOSTED = Path(__file__).parents[2] / "servers" / "sdk_v2_server.py"
WHO = types.Implementation(name="a client of hosted servers", version="1")
OPENINGS = {
    "auto": ("server/discover", "modern", "2026-07-28"),
    "legacy": ("initialize", "legacy", "2025-11-25"),
}


@pytest.fixture(scope="module")
def url():
    """A server on loopback that speaks streamable HTTP."""
    command = [sys.executable, str(HOSTED), "http"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/mcp"
        process.terminate()


@pytest.mark.parametrize("mode", OPENINGS)
def test_a_hosted_server_behind_a_bridge_is_recorded_as_it_answered(recorder, npm, url, tmp_path, mode):
    async def conversation(read, write):
        async with recorder.client(read, write, mode=mode, client_info=WHO) as client:
            await client.list_tools()
            added = await client.call_tool("add", {"a": 1, "b": 2})
            failed = await client.call_tool("fail", {"reason": "as told"})
            await client.read_resource("travel://offers")
            return added.structured_content, failed.is_error

    command = [npm("mcp-remote"), url, "--allow-http", "--transport", "http-only"]
    environment = {"MCP_REMOTE_CONFIG_DIR": str(tmp_path)}
    answers, run = recorder.play(command, conversation, environment)
    assert answers == ({"result": 3}, True)
    run.check()
    opening, era, version = OPENINGS[mode]
    assert run.table("method", "target", "outcome") == [
        (opening, None, "ok"),
        ("tools/list", None, "ok"),
        ("tools/call", "add", "ok"),
        ("tools/call", "fail", "tool_error"),
        ("resources/read", "travel://offers", "ok"),
    ]
    facts = set(run.table("era", "protocol_version", "client_name", "server_name"))
    assert facts == {(era, version, WHO.name, "travel")}
    assert (run.run["server_name"], run.run["exit_code"]) == ("travel", 0)
    assert any(url in line for line in run.stderr), "the bridge says where it connects to"
