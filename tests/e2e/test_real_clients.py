"""Real clients get the same answers from real servers with the tap as without it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastmcp
import mcp
import pytest
from fastmcp.client.transports import StdioTransport

SERVERS = Path(__file__).parents[1] / "servers"
MODULES = SERVERS / "node_modules"
INSPECTOR = MODULES / ".bin" / "mcp-inspector"
BESIDE_PYTHON = Path(sys.executable).parent
Request = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Server:
    """A command ("{place}" stands for the test's own directory) and requests that it answers the same each time."""

    command: tuple[str, ...]
    call: Request
    failing: Request
    resource: str | None = None
    environment: tuple[tuple[str, str], ...] = ()

    def words(self, place: Path) -> list[str]:
        return [word.replace("{place}", str(place)) for word in self.command]

    def env(self, place: Path) -> dict[str, str]:
        return {name: value.replace("{place}", str(place)) for name, value in self.environment}

    def requests(self, place: Path) -> list[Request]:
        filled = json.loads(json.dumps([self.call, self.failing]).replace("{place}", str(place)))
        return [(name, arguments) for name, arguments in filled]


def npm(package: str, *arguments: str) -> tuple[str, ...]:
    return ("node", str(MODULES / "@modelcontextprotocol" / package / "dist" / "index.js"), *arguments)


NPM_SERVERS = {
    "everything": Server(
        npm("server-everything", "stdio"),
        ("echo", {"message": "a \U0001f600 message"}),
        ("get-sum", {"a": "not a number"}),
        "demo://resource/static/document/architecture.md",
    ),
    "filesystem": Server(
        npm("server-filesystem", "{place}"),
        ("read_text_file", {"path": "{place}/repository/file.txt"}),
        ("read_text_file", {"path": "{place}/missing.txt"}),
    ),
    "memory": Server(
        npm("server-memory"),
        ("read_graph", {}),
        ("add_observations", {"observations": [{"entityName": "nobody", "contents": ["x"]}]}),
        environment=(("MEMORY_FILE_PATH", "{place}/memory.jsonl"),),
    ),
}
PYTHON_SERVERS = {
    "time": Server(
        (str(BESIDE_PYTHON / "mcp-server-time"), "--local-timezone", "UTC"),
        ("convert_time", {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}),
        ("convert_time", {"source_timezone": "Nowhere", "time": "12:00", "target_timezone": "UTC"}),
    ),
    "git": Server(
        (str(BESIDE_PYTHON / "mcp-server-git"), "--repository", "{place}/repository"),
        ("git_log", {"repo_path": "{place}/repository"}),
        ("git_show", {"repo_path": "{place}/repository", "revision": "no-such-revision"}),
    ),
    "fastmcp": Server(
        (sys.executable, str(SERVERS / "fastmcp_server.py")),
        ("add", {"a": 9007199254740993, "b": 1}),
        ("fail", {"reason": "as told"}),
        "office://berlin",
    ),
}
ALL_SERVERS = NPM_SERVERS | PYTHON_SERVERS


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with what the servers serve: a repository with one commit, dated, and a file in it."""
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "file.txt").write_text("first line\nsecond line, äöü\n")
    who = {"NAME": "A", "EMAIL": "a@example.org", "DATE": "2026-01-01T00:00:00Z"}
    dated = {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in who.items()}
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=repository, env=os.environ | dated, check=True)
    return tmp_path


def require_npm(needed: bool) -> None:
    if needed and not INSPECTOR.exists():
        pytest.skip("the npm packages of tests/servers are missing: run `make servers`")


# Clients: each plays the whole conversation and gives all answers as plain values

Answers = list[Any]
Play = Callable[[list[str], dict[str, str], Server, Path], Awaitable[Answers]]


def plain(answer: Any) -> Any:
    match answer:
        case list():
            return [plain(item) for item in answer]
        case _:
            return answer.model_dump(mode="json")


async def outcome(asked: Awaitable[Any]) -> Any:
    try:
        return plain(await asked)
    except Exception as refusal:
        return f"{type(refusal).__name__}: {refusal}"


async def with_sdk(mode: str, words: list[str], env: dict[str, str], server: Server, place: Path) -> Answers:
    parameters = mcp.StdioServerParameters(command=words[0], args=words[1:], env=env)
    with (place / "stderr").open("w") as errors:
        async with mcp.Client(mcp.stdio_client(parameters, errlog=errors), mode=mode) as client:
            answers = [str(client.protocol_version), await outcome(client.list_tools())]
            answers += [await outcome(client.call_tool(*request)) for request in server.requests(place)]
            if server.resource:
                answers += [await outcome(client.list_resources())]
                answers += [await outcome(client.read_resource(server.resource))]
            return answers


async def with_sdk_legacy(*conversation: Any) -> Answers:
    return await with_sdk("legacy", *conversation)


async def with_sdk_auto(*conversation: Any) -> Answers:
    return await with_sdk("auto", *conversation)


async def with_fastmcp(words: list[str], env: dict[str, str], server: Server, place: Path) -> Answers:
    transport = StdioTransport(words[0], words[1:], env=env, keep_alive=False, log_file=place / "stderr")
    async with fastmcp.Client(transport) as client:
        answers = [await outcome(client.list_tools())]
        answers += [await outcome(client.call_tool_mcp(*request)) for request in server.requests(place)]
        if server.resource:
            answers += [await outcome(client.list_resources()), await outcome(client.read_resource(server.resource))]
        return answers


CLIENTS: dict[str, Play] = {
    "sdk-legacy": with_sdk_legacy,
    "sdk-auto": with_sdk_auto,
    "fastmcp": with_fastmcp,
}


@pytest.mark.parametrize("server", ALL_SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_gets_the_same_answers_with_and_without_the_tap(shared_tap, place, client, server):
    require_npm(server in NPM_SERVERS)
    chosen = ALL_SERVERS[server]
    words, env = chosen.words(place), chosen.env(place)

    async def both() -> list[Answers]:
        ways = (words, [str(word) for word in shared_tap.around(*words)])
        return await asyncio.gather(*(CLIENTS[client](way, env, chosen, place) for way in ways))

    direct, tapped = asyncio.run(both())
    assert tapped == direct
    answers = json.dumps(direct)
    assert '"input_schema": ' in answers
    assert '"is_error": false' in answers
    assert '"is_error": true' in answers or "MCPError" in answers


def test_every_request_of_a_client_is_found_in_the_store(tap, place):
    chosen = PYTHON_SERVERS["fastmcp"]
    words = [str(word) for word in tap.around(*chosen.words(place))]
    asyncio.run(with_sdk_legacy(words, chosen.env(place), chosen, place))
    wanted = [
        {"method": "initialize", "target": None, "outcome": "ok"},
        {"method": "tools/list", "target": None, "outcome": "ok"},
        {"method": "tools/call", "target": "add", "outcome": "ok"},
        {"method": "tools/call", "target": "fail", "outcome": "tool_error"},
        {"method": "resources/list", "target": None, "outcome": "ok"},
        {"method": "resources/read", "target": "office://berlin", "outcome": "ok"},
    ]
    assert tap.until(lambda: tap.query("select method, target, outcome from exchanges order by seq") == wanted)


# The Inspector's command line: one process, and one server, per request


def inspect(config: Path, place: Path, words: tuple[str, ...]) -> tuple[int, str, str]:
    """Exit status and output; a configuration file, since the Inspector's own command line swallows `--`."""
    (node,) = MODULES.glob("node-*/bin/node")
    ended = subprocess.run(
        [node, INSPECTOR, "--cli", "-q", "--config", config, "--server", "it", "--format", "json", *words],
        env=os.environ | {"HOME": str(place), "MCP_INSPECTOR_SECRET_STORE": "memory"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def inspections(server: Server, place: Path) -> list[tuple[str, ...]]:
    calls = [
        ("--method", "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))
        for name, arguments in server.requests(place)
    ]
    reads = [("--method", "resources/read", "--uri", server.resource)] if server.resource else []
    return [("--method", "tools/list"), *calls, *reads]


@pytest.mark.parametrize("server", ["everything", pytest.param("git", marks=pytest.mark.slow)])
def test_the_inspector_shows_the_same_with_and_without_the_tap(tap, place, server):
    require_npm(True)
    chosen = ALL_SERVERS[server]
    tapped_words = [str(word) for word in tap.around(*chosen.words(place))]
    configs = {}
    for name, (command, *words) in {"direct": chosen.words(place), "tapped": tapped_words}.items():
        configs[name] = place / f"{name}.json"
        entry = {"command": command, "args": words, "env": chosen.env(place)}
        configs[name].write_text(json.dumps({"mcpServers": {"it": entry}}))
    requests = inspections(chosen, place)
    with ThreadPoolExecutor(4) as pool:  # it takes seconds to end, waiting
        shown = {
            name: [pool.submit(inspect, config, place, request) for request in requests]
            for name, config in configs.items()
        }
    tapped, direct = ([future.result() for future in shown[name]] for name in ("tapped", "direct"))
    assert tapped == direct
    assert all('"result"' in output for _, output, _ in direct)
