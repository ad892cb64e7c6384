"""Journals as the collector writes them, and backends as OpenTelemetry defines them: one by HTTP, one by gRPC."""

from __future__ import annotations

import gzip
import json
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from mcptap.exporters.journal.encode import encode
from mcptap.exporters.journal.line import run_root, seal
from mcptap.exporters.otlp.lane import Lane
from mcptap.exporters.otlp.settings import Destination, destination
from mcptap.tap.analysis import Analysis
from mcptap.tap.records import Finding, Record, RunStarted
from mcptap.tap.redact import Redactor

AT = 1_795_000_000_000_000_000
STEP = 1_000_000  # ns from one message to the next
SEEN_S = 60.0
REQUESTS: dict[str, Any] = {
    "/v1/traces": trace_service_pb2.ExportTraceServiceRequest,
    "/v1/metrics": metrics_service_pb2.ExportMetricsServiceRequest,
    "/v1/logs": logs_service_pb2.ExportLogsServiceRequest,
}


class Recording:
    """One run, told in raw messages, written as the collector writes it."""

    def __init__(self, home: Path, run_id: str = "run-1", **changes: Any) -> None:
        self.run_id, self.at = run_id, AT
        self.path = home / "journal" / "2026-11-18" / f"{run_id}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._n, self._prev, self._offsets, self._ids = 0, run_root(run_id), {"client": 0, "server": 0}, 0
        known: dict[str, Any] = {
            "run_id": run_id, "at": AT, "name": "files", "command": ("serve",), "cwd": "/", "env_names": (),
            "tap_version": "0", "tap_pid": 1, "tap_created": None, "server_pid": 2, "server_created": None,
            "host_session_id": None, "executable_path": None, "executable_sha256": None,
        }  # fmt: skip
        started = RunStarted(**known | changes)
        self._analysis = Analysis(started, Redactor(b"k" * 32))
        self.write(started)

    def write(self, *records: Record) -> None:
        with self.path.open("ab") as file:
            for record in records:
                self._n += 1
                parts, self._prev = seal(self._n, self._prev, record.type, encode(record))
                file.write(b"".join(parts))

    def say(self, side: Any, after_ms: float = 1, **body: Any) -> None:
        self.at += int(after_ms * 1e6)
        line = json.dumps({"jsonrpc": "2.0"} | body).encode() + b"\n"
        self.write(*self._analysis.data(side, self._offsets[side], self.at, line))
        self._offsets[side] += len(line)

    def ask(self, method: str, rpc_id: Any = None, side: str = "client", **params: Any) -> Any:
        self._ids += 1
        rpc_id = self._ids if rpc_id is None else rpc_id
        self.say(side, id=rpc_id, method=method, params=params)
        return rpc_id

    def tell(self, method: str, side: str = "server", **params: Any) -> None:
        self.say(side, method=method, params=params)

    def answer(self, rpc_id: Any, side: str = "server", after_ms: float = 1, **result: Any) -> None:
        self.say(side, after_ms, id=rpc_id, result=result)

    def fail(self, rpc_id: Any, code: int, side: str = "server", message: str = "no") -> None:
        self.say(side, id=rpc_id, error={"code": code, "message": message})

    def call(self, tool: str = "t", meta: dict[str, Any] | None = None, **arguments: Any) -> Any:
        more = {"_meta": meta} if meta else {}
        return self.ask("tools/call", name=tool, arguments=arguments, **more)

    def calls(self, count: int) -> None:
        for _ in range(count):
            self.answer(self.call(), content=[])

    def handshake(self) -> None:
        rpc_id = self.ask(
            "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "host", "version": "1"}
        )
        self.answer(rpc_id, protocolVersion="2025-11-25", capabilities={}, serverInfo={"name": "srv", "version": "2"})

    def finding(self, seq: int | None, severity: Any = "high") -> None:
        self.write(
            Finding(f"f{seq}", seq, self.at, "injection", "r", severity, "result", "hidden text", "ev", "/p", "ab")
        )

    def pass_s(self, seconds: float) -> None:
        self.at += int(seconds * 1e9)

    def end(self, **how: Any) -> None:
        self.at += STEP
        self.write(*self._analysis.end(self.at, **{"exit_code": 0} | how))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture(scope="session")
def new_recording() -> type[Recording]:
    return Recording


@pytest.fixture
def recording(home: Path) -> Callable[..., Recording]:
    return lambda *words, **changes: Recording(home, *words, **changes)


class Backend:
    """What both receivers keep: requests, in order, and what they are to answer."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[Any] = []  # taken one by one; when there are none, everything is taken

    def of(self, path: str) -> list[Any]:
        return [message for where, message in list(self.requests) if where == path]

    @property
    def resources(self) -> list[tuple[Any, Any]]:
        """Each span that was taken, with its resource's attributes."""
        return [
            (attributes(part.resource), span)
            for message in self.of("/v1/traces")
            for part in message.resource_spans
            for scope in part.scope_spans
            for span in scope.spans
        ]

    @property
    def spans(self) -> list[Any]:
        return [span for _, span in self.resources]

    @property
    def logs(self) -> list[Any]:
        return [
            record
            for message in self.of("/v1/logs")
            for part in message.resource_logs
            for scope in part.scope_logs
            for record in scope.log_records
        ]

    @property
    def metrics(self) -> dict[str, Any]:
        """Copies of the metrics, by name, with the points of the latest time; several requests may hold them."""
        sent = [
            metric
            for message in self.of("/v1/metrics")
            for part in message.resource_metrics
            for scope in part.scope_metrics
            for metric in scope.metrics
        ]
        last = max((point.time_unix_nano for metric in sent for point in points(metric)), default=0)
        found: dict[str, Any] = {}
        for metric in sent:
            if kept := [point for point in points(metric) if point.time_unix_nano == last]:
                if metric.name not in found:
                    found[metric.name] = type(metric).FromString(metric.SerializeToString())
                    del points(found[metric.name])[:]
                points(found[metric.name]).extend(kept)
        return found


def points(metric: Any) -> Any:
    return getattr(metric, metric.WhichOneof("data")).data_points


def attributes(holder: Any) -> dict[str, Any]:
    return {pair.key: value_of(pair.value) for pair in holder.attributes}


def value_of(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [value_of(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)


RESET, HANG, CLOSE = "reset", "hang", "close"
LASTING = range(20_000, 32_000)  # ports that no connection of anybody else's gets by itself


def lasting_port() -> int:
    """A port to listen on, and again after a pause."""
    while True:
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", random.choice(LASTING)))
            return int(free.getsockname()[1])


class HttpBackend(Backend):
    """Answers with (status, headers, body); what is answered 200 is kept. RESET keeps it and breaks off."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        backend, self.closing, self.tls = self, threading.Event(), tls

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                request = REQUESTS[self.path].FromString(body)
                backend.headers.append(dict(self.headers))
                answer = backend.answers.pop(0) if backend.answers else 200
                answer = answer(self.path, request) if callable(answer) else answer
                if answer == RESET:
                    backend.requests.append((self.path, request))
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if answer in (RESET, HANG, CLOSE):
                    self.close_connection = answer != HANG or backend.closing.wait()
                    return
                status, headers, said = answer if isinstance(answer, tuple) else (answer, {}, b"")
                if status == 200:
                    backend.requests.append((self.path, request))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(said))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port or lasting_port()), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


class GrpcBackend(Backend):
    """Answers with a status code, or a message; what is answered with a message is kept."""

    def __init__(self, port: int = 0, credentials: grpc.ServerCredentials | None = None) -> None:
        super().__init__()
        self.closing, self.secure = threading.Event(), credentials is not None
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        services = (
            ("/v1/traces", trace_service_pb2_grpc, "Trace", trace_service_pb2),
            ("/v1/metrics", metrics_service_pb2_grpc, "Metrics", metrics_service_pb2),
            ("/v1/logs", logs_service_pb2_grpc, "Logs", logs_service_pb2),
        )
        for path, module, name, messages in services:
            empty = getattr(messages, f"Export{name}ServiceResponse")
            servicer = type(name, (), {"Export": self._export(path, empty)})()
            getattr(module, f"add_{name}ServiceServicer_to_server")(servicer, self.server)
        place = f"127.0.0.1:{port or lasting_port()}"
        add = self.server.add_secure_port if credentials else self.server.add_insecure_port
        self.port = add(place, *([credentials] if credentials else []))
        self.server.start()

    def _export(self, path: str, empty: Any) -> Any:
        def export(_self: Any, request: Any, context: Any) -> Any:
            self.headers.append(dict(context.invocation_metadata()))
            answer = self.answers.pop(0) if self.answers else empty()
            if answer == HANG:
                self.closing.wait()
                answer = empty()
            if isinstance(answer, grpc.StatusCode):
                context.abort(answer, "hush")
            self.requests.append((path, request))
            return answer

        return export

    @property
    def url(self) -> str:
        return f"http{'s' if self.secure else ''}://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.closing.set()
        self.server.stop(0).wait()


@pytest.fixture
def backend() -> Iterator[HttpBackend]:
    made = HttpBackend()
    yield made
    made.close()


@pytest.fixture(scope="session")
def secure_backends() -> tuple[type[HttpBackend], type[GrpcBackend]]:
    """To be made with `tls` or `credentials`."""
    return HttpBackend, GrpcBackend


@pytest.fixture
def again() -> Iterator[Callable[[Any], Any]]:
    """Starts a backend again that was closed: at the same place, with nothing in it."""
    made: list[Any] = []

    def start(closed: Any) -> Any:
        made.append(type(closed)(closed.port))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def grpc_backend() -> Iterator[GrpcBackend]:
    made = GrpcBackend()
    yield made
    made.close()


@pytest.fixture
def lanes(home: Path) -> Iterator[Callable[..., Lane]]:
    """Starts the lane of one signal of a destination that these settings describe; pauses are short."""
    started: list[Lane] = []

    def start(url: str, signal: str = "traces", *, alone: bool = False, **settings: Any) -> Lane:
        whole = to(url, **settings)
        (route,) = [route for route in whole.routes if route.signal == signal]
        lane = Lane(home, whole, route, alone=alone, pauses=(0.01, 0.05))
        started.append(lane)
        lane.start()
        return lane

    yield start
    for lane in started:
        lane.leave()
    for lane in started:
        lane.join(SEEN_S)


def to(url: str, **settings: Any) -> Destination:
    found = destination("test", {"OTEL_EXPORTER_OTLP_ENDPOINT": url, **settings})
    assert found.problem is None
    return found


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """Waits for something to be true, and returns it."""

    def wait(condition: Callable[[], Any], seconds: float = SEEN_S) -> Any:
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)
        return found

    return wait


@pytest.fixture(scope="session")
def attributes_of() -> Callable[[Any], dict[str, Any]]:
    return attributes
