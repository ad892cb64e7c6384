"""The SDK's own objects, made by hand from what a story gives: spans, log records, and the resource they belong to.

The idea: the SDK's providers stamp what happens now; what we have happened before, and has its identity. So its value
classes are filled directly, with ids and times as recorded. This module and its neighbours that send are the only ones
that import OpenTelemetry, and they are imported only where something is sent.
"""

from __future__ import annotations

import platform
import socket
from collections.abc import Mapping
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context as Ambient
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from mcptap.exporters.otlp import attributes
from mcptap.exporters.otlp import conventions as name
from mcptap.exporters.otlp.items import Alarm, Context, Span
from mcptap.exporters.otlp.settings import Destination
from mcptap.tap.records import RunStarted
from mcptap.tap.version import VERSION

SCOPE = InstrumentationScope(name.SCOPE, VERSION, name.SCHEMA_URL)
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
SEVERITIES = {
    "info": SeverityNumber.INFO,
    "low": SeverityNumber.WARN,
    "medium": SeverityNumber.WARN3,
    "high": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
FINDING_EVENT = "mcptap.finding"


def of_host(destination: Destination) -> dict[str, Any]:
    """What every resource of this machine says."""
    return {
        **destination.resource,
        "service.namespace": destination.resource.get("service.namespace", "mcp"),
        "host.name": socket.gethostname(),
        "os.type": platform.system().lower(),
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": sdk_version,
        "telemetry.distro.name": name.SCOPE,
        "telemetry.distro.version": VERSION,
    }


def resource_of(started: RunStarted, destination: Destination, host: Mapping[str, Any]) -> Resource:
    """One run of one server."""
    found = {
        **host,
        "service.name": attributes.service_name(started, destination.service_name),
        "service.instance.id": started.run_id,
    }
    if started.server_pid is not None:
        found["process.pid"] = started.server_pid
    return Resource(found)


def readable_span(span: Span, resource: Resource, value_length: int) -> ReadableSpan:
    """The span of a settled exchange."""
    exchange, request = span.exchange, span.request
    state = TraceState.from_header([request.facts.get("tracestate") or ""]) if request.parent else TraceState()
    failed = attributes.failure(exchange, request.reason)
    status = Status(StatusCode.ERROR, failed.description) if failed else Status(StatusCode.UNSET)
    return ReadableSpan(
        attributes.span_name(exchange, request.content),
        context=_context(Context(exchange.trace_id, exchange.span_id), state=state),
        parent=_parent(span, state),
        resource=resource,
        attributes=attributes.of_span(span, value_length),
        events=[Event(event.name, _fitted(event.attributes, value_length), event.at) for event in request.events],
        links=[Link(_context(request.link))] if request.link else [],
        kind=SpanKind.SERVER if exchange.side == "client" else SpanKind.CLIENT,
        status=status,
        start_time=exchange.started_at,
        end_time=span.end,
        instrumentation_scope=SCOPE,
    )


def readable_log(alarm: Alarm, resource: Resource, value_length: int) -> ReadableLogRecord:
    """A finding, correlated to the span that it is about."""
    finding = alarm.finding
    found = {attribute: getattr(finding, key) for key, attribute in name.FINDING.items()}
    found |= {name.EVIDENCE: finding.evidence, name.RUN_ID: alarm.started.run_id, name.SEQ: finding.seq}
    ambient = Ambient()
    if alarm.context:
        ambient = set_span_in_context(NonRecordingSpan(_context(alarm.context)), ambient)
    record = LogRecord(
        timestamp=finding.at,
        observed_timestamp=finding.at,
        context=ambient,
        severity_number=SEVERITIES.get(finding.severity, SeverityNumber.WARN),
        severity_text=finding.severity.upper(),
        body=attributes.fit(finding.title),
        attributes=_fitted(found, value_length),
        event_name=FINDING_EVENT,
    )
    return ReadableLogRecord(record, resource, SCOPE)


def _fitted(found: Mapping[str, Any], length: int) -> dict[str, Any]:
    return {key: fit for key, value in found.items() if (fit := attributes.fit(value, length)) is not None}


def _context(context: Context, *, remote: bool = False, state: TraceState | None = None) -> SpanContext:
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), remote, SAMPLED, state or TraceState())


def _parent(span: Span, state: TraceState) -> SpanContext | None:
    caller = span.request.parent
    if caller is None or caller.trace_id != span.exchange.trace_id:
        return None
    flags = TraceFlags(caller.flags)
    return SpanContext(int(caller.trace_id, 16), int(caller.span_id, 16), True, flags, state)
