"""OTLP over HTTP: the SDK's exporters, with a session that keeps the answer they throw away.

The idea: their public `session` argument is the place where an answer passes. Ours notes status, `Retry-After` and
what was rejected, and raises for whatever is no success: so each call is one attempt, a redirect is no success,
and whoever calls decides when to try again.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from http.client import HTTPException, RemoteDisconnected
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from urllib3.exceptions import NameResolutionError

from mcptap.exporters.otlp.outcome import Outcome, of_status, shown
from mcptap.exporters.otlp.settings import Route

_EXPORTERS: dict[str, Any] = {"traces": OTLPSpanExporter, "metrics": OTLPMetricExporter, "logs": OTLPLogExporter}
# Signal -> the answer's message, and its member that counts what was rejected.
_ANSWERS: dict[str, tuple[Any, str]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
}
_COMPRESSIONS = {"none": Compression.NoCompression, "gzip": Compression.Gzip, "deflate": Compression.Deflate}
MAX_ANSWER = 1 << 20  # bytes


class _AnswerNotedError(Exception):
    """Ends the exporter's attempt: what there is to know has been noted."""


class _Session(requests.Session):
    """Sends once, and notes what came of it."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self.trust_env = False  # a netrc file would replace our credentials, a variable our certificate
        self._route = route
        self.outcome: Outcome | None = None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As requests does it. Raises _AnswerNotedError for what can never be a request."""
        try:
            return super().prepare_request(request)
        except Exception as problem:
            self.outcome = Outcome("refused", "the endpoint or a header cannot be sent as it is")
            raise _AnswerNotedError from problem

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """One attempt. Raises _AnswerNotedError unless the answer is a success."""
        options["allow_redirects"] = False
        options["stream"] = True
        try:
            with super().send(request, **options) as response:
                self.outcome = self._judge(response)
                response._content = b""  # noqa: SLF001  # what there is to know has been noted
        except requests.RequestException as problem:
            self.outcome = Outcome("later", _said(problem))
        except Exception as problem:  # of urllib3, while the answer is read
            self.outcome = Outcome("later", f"the answer cannot be read: {type(problem).__name__}")
        if self.outcome.verdict != "delivered":
            raise _AnswerNotedError
        return response

    def _judge(self, response: requests.Response) -> Outcome:
        if not 200 <= response.status_code < 300:  # 200 says the specification, 202 and 204 say some backends
            return of_status(response.status_code, _pause(response.headers.get("Retry-After")))
        body = response.raw.read(MAX_ANSWER, decode_content=True)
        message, member = _ANSWERS[self._route.signal]
        try:
            partial = message.FromString(body).partial_success
        except Exception:  # a proxy's page: whoever answers 200 without OTLP has not taken the batch
            return Outcome("refused", "answered with something that is no OTLP: check the endpoint")
        said = shown(partial.error_message, self._route.headers)
        return Outcome("delivered", said, rejected=max(0, getattr(partial, member)))


class HttpSender:
    """Sends batches of one signal; for one thread."""

    def __init__(self, route: Route) -> None:
        self._session = _Session(route)
        self._exporter = _EXPORTERS[route.signal](
            endpoint=route.url,
            certificate_file=route.certificate,
            client_key_file=route.client_key,
            client_certificate_file=route.client_certificate,
            headers=dict(route.headers),
            timeout=route.timeout_s,
            compression=_COMPRESSIONS[route.compression],
            session=self._session,
        )

    def send(self, batch: Sequence[Any] | Any) -> Outcome:
        """One attempt. Never raises."""
        self._session.outcome = None
        try:
            self._exporter.export(batch)
        except Exception as bug:
            return Outcome("unfit", f"cannot be encoded: {type(bug).__name__}")
        return self._session.outcome or Outcome("unfit", "cannot be encoded")

    def close(self) -> None:
        """Gives the connection back."""
        self._session.close()


# What kept us from an answer, by the first of these that it is or was caused by. Its own text holds the address, and
# may hold more.
_SAYINGS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "the certificate is not accepted"),
    (requests.exceptions.ConnectTimeout, "does not answer"),
    (requests.exceptions.Timeout, "does not answer in time"),
    (NameResolutionError, "there is no such host"),
    (RemoteDisconnected, "breaks off without an answer"),
    (HTTPException, "no HTTP is spoken there: for a gRPC port set OTEL_EXPORTER_OTLP_PROTOCOL to grpc"),
    (requests.exceptions.ConnectionError, "cannot be reached"),
)

_TLS = {  # by OpenSSL's own name for it
    "WRONG_VERSION_NUMBER": "no TLS is spoken there: is it http:// in place of https://?",
    "RECORD_LAYER_FAILURE": "no TLS is spoken there: is it http:// in place of https://?",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "a client certificate is asked for",
}


def _said(problem: BaseException) -> str:
    causes = tuple(_causes(problem))
    for cause in causes:
        if type(cause) is ssl.SSLError and cause.reason:
            return _TLS.get(cause.reason, f"TLS fails: {cause.reason}")
    found = (said for kind, said in _SAYINGS if any(isinstance(cause, kind) for cause in causes))
    return next(found, type(problem).__name__)


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """The problem, and those that it was made of."""
    left, seen = [problem], set[int]()
    while left:
        cause = left.pop()
        if id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            made_of = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
            left += [one for one in made_of if isinstance(one, BaseException)]


def _pause(header: str | None) -> float | None:
    """Seconds of a Retry-After, which is a number or a date."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
