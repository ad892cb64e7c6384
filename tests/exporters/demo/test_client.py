"""The scripted client counts what it saw, and says so when the server goes away."""

from __future__ import annotations

import sys

import pytest

from mcptap.exporters.demo.client import Call, Client, ServerGoneError, tool

SERVER = (sys.executable, "-m", "mcptap.exporters.demo.server")


def test_every_answer_is_counted_by_what_came_of_it() -> None:
    calls = (tool("weather", city="Oslo"), tool("weather", city="Atlantis"), tool("nothing"), Call("ping"))
    heard = []
    with Client(SERVER) as client:
        client.play(calls, lambda call, answer: heard.append((call, "result" in answer)))
    assert client.seen == {
        ("initialize", None, "ok"): 1,
        ("tools/call", "weather", "ok"): 1,
        ("tools/call", "weather", "tool_error"): 1,
        ("tools/call", "nothing", "rpc_error"): 1,
        ("ping", None, "ok"): 1,
    }
    assert heard == [(calls[0], True), (calls[1], True), (calls[2], False), (calls[3], True)]


@pytest.mark.parametrize("program", ["pass", "input(); print('not json')", "input(); print('{\"id\": 99}')"])
def test_a_server_that_goes_or_talks_nonsense_is_told(program: str) -> None:
    with pytest.raises(ServerGoneError), Client((sys.executable, "-c", program)):
        pass


def test_what_the_wrapper_says_on_stderr_is_kept_apart_from_the_server() -> None:
    program = "import sys; print('server: hello', file=sys.stderr); print('mcptap: not recording', file=sys.stderr)"
    client = Client((sys.executable, "-c", program))
    with pytest.raises(ServerGoneError), client:
        pass
    assert client.complaints == ["mcptap: not recording"]
