"""What keeps us from an answer is told in words that say what to change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcptap.exporters.otlp.lane import sender_of
from mcptap.exporters.otlp.outcome import Outcome
from mcptap.exporters.otlp.settings import destination


@pytest.fixture
def said() -> Callable[..., str]:
    """What one attempt at that endpoint says."""

    def send(endpoint: str, **settings: str) -> str:
        values = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        sender = sender_of(destination("d", values | settings).routes[0])
        try:
            outcome: Outcome = sender.send([])
        finally:
            sender.close()
        assert outcome.verdict == "later"
        return outcome.detail

    return send


def test_a_grpc_port_is_no_place_for_http(said: Any, grpc_backend: Any) -> None:
    assert said(grpc_backend.url).endswith("for a gRPC port set OTEL_EXPORTER_OTLP_PROTOCOL to grpc")


def test_an_http_port_is_no_place_for_grpc(said: Any, backend: Any) -> None:
    assert said(backend.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc") in (
        "gRPC UNAVAILABLE: cannot be reached by gRPC",
        "gRPC DEADLINE_EXCEEDED: does not answer in time",
    )


def test_a_server_without_tls_is_no_matter_of_certificates(said: Any, backend: Any) -> None:
    assert said(backend.url.replace("http:", "https:")) == "no TLS is spoken there: is it http:// in place of https://?"


def test_a_host_that_does_not_exist_is_told_so(said: Any) -> None:
    assert said("http://nowhere.invalid:4318") == "there is no such host"


def test_a_closed_port_cannot_be_reached(said: Any, backend: Any) -> None:
    backend.close()
    assert said(backend.url) == "cannot be reached"


def test_a_server_that_breaks_off_or_hangs_is_told_apart(said: Any, backend: Any) -> None:
    backend.answers = ["close", "hang"]
    assert said(backend.url) == "breaks off without an answer"
    assert said(backend.url) == "does not answer in time"


def test_the_environments_headers_are_another_backends(
    backend: Any, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=of-another")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-api-key=of-another")
    backend.answers = [503]
    assert said(backend.url) == "HTTP 503"
    assert "x-api-key" not in backend.headers[0]
