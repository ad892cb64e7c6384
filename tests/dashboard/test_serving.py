"""`mcptap dashboard` as a process: where it listens, and who is let in."""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import subprocess
from pathlib import Path

import pytest

from mcptap.dashboard.__main__ import _listen
from mcptap.exporters.cli.dashboard import PORT


def test_where_the_usual_port_is_taken_a_free_one_is_used() -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", PORT))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        with _listen("127.0.0.1", None) as listening:
            host, port = listening.getsockname()
    assert host == "127.0.0.1"
    assert port not in (0, PORT)


def test_a_port_that_was_asked_for_and_is_taken_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            _listen("127.0.0.1", taken.getsockname()[1])


def test_what_is_sent_does_not_wait_for_more() -> None:
    async def accepted() -> int:
        delays: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def look(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            delays.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with _listen("127.0.0.1", None) as listening:
            async with await asyncio.start_server(look, sock=listening):
                _, writer = await asyncio.open_connection(*listening.getsockname())
                found = await delays
                writer.close()
        return found

    assert asyncio.run(accepted()) == 1


def answered(port: int, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def test_with_a_token_only_who_brings_it_is_let_in(fresh_home: Path, mcptap: list[str]) -> None:
    words = [*mcptap, "--home", str(fresh_home), "dashboard", "--no-browser", "--token"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        found = re.search(r"http://127\.0\.0\.1:(\d+)(/\?token=[\w-]{20,})$", server.stdout.readline())
        assert found
        port, way = int(found[1]), found[2]
        assert answered(port, "/")[0] == 403
        assert answered(port, "/_stcore/health")[0] == 403
        status, headers = answered(port, way)
        cookie = headers["set-cookie"].split(";")[0]
        assert (status, headers["location"]) == (303, "/")
        assert answered(port, "/", Cookie=cookie)[0] == 200
        assert answered(port, "/", Cookie=cookie, Host="evil.invalid")[0] == 403
        server.terminate()
