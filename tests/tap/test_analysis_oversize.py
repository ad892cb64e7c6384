"""A message too large to be analysed: its exchange is settled, and nothing of its body is told."""

import json
from hashlib import sha256
from typing import Any

import pytest

from mcptap.tap.analysis import Analysis
from mcptap.tap.dissect import jsonrpc
from mcptap.tap.dissect.frames import Framer
from mcptap.tap.records import Gap, MessageRecord, RunStarted
from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
SECRET = "ghp_" + "a1B2" * 10
STARTED = RunStarted("run", 1, "n", ("srv",), "/", (), "0", 1, None, 2, None, None, None, None)


def rpc(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **members}).encode() + b"\n"


PING = rpc(id=1, method="ping")


@pytest.fixture
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of more than 60 bytes are oversize."""
    monkeypatch.setattr(Framer.__init__, "__kwdefaults__", {"limit": 60, "keep": 0})


@pytest.mark.usefixtures("small_frames")
def test_an_oversize_frame_that_is_no_message_is_told_by_size_and_hash() -> None:
    record, after = Analysis(STARTED, REDACTOR).data("client", 0, 1, b"x" * 90 + b"\n" + b"short\n")
    assert isinstance(record, MessageRecord)
    assert (record.kind, record.body, record.size_bytes) == ("noise", None, 91)
    assert record.sha256 == sha256(b"x" * 90).hexdigest()
    assert "larger than" in (record.unscanned or "")
    assert getattr(after, "body", None) == "short"


def answered(order: str) -> bytes:
    """An answer of 30 MB to request 4, as one of the SDKs writes it."""
    content = json.dumps({"content": [{"type": "text", "text": SECRET + 'x "id":9} {' * 2_500_000}], "a": SECRET})
    return {
        "python": b'{"jsonrpc":"2.0","id":4,"result":%b}\n',
        "typescript": b'{"result":%b,"jsonrpc":"2.0","id":4}\n',
        "error": b'{"jsonrpc":"2.0","id":4,"error":{"code":-1,"message":%b}}\n',
    }[order] % content.encode()


@pytest.mark.parametrize(("order", "outcome"), [("python", "ok"), ("typescript", "ok"), ("error", "rpc_error")])
def test_an_oversize_answer_settles_its_exchange_and_keeps_no_body(order: str, outcome: str) -> None:
    analysis = Analysis(STARTED, REDACTOR)
    analysis.data("client", 0, 1_000_000, rpc(id=4, method="tools/call", params={"name": "t"}))
    data = answered(order)
    records = [
        record
        for at in range(0, len(data), 1 << 16)
        for record in analysis.data("server", at, 3_000_000, data[at : at + (1 << 16)])
    ]
    (reply,) = records
    assert isinstance(reply, MessageRecord)
    assert (reply.body, reply.unscanned, reply.size_bytes) == (None, "larger than 16 MiB", len(data))
    assert reply.sha256 == sha256(data[:-1]).hexdigest()
    (exchange,) = reply.exchanges
    assert (exchange.outcome, exchange.duration_ms, exchange.reply_bytes) == (outcome, 2.0, len(data))
    assert exchange.reply_seq == reply.seq
    assert "ghp_" not in str(records)
    assert len(str(records)) < 3000


@pytest.mark.usefixtures("small_frames")
def test_an_oversize_request_waits_for_its_answer_and_its_envelope_is_redacted() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    data = rpc(id=SECRET, method="tools/call", params={"name": f"t {SECRET}", "token": "hunter2"})
    records = analysis.data("client", 0, 1, data) + analysis.data("server", 0, 2, rpc(id=SECRET, result={}))
    asked, reply = (record for record in records if isinstance(record, MessageRecord))
    (exchange,) = reply.exchanges
    assert (asked.kind, asked.body, exchange.method, exchange.request_bytes) == (
        "request",
        None,
        "tools/call",
        len(data),
    )
    assert (exchange.target or "").startswith("t [REDACTED:")
    assert SECRET not in str(records)
    assert "hunter2" not in str(records)


@pytest.mark.usefixtures("small_frames")
@pytest.mark.parametrize("cut", ["start", "end"])
def test_of_an_oversize_frame_that_is_cut_no_envelope_is_told(cut: str) -> None:
    analysis = Analysis(STARTED, REDACTOR)
    data = rpc(id=4, result={"x": "y" * 99})
    if cut == "start":
        _, record = analysis.data("server", 5, 1, data)
    else:
        analysis.data("server", 0, 1, data[:-5])
        record, _ = analysis.data("server", len(data) + 9, 1, b"\n")[:2]
    assert isinstance(record, MessageRecord)
    assert (record.kind, record.truncated, record.rpc_id) == ("noise", True, None)


@pytest.mark.usefixtures("small_frames")
def test_an_oversize_last_message_without_newline_is_whole() -> None:
    analysis = Analysis(STARTED, REDACTOR)
    analysis.data("client", 0, 1, rpc(id=4, method="m", params={"x": "y" * 99}).rstrip())
    record, _ = analysis.end(2)
    assert isinstance(record, MessageRecord)
    assert (record.kind, record.truncated) == ("request", False)


def test_a_message_of_countless_values_keeps_its_envelope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonrpc, "MAX_NODES", 50)
    (record,) = Analysis(STARTED, REDACTOR).data("server", 0, 1, rpc(id=4, result=[[]] * 60))
    assert isinstance(record, MessageRecord)
    assert (record.kind, record.rpc_id, record.body) == ("result", "4", None)
    assert record.unscanned == "more than 50 JSON values"


def test_a_crash_within_a_line_of_100_mb_leaves_a_gap_and_a_truncated_rest() -> None:
    chunk = b"x" * (1 << 20)
    analysis = Analysis(STARTED, REDACTOR)
    analysis.data("server", 0, 1, PING)
    start = analysis.safe_offsets()["server"]
    for index in range(40):
        analysis.data("server", start + index * len(chunk), 1, chunk)
    passed = analysis.safe_offsets()["server"]
    assert passed == start + 40 * len(chunk)

    again = Analysis.resume(STARTED, REDACTOR, Analysis(STARTED, REDACTOR).data("server", 0, 1, PING))
    assert again.safe_offsets()["server"] == start
    records = [record for index in range(60) for record in again.data("server", passed + index * len(chunk), 2, chunk)]
    records += again.data("server", passed + 60 * len(chunk), 3, b'"}\n' + PING)
    gap, rest, after = records
    assert isinstance(gap, Gap)
    assert (gap.offset, gap.bytes) == (start, 40 * len(chunk))
    assert isinstance(rest, MessageRecord)
    assert (rest.offset, rest.size_bytes, rest.truncated, rest.kind) == (passed, 60 * len(chunk) + 3, True, "noise")
    assert isinstance(after, MessageRecord)
    assert (after.kind, after.truncated) == ("request", False)
