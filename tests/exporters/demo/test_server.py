"""The demo's server speaks the protocol, and gives every kind of answer that the demo promises."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.demo import planted
from mcptap.exporters.demo.server import TOOLS, DemoServer, serve


def ask(method: str, offered: tuple[str, ...] = (), **params: Any) -> dict[str, Any]:
    line = DemoServer(offered).answer(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
    assert line is not None
    answer = json.loads(line)
    assert answer["jsonrpc"] == "2.0"
    assert answer["id"] == 7
    return answer


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return ask("tools/call", name=name, arguments=arguments)


def text(answer: dict[str, Any]) -> str:
    return answer["result"]["content"][0]["text"]


@pytest.mark.parametrize(("asked", "answered"), [("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")])
def test_the_handshake_agrees_on_a_version_it_knows(asked: str, answered: str) -> None:
    result = ask("initialize", protocolVersion=asked, capabilities={}, clientInfo={})["result"]
    assert result["protocolVersion"] == answered
    assert result["serverInfo"]["name"] == "mcptap-demo"
    assert set(result["capabilities"]) == {"tools", "prompts", "resources"}


def test_every_tool_is_listed_with_a_schema_and_a_description() -> None:
    tools = ask("tools/list")["result"]["tools"]
    assert [tool["name"] for tool in tools] == list(TOOLS)
    assert all(tool["description"] and tool["inputSchema"]["type"] == "object" for tool in tools)


def test_only_offered_tools_are_listed_and_answer() -> None:
    tools = ask("tools/list", ("weather",))["result"]["tools"]
    assert [tool["name"] for tool in tools] == ["weather"]
    assert ask("tools/call", ("weather",), name="flaky")["error"]["code"] == -32602


def test_weather_is_ordinary_and_an_unknown_city_is_a_tool_error() -> None:
    assert call("weather", city="Oslo")["result"] == {
        "content": [{"type": "text", "text": "Oslo: snow, -3 °C"}],
        "isError": False,
    }
    assert call("weather", city="Atlantis")["result"]["isError"] is True


def test_slow_report_takes_the_time_it_says() -> None:
    assert text(call("slow_report", seconds=0.01)) == "The report took 0.01 s to compile."


def test_flaky_fails_in_both_ways_before_it_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("flaky", attempt=1)["result"]["isError"] is True
    assert call("flaky", attempt=2)["error"]["code"] == -32050
    assert call("flaky", attempt=3)["result"]["isError"] is False
    assert planted.secrets()["bearer token on stderr"] in capsys.readouterr().err


def test_read_config_gives_the_planted_secrets_away() -> None:
    given = text(call("read_config", path="service.conf"))
    kinds = ("AWS access key", "GitHub token", "database password")
    assert all(planted.secrets()[kind] in given for kind in kinds)


def test_fetch_page_holds_injected_instructions() -> None:
    assert "ignore all previous instructions" in text(call("fetch_page", url="https://shop.invalid/"))


def test_prompts_and_resources_answer() -> None:
    prompt = ask("prompts/list")["result"]["prompts"][0]["name"]
    assert "Lima" in str(ask("prompts/get", name=prompt, arguments={"city": "Lima"})["result"]["messages"])
    uri = ask("resources/list")["result"]["resources"][0]["uri"]
    assert ask("resources/read", uri=uri)["result"]["contents"][0]["uri"] == uri
    assert ask("resources/read", uri="demo://missing")["error"]["code"] == -32002
    assert ask("ping")["result"] == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{not json", -32700),
        ('{"jsonrpc":"2.0","id":1,"method":"no/such"}', -32601),
        ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1]}', -32602),
        (
            '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow_report","arguments":{"seconds":"x"}}}',
            -32602,
        ),
        ('{"jsonrpc":"2.0","id":1,"method":["x"]}', -32602),
    ],
)
def test_what_cannot_be_understood_is_answered_with_its_error_code(line: str, code: int) -> None:
    answer = DemoServer().answer(line)
    assert answer is not None
    assert json.loads(answer)["error"]["code"] == code


@pytest.mark.parametrize(
    "line", ['{"jsonrpc":"2.0","method":"notifications/initialized"}', "[]", "7", '{"id":3,"result":{}}']
)
def test_what_wants_no_answer_gets_none(line: str) -> None:
    assert DemoServer().answer(line) is None


def test_serving_answers_line_by_line_until_the_end() -> None:
    source = io.StringIO('{"id":1,"method":"ping"}\n{"method":"notifications/x"}\n{"id":"1","method":"ping"}\n')
    sink = io.StringIO()
    serve((), source, sink)
    assert [json.loads(line)["id"] for line in sink.getvalue().splitlines()] == [1, "1"]


def test_the_server_is_standard_library_only() -> None:
    program = (
        "import sys, mcptap.exporters.demo.server\n"
        "print(sorted({'rich', 'click', 'duckdb', 'anyio', 'orjson'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_tool_on_the_command_line_is_refused() -> None:
    command = [sys.executable, "-m", "mcptap.exporters.demo.server", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 2
    assert "nonsense" in done.stderr


def test_no_planted_secret_stands_in_the_source() -> None:
    source = b"".join(path.read_bytes() for path in Path(planted.__file__).parent.glob("*.py"))
    assert not [kind for kind, value in planted.secrets().items() if value.encode() in source]
