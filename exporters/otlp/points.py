"""Totals as the SDK's metrics: one resource per server and installation, not per run.

The idea: a run's id in a metric's resource would make a new series of everything with each run. So the points of all
runs of a server are one series, told apart between machines by an id of the installation. What leads from a metric to a
run are exemplars: single operations, with their trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource

from mcptap.exporters.otlp import conventions as name
from mcptap.exporters.otlp.telemetry import SCOPE
from mcptap.exporters.otlp.totals import INSTRUMENTS, Example, Labels, Point, Totals


def metrics_data(
    totals: Totals, host: Mapping[str, Any], now: int, *, delta: bool = False, examples: bool = True, back: int = 0
) -> MetricsData:
    """All that the totals hold: since the beginning, or with `delta` since they were last sent.

    `back`: so many nanoseconds before now, at most, a fresh series is told to have stood at zero.
    """
    frame = _Frame(
        AggregationTemporality.DELTA if delta else AggregationTemporality.CUMULATIVE,
        totals.start,
        now,
        None if delta else max(totals.start, totals.sent_at, now - back),
        examples,
    )
    services: dict[str, dict[str, list[tuple[Labels, Point]]]] = {}
    for (metric, service, labels), point in totals.series.items():
        services.setdefault(service, {}).setdefault(metric, []).append((labels, point))
    return MetricsData(
        [
            ResourceMetrics(
                Resource({**host, "service.name": service}),
                [
                    ScopeMetrics(
                        SCOPE, [_metric(metric, points, frame) for metric, points in metrics.items()], name.SCHEMA_URL
                    )
                ],
                "",
            )
            for service, metrics in services.items()
        ]
    )


class _Frame(NamedTuple):
    """What all points of one export have in common; times in ns since the epoch."""

    temporality: AggregationTemporality
    start: int
    now: int
    zero_at: int | None
    examples: bool


def _metric(metric: str, points: list[tuple[Labels, Point]], frame: _Frame) -> Metric:
    unit, description, bounds = INSTRUMENTS[metric]
    told = [row for labels, point in points for row in _over_time(labels, point, frame)]
    if not bounds:
        numbers = [NumberDataPoint(labels, frame.start, at, int(point.total)) for labels, point, at in told]
        return Metric(metric, description, unit, Sum(numbers, frame.temporality, is_monotonic=True))
    histograms = [_histogram(labels, point, at, bounds, frame) for labels, point, at in told]
    return Metric(metric, description, unit, Histogram(histograms, frame.temporality))


def _over_time(labels: Labels, point: Point, frame: _Frame) -> Iterator[tuple[dict[str, Any], Point, int]]:
    """What the series is now; before it, of a fresh one, that it was zero."""
    if point.fresh and frame.zero_at is not None and frame.zero_at < frame.now:
        yield dict(labels), Point(buckets=[0] * len(point.buckets)), frame.zero_at
    yield dict(labels), point, frame.now


def _histogram(
    labels: dict[str, Any], point: Point, at: int, bounds: tuple[float, ...], frame: _Frame
) -> HistogramDataPoint:
    examples = [_exemplar(example) for example in point.examples.values()] if frame.examples else []
    low, high = (point.low, point.high) if point.count else (None, None)
    return HistogramDataPoint(
        labels,
        frame.start,
        at,
        point.count,
        point.total,
        point.buckets,
        bounds,
        low,  # type: ignore[arg-type]  # the encoder leaves out what is not known
        high,  # type: ignore[arg-type]
        examples,
    )


def _exemplar(example: Example) -> Exemplar:
    trace_id, span_id = (int(digits, 16) for digits in example.context)
    return Exemplar({}, example.value, example.at, span_id, trace_id)
