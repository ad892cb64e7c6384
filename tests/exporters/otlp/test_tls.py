"""Backends behind TLS: their certificate is checked against the authority that was named, and ours is shown to them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from mcptap.exporters.otlp.settings import destination

EITHER = pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])


class Authority:
    """An authority, the server's certificate by it, and one for us with its key, as files."""

    def __init__(self, place: Path) -> None:
        self._authority = trustme.CA()
        self.server = self._authority.issue_cert("127.0.0.1")
        ours = self._authority.issue_cert("us@example.org")
        files = {name: place / f"{name}.pem" for name in ("CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE")}
        self._authority.cert_pem.write_to_path(str(files["CERTIFICATE"]))
        ours.private_key_pem.write_to_path(str(files["CLIENT_KEY"]))
        ours.cert_chain_pems[0].write_to_path(str(files["CLIENT_CERTIFICATE"]))
        self.settings = {f"OTEL_EXPORTER_OTLP_{name}": str(path) for name, path in files.items()}

    @property
    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.configure_cert(context)
        self._authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    @property
    def credentials(self) -> grpc.ServerCredentials:
        key, chain = self.server.private_key_pem.bytes(), self.server.cert_chain_pems[0].bytes()
        root = self._authority.cert_pem.bytes()
        return grpc.ssl_server_credentials([(key, chain)], root, require_client_auth=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: Any) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def receiver(authority: Authority, protocol: str, secure_backends: Any) -> Iterator[Any]:
    http, by_grpc = secure_backends
    made = by_grpc(credentials=authority.credentials) if protocol == "grpc" else http(tls=authority.context)
    yield made
    made.close()


@pytest.fixture
def run(recording: Any) -> None:
    made = recording()
    made.calls(3)
    made.end()


@EITHER
@pytest.mark.usefixtures("run")
def test_both_sides_know_each_other_by_their_certificates(
    receiver: Any, authority: Authority, lanes: Any, until: Any, protocol: str
) -> None:
    lane = lanes(receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL=protocol, **authority.settings)
    until(lambda: lane.status()["sent"] == 3)
    assert len(receiver.spans) == 3


@EITHER
@pytest.mark.usefixtures("run")
def test_a_backend_that_cannot_prove_itself_gets_nothing(receiver: Any, lanes: Any, until: Any, protocol: str) -> None:
    lane = lanes(receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    status = until(lambda: lane.status() if lane.status()["error"] else None)
    assert status["error"] in ("the certificate is not accepted", "gRPC UNAVAILABLE: cannot be reached by gRPC")
    assert (receiver.spans, status["sent"], status["skipped"]) == ([], 0, 0)


@pytest.mark.usefixtures("run")
def test_a_backend_that_asks_for_a_certificate_says_so(
    authority: Authority, secure_backends: Any, lanes: Any, until: Any, request: pytest.FixtureRequest
) -> None:
    made = secure_backends[0](tls=authority.context)
    request.addfinalizer(made.close)
    name = "OTEL_EXPORTER_OTLP_CERTIFICATE"
    lane = lanes(made.url, **{name: authority.settings[name]})
    until(lambda: lane.status()["error"] == "a client certificate is asked for")  # or it resets before it is heard
    assert (lane.status()["state"], made.spans) == ("failing", [])


@pytest.mark.parametrize(
    ("setting", "content", "said"),
    [
        ("CERTIFICATE", "no certificate\n", "is no certificate in PEM form"),
        ("CLIENT_CERTIFICATE", "no certificate\n", "is no certificate in PEM form"),
        ("CLIENT_KEY", "no key\n", "is not the key of that certificate"),
        ("CLIENT_KEY", None, "there is no such file"),
    ],
)
def test_a_file_that_cannot_serve_is_told_when_the_settings_are_read(
    authority: Authority, setting: str, content: str | None, said: str, tmp_path: Path
) -> None:
    wrong, name = tmp_path / "hush.pem", f"OTEL_EXPORTER_OTLP_{setting}"
    if content is not None:
        wrong.write_text(content)
    values = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://h", **authority.settings, name: str(wrong)}
    problem = str(destination("d", values).problem)
    assert problem.startswith(f"{name}: {said}")
    assert "hush" not in problem


def test_a_key_without_its_certificate_is_told(authority: Authority) -> None:
    values = {key: value for key, value in authority.settings.items() if not key.endswith("CLIENT_CERTIFICATE")}
    problem = destination("d", {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://h", **values}).problem
    assert problem == "OTEL_EXPORTER_OTLP_CLIENT_KEY: is of no use without the certificate"
