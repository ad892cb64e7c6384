"""A host as people build them: the official SDK with OpenTelemetry on, an agent's span around everything.

`traced_host.py REPORT MODE COMMAND…` asks the server a few things and writes its own spans to REPORT as JSON. With
OTEL_EXPORTER_OTLP_ENDPOINT in its environment it sends them there, too.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import mcp
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


async def ask(mode: str, command: list[str]) -> None:
    parameters = mcp.StdioServerParameters(command=command[0], args=command[1:])
    with trace.get_tracer("agent").start_as_current_span("agent"):
        async with mcp.Client(mcp.stdio_client(parameters), mode=mode) as client:
            await client.list_tools()
            await client.call_tool("add", {"a": 1, "b": 2})
            await client.call_tool("fail", {"reason": "as told"})
            await client.read_resource("office://berlin")
            await client.get_prompt("greet", {"name": "you"})


def main() -> None:
    report, mode, *command = sys.argv[1:]
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    asyncio.run(ask(mode, command))
    provider.shutdown()
    spans = [
        {
            "name": span.name,
            "kind": span.kind.name,
            "trace_id": f"{span.context.trace_id:032x}",
            "span_id": f"{span.context.span_id:016x}",
            "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        }
        for span in kept.get_finished_spans()
    ]
    Path(report).write_text(json.dumps(spans))


if __name__ == "__main__":
    main()
