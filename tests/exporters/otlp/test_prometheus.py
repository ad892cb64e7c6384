"""A real Prometheus with the metrics of a run: every query of the Grafana dashboard is understood and has an answer.

The idea: names come from OpenTelemetry's own translation, points from what a lane sent, and Prometheus itself says what
a panel would show. `make servers` brings Prometheus; it is started here, on this machine only, and ended.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY

from mcptap.exporters.boards import grafana
from mcptap.exporters.otlp.totals import INSTRUMENTS

BROUGHT = Path(__file__).parents[2] / "servers" / "prometheus" / "usr" / "bin"
CALLS = 40
WINDOW = {"$__rate_interval": "5m", "$__range": "5m"}


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Finds a program of Prometheus; skips the test where it is missing."""

    def find(name: str) -> str:
        found = shutil.which(name) or shutil.which(name, path=str(BROUGHT))
        if found is None:
            pytest.skip(f"needs {name}: run `make servers`")
        return found

    return find


@pytest.fixture(scope="session")
def families() -> dict[str, str]:
    """What Prometheus calls each of our metrics, by OpenTelemetry's own exporter."""
    reader = PrometheusMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    meter, found = provider.get_meter("names"), {}
    for name, (unit, description, bounds) in INSTRUMENTS.items():
        if bounds:
            meter.create_histogram(name, unit, description).record(1)
        else:
            meter.create_counter(name, unit, description).add(1)
        before = set(found.values())
        told = {family.name: family for family in REGISTRY.collect() if family.name.startswith("mcp")}
        (family,) = {key for key in told if key not in before}
        found[name] = family
    provider.shutdown()
    return found


def filled(query: str, service: str = ".*") -> str:
    """A query as Grafana sends it."""
    for name, value in WINDOW.items():
        query = query.replace(name, value)
    return query.replace("$service", service)


def test_promtool_understands_every_query(program: Any, tmp_path: Path) -> None:
    rules = [{"record": f"panel:{n}", "expr": filled(panel.query)} for n, panel in enumerate(grafana.PANELS)]
    file = tmp_path / "rules.json"  # what is JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    said = subprocess.run([program("promtool"), "check", "rules", file], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert f"{len(rules)} rules found" in said.stdout


class Prometheus:
    """A server with these points in it."""

    def __init__(self, program: Callable[[str], str], place: Path, text: str) -> None:
        (place / "points").write_text(text)
        (place / "config").write_text("{}")
        words = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", place / "points", place / "data"]
        subprocess.run(words, check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        options = [f"--config.file={place / 'config'}", f"--storage.tsdb.path={place / 'data'}"]
        options += [f"--web.listen-address={self.address}"]
        with (place / "log").open("wb") as log:
            self.process = subprocess.Popen([program("prometheus"), *options], stdout=log, stderr=log)

    def get(self, path: str, **values: str) -> Any:
        url = f"http://{self.address}{path}?{urllib.parse.urlencode(values)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]

    def ready(self) -> bool:
        try:
            return bool(self.get("/api/v1/status/buildinfo"))
        except OSError:
            return False

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def points(families: Any, recording: Any, backend: Any, lanes: Any, until: Any) -> str:
    """What one lane sent of three runs: calls, failures, findings, a crash, a gap."""
    tell(recording)
    settings = {"OTEL_METRIC_EXPORT_INTERVAL": "200", "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=tools"}
    lane = lanes(backend.url, "metrics", **settings)
    until(lambda: len(backend.of("/v1/metrics")) > 2 and lane.status()["lag_bytes"] == 0)
    return openmetrics(backend.of("/v1/metrics"), families)


def tell(recording: Any) -> None:
    run, other, broken = recording("run-1"), recording("run-2", name="notes"), recording("run-3")
    run.handshake()
    run.answer(run.ask("tools/list"), tools=[{"name": "read", "description": "Reads a file." * 20, "inputSchema": {}}])
    run.answer(run.call("write", password="hunter2-and-more"), content=[])
    for _ in range(CALLS):
        run.answer(run.call("read"), content=[], after_ms=30)
    run.answer(run.call("write"), isError=True, content=[])
    run.fail(run.call("write"), -32603)
    run.finding(None)
    run.write(*run._analysis.data("client", 50_000, run.at, b"{}\n"))
    other.calls(3)
    broken.end(exit_code=3)
    run.end()
    other.end()


def openmetrics(requests: list[Any], families: dict[str, str]) -> str:
    """The points of all requests as text, each family for itself, in the order of time."""
    lines: dict[str, list[str]] = {name: [] for name in families.values()}
    for request in requests:
        for part in request.resource_metrics:
            named = {pair.key: pair.value.string_value for pair in part.resource.attributes}
            job = f"{named['service.namespace']}/{named['service.name']}"
            for metric in part.scope_metrics[0].metrics:
                family = families[metric.name]
                for point in getattr(metric, metric.WhichOneof("data")).data_points:
                    lines[family] += samples(family, point, job, named["service.instance.id"])
    return "".join("".join(f"{line}\n" for line in told) for told in lines.values()) + "# EOF\n"


def samples(family: str, point: Any, job: str, instance: str) -> Iterator[str]:
    at = f"{point.time_unix_nano / 1e9:.3f}"
    told = {"job": job, "instance": instance}
    told |= {re.sub(r"\W", "_", pair.key): pair.value.string_value for pair in point.attributes}
    labels = ",".join(f"{key}={json.dumps(value)}" for key, value in told.items())
    if not hasattr(point, "bucket_counts"):
        yield f"{family}_total{{{labels}}} {point.as_int} {at}"
        return
    upto = 0
    for bound, count in zip([*point.explicit_bounds, "+Inf"], point.bucket_counts, strict=True):
        upto += count
        yield f'{family}_bucket{{{labels},le="{bound}"}} {upto} {at}'
    yield f"{family}_count{{{labels}}} {point.count} {at}"
    yield f"{family}_sum{{{labels}}} {point.sum} {at}"


@pytest.fixture
def server(points: str, program: Any, tmp_path: Path, until: Any) -> Iterator[Prometheus]:
    made = Prometheus(program, tmp_path, points)
    try:
        until(made.ready)
        yield made
    finally:
        made.close()


def test_every_panel_of_the_dashboard_shows_something_also_for_one_server(server: Prometheus) -> None:
    shown = {
        (panel.title, service): server.get("/api/v1/query", query=filled(panel.query, service))["result"]
        for panel in grafana.PANELS
        for service in (".*", "files", "notes|files")
    }
    assert [title for title, result in shown.items() if not result] == []
    numbers = {title: float(result[0]["value"][1]) for (title, _), result in shown.items() if len(result) == 1}
    assert CALLS <= numbers["Calls"] <= 2 * CALLS, "what was counted before the first export counts"
    assert 0 < numbers["Failed"] < 0.1
    assert 1 <= numbers["Crashes"] <= 2
    legends = {panel.title: set(re.findall(r"{{(\w+)}}", panel.legend)) for panel in grafana.PANELS}
    assert not [
        title for (title, _), result in shown.items() for row in result if legends[title] - row["metric"].keys()
    ]
    assert set(server.get("/api/v1/label/job/values")) == {"tools/files", "tools/notes"}


def test_numbers_of_a_server_without_failures_are_zero_and_not_empty(server: Prometheus) -> None:
    for panel in grafana.PANELS:
        if panel.shape == "number":
            (row,) = server.get("/api/v1/query", query=filled(panel.query, "notes"))["result"]
            assert (float(row["value"][1]) > 0) == (panel.title == "Calls"), panel.title
