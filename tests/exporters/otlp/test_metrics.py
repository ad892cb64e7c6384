"""What is counted, and that it is counted once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mcptap.exporters.otlp.totals import MAX_SERIES
from mcptap.tap.records import Redaction, StderrLine

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
BOUNDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]


@pytest.fixture
def counted(recording: Any, backend: Any, lanes: Any, until: Any) -> Any:
    def count(tell: Any, **settings: Any) -> dict[str, Any]:
        run = recording()
        tell(run)
        run.end()
        lane = lanes(backend.url, "metrics", **{"OTEL_METRIC_EXPORT_INTERVAL": "100"} | settings)
        until(lambda: lane.status()["sent"] and lane.status()["lag_bytes"] == 0)
        lane.finish(30)  # what is read next is whole
        lane.join(30)
        found: dict[str, Any] = backend.metrics
        return found

    return count


def test_operations_and_sessions_have_the_conventions_buckets(counted: Any, attributes_of: Any) -> None:
    def tell(run: Any) -> None:
        run.handshake()
        run.answer(run.call("t"), content=[], after_ms=300)
        run.answer(run.call("t"), content=[], after_ms=1)
        run.fail(run.call("t"), -32602)
        run.fail(run.call("t"), -32603)

    metrics = counted(tell)
    operation = metrics["mcp.server.operation.duration"]
    assert operation.unit == "s"
    assert operation.histogram.aggregation_temporality == 2
    points = {point.count: point for point in operation.histogram.data_points if len(attributes_of(point)) == 5}
    good = points[2]
    assert list(good.explicit_bounds) == BOUNDS
    assert list(good.bucket_counts) == [1, 0, 0, 0, 0, 1, *[0] * 9]
    assert attributes_of(good) == {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "t",
        "gen_ai.operation.name": "execute_tool",
        "mcp.protocol.version": "2025-11-25",
        "network.transport": "pipe",
    }
    failed = [attributes_of(point) for point in operation.histogram.data_points if len(attributes_of(point)) > 5]
    assert {(point["rpc.response.status_code"], point.get("error.type")) for point in failed} == {
        ("-32602", None),
        ("-32603", "-32603"),
    }
    (session,) = metrics["mcp.server.session.duration"].histogram.data_points
    assert session.count == 1
    assert attributes_of(session) == {"mcp.protocol.version": "2025-11-25", "network.transport": "pipe"}


def test_a_request_that_is_meant_to_last_is_no_operation(counted: Any) -> None:
    metrics = counted(lambda run: run.ask("subscriptions/listen", _meta=MODERN))
    assert "mcp.server.operation.duration" not in metrics
    assert metrics["mcptap.runs"].sum.data_points[0].as_int == 1


def test_a_servers_own_requests_are_the_clients_metric(counted: Any) -> None:
    metrics = counted(lambda run: run.answer(run.ask("roots/list", side="server"), side="client", roots=[]))
    assert "mcp.server.operation.duration" not in metrics
    assert metrics["mcp.client.operation.duration"].histogram.data_points[0].count == 1


def test_names_that_are_invented_do_not_make_series_without_end(counted: Any, attributes_of: Any) -> None:
    def tell(run: Any) -> None:
        for number in range(MAX_SERIES + 50):
            run.answer(run.call(f"tool-{number}"), content=[])
        for number in range(5):
            run.answer(run.ask(f"vendor/{number}"))

    points = counted(tell)["mcp.server.operation.duration"].histogram.data_points
    assert len(points) == MAX_SERIES + 1
    (overflow,) = [point for point in points if "otel.metric.overflow" in attributes_of(point)]
    assert overflow.count == 55


def test_findings_gaps_and_crashes_are_counted(counted: Any, attributes_of: Any, recording: Any) -> None:
    crashed = recording("run-2")
    crashed.end(exit_code=3)

    def tell(run: Any) -> None:
        run.finding(None)
        run.finding(None)
        run.write(*run._analysis.data("client", 5000, run.at, b"{}\n"))

    metrics = counted(tell)
    (found,) = metrics["mcptap.findings"].sum.data_points
    assert (found.as_int, attributes_of(found)["mcptap.finding.severity"]) == (2, "high")
    assert metrics["mcptap.unrecorded"].sum.data_points[0].as_int == 5000
    ends = {attributes_of(point)["mcptap.run.end"] for point in metrics["mcptap.runs"].sum.data_points}
    assert ends == {"ended", "crashed"}


def test_traffic_values_taken_out_and_tokens_of_definitions_are_counted(counted: Any, attributes_of: Any) -> None:
    tool = {"name": "t", "description": "d" * 400, "inputSchema": {"type": "object"}}

    def tell(run: Any) -> None:
        run.handshake()
        run.answer(run.ask("tools/list"), tools=[tool])
        run.answer(run.call("t", password="hunter2-and-more"), content=[])
        run.write(StderrLine(run.at, 0, 70, "words", (Redaction("", "form", "12345678", 16),)))
        counted_by.update(run._offsets)

    counted_by: dict[str, int] = {}
    metrics = counted(tell)
    traffic = {attributes_of(one)["mcptap.stream"]: one.as_int for one in metrics["mcptap.traffic"].sum.data_points}
    assert traffic == counted_by | {"stderr": 70}
    redactions = metrics["mcptap.redactions"].sum.data_points
    assert sum(one.as_int for one in redactions) == 2
    assert all(attributes_of(one).keys() == {"mcptap.redaction.rule"} for one in redactions)
    (tokens,) = metrics["mcptap.definitions.tokens"].sum.data_points
    assert 100 < tokens.as_int < 200


def total(backend: Any, request: int) -> int:
    message = backend.of("/v1/metrics")[request]
    return sum(
        point.count
        for part in message.resource_metrics
        for scope in part.scope_metrics
        for metric in scope.metrics
        if metric.name == "mcp.server.operation.duration"
        for point in metric.histogram.data_points
    )


def test_after_a_restart_counting_goes_on(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    run = recording()
    run.calls(10)
    lane = lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100")
    until(lambda: backend.of("/v1/metrics") and total(backend, -1) == 10)
    lane.leave()
    lane.join(10)
    backend.answers = [503]
    run.calls(5)
    run.end()
    lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100")
    until(lambda: total(backend, -1) == 15)
    first, last = backend.of("/v1/metrics")[0], backend.of("/v1/metrics")[-1]
    starts = {point.start_time_unix_nano for message in (first, last) for point in points_of(message)}
    assert len(starts) == 1
    instances = {str(message.resource_metrics[0].resource) for message in (first, last)}
    assert len(instances) == 1
    assert "run-1" not in instances.pop()


def test_delta_tells_what_is_new(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    settings = {
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
    }
    run = recording()
    run.calls(10)
    lane = lanes(backend.url, "metrics", **settings)
    until(lambda: backend.of("/v1/metrics"))
    run.calls(5)
    run.end()
    lane.changed([run.run_id])
    until(lambda: sum(total(backend, n) for n in range(len(backend.of("/v1/metrics")))) == 15)
    assert backend.metrics["mcp.server.operation.duration"].histogram.aggregation_temporality == 1


def points_of(message: Any, metric_name: str = "mcp.server.operation.duration") -> list[Any]:
    return [
        point
        for part in message.resource_metrics
        for scope in part.scope_metrics
        for metric in scope.metrics
        if metric.name == metric_name
        for point in metric.histogram.data_points
    ]


def test_a_new_series_is_told_to_have_stood_at_zero_once(
    recording: Any, backend: Any, lanes: Any, until: Any, attributes_of: Any
) -> None:
    run = recording()
    run.calls(3)
    lane = lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100")
    until(lambda: len(backend.of("/v1/metrics")) > 1)
    before, after = backend.of("/v1/metrics")[:2]
    zero, point = points_of(before)
    assert (zero.count, zero.sum, sum(zero.bucket_counts), zero.HasField("min")) == (0, 0, 0, False)
    assert attributes_of(zero) == attributes_of(point)
    assert point.start_time_unix_nano <= zero.time_unix_nano < point.time_unix_nano
    assert [again.count for again in points_of(after)] == [3]
    run.answer(run.call("other"), content=[])
    run.end()
    lane.changed([run.run_id])
    grown = until(lambda: [one for one in backend.of("/v1/metrics")[2:] if len(points_of(one)) == 3])[0]
    sent = {point.time_unix_nano for message in backend.of("/v1/metrics") for point in points_of(message)}
    (zero,) = [point for point in points_of(grown) if not point.count]
    assert attributes_of(zero)["gen_ai.tool.name"] == "other"
    assert zero.time_unix_nano in sent - {max(point.time_unix_nano for point in points_of(grown))}


def test_what_was_counted_and_not_sent_before_a_restart_begins_at_zero_all_the_same(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    backend.answers = [503] * 1000
    run = recording()
    run.calls(3)
    run.end()
    lane = lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100")
    until(lambda: lane.status()["state"] == "failing")
    lane.leave()
    lane.join(10)
    backend.answers = []
    lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100")
    until(lambda: backend.of("/v1/metrics"))
    assert [point.count for point in points_of(backend.of("/v1/metrics")[0])] == [0, 3]


def test_each_bucket_names_one_operation_by_its_span_and_only_once(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    run = recording()
    for milliseconds in (1, 2, 300):
        run.answer(run.call(), content=[], after_ms=milliseconds)
    run.end()
    traces = lanes(backend.url)
    lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100")
    until(lambda: len(backend.of("/v1/metrics")) > 1 and traces.status()["sent"] == 3)
    point = points_of(backend.of("/v1/metrics")[0])[-1]
    spans = {(span.trace_id, span.span_id): span for span in backend.spans}
    named = [spans[example.trace_id, example.span_id] for example in point.exemplars]
    lasted = [(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9 for span in named]
    assert [example.as_double for example in point.exemplars] == lasted == [0.002, 0.3]
    assert [example.time_unix_nano for example in point.exemplars] == [span.end_time_unix_nano for span in named]
    assert not points_of(backend.of("/v1/metrics")[1])[-1].exemplars


def test_exemplars_can_be_turned_off(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    run = recording()
    run.calls(1)
    run.end()
    lanes(backend.url, "metrics", OTEL_METRICS_EXEMPLAR_FILTER="always_off")
    until(lambda: backend.of("/v1/metrics"))
    assert [len(point.exemplars) for point in points_of(backend.of("/v1/metrics")[0])] == [0, 0]


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_a_backend_that_takes_only_little_at_once_gets_all_and_one_that_refuses_a_series_the_others(
    recording: Any, backend: Any, lanes: Any, until: Any, attributes_of: Any, temporality: str
) -> None:
    def picky(_path: str, request: Any) -> int:
        tools = [attributes_of(point).get("gen_ai.tool.name") for point in points_of(request)]
        return 413 if request.ByteSize() > 6000 else 400 if "bad" in tools else 200

    backend.answers = [picky] * 10_000
    run = recording()
    for number in range(30):
        run.answer(run.call(f"t{number}"), content=[])
    run.answer(run.call("bad"), content=[])
    run.end()
    settings = {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": temporality}
    lane = lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100", **settings)
    until(lambda: lane.status()["sent"])
    lane.leave()
    lane.join(30)
    points = [point for message in backend.of("/v1/metrics") for point in points_of(message)]
    counts = Counter({attributes_of(point)["gen_ai.tool.name"]: 0 for point in points})
    for point in points:
        tool = attributes_of(point)["gen_ai.tool.name"]
        counts[tool] = counts[tool] + point.count if temporality == "delta" else max(counts[tool], point.count)
    assert counts == {f"t{number}": 1 for number in range(30)}


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_what_a_backend_with_a_wrong_setting_refuses_is_kept_until_it_takes_it(
    recording: Any, backend: Any, lanes: Any, until: Any, attributes_of: Any, temporality: str
) -> None:
    asked: list[int] = []

    def wrong_at_first(_path: str, request: Any) -> int:
        asked.append(len(list(points_of(request))))
        return 400 if len(asked) < 40 else 200

    backend.answers = [wrong_at_first] * 10_000
    run = recording()
    for number in range(3):
        run.answer(run.call(f"t{number}"), content=[])
    run.end()
    settings = {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": temporality}
    lane = lanes(backend.url, "metrics", OTEL_METRIC_EXPORT_INTERVAL="100", **settings)
    until(lambda: lane.status()["sent"])
    assert len(asked) >= 40, "nothing counts as sent before anything was taken"
    lane.leave()
    lane.join(30)
    tools = {
        attributes_of(point).get("gen_ai.tool.name")
        for message in backend.of("/v1/metrics")
        for point in points_of(message)
    }
    assert {"t0", "t1", "t2"} <= tools
