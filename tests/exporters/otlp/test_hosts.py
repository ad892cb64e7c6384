"""Spans of a real run of the official SDK with tracing on, attribute by attribute as the conventions have them.

The idea: one table says what has to arrive, whoever receives it: OpenTelemetry's own service definitions here, or a
real backend (`make backend` installs Arize Phoenix and runs what is marked `backend`).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
SERVERS = ROOT / "tests" / "servers"
PHOENIX = ROOT / ".venv-phoenix" / "bin" / "phoenix"
DERIVED = ("openinference.span.kind", "tool.name")  # that Phoenix adds

# Span -> what is told of it alone, by the conventions; with it goes what is told of all.
TOOL = {"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool"}
ASKED = {
    "tools/list": {"mcp.method.name": "tools/list"},
    "tools/call add": TOOL | {"gen_ai.tool.name": "add"},
    "tools/call fail": TOOL | {"gen_ai.tool.name": "fail", "error.type": "tool_error"},
    "resources/read": {"mcp.method.name": "resources/read", "mcp.resource.uri": "office://berlin"},
    "prompts/get greet": {"mcp.method.name": "prompts/get", "gen_ai.prompt.name": "greet"},
}
FIRST = {
    "legacy": {"initialize": {"mcp.method.name": "initialize"}},
    "auto": {"server/discover": {"mcp.method.name": "server/discover", "mcptap.probe": True}},
}
ALL = {
    "network.transport": "pipe",
    "mcptap.observer": True,
    "mcptap.client.name": "mcp",
    "mcptap.server.name": "offices",
    "mcptap.server.version": "1",
    "mcptap.waiting_ms": 0.0,
    "mcptap.round": 1,
}
ERAS = {
    "legacy": {"mcp.protocol.version": "2025-11-25", "mcptap.era": "legacy"},
    "auto": {"mcp.protocol.version": "2026-07-28", "mcptap.era": "modern"},
}
OTHER = {"client.version", "request.size", "response.size", "server_ms", "seq", "call.id", "outcome"}


class Seen(NamedTuple):
    """A span as a receiver has it."""

    trace_id: str
    span_id: str
    parent_id: str | None
    failed: bool
    attributes: dict[str, Any]


class Phoenix:
    """A real backend of its own, on this machine only."""

    def __init__(self, place: Path) -> None:
        assert PHOENIX.exists(), "Arize Phoenix is missing: run `make backend`"
        self.port, self.grpc_port = free_port(), free_port()
        settings = {
            "PHOENIX_WORKING_DIR": str(place),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": str(self.grpc_port),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PHOENIX_"))}
        with (place / "log").open("wb") as log:
            self.process = subprocess.Popen([PHOENIX, "serve"], env=clean | settings, stdout=log, stderr=log)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> bool:
        assert self.process.poll() is None, "Phoenix has ended"
        return self._get("/healthz") is not None

    def rows(self, project: str) -> list[Any]:
        found = self._get(f"/v1/projects/{project}/spans?limit=1000")
        return json.loads(found)["data"] if found else []

    def _get(self, path: str) -> bytes | None:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:  # not there yet: the server, or the project
            return None

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory: Any, until: Any) -> Iterator[Phoenix]:
    made = Phoenix(tmp_path_factory.mktemp("phoenix"))
    try:
        until(made.ready, 240)
        yield made
    finally:
        made.close()


@pytest.fixture
def play(fresh_home: Path, mcptap: list[str], tmp_path: Path) -> Callable[..., list[Any]]:
    """Has a traced host talk to a server; returns the host's own spans."""

    def run(mode: str, settings: dict[str, str], **environment: str) -> list[Any]:
        fresh_home.mkdir(mode=0o700)
        rows = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        (fresh_home / "config.toml").write_text("".join(["[otlp]\n", *rows]))
        report, errors = tmp_path / "report", tmp_path / "errors"
        server = (sys.executable, str(SERVERS / "fastmcp_server.py"))
        words = [sys.executable, SERVERS / "traced_host.py", report, mode, *mcptap, "--home", fresh_home, "--", *server]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        with errors.open("wb") as file:
            subprocess.run(words, check=True, env=clean | environment, stderr=file)
        return list(json.loads(report.read_text()))

    return run


def judge(mode: str, seen: dict[str, Seen], host: list[Any]) -> None:
    """Every span is there, says what the table says and nothing else, and hangs under the host's span of it."""
    wanted = FIRST[mode] | ASKED
    assert seen.keys() == wanted.keys()
    sent = {span["name"].removeprefix("MCP send "): span for span in host if span["kind"] == "CLIENT"}
    (agent,) = [span for span in host if span["name"] == "agent"]
    assert sent.keys() == wanted.keys()
    (run_id,) = {span.attributes["mcptap.run.id"] for span in seen.values()}
    for number, (name, own) in enumerate(wanted.items(), 1):
        span = seen[name]
        about = own | ALL | ERAS[mode] | {"jsonrpc.request.id": str(number), "mcptap.run.id": run_id}
        about |= {"mcp.session.id": run_id} if mode == "legacy" else {}
        assert {key: span.attributes.get(key) for key in about} == about, name
        assert {key.removeprefix("mcptap.") for key in span.attributes.keys() - about.keys()} == OTHER, name
        assert span.failed == ("error.type" in own)
        assert (span.trace_id, span.parent_id) == (agent["trace_id"], sent[name]["span_id"]), name


@pytest.mark.parametrize(("protocol", "mode"), [("http/protobuf", "legacy"), ("grpc", "auto")])
def test_our_spans_hang_under_the_hosts_and_say_what_the_conventions_say(
    play: Any, backend: Any, grpc_backend: Any, until: Any, attributes_of: Any, protocol: str, mode: str
) -> None:
    receiver = grpc_backend if protocol == "grpc" else backend
    host = play(mode, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    until(lambda: len(receiver.spans) >= len(FIRST[mode] | ASKED))
    seen = {
        span.name: Seen(
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex() or None,
            span.status.code == span.status.STATUS_CODE_ERROR,
            attributes_of(span),
        )
        for span in receiver.spans
    }
    judge(mode, seen, host)
    assert {span.kind for span in receiver.spans} == {2}, "each stands in for the server"


@pytest.mark.backend
@pytest.mark.parametrize(("protocol", "mode"), [("http/protobuf", "legacy"), ("grpc", "auto")])
def test_a_real_backend_shows_them_in_one_trace_with_the_hosts(
    play: Any, phoenix: Phoenix, until: Any, protocol: str, mode: str
) -> None:
    project = f"by-{protocol[:4]}"
    endpoint = f"http://127.0.0.1:{phoenix.grpc_port}" if protocol == "grpc" else phoenix.url
    resource = {"OTEL_RESOURCE_ATTRIBUTES": f"openinference.project.name={project}"}
    off = {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}  # Phoenix takes traces only
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol} | resource | off
    host = play(mode, settings, OTEL_EXPORTER_OTLP_ENDPOINT=phoenix.url, **resource)
    wanted = len(FIRST[mode] | ASKED)
    rows = until(lambda: [rows for rows in [phoenix.rows(project)] if len(rows) >= len(host) + wanted], 120)[0]
    seen = {
        row["name"]: Seen(
            row["context"]["trace_id"],
            row["context"]["span_id"],
            row["parent_id"],
            row["status_code"] == "ERROR",
            {key: value for key, value in row["attributes"].items() if key not in DERIVED},
        )
        for row in rows
        if "mcptap.run.id" in row["attributes"]
    }
    judge(mode, seen, host)
    assert len({row["context"]["trace_id"] for row in rows}) == 1, "the host's spans, and ours under them"
