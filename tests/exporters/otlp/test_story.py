"""When an exchange is settled, and that a story that is read again says the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcptap.exporters.journal.reader import read_lines
from mcptap.exporters.otlp.content import Content
from mcptap.exporters.otlp.items import Alarm, End, Item, Mark, Span
from mcptap.exporters.otlp.story import Story
from mcptap.tap.record_json import record_from_json
from mcptap.tap.records import RunStarted

BEGINNING = Mark()
CONTENT = Content(wanted=False, length=100)
TASK = {"taskId": "t1", "status": "working"}


def lines_of(run: Any) -> list[tuple[int, int, bytes]]:
    ends = [(0, b""), *read_lines(run.path)]
    return [(before, end, line) for (before, _), (end, line) in pairwise(ends)]


def story_of(run: Any, mark: Mark = BEGINNING) -> Story:
    started = record_from_json(orjson.loads(lines_of(run)[0][2]))
    assert isinstance(started, RunStarted)
    return Story(started, mark, CONTENT)


def read(run: Any) -> list[Item]:
    story = story_of(run)
    return [item for start, end, line in lines_of(run) for item in story.feed(line, start, end)]


def spans(items: list[Item]) -> list[tuple[str, str, float]]:
    found = [item for item in items if isinstance(item, Span)]
    return [(s.exchange.method, s.exchange.outcome, (s.end - s.exchange.started_at) / 1e6) for s in found]


def test_an_answer_is_settled_a_moment_later_and_told_once(recording: Any) -> None:
    run = recording()
    run.calls(1)
    assert spans(read(run)) == []
    run.pass_s(1.1)
    run.calls(1)
    assert spans(read(run)) == [("tools/call", "ok", 1.0)]
    run.end()
    assert len(spans(read(run))) == 2


def test_a_late_answer_betters_a_cancelled_call(recording: Any) -> None:
    run = recording()
    call = run.call()
    run.tell("notifications/cancelled", side="client", requestId=call)
    run.pass_s(5)
    run.answer(call, content=[])
    run.pass_s(20)
    run.calls(1)
    assert [outcome for _, outcome, _ in spans(read(run))] == ["late"]


def test_a_call_that_stays_cancelled_is_told_after_a_while_and_a_later_word_is_not(recording: Any) -> None:
    run = recording()
    call = run.call()
    run.tell("notifications/cancelled", side="client", requestId=call)
    run.pass_s(11)
    run.tell("notifications/tools/list_changed")
    assert [outcome for _, outcome, _ in spans(read(run))] == ["cancelled"]
    run.answer(call, content=[])
    run.end()
    assert [outcome for _, outcome, _ in spans(read(run))] == ["cancelled"]


def test_a_call_that_makes_a_task_lasts_as_long_as_the_task(recording: Any) -> None:
    run = recording()
    call = run.ask("tools/call", name="slow", arguments={}, task={"ttl": 1000})
    run.answer(call, task=TASK)
    run.pass_s(60)
    run.calls(1)
    run.pass_s(60)
    run.tell("notifications/tasks/status", **TASK | {"status": "failed"})
    run.answer(run.ask("tasks/result", taskId="t1"), isError=True, content=[])
    run.pass_s(30)
    run.calls(1)
    told = {exchange.seq: exchange for exchange in (s.exchange for s in read(run) if isinstance(s, Span))}
    assert told[1].task_outcome == "tool_error"
    (lasted,) = [s.end - s.exchange.started_at for s in read(run) if isinstance(s, Span) and s.exchange.seq == 1]
    assert 120e9 < lasted < 121e9


def test_a_task_that_nobody_hears_of_again_is_told_with_the_run(recording: Any) -> None:
    run = recording()
    run.answer(run.ask("tools/call", name="slow", arguments={}, task={}), task=TASK)
    run.pass_s(3600)
    run.calls(1)
    run.end()
    assert [outcome for _, outcome, _ in spans(read(run))] == ["task_created", "ok"]


def test_a_finding_is_an_event_of_its_span_and_a_record_that_names_it(recording: Any) -> None:
    run = recording()
    run.answer(run.call(), content=[])
    run.finding(2)
    run.end()
    items = read(run)
    (alarm,) = [item for item in items if isinstance(item, Alarm)]
    (span,) = [item for item in items if isinstance(item, Span)]
    assert alarm.context == (span.exchange.trace_id, span.exchange.span_id)
    assert [event.name for event in span.request.events] == ["mcptap.finding"]


def test_a_finding_in_a_request_is_told_at_once_with_the_span_to_be(recording: Any) -> None:
    run = recording()
    run.call("t", {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-00"})
    run.finding(1)
    (alarm,) = [item for item in read(run) if isinstance(item, Alarm)]
    run.end()
    (span,) = [item for item in read(run) if isinstance(item, Span)]
    assert alarm.context == (span.exchange.trace_id, span.exchange.span_id)


def test_a_finding_about_no_exchange_has_no_span(recording: Any) -> None:
    run = recording()
    run.finding(None)
    (alarm,) = [item for item in read(run) if isinstance(item, Alarm)]
    assert alarm.context is None


def test_time_settles_what_no_line_follows_also_where_the_clock_is_another(recording: Any) -> None:
    run = recording()
    run.calls(1)
    story = story_of(run)
    assert not spans([item for start, end, line in lines_of(run) for item in story.feed(line, start, end)])
    yesterday = run.at - 86_400 * 10**9
    assert story.pass_time(yesterday) == []
    assert len(story.pass_time(yesterday + 2 * 10**9)) == 1
    assert not story.pending


def test_a_session_begins_with_the_handshake(recording: Any) -> None:
    run, silent = recording(), recording("run-2")
    run.handshake()
    run.end()
    silent.end()
    ends = [item for one in (run, silent) for item in read(one) if isinstance(item, End)]
    assert [end.session_at is not None for end in ends] == [True, False]


WORDS = ["call", "answer", "cancel", "ask_back", "task", "end_task", "progress", "finding", "wait"]
STEPS = st.lists(st.sampled_from(WORDS), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(STEPS, st.data())
def test_read_again_from_any_mark_everything_is_told_once(
    tmp_path: Path, new_recording: Any, steps: list[str], data: Any
) -> None:
    run = played(new_recording(tmp_path / str(len(list(tmp_path.iterdir())))), steps)
    lines = lines_of(run)
    whole = told(story_of(run), lines)
    cut = data.draw(st.integers(0, len(lines)))
    first = story_of(run)
    before = told(first, lines[:cut])
    mark = first.mark()
    rest = [line for line in lines if line[0] >= mark.resume]
    after = told(story_of(run, mark), rest)
    assert sorted(map(str, before + after)) == sorted(map(str, whole))


def told(story: Story, lines: list[tuple[int, int, bytes]]) -> list[Any]:
    items = [item for start, end, line in lines for item in story.feed(line, start, end)]
    return [
        (
            type(item).__name__,
            item.exchange if isinstance(item, Span) else getattr(item, "context", None),
            item.request.link if isinstance(item, Span) else None,
            [event.name for event in item.request.events] if isinstance(item, Span) else None,
        )
        for item in items
    ]


def played(run: Any, steps: list[str]) -> Any:
    """A run in which these things happen."""
    open_ids: list[Any] = []
    for number, step in enumerate(steps):
        HAPPENS[step](run, number, open_ids)
    if len(steps) % 2:
        run.end()
    return run


def make_task(run: Any, _number: int, _: list[Any]) -> None:
    run.answer(run.ask("tools/call", name="t", arguments={}, task={}), task=TASK)


def ask_back(run: Any, number: int, open_ids: list[Any]) -> None:
    if open_ids:
        run.answer(open_ids.pop(), resultType="input_required", requestState=f"s{number}")
        run.ask("tools/call", name="t", arguments={}, requestState=f"s{number}", inputResponses={})


def cancel(run: Any, _: int, open_ids: list[Any]) -> None:
    run.tell("notifications/cancelled", side="client", requestId=open_ids[0] if open_ids else 0)


HAPPENS: dict[str, Any] = {
    "call": lambda run, number, open_ids: open_ids.append(run.call("t", {"progressToken": number})),
    "answer": lambda run, _, open_ids: run.answer(open_ids.pop(0) if open_ids else 0, content=[]),
    "cancel": cancel,
    "ask_back": ask_back,
    "task": make_task,
    "end_task": lambda run, *_: run.tell("notifications/tasks/status", taskId="t1", status="completed"),
    "progress": lambda run, number, _: run.tell("notifications/progress", progressToken=number - 1, progress=1),
    "finding": lambda run, number, _: run.finding(number),
    "wait": lambda run, *_: run.pass_s(0.7),
}
NO_LINES = (b"", b"null\n", b"[]\n", b'{"type":"message","seq":1}\n', b'{"type":"other"}\n', b"\xff")


@pytest.mark.parametrize("line", NO_LINES)
def test_a_line_that_is_none_gives_nothing(recording: Any, line: bytes) -> None:
    assert story_of(recording()).feed(line, 0, len(line)) == []
