"""Every server of a list that people run is listed, called, read and made to fail behind the tap, and recorded so.

One table says how each is started, what it is asked and what comes of it; one test plays it all.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mcp
import pytest

SERVERS = Path(__file__).parents[2] / "servers"
BESIDE_PYTHON = Path(sys.executable).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_METHOD, BAD_PARAMS = -32601, -32602  # how a server without the modern revision refuses to be probed
PAGE = "data:text/html,<title>Local</title><h1>Hello</h1>"
DOCUMENT = "demo://resource/static/document/architecture.md"


@dataclass(frozen=True)
class Server:
    """How to start it, what it calls itself, what it is asked and what comes of that.

    In the words, "{place}" is the test's directory, "npm:", "v1:" and "v2:" where the program is installed.
    """

    words: tuple[str, ...]
    name: str
    tools: int
    calls: tuple[tuple[str, dict[str, Any], str], ...]
    refusal: int | None = NO_METHOD  # its answer to a probe; None: it speaks the modern revision
    error: int = BAD_PARAMS  # its answer to what it cannot make sense of
    reads: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    cheap: bool = True  # it is also played without the tap, and has to answer the same


TABLE = {
    "everything": Server(
        ("npm:mcp-server-everything", "stdio"),
        "mcp-servers/everything",
        13,
        (("echo", {"message": "a message"}, "ok"), ("get-sum", {"a": "not a number"}, "tool_error")),
        reads=((DOCUMENT, "ok"), ("demo://nothing", "rpc_error")),
    ),
    "filesystem": Server(
        ("npm:mcp-server-filesystem", "{place}"),
        "secure-filesystem-server",
        14,
        (
            ("read_text_file", {"path": "{place}/repository/file.txt"}, "ok"),
            ("read_text_file", {"path": "{place}/missing.txt"}, "tool_error"),
        ),
        cheap=False,
    ),
    "memory": Server(
        ("npm:mcp-server-memory",),
        "memory-server",
        9,
        (
            ("create_entities", {"entities": [{"name": "Ada", "entityType": "person", "observations": ["x"]}]}, "ok"),
            ("add_observations", {"observations": [{"entityName": "nobody", "contents": ["x"]}]}, "tool_error"),
        ),
        environment=(("MEMORY_FILE_PATH", "{place}/memory.jsonl"),),
    ),
    "sequential thinking": Server(
        ("npm:mcp-server-sequential-thinking",),
        "sequential-thinking-server",
        1,
        (
            (
                "sequentialthinking",
                {"thought": "one", "nextThoughtNeeded": False, "thoughtNumber": 1, "totalThoughts": 1},
                "ok",
            ),
            ("sequentialthinking", {"thought": "one"}, "tool_error"),
        ),
    ),
    "git": Server(
        (str(BESIDE_PYTHON / "mcp-server-git"), "--repository", "{place}/repository"),
        "mcp-git",
        12,
        (
            ("git_log", {"repo_path": "{place}/repository"}, "ok"),
            ("git_show", {"repo_path": "{place}/repository", "revision": "no-such-revision"}, "tool_error"),
        ),
        refusal=None,
        cheap=False,
    ),
    "time": Server(
        (str(BESIDE_PYTHON / "mcp-server-time"), "--local-timezone", "UTC"),
        "mcp-time",
        2,
        (
            (
                "convert_time",
                {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"},
                "ok",
            ),
            (
                "convert_time",
                {"source_timezone": "Nowhere", "time": "12:00", "target_timezone": "UTC"},
                "tool_error",
            ),
        ),
        refusal=None,
        cheap=False,
    ),
    "fetch": Server(  # it refuses loopback itself, so nothing goes out
        ("v2:mcp-server-fetch",),
        "mcp-fetch",
        1,
        (("fetch", {"url": "http://127.0.0.1:9/"}, "tool_error"),),
        refusal=None,
        cheap=False,
    ),
    "sqlite": Server(  # it tells its failures as ordinary text
        ("v1:mcp-server-sqlite", "--db-path", "{place}/it.db"),
        "sqlite",
        6,
        (
            ("create_table", {"query": "CREATE TABLE t (a INTEGER)"}, "ok"),
            ("read_query", {"query": "SELECT * FROM t"}, "ok"),
            ("read_query", {"query": "DROP TABLE t"}, "ok"),
        ),
        refusal=BAD_PARAMS,
        error=0,
        reads=(("memo://insights", "ok"), ("memo://nothing", "rpc_error")),
    ),
    "motherduck": Server(
        ("v2:mcp-server-motherduck", "--db-path", ":memory:", "--read-write"),
        "mcp-server-motherduck",
        4,
        (("execute_query", {"sql": "SELECT 42 AS a"}, "ok"), ("execute_query", {"sql": "SELEKT"}, "tool_error")),
        refusal=None,
        cheap=False,
    ),
    "playwright": Server(
        ("npm:playwright-mcp", "--headless", "--isolated", "--no-sandbox", "--executable-path", "{browser}"),
        "Playwright",
        25,
        (("browser_navigate", {"url": PAGE}, "ok"), ("browser_navigate", {"url": "http://127.0.0.1:9/"}, "tool_error")),
        cheap=False,
    ),
    "chrome devtools": Server(
        ("npm:chrome-devtools-mcp", "--headless", "--isolated", "--no-usage-statistics", "--no-performance-crux"),
        "chrome_devtools",
        32,
        (("no-such-tool", {}, "rpc_error"),),
    ),
    "notion": Server(("npm:notion-mcp-server",), "Notion API", 24, (), environment=(("NOTION_TOKEN", "none"),)),
    "fastmcp": Server(
        (sys.executable, str(SERVERS / "fastmcp_server.py")),
        "offices",
        2,
        (("add", {"a": 9007199254740993, "b": 1}, "ok"), ("fail", {"reason": "as told"}, "tool_error")),
        refusal=None,
        reads=(("office://berlin", "ok"), ("office://nowhere", "rpc_error")),
        cheap=False,
    ),
    "weather": Server(
        ("v1:python", str(SERVERS / "sdk_v1_server.py")),
        "weather",
        2,
        (("units", {}, "ok"), ("forecast", {"city": "Oslo"}, "tool_error")),
        refusal=BAD_PARAMS,
        error=0,
        reads=(("weather://stations", "ok"), ("weather://nowhere", "rpc_error")),
    ),
    "letters, with a handshake": Server(
        ("node", str(SERVERS / "typescript_server.mjs"), "legacy"),
        "letters",
        1,
        (("reverse", {"text": "abc"}, "ok"), ("reverse", {"text": ""}, "tool_error")),
        reads=(("letters://alphabet", "ok"), ("letters://nothing", "rpc_error")),
    ),
    "letters, of both eras": Server(
        ("node", str(SERVERS / "typescript_server.mjs"), "dual"),
        "letters",
        1,
        (("reverse", {"text": "abc"}, "ok"), ("reverse", {"text": ""}, "tool_error")),
        refusal=None,
        reads=(("letters://alphabet", "ok"), ("letters://nothing", "rpc_error")),
    ),
}


@pytest.fixture
def place(tmp_path):
    """A directory with what the servers serve: a repository with one commit, and a file in it."""
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "file.txt").write_text("first line\nsecond line, äöü\n")
    who = {f"GIT_{role}_{name}": "a@b" for role in ("AUTHOR", "COMMITTER") for name in ("NAME", "EMAIL")}
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=repository, env=os.environ | who, check=True)
    return tmp_path


@pytest.fixture
def fill(npm, python, place):
    """Puts in what stands for places: for the directory, the browser, and where programs are installed."""
    found = {"npm:": npm, "v1:": lambda name: python("v1", name), "v2:": lambda name: python("v2", name)}

    def fill(word, directory=place):
        for prefix, find in found.items():
            if word.startswith(prefix):
                return find(word.removeprefix(prefix))
        if word == "node":
            npm("mcp-server-everything")  # its libraries are installed with it
        return browser() if word == "{browser}" else word.replace("{place}", str(directory))

    return fill


def browser():
    paths = [path for name in BROWSERS if (path := shutil.which(name))]
    if not paths:
        pytest.skip("needs Chromium or Chrome: `make browser` installs it where it can")
    return paths[0]


def filled(value, fill):
    return json.loads(json.dumps(value).replace("{place}", fill("{place}")))


async def outcome(asked):
    try:
        return (await asked).model_dump(mode="json")
    except mcp.MCPError as refusal:
        return str(refusal)


async def play(server, words, environment, directory, fill):
    """Asks a server everything of its row; gives all its answers."""
    parameters = mcp.StdioServerParameters(command=words[0], args=words[1:], env=environment, cwd=directory)
    with (directory / "stderr").open("w") as errors:
        async with mcp.Client(mcp.stdio_client(parameters, errlog=errors), mode="auto") as client:
            answers = [await outcome(client.list_tools())]
            for name, arguments, _ in server.calls:
                answers.append(await outcome(client.call_tool(name, filled(arguments, fill))))
            for uri, _ in server.reads:
                answers.append(await outcome(client.read_resource(uri)))
            return answers


def expected(server):
    """The exchanges that asking everything of its row leads to: method, target, outcome, error code of the probe."""
    probe = ("server/discover", None, "rpc_error" if server.refusal else "ok", server.refusal)
    handshake = [("initialize", None, "ok", None)] if server.refusal else []
    asked = [("tools/list", None, "ok"), *(("tools/call", name, outcome) for name, _, outcome in server.calls)]
    asked += [("resources/read", uri, outcome) for uri, outcome in server.reads]
    return [probe, *handshake, *((*row, server.error if row[2] == "rpc_error" else None) for row in asked)]


@pytest.mark.parametrize("name", TABLE)
def test_a_server_that_people_run_is_recorded_as_it_answered(recorder, place, fill, name):
    server = TABLE[name]
    words = [fill(word) for word in server.words]
    environment = {key: fill(value) for key, value in server.environment}
    label, tapped_words = recorder.around(*words)

    async def both():
        tapped = play(server, tapped_words, environment, place, fill)
        if not server.cheap:
            return [await tapped]
        beside = place / "beside"
        beside.mkdir()
        direct_words = [fill(word, beside) for word in server.words]
        elsewhere = {key: fill(value, beside) for key, value in server.environment}
        return await asyncio.gather(tapped, play(server, direct_words, elsewhere, beside, fill))

    tapped, *direct = asyncio.run(both())
    assert direct in ([], [tapped])
    run = recorder.recorded(label)
    run.check()
    assert run.table("method", "target", "outcome", "error_code") == expected(server)
    era, version = ("legacy", "2025-11-25") if server.refusal else ("modern", "2026-07-28")
    assert set(run.table("era", "protocol_version")[1:]) == {(era, version)}
    assert (run.run["server_name"], run.run["protocol_version"]) == (server.name, version)
    assert (run.run["exit_code"], run.run["exit_signal"], run.run["state"]) == (0, None, "ended")
    (listing,) = (row for row in run.exchanges if row["method"] == "tools/list")
    offered = [tool["name"] for tool in json.loads(listing["reply_body"])["result"]["tools"]]
    assert offered == [tool["name"] for tool in tapped[0]["tools"]]
    assert len(offered) == server.tools
    assert [(row["target"], row["outcome"]) for row in run.calls] == [row[1:3] for row in expected(server) if row[1]]


def test_a_server_that_dies_at_its_start_is_recorded_with_what_it_said(recorder, place, fill):
    label, words = recorder.around(fill("v2:mcp-server-sqlite"), "--db-path", str(place / "it.db"))

    async def conversation():
        with pytest.RaisesGroup(mcp.MCPError, flatten_subgroups=True):
            await play(TABLE["sqlite"], words, {}, place, fill)

    asyncio.run(conversation())
    run = recorder.recorded(label)
    run.check()
    assert run.table("method", "outcome", "probe") == [("server/discover", "no_response", True)]
    assert (run.run["exit_code"], run.run["exit_signal"], run.run["server_name"]) == (1, None, None)
    assert run.stderr[0].startswith("Traceback")
    assert run.stderr[-1] == "AttributeError: 'Server' object has no attribute 'list_resources'"
    assert (place / "stderr").read_text().splitlines() == run.stderr
