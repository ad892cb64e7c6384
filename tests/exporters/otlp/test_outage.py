"""Backends that are down, hang, break off or find all too large: nothing is lost, and what is doubled is the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mcptap.exporters.otlp.reading import AT_ONCE

EITHER = pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])


def ids(*backends: Any) -> Counter[bytes]:
    return Counter(span.span_id for backend in backends for span in backend.spans)


@pytest.fixture
def receiver(request: Any, protocol: str) -> Any:
    return request.getfixturevalue("grpc_backend" if protocol == "grpc" else "backend")


@EITHER
def test_what_came_while_the_backend_was_down_arrives_once_when_it_is_up(
    recording: Any, receiver: Any, lanes: Any, until: Any, again: Any, protocol: str
) -> None:
    receiver.close()
    run = recording()
    run.calls(100)
    lane = lanes(receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    until(lambda: lane.status()["state"] == "failing")
    run.calls(900)
    run.end()
    lane.changed([run.run_id])
    up = again(receiver)
    until(lambda: lane.status()["lag_bytes"] == 0)
    assert (len(ids(up)), max(ids(up).values())) == (1000, 1)
    assert (lane.status()["state"], lane.status()["sent"]) == ("ok", 1000)


@pytest.mark.parametrize("many", [AT_ONCE, pytest.param(10_000, marks=pytest.mark.slow)])
def test_what_came_in_an_outage_is_not_read_before_it_can_be_sent(
    recording: Any, backend: Any, lanes: Any, until: Any, again: Any, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr("mcptap.exporters.otlp.delivery.RATE", 1e9)
    backend.close()
    run = recording()
    run.calls(many)
    run.end()
    lane = lanes(backend.url)
    until(lambda: lane.status()["state"] == "failing")
    lines, reader = 2 * many, lane._gathering._readers[run.run_id]
    assert reader._offset / run.path.stat().st_size < 1.1 * AT_ONCE / lines, "one batch, and no more"
    up = again(backend)
    until(lambda: lane.status()["lag_bytes"] == 0)
    assert (len(ids(up)), max(ids(up).values())) == (many, 1)


def test_a_backend_that_hangs_is_given_up_and_asked_again(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    backend.answers = ["hang", "hang"]
    run = recording()
    run.calls(3)
    run.end()
    lane = lanes(backend.url, OTEL_EXPORTER_OTLP_TIMEOUT="0.2")
    until(lambda: lane.status()["sent"] == 3)
    assert "does not answer in time" in lane.status()["error"]
    assert max(ids(backend).values()) == 1


def test_a_hanging_backend_is_given_up_by_grpc_too(recording: Any, grpc_backend: Any, lanes: Any, until: Any) -> None:
    grpc_backend.answers = ["hang"]
    run = recording()
    run.calls(3)
    run.end()
    lane = lanes(grpc_backend.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc", OTEL_EXPORTER_OTLP_TIMEOUT="0.2")
    until(lambda: lane.status()["sent"] == 3)
    assert lane.status()["error"].startswith("gRPC DEADLINE_EXCEEDED")
    assert max(ids(grpc_backend).values()) == 1


def test_a_backend_that_breaks_off_half_the_time_gets_everything_and_doubles_have_equal_ids(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    backend.answers = ["reset", 200] * 100
    run = recording()
    run.calls(1200)
    run.end()
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 1200)
    assert len(ids(backend)) == 1200
    assert set(ids(backend).values()) == {2}, "OTLP's at-least-once: what broke off had been kept"
    told: dict[bytes, set[bytes]] = {}
    for span in backend.spans:
        told.setdefault(span.span_id, set()).add(span.SerializeToString())
    assert {len(same) for same in told.values()} == {1}, "each time the same"


def test_what_is_too_large_for_a_backend_is_sent_in_smaller_parts(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    def small(_path: str, request: Any) -> int:
        return 413 if request.ByteSize() > 20_000 else 200

    backend.answers = [small] * 1000
    run = recording()
    run.calls(300)
    run.end()
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 300)
    assert (lane.status()["skipped"], max(ids(backend).values())) == (0, 1)
