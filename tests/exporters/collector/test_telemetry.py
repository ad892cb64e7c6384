"""Destinations as `mcptap status` tells them, without the process that serves them."""

from __future__ import annotations

from pathlib import Path

from mcptap.exporters.collector.telemetry import Telemetry
from mcptap.exporters.configuration import CONFIG

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def told(telemetry: Telemetry) -> list[tuple[str, str, str | None]]:
    return [(one["name"], one["state"], one["detail"]) for one in telemetry.status()]


def test_what_is_wrong_with_what_a_tap_brings_is_told_as_long_as_its_run_lasts(tmp_path: Path) -> None:
    telemetry = Telemetry(tmp_path)
    telemetry.bring("run-1", {ENDPOINT: "nowhere"})
    assert told(telemetry) == [("environment", "off", f"{ENDPOINT}: must begin with http:// or https://")]
    telemetry.release("run-1")
    assert told(telemetry) == []


def test_a_wrong_destination_of_the_file_hides_no_wrong_one_of_a_tap(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(f"[otlp.mine]\n{ENDPOINT} = 'x'\n")
    telemetry = Telemetry(tmp_path)
    telemetry.status()
    telemetry.bring("run-1", {ENDPOINT: "nowhere"})
    assert [row[:2] for row in told(telemetry)] == [("mine", "off"), ("environment", "off")]


def test_a_tap_that_names_a_place_of_the_file_is_not_sent_there_twice(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(f"[otlp]\n{ENDPOINT} = 'http://h:4318'\n")
    telemetry = Telemetry(tmp_path)
    telemetry.status()
    telemetry.bring("run-1", {ENDPOINT: "http://h:4318"})
    telemetry.bring("run-2", {ENDPOINT: "http://other:4318"})
    assert [one["place"] for one in telemetry.status()] == ["http://h:4318", "http://other:4318"]


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    telemetry = Telemetry(tmp_path)
    assert told(telemetry) == []
    (tmp_path / CONFIG).write_text(f"[otlp]\n{ENDPOINT} = 'http://h:4318'\n")
    assert told(telemetry) == [("default", "starting", None)]
    (tmp_path / CONFIG).write_text("[otlp")
    ((name, state, detail),) = told(telemetry)
    assert (name, state) == (CONFIG, "off")
    assert str(detail).startswith("is not TOML")
