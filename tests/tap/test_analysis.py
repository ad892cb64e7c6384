"""From bytes to records: whatever the chunks, the gaps and the crashes, every byte is told once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from random import Random
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap import analysis as module
from mcptap.tap.analysis import STREAMS, Analysis
from mcptap.tap.dissect.frames import Framer
from mcptap.tap.record_json import record_from_json
from mcptap.tap.records import Gap, MessageRecord, Record, RunEnded, RunStarted, StderrLine, Stream, Usage
from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
SECRET = "ghp_" + "a1B2" * 10
STARTED = RunStarted("run", 1, "n", ("srv",), "/", (), "0", 1, None, 2, None, None, None, None)


def rpc(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **members}).encode() + b"\n"


PING = rpc(id=1, method="ping")
PIECES = [
    rpc(id=1, method="initialize", params={"protocolVersion": "v", "clientInfo": {"name": "c"}}),
    rpc(id=1, result={"protocolVersion": "w", "serverInfo": {"name": "s"}}),
    rpc(id=2, method="tools/call", params={"name": "t", "arguments": {"password": "x", "text": SECRET}}),
    rpc(id=2, result={"content": [{"type": "text", "text": f"key {SECRET} end"}], "isError": True}),
    rpc(id=SECRET, method="tools/call", params={"name": "t", "requestState": "opaque"}),
    rpc(id=SECRET, result={"resultType": "input_required", "requestState": "opaque"}),
    rpc(method="notifications/cancelled", params={"requestId": SECRET}),
    rpc(method="notifications/cancelled", params={"requestId": 2}),
    b'[{"jsonrpc":"2.0","id":1,"method":"ping"},7,{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","method":"m"}]\n',
    b"banner " + SECRET.encode() + b"\n",
    b"-----BEGIN PRIVATE KEY-----\n",
    b"MIIabc\n",
    b"-----END PRIVATE KEY-----\n",
    b"\n",
    b"\xff\x00 caf\xc3\xa9\r\n",
    b'{"jsonrpc":"2.0","id":3,"method":"x","params":' + b"[" * 300 + b"]" * 300 + b"}\n",
    b"open end",
    b'{"a":1}',
]
SIDES = st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join)
TRAFFIC = st.fixed_dictionaries(dict.fromkeys(STREAMS, SIDES))
CUTS = st.lists(st.integers(0, 400), max_size=12)


def chunks(traffic: dict[Stream, bytes], cuts: list[int]) -> Iterator[tuple[Stream, int, bytes]]:
    """The traffic stream by stream, cut anywhere."""
    for stream, data in traffic.items():
        edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
        for low, high in pairwise(edges):
            yield stream, low, data[low:high]


def run(traffic: dict[Stream, bytes], cuts: list[int]) -> list[Record]:
    analysis = Analysis(STARTED, REDACTOR)
    records = [record for chunk in chunks(traffic, cuts) for record in analysis.data(chunk[0], chunk[1], 5, chunk[2])]
    return records + analysis.end(9)


def told(records: list[Record], stream: Stream) -> int:
    """How many bytes of a stream the records tell of."""
    total = 0
    for record in records:
        match record:
            case MessageRecord(side=side) if side == stream:
                total += record.size_bytes
            case StderrLine() if stream == "stderr":
                total += record.size_bytes
            case Gap(stream=of) if of == stream:
                total += record.bytes
    return total


def written(records: list[Record]) -> list[dict[str, Any]]:
    """As a journal has them."""
    return [{"type": record.type, **orjson.loads(orjson.dumps(record))} for record in records]


@settings(deadline=None)
@given(TRAFFIC, CUTS)
def test_any_cutting_gives_the_same_records(traffic: dict[Stream, bytes], cuts: list[int]) -> None:
    assert run(traffic, cuts) == run(traffic, [])


@settings(max_examples=20, deadline=None)
@given(TRAFFIC)
def test_byte_by_byte_gives_the_same_records(traffic: dict[Stream, bytes]) -> None:
    assert run(traffic, list(range(max(map(len, traffic.values()), default=0)))) == run(traffic, [])


@settings(deadline=None)
@given(TRAFFIC, CUTS)
def test_every_byte_is_told_once_and_no_secret_is(traffic: dict[Stream, bytes], cuts: list[int]) -> None:
    records = run(traffic, cuts)
    for stream, data in traffic.items():
        assert told(records, stream) == len(data)
    text = str(written(records))
    assert SECRET not in text
    assert "opaque" not in text


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(STREAMS), st.binary(max_size=300)), CUTS)
def test_arbitrary_bytes_give_records_that_can_be_written(traffic: dict[Stream, bytes], cuts: list[int]) -> None:
    records = run(traffic, cuts)
    assert [record_from_json(obj) for obj in written(records)] == records
    for stream, data in traffic.items():
        assert told(records, stream) == len(data)


@settings(deadline=None)
@given(TRAFFIC, CUTS, st.lists(st.tuples(st.sampled_from(["drop", "twice", "back"]), st.integers(0, 40)), max_size=12))
def test_gaps_and_replays_are_counted_exactly(
    traffic: dict[Stream, bytes], cuts: list[int], faults: list[tuple[str, int]]
) -> None:
    analysis = Analysis(STARTED, REDACTOR)
    records: list[Record] = []
    lost = dict.fromkeys(STREAMS, 0)
    reached = dict.fromkeys(STREAMS, 0)
    for index, (stream, offset, data) in enumerate(chunks(traffic, cuts)):
        fault, at = faults[index] if index < len(faults) else ("", 0)
        if fault == "drop":
            lost[stream] += len(data)
            continue
        reached[stream] = offset + len(data)
        records += analysis.data(stream, offset, 5, data)
        if fault == "twice":
            assert analysis.data(stream, offset, 5, data) == []
        elif fault == "back":
            low = max(0, offset - at)
            assert analysis.data(stream, low, 5, traffic[stream][low : reached[stream]]) == []
    records += analysis.end(9, final_offsets={stream: len(data) for stream, data in traffic.items()})
    for stream, data in traffic.items():
        assert told(records, stream) == len(data)
        assert (
            sum(record.bytes for record in records if isinstance(record, Gap) and record.stream == stream)
            == lost[stream]
        )
    assert SECRET not in str(written(records))


@settings(deadline=None)
@given(TRAFFIC, CUTS, st.randoms(use_true_random=False))
def test_a_crash_after_any_record_changes_nothing(
    traffic: dict[Stream, bytes], cuts: list[int], random: Random
) -> None:
    queues = [[chunk for chunk in chunks(traffic, cuts) if chunk[0] == stream] for stream in STREAMS]
    order = [index for index, queue in enumerate(queues) for _ in queue]
    random.shuffle(order)
    passed = [queues[index].pop(0) for index in order]
    sent = [chunk for chunk in passed if random.random() < 0.9]  # the tap dropped the others
    final: dict[Stream, int] = {stream: len(data) for stream, data in traffic.items()}
    whole = Analysis(STARTED, REDACTOR)
    expected = [record for chunk in sent for record in feed(whole, chunk)] + whole.end(9, final_offsets=final)

    analysis = Analysis(STARTED, REDACTOR)
    journal: list[Record] = []
    acknowledged = dict.fromkeys(STREAMS, 0)
    for count, chunk in enumerate(sent, 1):
        journal += (records := feed(analysis, chunk))
        if random.random() < 0.4:
            del journal[len(journal) - random.randint(0, len(records)) :]
            written_down = [record_from_json(obj) for obj in written(journal)]
            analysis = Analysis.resume(STARTED, REDACTOR, written_down)
            for again in sent[:count]:  # the tap sends again what was not acknowledged
                journal += feed(analysis, again, acknowledged[again[0]])
        acknowledged = analysis.safe_offsets()
    assert written(journal + analysis.end(9, final_offsets=final)) == written(expected)


def feed(analysis: Analysis, chunk: tuple[Stream, int, bytes], low: int = 0) -> list[Record]:
    stream, offset, data = chunk
    skipped = min(max(low - offset, 0), len(data))
    return analysis.data(stream, offset + skipped, 5, data[skipped:]) if data[skipped:] else []


def test_a_batch_that_was_torn_and_never_comes_again_is_counted_once() -> None:
    batch = PIECES[8]
    analysis = Analysis(STARTED, REDACTOR)
    records = analysis.data("client", 0, 1, batch)
    for count in range(1, len(records)):
        again = Analysis.resume(STARTED, REDACTOR, records[:count])
        ended = again.end(2)[-1]
        assert isinstance(ended, RunEnded)
        assert ended.bytes_client == len(batch)


def test_calls_in_a_batch_have_their_own_sizes_and_the_bytes_are_counted_once() -> None:
    calls = [{"jsonrpc": "2.0", "id": number, "method": "ping", "params": {"x": "y" * number}} for number in (1, 50)]
    answers = [{"jsonrpc": "2.0", "id": number, "result": {}} for number in (1, 50)]
    asked, answered = (json.dumps(batch).encode() + b"\n" for batch in (calls, answers))
    analysis = Analysis(STARTED, REDACTOR)
    records = analysis.data("client", 0, 1, asked)
    again = Analysis.resume(STARTED, REDACTOR, records)
    records += again.data("server", 0, 2, answered)
    sizes = [(len(orjson.dumps(one)), len(orjson.dumps(two))) for one, two in zip(calls, answers, strict=True)]
    assert [(one.request_bytes, one.reply_bytes) for record in records for one in record.exchanges] == sizes
    assert sum(record.size_bytes for record in records) == len(asked + answered)


def test_samples_of_usage_between_the_records_of_a_batch_make_no_difference() -> None:
    batch = PIECES[8]
    records = Analysis(STARTED, REDACTOR).data("client", 0, 1, batch)
    for count in range(1, len(records)):
        again = Analysis.resume(STARTED, REDACTOR, [*records[:count], Usage(2, 1, 0.5, 1)])
        assert records[:count] + again.data("client", 0, 1, batch) == records


def test_a_batch_torn_twice_is_completed_although_the_other_side_goes_on_between() -> None:
    batch = PIECES[8]
    first = Analysis(STARTED, REDACTOR).data("client", 0, 1, batch)[:2]
    again = Analysis.resume(STARTED, REDACTOR, first)
    second = [*first, *again.data("server", 0, 1, batch)]
    last = Analysis.resume(STARTED, REDACTOR, second)
    assert last.safe_offsets()["client"] == 0
    rest = last.data("client", 0, 1, batch)
    assert [record.kind for record in first + rest] == ["batch", "request", "noise", "result", "notification"]
    assert [record.seq for record in second + rest] == list(range(1, 11))


def test_a_gap_cuts_frames_and_drops_what_touches_the_cut() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    records = analysis.data("server", 0, 1, b"hello " + SECRET[:9].encode())
    records += analysis.data("server", 50, 2, SECRET[9:].encode() + b" world\n", gap_reason="overflow")
    assert [type(record).__name__ for record in records] == ["MessageRecord", "Gap", "MessageRecord"]
    assert [getattr(record, "body", None) for record in records] == ["hello", None, " world"]
    assert (records[1].offset, records[1].bytes, records[1].reason) == (15, 35, "overflow")
    assert all(record.truncated for record in (records[0], records[2]))


def test_the_string_in_which_a_cut_frame_begins_is_dropped() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    (_, record) = analysis.data("client", 7, 1, b'horse battery staple","x":"a b"}\n')
    assert "staple" not in record.body


def test_the_end_tells_what_passed_and_what_nobody_answered() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    analysis.data("client", 0, 1, PIECES[2] + b"tail")
    partial, gap, ended = analysis.end(
        9, final_offsets={"client": len(PIECES[2]) + 10}, exit_code=3, state="lost", reason="vanished"
    )
    assert isinstance(partial, MessageRecord)
    assert partial.truncated
    assert isinstance(gap, Gap)
    assert gap.bytes == 6
    assert isinstance(ended, RunEnded)
    assert (ended.bytes_client, ended.exit_code, ended.state, ended.reason) == (
        len(PIECES[2]) + 10,
        3,
        "lost",
        "vanished",
    )
    assert [exchange.outcome for exchange in ended.exchanges] == ["no_response"]


def test_a_last_message_without_newline_is_whole() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    analysis.data("client", 0, 1, PIECES[0].rstrip())
    record, _ = analysis.end(2)
    assert isinstance(record, MessageRecord)
    assert (record.kind, record.truncated) == ("request", False)


def test_secrets_in_ids_methods_and_targets_do_not_hinder_correlation() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    records = analysis.data("client", 0, 1, rpc(id=SECRET, method=SECRET, params={}))
    records += analysis.data(
        "client", records[0].size_bytes, 1, rpc(id=2, method="resources/read", params={"uri": f"https://u:{SECRET}@h/"})
    )
    records += analysis.data("server", 0, 2, rpc(id=SECRET, result={}) + rpc(id=2, result={}))
    assert [exchange.seq for record in records for exchange in record.exchanges] == [1, 2]
    assert SECRET not in str(written(records))


def test_what_cannot_be_scanned_keeps_its_envelope_and_no_body() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    (record,) = analysis.data("client", 0, 1, PIECES[15])
    assert (record.body, record.unscanned, record.method, record.rpc_id) == (None, "nested too deeply", "x", "3")
    assert len(record.sha256) == 64


def test_a_request_state_is_hashed_also_where_the_body_is_not_kept() -> None:
    state = "opaque-" + "s" * 3_000
    deep: dict[str, Any] = {}
    for _ in range(230):
        deep = {"a": deep}
    asked = rpc(id=1, method="tools/call", params={"name": "t"})
    back = rpc(id=1, result={"resultType": "input_required", "requestState": state, "x": deep})
    again = rpc(id=2, method="tools/call", params={"name": "t", "requestState": state})
    analysis = Analysis(STARTED, REDACTOR)
    records = analysis.data("client", 0, 1, asked) + analysis.data("server", 0, 2, back)
    records += analysis.data("client", len(asked), 3, again)
    records += analysis.data("server", len(back), 4, rpc(id=2, result={}))
    assert records[1].unscanned == "nested too deeply"
    assert records[2].body["params"]["requestState"].startswith("[REDACTED:request-state:")
    assert "opaque" not in str(written(records))
    assert [(one.logical_id, one.round) for record in records for one in record.exchanges] == [
        ("run/1", 1),
        ("run/1", 2),
    ]


def test_an_answer_to_nothing_is_marked_and_a_second_one_too() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    records = analysis.data("client", 0, 1, PING)
    answer = rpc(id=1, result={})
    records += analysis.data("server", 0, 2, answer + answer + rpc(id=9, error={"code": 1, "message": "m"}))
    assert [(record.exchange_seq, (record.facts or {}).get("orphan")) for record in records] == [
        (1, None),
        (1, None),
        (1, "duplicate"),
        (None, "unknown"),
    ]


def test_a_long_stderr_line_is_cut_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE", 20)
    analysis = Analysis(STARTED, REDACTOR)
    data = b"some words here " + SECRET.encode() + b"\nnext\n"
    cut, after = analysis.data("stderr", 0, 1, data)
    assert cut.text == f"some words here [mcptap: cut, the line has {len(data) - 5} bytes]"
    assert (cut.size_bytes + after.size_bytes, after.text) == (len(data), "next")


def test_control_characters_of_stderr_are_data() -> None:
    (line,) = Analysis(STARTED, REDACTOR).data("stderr", 0, 1, b"\x1b[31mred\x1b[0m\r\n")
    assert (line.text, line.size_bytes) == ("\x1b[31mred\x1b[0m", 14)


@contextmanager
def oversize(limit: int) -> Iterator[None]:
    with mock.patch.object(Framer.__init__, "__kwdefaults__", {"limit": limit, "keep": 0}):
        yield


@settings(deadline=None)
@given(TRAFFIC, CUTS, st.integers(5, 150))
def test_with_oversize_frames_any_cutting_gives_the_same_records(
    traffic: dict[Stream, bytes], cuts: list[int], limit: int
) -> None:
    with oversize(limit):
        records = run(traffic, cuts)
        assert records == run(traffic, [])
    for stream, data in traffic.items():
        assert told(records, stream) == len(data)
    assert SECRET not in str(written(records))


@settings(deadline=None)
@given(TRAFFIC, CUTS, st.integers(5, 150), st.randoms(use_true_random=False))
def test_a_crash_within_an_oversize_frame_loses_no_count(
    traffic: dict[Stream, bytes], cuts: list[int], limit: int, random: Random
) -> None:
    with oversize(limit):
        analysis = Analysis(STARTED, REDACTOR)
        journal: list[Record] = []
        sent: list[tuple[Stream, int, bytes]] = []
        for chunk in chunks(traffic, cuts):
            sent.append(chunk)
            journal += feed(analysis, chunk)
            if random.random() < 0.3:
                acknowledged = analysis.safe_offsets()
                analysis = Analysis.resume(STARTED, REDACTOR, [record_from_json(obj) for obj in written(journal)])
                for again in sent:
                    journal += feed(analysis, again, acknowledged[again[0]])
        journal += analysis.end(9, final_offsets={stream: len(data) for stream, data in traffic.items()})
    for stream, data in traffic.items():
        assert told(journal, stream) == len(data)
    assert SECRET not in str(written(journal))
