"""What users write, and one line about what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.exporters.configuration import CONFIG
from mcptap.exporters.otlp.settings import (
    KNOWN,
    SIGNALS,
    Destination,
    brought,
    configured,
    destination,
    from_json,
    to_json,
)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SECRET = "hush-hush-hush"


def from_text(home: Path, text: str) -> tuple[Destination, ...]:
    (home / CONFIG).write_text(text)
    return configured(home)


def test_without_a_file_or_an_endpoint_there_is_no_destination(tmp_path: Path) -> None:
    assert configured(tmp_path) == ()
    assert from_text(tmp_path, "[redaction]\nmode = 'redact'\n") == ()


def test_the_general_endpoint_gets_a_path_for_each_signal(tmp_path: Path) -> None:
    (found,) = from_text(tmp_path, f"[otlp]\n{ENDPOINT} = 'http://h:4318/otlp/'\n")
    assert [route.url for route in found.routes] == [f"http://h:4318/otlp/v1/{signal}" for signal in SIGNALS]
    assert found.name == "default"


def test_a_setting_of_one_signal_counts_for_that_signal() -> None:
    found = destination(
        "d",
        {
            ENDPOINT: "http://h:4318",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://t/x",
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1,b=2%2C3",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "C=x=y",
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2000",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "7",
        },
    )
    traces, metrics, logs = found.routes
    assert (traces.url, metrics.url, logs.url) == ("https://t/x", "h:4318", "http://h:4318/v1/logs")
    assert (traces.headers, logs.headers) == ({"a": "1", "b": "2,3"}, {"c": "x=y"})
    assert (traces.secure, metrics.secure) == (True, False)
    assert (traces.timeout_s, logs.timeout_s) == (2.0, 7.0)


def test_tables_are_destinations_and_share_what_stands_above_them(tmp_path: Path) -> None:
    text = (
        f"[otlp]\nOTEL_SERVICE_NAME = 's'\n[otlp.one]\n{ENDPOINT} = 'http://a'\n[otlp.two]\n{ENDPOINT} = 'http://b'\n"
    )
    found = from_text(tmp_path, text)
    assert [(one.name, one.place, one.service_name) for one in found] == [
        ("one", "http://a", "s"),
        ("two", "http://b", "s"),
    ]
    assert found[0].key != found[1].key


def test_a_signal_can_be_turned_off_and_so_can_all() -> None:
    found = destination("d", {ENDPOINT: "http://h", "OTEL_LOGS_EXPORTER": "none"})
    assert [route.signal for route in found.routes] == ["traces", "metrics"]
    off = destination("d", {ENDPOINT: "http://h", "OTEL_SDK_DISABLED": True})
    assert (off.routes, off.problem) == ((), "OTEL_SDK_DISABLED is set")


@pytest.mark.parametrize(
    ("endpoint", "plain", "url", "secure"),
    [
        ("http://h:4317", "", "h:4317", False),
        ("https://h:4317/ignored", "", "h:4317", True),
        ("h:4317", "", "h:4317", True),
        ("h", "true", "h:4317", False),
        ("http://[::1]:9", "", "[::1]:9", False),
    ],
)
def test_grpc_takes_host_and_port(endpoint: str, plain: str, url: str, secure: bool) -> None:
    values = {ENDPOINT: endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_INSECURE": plain}
    route = destination("d", values).routes[0]
    assert (route.url, route.secure) == (url, secure)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (ENDPOINT, f"{SECRET}:4318"),
        (ENDPOINT, f"ftp://{SECRET}"),
        (ENDPOINT, f"http://{SECRET}:99999"),
        (ENDPOINT, f"http://{SECRET} x"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", SECRET),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_HEADERS", SECRET),
        ("OTEL_EXPORTER_OTLP_HEADERS", f"a b={SECRET}"),
        ("OTEL_EXPORTER_OTLP_HEADERS", f"a={SECRET}%0d%0ab: c"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", SECRET),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", SECRET),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", f"/{SECRET}"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", SECRET),
        ("OTEL_METRIC_EXPORT_INTERVAL", SECRET),
        ("OTEL_METRICS_EXEMPLAR_FILTER", SECRET),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_ENPOINT", SECRET),
        ("OTEL_RESOURCE_ATTRIBUTES", SECRET),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_setting_and_not_its_value(setting: str, value: str) -> None:
    found = destination("d", {ENDPOINT: "http://h", setting: value})
    assert found.routes == ()
    assert setting in str(found.problem)
    assert SECRET not in str(found.problem)
    assert "\n" not in str(found.problem)


def test_a_name_that_is_misspelt_is_told_with_the_one_that_was_meant() -> None:
    found = destination("d", {"OTEL_EXPORTER_OTLP_ENDPIONT": "http://h"})
    assert str(found.problem).endswith(f"did you mean {ENDPOINT}?")


WRONG_FILES = (
    f"[otlp\n{SECRET}",
    f"otlp = '{SECRET}'",
    f"[otlp]\n{ENDPOINT} = ['{SECRET}']",
    f"[otlp.a]\nOTEL_SERVICE_NAME='{SECRET}'",
)


@pytest.mark.parametrize("text", WRONG_FILES)
def test_a_file_that_is_wrong_is_told(tmp_path: Path, text: str) -> None:
    (found,) = from_text(tmp_path, text)
    assert found.problem
    assert not found.routes
    assert SECRET not in found.problem


def test_what_a_tap_brings_may_hold_more_than_is_known_here() -> None:
    found = brought({ENDPOINT: "http://h", "OTEL_SOMETHING_NEW": "x", "OTEL_PROPAGATORS": "tracecontext"})
    assert found is not None
    assert found.place == "http://h"
    assert brought({"OTEL_SERVICE_NAME": "x"}) is None
    assert brought({ENDPOINT: ""}) is None


def test_secrets_are_not_in_what_is_shown() -> None:
    found = destination(
        "d", {ENDPOINT: f"https://u:{SECRET}@h/p?k={SECRET}", "OTEL_EXPORTER_OTLP_HEADERS": f"k={SECRET}"}
    )
    assert found.routes
    assert SECRET not in found.place
    assert SECRET not in found.key
    assert "headers" not in repr(found.routes[0])


def test_a_destination_survives_the_pipe() -> None:
    found = destination("d", {ENDPOINT: "http://h", "OTEL_EXPORTER_OTLP_HEADERS": "k=v", "OTEL_SERVICE_NAME": "s"})
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.text() | st.integers() | st.booleans() | st.floats()))
def test_whatever_is_written_nothing_raises(values: dict[str, object]) -> None:
    found = destination("d", values)
    assert found.routes or found.problem or "none" in map(str, values.values())
