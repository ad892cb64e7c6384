"""What real servers were once seen to do, and few would expect, is recorded as it should be.

Each file beside this one is a conversation as it went over the pipes, `> ` from the client and `< ` from the server:
mcp 1.30.0 and 2.3.0, the TypeScript SDK 2.4.0, mcp-server-sqlite 2025.4.25. So this needs no server installed.
"""

from pathlib import Path

import pytest

from mcptap.tap.analysis import Analysis
from mcptap.tap.records import MessageRecord, RunStarted
from mcptap.tap.redact import Redactor

HERE = Path(__file__).parent
SIDES = {"> ": "client", "< ": "server"}
OLD, NEW = "2025-11-25", "2026-07-28"

# Of each conversation: method, id, outcome, protocol version and era of its exchanges; the kinds that are not usual.
EXPECTED = {
    # Legal in that revision, and yet no server answers it.
    "batch_is_ignored": [
        ("initialize", "0", "ok", "2025-03-26", "legacy"),
        ("tools/list", "10", "no_response", "2025-03-26", "legacy"),
        ("ping", "11", "no_response", "2025-03-26", "legacy"),
        ("ping", "12", "ok", "2025-03-26", "legacy"),
    ],
    # The first request settles the era of the whole process, even if it only asked for it.
    "handshake_refused_after_discover": [
        ("server/discover", "1", "ok", NEW, "modern"),
        ("initialize", "2", "rpc_error", f"rejected:{OLD}", "legacy"),
    ],
    # Or it does not: a probe commits to nothing.
    "handshake_accepted_after_discover": [
        ("server/discover", "1", "ok", NEW, "modern"),
        ("initialize", "2", "ok", OLD, "legacy"),
        ("tools/list", "3", "ok", OLD, "legacy"),
    ],
    # The era of a request is its own, whatever its answer looks like.
    "modern_request_answered_as_legacy": [
        ("initialize", "1", "ok", OLD, "legacy"),
        ("tools/list", "2", "ok", NEW, "modern"),
    ],
    "modern_request_refused_after_handshake": [
        ("initialize", "1", "ok", OLD, "legacy"),
        ("tools/list", "2", "rpc_error", NEW, "modern"),
    ],
    # A server that knows the handshake only does not insist on it.
    "modern_request_without_handshake": [("tools/list", "1", "ok", NEW, "modern")],
    "unknown_version_refused": [
        ("tools/list", "1", "rpc_error", "rejected:2027-01-01", "modern"),
        ("server/discover", "2", "ok", NEW, "modern"),
    ],
    # Ids that no schema allows are dropped without a word; a number and its text are two ids.
    "ids_that_are_dropped": [
        ("initialize", "1", "ok", OLD, "legacy"),
        ("ping", "1.5", "no_response", OLD, "legacy"),
        ("ping", "null", "no_response", OLD, "legacy"),
        ("ping", '"1"', "ok", OLD, "legacy"),
    ],
    "broken_line_is_told_by_a_log_message": [
        ("initialize", "1", "ok", OLD, "legacy"),
        ("ping", "3", "ok", OLD, "legacy"),
    ],
    # What was asked for is not what was agreed on.
    "older_version_negotiated": [
        ("initialize", "1", "ok", OLD, "legacy"),
        ("ping", "2", "ok", OLD, "legacy"),
    ],
    "answers_out_of_order": [
        ("tools/list", "1", "ok", NEW, "modern"),
        ("initialize", "2", "rpc_error", f"rejected:{OLD}", "legacy"),
    ],
    # A failure that the protocol is not told of; and an error code that is none.
    "failure_told_as_text": [
        ("initialize", "1", "ok", OLD, "legacy"),
        ("tools/call", "2", "ok", OLD, "legacy"),
        ("resources/read", "3", "rpc_error", OLD, "legacy"),
    ],
}
UNUSUAL = {"batch_is_ignored": ["batch"], "broken_line_is_told_by_a_log_message": ["noise"]}


def record(name):
    """All records of a conversation, one line at a time."""
    started = RunStarted("run", 1, "n", ("srv",), "/", (), "0", 1, None, 2, None, None, None, None)
    analysis, offsets, records = Analysis(started, Redactor(b"k" * 32)), {"client": 0, "server": 0}, []
    for at, line in enumerate((HERE / f"{name}.txt").read_bytes().splitlines(keepends=True)):
        side, data = SIDES[line[:2].decode()], line[2:]
        records += analysis.data(side, offsets[side], at, data)
        offsets[side] += len(data)
    return [*records, *analysis.end(1_000)]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_was_once_seen_is_recorded_as_it_should_be(name):
    records = record(name)
    settled = {exchange.seq: exchange for row in records for exchange in getattr(row, "exchanges", ())}
    told = [(row.method, row.rpc_id, row.outcome, row.protocol_version, row.era) for _, row in sorted(settled.items())]
    assert told == EXPECTED[name]
    kinds = {row.kind for row in records if isinstance(row, MessageRecord)}
    assert kinds - {"request", "result", "error", "notification"} == set(UNUSUAL.get(name, ()))


def test_every_conversation_that_was_kept_is_looked_at():
    assert {path.stem for path in HERE.glob("*.txt")} == EXPECTED.keys()
