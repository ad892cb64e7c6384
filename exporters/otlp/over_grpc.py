"""OTLP over gRPC: the SDK's encoders and OTLP's own service stubs.

The idea: the SDK's gRPC exporter hides status and partial success, and tries again by itself. What it does beyond that
is three lines, and they are here: encode with the SDK, call the generated stub, read the status.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from mcptap.exporters.otlp.outcome import Outcome, Verdict, shown
from mcptap.exporters.otlp.settings import Route

# Signal -> encoder, service, and the member of its answer that counts what was rejected.
_SERVICES: dict[str, tuple[Any, Any, str]] = {
    "traces": (encode_spans, TraceServiceStub, "rejected_spans"),
    "metrics": (encode_metrics, MetricsServiceStub, "rejected_data_points"),
    "logs": (encode_logs, LogsServiceStub, "rejected_log_records"),
}
_CODES: dict[grpc.StatusCode, tuple[Verdict, str]] = {
    grpc.StatusCode.INVALID_ARGUMENT: ("poison", "not accepted as it is"),
    grpc.StatusCode.UNAUTHENTICATED: ("refused", "the credentials were not accepted"),
    grpc.StatusCode.PERMISSION_DENIED: ("refused", "the credentials do not allow this"),
    grpc.StatusCode.UNIMPLEMENTED: ("refused", "this signal is not taken there"),
    grpc.StatusCode.NOT_FOUND: ("refused", "there is no such service there"),
    grpc.StatusCode.FAILED_PRECONDITION: ("refused", "the backend is not ready for this"),
    grpc.StatusCode.UNAVAILABLE: ("later", "cannot be reached by gRPC"),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("later", "does not answer in time"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: ("later", "takes no more now"),
}
_TOO_LARGE = "larger than max"


class GrpcSender:
    """Sends batches of one signal; for one thread."""

    def __init__(self, route: Route) -> None:
        self._route = route
        # Proxy variables are meant for other programs, and a restarted backend must be found again soon.
        options = (("grpc.enable_http_proxy", 0), ("grpc.max_reconnect_backoff_ms", 5000))
        compression = grpc.Compression.Gzip if route.compression == "gzip" else grpc.Compression.NoCompression
        if route.secure:
            self._channel = grpc.secure_channel(route.url, _credentials(route), options, compression)
        else:
            self._channel = grpc.insecure_channel(route.url, options, compression)
        self._encode, service, self._member = _SERVICES[route.signal]
        self._service = service(self._channel)

    def send(self, batch: Sequence[Any] | Any) -> Outcome:
        """One attempt. Never raises."""
        try:
            request = self._encode(batch)
        except Exception as bug:
            return Outcome("unfit", f"cannot be encoded: {type(bug).__name__}")
        try:
            answer = self._service.Export(
                request, timeout=self._route.timeout_s, metadata=tuple(self._route.headers.items())
            )
        except grpc.RpcError as error:
            return _judge(error)
        except Exception as bug:
            return Outcome("refused", f"cannot be sent: {type(bug).__name__}")
        said = shown(answer.partial_success.error_message, self._route.headers)
        return Outcome("delivered", said, rejected=max(0, getattr(answer.partial_success, self._member)))

    def close(self) -> None:
        """Gives the connection back."""
        self._channel.close()


def _credentials(route: Route) -> grpc.ChannelCredentials:
    """Raises OSError for a file that cannot be read."""
    files = (route.certificate, route.client_key, route.client_certificate)
    root, key, chain = (Path(file).read_bytes() if file else None for file in files)
    return grpc.ssl_channel_credentials(root, key, chain)


def _judge(error: Any) -> Outcome:
    code = error.code()
    verdict, saying = _CODES.get(code, ("later", ""))
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in (error.details() or ""):
        verdict, saying = "poison", "too large"
    return Outcome(verdict, f"gRPC {code.name}: {saying}".rstrip(": "), _pause(error))


def _pause(error: Any) -> float | None:
    """Seconds of the RetryInfo that may come with an error."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    pause: float = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
                    return pause
    return None
