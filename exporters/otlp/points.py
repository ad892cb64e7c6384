"""Totals as the SDK's metrics: one resource per server and installation, not per run.

The idea: a run's id in a metric's resource would make a new series of everything with each run. So the points of all
runs of a server are one series, told apart between machines by an id of the installation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from mcptap.exporters.otlp.totals import INSTRUMENTS, Labels, Point, Totals


def metrics_data(totals: Totals, host: Mapping[str, Any], now: int, *, delta: bool) -> MetricsData:
    """All that the totals hold: since the beginning, or with `delta` since they were last sent."""
    temporality = AggregationTemporality.DELTA if delta else AggregationTemporality.CUMULATIVE
    start = totals.start
    services: dict[str, dict[str, list[tuple[Labels, Point]]]] = {}
    for (metric, service, labels), point in totals.series.items():
        services.setdefault(service, {}).setdefault(metric, []).append((labels, point))
    return MetricsData(
        [
            ResourceMetrics(
                Resource({**host, "service.name": service}),
                [
                    ScopeMetrics(
                        SCOPE,
                        [_metric(metric, points, start, now, temporality) for metric, points in metrics.items()],
                        name.SCHEMA_URL,
                    )
                ],
                "",
            )
            for service, metrics in services.items()
        ]
    )


def _metric(
    metric: str, points: list[tuple[Labels, Point]], start: int, now: int, temporality: AggregationTemporality
) -> Metric:
    unit, description, bounds = INSTRUMENTS[metric]
    if not bounds:
        numbers = [NumberDataPoint(dict(labels), start, now, int(point.total)) for labels, point in points]
        return Metric(metric, description, unit, Sum(numbers, temporality, is_monotonic=True))
    histograms = [
        HistogramDataPoint(
            dict(labels),
            start,
            now,
            point.count,
            point.total,
            point.buckets,
            bounds,
            point.low,
            point.high,
        )
        for labels, point in points
    ]
    return Metric(metric, description, unit, Histogram(histograms, temporality))
