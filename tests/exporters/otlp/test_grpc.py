"""The same by gRPC: what is taken, what is sent again, what is passed over."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from mcptap.exporters.otlp.addresses import GRPC


@pytest.fixture
def run(recording: Any) -> Any:
    made = recording()
    made.calls(4)
    made.end()
    return made


def by_grpc(lanes: Any, backend: Any, **settings: Any) -> Any:
    return lanes(backend.url, OTEL_EXPORTER_OTLP_PROTOCOL=GRPC, **settings)


@pytest.mark.usefixtures("run")
def test_spans_arrive_with_their_headers(grpc_backend: Any, lanes: Any, until: Any) -> None:
    settings = {"OTEL_EXPORTER_OTLP_HEADERS": "X-Api-Key=hush", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}
    lane = by_grpc(lanes, grpc_backend, **settings)
    until(lambda: lane.status()["sent"] == 4)
    assert len(grpc_backend.spans) == 4
    assert grpc_backend.headers[0]["x-api-key"] == "hush"


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    ],
    ids=lambda code: code.name,
)
def test_what_is_not_taken_is_sent_again(grpc_backend: Any, lanes: Any, until: Any, code: Any) -> None:
    grpc_backend.answers = [code, code]
    lane = by_grpc(lanes, grpc_backend)
    until(lambda: lane.status()["sent"] == 4)
    assert lane.status()["error"].startswith(f"gRPC {code.name}")
    assert "hush" not in lane.status()["error"]
    assert lane.status()["skipped"] == 0


@pytest.mark.usefixtures("run")
def test_partial_success_is_counted(grpc_backend: Any, lanes: Any, until: Any) -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 1
    grpc_backend.answers = [answer]
    lane = by_grpc(lanes, grpc_backend)
    until(lambda: lane.status()["rejected"] == 1)
    assert lane.status()["sent"] == 3


@pytest.mark.usefixtures("run")
def test_a_batch_that_is_refused_is_taken_apart(grpc_backend: Any, lanes: Any, until: Any) -> None:
    grpc_backend.answers = [grpc.StatusCode.INVALID_ARGUMENT]
    lane = by_grpc(lanes, grpc_backend)
    until(lambda: lane.status()["sent"] == 4)
    assert len(grpc_backend.of("/v1/traces")) == 2


@pytest.mark.usefixtures("run")
def test_metrics_and_logs_go_the_same_way(grpc_backend: Any, lanes: Any, until: Any, recording: Any) -> None:
    found = recording("run-2")
    found.finding(None)
    found.end()
    by_grpc(lanes, grpc_backend).leave()
    lanes(grpc_backend.url, "metrics", OTEL_EXPORTER_OTLP_PROTOCOL=GRPC)
    lanes(grpc_backend.url, "logs", OTEL_EXPORTER_OTLP_PROTOCOL=GRPC)
    until(lambda: grpc_backend.metrics)
    until(lambda: grpc_backend.logs)
    assert "mcp.server.operation.duration" in grpc_backend.metrics
    assert grpc_backend.logs[0].body.string_value == "hidden text"
