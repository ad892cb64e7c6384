"""What an exchange's span says, as a backend receives it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

SERVER, CLIENT, UNSET, ERROR = 2, 3, 0, 2
MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
CALLER = "00-" + "a1" * 16 + "-" + "b2" * 8 + "-03"


@pytest.fixture
def sent(recording: Any, backend: Any, lanes: Any, until: Any, attributes_of: Any) -> Callable[..., Any]:
    """Spans of a run that `tell` tells, by name."""

    def send(tell: Callable[[Any], object], **settings: Any) -> Any:
        run = recording()
        tell(run)
        run.end()
        lane = lanes(backend.url, **settings)
        until(lane.idle.is_set)
        return {span.name: (span, attributes_of(span)) for span in backend.spans}

    return send


def test_a_tool_call_is_a_server_span_with_the_conventions_attributes(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.handshake()
        run.answer(run.call("search", query="x"), content=[], after_ms=250)

    span, told = sent(tell)["tools/call search"]
    assert span.kind == SERVER
    assert (span.end_time_unix_nano - span.start_time_unix_nano) == 250_000_000
    assert span.status.code == UNSET
    assert {key: told[key] for key in told if not key.startswith("mcptap.")} == {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2025-11-25",
        "mcp.session.id": "run-1",
        "gen_ai.tool.name": "search",
        "gen_ai.operation.name": "execute_tool",
        "jsonrpc.request.id": "2",
        "network.transport": "pipe",
    }
    assert told["mcptap.run.id"] == "run-1"
    assert told["mcptap.client.name"] == "host"
    assert told["mcptap.server_ms"] == 250.0


def test_a_resource_is_one_server_and_its_scope_names_the_conventions(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    run = recording()
    run.calls(1)
    run.end()
    lanes(backend.url, OTEL_RESOURCE_ATTRIBUTES="team=a%20b,service.namespace=tools")
    until(lambda: backend.spans)
    ((resource, _),) = backend.resources
    assert resource["service.name"] == "files"
    assert resource["service.namespace"] == "tools"
    assert resource["service.instance.id"] == "run-1"
    assert resource["team"] == "a b"
    assert resource["process.pid"] == 2
    assert resource["telemetry.distro.name"] == "mcptap"
    assert not [key for key in resource if "command" in key]
    (scope,) = backend.of("/v1/traces")[0].resource_spans[0].scope_spans
    assert (scope.scope.name, scope.schema_url) == ("mcptap", "https://opentelemetry.io/schemas/gen-ai/1.42.0")


@pytest.mark.parametrize(
    ("code", "by_server", "by_client"),
    [
        *((code, UNSET, ERROR) for code in (-32700, -32600, -32601, -32602, -32002)),
        *((code, ERROR, ERROR) for code in (-32603, -32000, -32022, 7)),
    ],
)
def test_the_callers_own_fault_is_no_error_of_a_server(sent: Any, code: int, by_server: int, by_client: int) -> None:
    def tell(run: Any) -> None:
        run.fail(run.call("t"), code, message="told why")
        run.fail(run.ask("roots/list", side="server"), code, side="client")

    spans = sent(tell)
    for name, status in (("tools/call t", by_server), ("roots/list", by_client)):
        span, told = spans[name]
        assert span.status.code == status
        assert told["rpc.response.status_code"] == str(code)
        assert told.get("error.type") == (str(code) if status == ERROR else None)
    assert spans["roots/list"][0].kind == CLIENT
    assert spans["tools/call t"][0].status.message == ("told why" if by_server == ERROR else "")


def test_a_tools_own_failure_is_an_error(sent: Any) -> None:
    span, told = sent(lambda run: run.answer(run.call("t"), isError=True, content=[]))["tools/call t"]
    assert (span.status.code, told["error.type"]) == (ERROR, "tool_error")


def test_what_nobody_answered_and_what_was_cancelled_have_a_class_of_error(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.call("silent")
        run.tell("notifications/cancelled", side="client", requestId=run.call("given-up"), reason="not needed")
        run.tell("notifications/cancelled", side="client", requestId=run.call("slow"), reason="Request timed out")
        run.ask("subscriptions/listen", _meta=MODERN)

    spans = sent(tell)
    kinds = {name: told.get("error.type") for name, (_, told) in spans.items()}
    assert kinds == {
        "tools/call silent": "connection_closed",
        "tools/call given-up": "cancelled",
        "tools/call slow": "timeout",
        "subscriptions/listen": None,
    }
    assert spans["subscriptions/listen"][1]["mcptap.long_lived"] is True


def test_the_id_is_told_as_text_and_null_is_none(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.answer(run.ask("tools/list", "abc"), tools=[])
        run.answer(run.ask("prompts/list", 7), prompts=[])

    spans = sent(tell)
    assert spans["tools/list"][1]["jsonrpc.request.id"] == "abc"
    assert spans["prompts/list"][1]["jsonrpc.request.id"] == "7"


def test_prompts_and_resources_have_their_own_targets(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.answer(run.ask("prompts/get", name="greet", arguments={"who": "you"}), messages=[])
        run.answer(run.ask("resources/read", uri="file:///a"), contents=[])
        run.answer(run.ask("completion/complete", ref={"type": "ref/prompt", "name": "p"}), completion={})

    spans = sent(tell, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true")
    assert spans["prompts/get greet"][1]["gen_ai.prompt.name"] == "greet"
    assert spans["prompts/get greet"][1]["gen_ai.prompt.variable.who"] == "you"
    assert spans["resources/read"][1]["mcp.resource.uri"] == "file:///a"
    assert spans["completion/complete p"][1]["gen_ai.prompt.name"] == "p"


def test_the_callers_span_is_the_parent_and_its_state_is_kept(sent: Any) -> None:
    meta = {"traceparent": CALLER, "tracestate": "vendor=x:1,other=y"}
    span, _ = sent(lambda run: run.answer(run.call("t", meta), content=[]))["tools/call t"]
    assert span.trace_id.hex() == "a1" * 16
    assert span.parent_span_id.hex() == "b2" * 8
    assert span.trace_state == "vendor=x:1,other=y"
    assert span.flags & 0x200


def test_without_a_parent_calls_are_traces_of_their_own_and_their_run_can_be_found(sent: Any) -> None:
    spans = sent(lambda run: (run.answer(run.call("a"), content=[]), run.answer(run.call("b"), content=[])))
    traces = {span.trace_id for span, _ in spans.values()}
    assert len(traces) == 2
    assert not [span for span, _ in spans.values() if span.parent_span_id]
    assert {told["mcptap.run.id"] for _, told in spans.values()} == {"run-1"}


def test_rounds_of_one_call_share_a_trace_and_are_linked(
    recording: Any, backend: Any, lanes: Any, until: Any, attributes_of: Any
) -> None:
    run = recording()
    first = run.call("who", MODERN)
    run.answer(first, resultType="input_required", requestState="s1", inputRequests={})
    run.ask("tools/call", name="who", arguments={}, requestState="s1", inputResponses={}, _meta=MODERN)
    run.answer(2, content=[])
    run.end()
    lane = lanes(backend.url)
    until(lane.idle.is_set)
    one, two = backend.spans
    assert one.trace_id == two.trace_id
    assert [(link.trace_id, link.span_id) for link in two.links] == [(one.trace_id, one.span_id)]
    assert not one.links
    assert [attributes_of(span)["mcptap.round"] for span in (one, two)] == [1, 2]


def test_time_that_a_person_was_waited_for_stands_apart(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.handshake()
        call = run.call("t")
        asked = run.ask("elicitation/create", "e", side="server", message="?")
        run.answer(asked, side="client", action="accept", after_ms=400)
        run.answer(call, content=[])

    _, told = sent(tell)["tools/call t"]
    assert told["mcptap.waiting_ms"] == 400.0
    assert told["mcptap.server_ms"] == 2.0


def test_progress_and_log_messages_are_events_with_a_limit(sent: Any) -> None:
    def tell(run: Any) -> None:
        meta = MODERN | {"progressToken": "p", "io.modelcontextprotocol/logLevel": "info"}
        call = run.call("t", meta)
        run.tell("notifications/message", level="info", logger="l", data="words")
        for n in range(100):
            run.tell("notifications/progress", progressToken="p", progress=n, total=100, message="words")
        run.answer(call, content=[])

    span, told = sent(tell)["tools/call t"]
    assert len(span.events) == 64
    assert told["mcptap.events.dropped"] == 37
    assert [event.name for event in span.events[:2]] == ["notifications/message", "notifications/progress"]
    assert "words" not in str(span.events)
    assert span.events[0].attributes[0].value.string_value == "info"


def test_arguments_and_results_are_sent_only_when_asked_for_and_redacted(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.answer(run.call("t", password="hunter2-and-more"), content=[{"type": "text", "text": "x" * 5000}])

    _, told = sent(tell)["tools/call t"]
    assert not [key for key in told if key.startswith("gen_ai.tool.call")]
    assert "hunter2" not in str(told)


def test_arguments_and_results_that_were_asked_for_are_json_and_cut(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.answer(run.call("t", a=[1], password="hunter2-and-more"), content=[{"type": "text", "text": "x" * 5000}])
        run.answer(run.call("bad"), isError=True, content=[])

    spans = sent(tell, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true")
    _, told = spans["tools/call t"]
    arguments = json.loads(told["gen_ai.tool.call.arguments"])
    assert arguments["a"] == [1]
    assert "hunter2" not in told["gen_ai.tool.call.arguments"]
    assert len(told["gen_ai.tool.call.result"]) == 2000
    assert told["mcptap.truncated"] == ["gen_ai.tool.call.result"]
    assert "gen_ai.tool.call.result" not in spans["tools/call bad"][1]


def test_a_probe_is_marked_and_a_refused_version_is_no_version(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.fail(run.ask("server/discover", _meta=MODERN), -32022)

    _, told = sent(tell)["server/discover"]
    assert told["mcptap.probe"] is True
    assert "mcp.protocol.version" not in told
    assert told["mcptap.protocol.rejected_version"] == "2026-07-28"


def test_names_that_a_server_or_model_invents_cannot_break_a_span(sent: Any) -> None:
    def tell(run: Any) -> None:
        run.say("client", id=1, method="tools/call", params={"name": "a\ud800" + "n" * 5000})
        run.answer(1, content=[])
        run.fail(run.ask("\x1b[2J" + "m" * 3000), -(2**70))

    spans = sent(tell)
    assert len(spans) == 2
    assert max(map(len, spans)) <= 412
