"""What is sent arrives, whatever the backend does meanwhile: at least once, and always under the same ids."""

from __future__ import annotations

import sqlite3
from collections import Counter
from email.utils import formatdate
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from mcptap.exporters.otlp.marks import FILE

SECRET = "hush-hush-hush"
HEADERS = f"x-api-key={SECRET},authorization=Basic%20{SECRET}"


def ids(backend: Any) -> Counter[bytes]:
    return Counter(span.span_id for span in backend.spans)


def partial(count: int, why: str = "") -> bytes:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans, answer.partial_success.error_message = count, why
    return answer.SerializeToString()


def test_every_span_is_sent_once_in_order(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    run = recording()
    run.calls(1500)
    run.end()
    lane = lanes(backend.url)
    until(lane.idle.is_set)
    assert len(backend.spans) == 1500
    assert max(ids(backend).values()) == 1
    assert max(len(message.resource_spans[0].scope_spans[0].spans) for message in backend.of("/v1/traces")) <= 512
    assert lane.status()["sent"] == 1500


def test_a_live_run_is_followed(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    run = recording()
    run.calls(2)
    lane = lanes(backend.url)
    until(lambda: len(backend.spans) == 2)
    run.calls(3)
    lane.changed([run.run_id])
    until(lambda: len(backend.spans) == 5)
    run.end()
    lane.changed([run.run_id])
    until(lambda: lane.status()["lag_bytes"] == 0)
    assert max(ids(backend).values()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        *((status, {}, b"") for status in (429, 500, 502, 503, 504, 408)),
        (503, {"Retry-After": "0"}, b""),
        (429, {"Retry-After": formatdate(usegmt=True)}, b""),
        (307, {"Location": "/elsewhere"}, b""),
        (302, {"Location": "http://127.0.0.1:1/"}, b""),
        (401, {}, b""),
        (403, {}, b""),
        (404, {}, b""),
        (200, {"Content-Type": "text/html"}, b"<html>please log in</html>"),
    ],
    ids=lambda answer: str(answer[0]),
)
def test_what_the_backend_does_not_take_is_sent_again(
    recording: Any, backend: Any, lanes: Any, until: Any, answer: Any
) -> None:
    backend.answers = [answer] * 3
    run = recording()
    run.calls(3)
    run.end()
    lane = lanes(backend.url)
    until(lambda: not backend.answers and lane.status()["lag_bytes"] == 0)
    assert lane.status()["state"] == "ok"
    assert len(ids(backend)) == 3
    assert str(answer[0]) in lane.status()["error"] or "no OTLP" in lane.status()["error"]
    assert lane.status()["skipped"] == 0


@pytest.mark.parametrize("status", [202, 204])
def test_a_backend_that_says_accepted_has_taken_it(
    recording: Any, backend: Any, lanes: Any, until: Any, status: int
) -> None:
    backend.answers = [(status, {}, b"")]
    run = recording()
    run.calls(3)
    run.end()
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 3)
    assert (lane.status()["error"], backend.spans) == (None, [])  # this one keeps what it answers 200


def test_a_backend_is_not_asked_before_the_time_that_it_names(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    backend.answers = [(429, {"Retry-After": "120"}, b"")]
    run = recording()
    run.calls(1)
    run.end()
    lane = lanes(backend.url)
    status = until(lambda: lane.status() if lane.status()["state"] == "failing" else None)
    assert status["next_at"] - status["error_at"] > 110
    assert status["lag_bytes"] > 0
    assert not backend.spans


def test_after_an_outage_and_a_restart_it_goes_on_where_it_was(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    run = recording()
    run.calls(600)
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 600)
    backend.answers = [503] * 1000
    run.calls(600)
    lane.changed([run.run_id])
    until(lambda: lane.status()["state"] == "failing")
    lane.leave()
    lane.join(10)
    run.calls(600)
    run.end()
    backend.answers = []
    again = lanes(backend.url)
    until(lambda: again.status()["sent"] == 1800)
    assert len(ids(backend)) == 1800
    assert max(ids(backend).values()) == 1


def test_what_was_taken_but_not_noted_is_sent_again_under_the_same_ids(
    recording: Any, backend: Any, lanes: Any, until: Any, home: Any
) -> None:
    run = recording()
    run.calls(20)
    run.end()
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 20)
    lane.leave()
    lane.join(10)
    with sqlite3.connect(home / FILE) as base:
        base.execute("DELETE FROM marks")
    base.close()
    lanes(backend.url)
    until(lambda: len(backend.spans) == 40)
    assert set(ids(backend).values()) == {2}
    assert {span.trace_id for span in backend.spans[:20]} == {span.trace_id for span in backend.spans[20:]}


def test_partial_success_is_counted_and_not_repeated(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    backend.answers = [(200, {}, partial(3, f"old timestamps \x1b[2J {SECRET}"))]
    run = recording()
    run.calls(5)
    run.end()
    lane = lanes(backend.url, OTEL_EXPORTER_OTLP_HEADERS=HEADERS)
    until(lambda: lane.status()["rejected"])
    status = lane.status()
    assert (status["sent"], status["rejected"]) == (2, 3)
    assert len(backend.spans) == 5
    assert "old timestamps" in status["error"]
    assert SECRET not in status["error"]
    assert "\x1b" not in status["error"]


def test_one_span_that_nobody_takes_is_passed_over_and_the_others_are_not(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    def picky(_path: str, request: Any) -> Any:
        names = [span.name for part in request.resource_spans for s in part.scope_spans for span in s.spans]
        return 400 if "tools/call bad" in names else 200

    backend.answers = [picky] * 200
    run = recording()
    run.calls(40)
    run.answer(run.call("bad"), content=[])
    run.calls(40)
    run.end()
    lane = lanes(backend.url)
    until(lambda: lane.status()["skipped"])
    until(lambda: lane.status()["lag_bytes"] == 0)
    assert len(ids(backend)) == 80
    assert lane.status()["skipped"] == 1
    assert "passed over" in lane.status()["error"]


def test_a_backend_that_refuses_everything_costs_nothing(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    backend.answers = [400] * 30  # a wrong tenant is answered so, too
    run = recording()
    run.calls(8)
    run.end()
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 8)
    assert lane.status()["skipped"] == 0


def test_an_answer_that_breaks_off_is_no_answer(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    backend.answers = [(200, {"Content-Length": "50", "Connection": "close"}, b"x")]
    run = recording()
    run.calls(3)
    run.end()
    lane = lanes(backend.url, OTEL_EXPORTER_OTLP_TIMEOUT="0.5")
    until(lambda: lane.status()["sent"] == 3)
    assert lane.status()["error"]
    assert lane.status()["skipped"] == 0


def test_a_header_that_cannot_be_sent_costs_nothing(recording: Any, backend: Any, lanes: Any, until: Any) -> None:
    run = recording()
    run.calls(3)
    run.end()
    lane = lanes(backend.url, OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key=%20{SECRET}")
    until(lambda: lane.status()["error"] or lane.status()["sent"])
    assert lane.status()["skipped"] == 0
    assert SECRET not in str(lane.status())


def test_a_backend_that_is_not_there_is_told_and_waited_for(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    backend.close()
    run = recording()
    run.calls(1)
    lane = lanes(f"http://user:{SECRET}@127.0.0.1:{backend.port}/?key={SECRET}", OTEL_EXPORTER_OTLP_HEADERS=HEADERS)
    status = until(lambda: lane.status() if lane.status()["error"] else None)
    assert "cannot be reached" in status["error"]
    assert SECRET not in str(status)


def test_headers_are_sent_and_stand_in_no_file(recording: Any, backend: Any, lanes: Any, until: Any, home: Any) -> None:
    run = recording()
    run.calls(1)
    run.end()
    lane = lanes(backend.url, OTEL_EXPORTER_OTLP_HEADERS=HEADERS, OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
    until(lambda: backend.spans)
    until(lane.idle.is_set)
    assert backend.headers[0]["x-api-key"] == SECRET
    assert backend.headers[0]["authorization"] == f"Basic {SECRET}"
    assert backend.headers[0]["Content-Encoding"] == "gzip"
    assert not [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_several_destinations_do_not_hold_up_each_other(
    recording: Any, backend: Any, grpc_backend: Any, lanes: Any, until: Any
) -> None:
    backend.answers = [503] * 10_000
    run = recording()
    run.calls(5)
    run.end()
    failing = lanes(backend.url)
    working = lanes(grpc_backend.url, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    until(lambda: len(grpc_backend.spans) == 5)
    until(lambda: failing.status()["state"] == "failing")
    until(lambda: working.status()["state"] == "ok")
    assert working.status()["sent"] == 5


def test_only_the_runs_that_belong_to_a_destination_are_sent_there(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    runs = [recording(f"run-{number}") for number in (1, 2)]
    for run in runs:
        run.calls(1)
        run.end()
    lane = lanes(backend.url, alone=True)
    lane.changed(["run-1", "run-2"])
    lane.changed(["run-2"], own=True)
    until(lambda: backend.spans)
    until(lane.idle.is_set)
    assert {resource["service.instance.id"] for resource, _ in backend.resources} == {"run-2"}


def test_a_line_that_is_none_and_a_file_that_is_cut_cost_only_themselves(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    run = recording()
    run.calls(1)
    with run.path.open("ab") as file:
        file.write(b"no line\n[]\n" + b'{"type":"message"}\n')
    run.calls(1)
    run.end()
    broken = recording("run-2")
    broken.path.write_bytes(b"garbage\n")
    lane = lanes(backend.url)
    until(lane.idle.is_set)
    assert len(backend.spans) == 2


def test_rounds_that_a_restart_tears_apart_are_linked_all_the_same(
    recording: Any, backend: Any, lanes: Any, until: Any
) -> None:
    modern = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    run = recording()
    run.answer(run.call("who", modern), resultType="input_required", requestState="s1", inputRequests={})
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 1)
    lane.leave()
    lane.join(10)
    run.answer(
        run.ask("tools/call", name="who", arguments={}, requestState="s1", inputResponses={}, _meta=modern), content=[]
    )
    run.end()
    lanes(backend.url)
    until(lambda: len(backend.spans) == 2)
    one, two = backend.spans
    assert [link.span_id for link in two.links] == [one.span_id]
    assert one.trace_id == two.trace_id
