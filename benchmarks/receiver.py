"""`python -m benchmarks.receiver [PORT]`: takes OTLP over HTTP, and counts. It runs apart, so that its time is its own.

The idea: what is exported is judged by what arrives: how many spans of a service, how many of them twice, and when the
first and the last came. The port is said on stdout; `GET /` answers with the counts as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACES = "/v1/traces"


class Counts:
    """Spans by service; times in seconds of the system's monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, set[bytes]] = {}
        self._rows: dict[str, dict[str, float]] = {}

    def add(self, body: bytes) -> None:
        """Counts what one request holds."""
        now = time.monotonic()
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(p.value.string_value for p in part.resource.attributes if p.key == "service.name")
            ids = [span.span_id for scope in part.scope_spans for span in scope.spans]
            with self._lock:
                row = self._rows.setdefault(service, {"spans": 0, "ids": 0, "first": now, "first_spans": len(ids)})
                known = self._ids.setdefault(service, set())
                known.update(ids)
                row |= {"spans": row["spans"] + len(ids), "ids": len(known), "last": now}

    def told(self) -> bytes:
        """All of it, as JSON."""
        with self._lock:
            return json.dumps(self._rows).encode()


def serve(port: int) -> None:
    """Takes requests for ever."""
    counts = Counts()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == TRACES:
                counts.add(body)
            self._answer(b"")

        def do_GET(self) -> None:
            self._answer(counts.told())

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
