"""What is too large for one row, and who two sides said they were."""

# ruff: noqa: E501  a message stays on one line

from __future__ import annotations

import json

import duckdb
import pytest

from mcptap.exporters.journal.bodiless import without_body
from mcptap.exporters.journal.reader import read_lines
from mcptap.exporters.store import database, ingest, schema, store
from mcptap.tap.analysis import Analysis
from mcptap.tap.records import RunStarted, StderrLine
from mcptap.tap.redact import Redactor
from tests.exporters.store.conftest import START

LARGE = 60 << 20
REASON = ingest.TOO_LARGE.decode()
SIZES = "SELECT seq, length(body) > 100, unscanned FROM messages ORDER BY seq"


def test_a_body_of_60_mb_costs_itself_only(home):
    run = home.run("run-1").start()
    run.call(1)
    run.call(2, "x" * LARGE)
    run.call(3, "x" * 200)
    home.serve()
    assert home.store.load() == 7
    assert home.store.state == "ok"
    rows = home.ask(SIZES)
    assert rows[2:] == [(3, None, REASON), (4, False, None), (5, True, None), (6, False, None)]
    assert home.ask("SELECT count(*) FROM exchanges WHERE outcome = 'ok'") == [(3,)]
    assert home.ask("SELECT length(journal_hash), size_bytes > 60000000 FROM messages WHERE seq = 3") == [(64, True)]


@pytest.mark.parametrize(
    "body",
    [
        {"truncated": True, "body": 1, "unscanned": None},
        '","truncated":false,"unscanned":null,"body":"',
        [',"truncated":', {"a": ',"body":'}],
        None,
    ],
)
def test_a_line_without_its_body_is_otherwise_the_same(home, body):
    run = home.run("run-1")
    request = run.message("client", "request", body)
    run.write(request, run.message("server", "result", body, run.exchanged(error_message=',"truncated":1')))
    for _, line in read_lines(run.path):
        whole, without = json.loads(line), json.loads(without_body(line, ingest.TOO_LARGE))
        assert without == whole | {"body": None, "unscanned": REASON}


def test_a_line_that_is_no_message_stays_whole(home):
    run = home.run("run-1").start(command=(',"body":1', ',"truncated":'))
    ((_, line),) = read_lines(run.path)
    assert without_body(line, ingest.TOO_LARGE) == line


@pytest.mark.parametrize(
    "lack", [MemoryError(), duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate")]
)
def test_when_memory_is_lacking_again_it_goes_on_in_small_pieces(home, monkeypatch, lack):
    run = home.run("run-1").start()
    run.call(1)
    run.call(2, "x" * (ingest.LAST_RESORT.body + 1))
    run.call(3)
    insert = store.insert

    def needs_much(connection, batch):
        if batch.size > ingest.LAST_RESORT.body:
            raise lack
        return insert(connection, batch)

    monkeypatch.setattr(store, "insert", needs_much)
    for _ in range(store.DESPERATE):
        home.store.load()
        assert home.store.state == "unavailable", home.store.detail
        home.later()
    home.store.load()
    assert home.store.state == "ok"
    assert home.rows("SELECT seq FROM messages WHERE unscanned IS NOT NULL") == [(3,)]
    assert not list(home.path.glob("*.damaged-*"))


def test_a_process_that_was_killed_again_and_again_costs_no_body(home):
    run = home.run("run-1").start()
    run.call(1, "x" * (2 << 20))
    home.store = store.Store(home.path, careful=True)
    home.store.load()
    assert home.rows("SELECT count(*) FROM messages WHERE body IS NULL") == [(0,)]


META = "io.modelcontextprotocol/"
HOST, SERVER = {"name": "host", "version": "1.2"}, {"name": "server", "version": "3.4"}
LEGACY = [
    ("client", {"id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": HOST}}),
    ("server", {"id": 0, "result": {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": SERVER}}),
    ("client", {"method": "notifications/initialized"}),
]  # fmt: skip
MODERN = [
    ("client", {"id": 1, "method": "tools/list", "params": {"_meta": {META + "protocolVersion": "2026-07-28", META + "clientInfo": HOST}}}),
    ("server", {"id": 1, "result": {"resultType": "complete", "tools": [], "_meta": {META + "serverInfo": SERVER}}}),
]  # fmt: skip


@pytest.mark.parametrize(("conversation", "version"), [(LEGACY, "2025-06-18"), (MODERN, "2026-07-28")])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_run_tells_who_the_two_sides_said_they_were(home, conversation, version, at_once):
    run = home.run("run-1")
    started = RunStarted("run-1", 1, None, ("serve",), "/", (), "0.1.0", 1, 1.0, 2, 1.0, None, None, None)
    analysis = Analysis(started, Redactor(b"k" * 32))
    run.write(started)
    home.serve()
    offsets = {"client": 0, "server": 0}
    for side, message in conversation:
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        run.write(*analysis.data(side, offsets[side], 10**18, line))
        offsets[side] += len(line)
        if not at_once:
            home.store.load()
    home.store.load()
    assert home.ask("SELECT host_name, host_version, server_name, server_version, protocol_version FROM runs") == [
        ("host", "1.2", "server", "3.4", version)
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_version_is_of_who_was_named_last_or_none(home, at_once):
    talk = home.talk("run-1")
    for info in ({"name": "one", "version": "1"}, {"name": "two"}, {"version": "3"}):
        meta = {META + "protocolVersion": "2026-07-28", META + "clientInfo": info}
        talk.ask("tools/list", {"tools": [], "_meta": {META + "serverInfo": info}}, _meta=meta)
        if not at_once:
            home.store.load()
    home.store.load()
    assert home.rows("SELECT host_name, host_version, server_name, server_version FROM runs") == [
        ("two", None, "two", None)
    ]


def test_what_makes_errors_and_requests_the_same_is_loaded_with_them(home):
    run = home.run("run-1").start()
    for number in (17, 18):
        request = run.message("client", "request", {"id": number, "params": {"arguments": {"path": "a"}}})
        result = {"result": {"isError": True, "content": [{"type": "text", "text": f"no row {number}"}]}}
        run.write(request, run.message("server", "result", result, run.exchanged("tool_error")))
    home.store.load()
    home.serve()
    (first, second) = home.ask("SELECT error_message, error_group, arguments_hash FROM exchanges ORDER BY seq")
    assert (first[0], second[0]) == ("no row 17", "no row 18")
    assert first[1:] == second[1:]
    assert first[1] == "no row <n>"
    assert len(first[2]) == 16


def test_the_error_that_the_journal_tells_is_kept(home):
    run = home.run("run-1").start()
    request = run.message("client", "request", {"id": 1})
    exchange = run.exchanged("rpc_error", error_message="gone", target=None)
    run.write(request, run.message("server", "error", {"error": {"message": "other"}}, exchange))
    home.store.load()
    home.serve()
    assert home.ask("SELECT error_message, error_group, arguments_hash FROM exchanges") == [("gone", "gone", None)]


@pytest.mark.parametrize("text", ["x" * 300_000, "é日😀\n" * 40_000, "a" * schema.PART * 8])
def test_a_body_too_large_for_a_row_is_whole_in_messages(home, text):
    run = home.run("run-1").start()
    run.call(1, text)
    run.call(2, "short")
    home.store.load()
    (body,) = home.rows("SELECT body FROM messages WHERE seq = 1")[0]
    assert json.loads(body) == {"params": {"number": 1, "text": text}}
    assert home.rows("SELECT request_body FROM exchanges ORDER BY seq LIMIT 1") == [(body,)]
    assert home.rows("SELECT count(*) FROM messages WHERE body IS NULL") == [(0,)]


def test_a_large_request_is_the_same_call_whether_or_not_its_answer_comes_with_it(home):
    arguments = {"params": {"name": "read", "arguments": {"text": "x" * 200_000}}}
    together, apart = home.run("run-1").start(), home.run("run-2").start()
    for run in (together, apart):
        run.write(run.message("client", "request", arguments))
        if run is apart:
            home.store.load()
        run.write(run.message("server", "result", {"result": {}}, run.exchanged()))
    home.store.load()
    hashes = home.rows("SELECT arguments_hash FROM exchanges")
    assert len(hashes) == 2
    assert len(set(hashes)) == 1
    assert hashes[0][0]
    assert home.rows("SELECT DISTINCT length(body) > 200000 FROM messages WHERE kind = 'request'") == [(True,)]


def test_many_large_bodies_are_written_with_little_memory(home, monkeypatch):
    run = home.run("run-1").start()
    for number in range(30):
        run.call(number, f"{number} megabyte " * 80_000)
    home.store.load()
    home.store.stop()
    monkeypatch.setattr(database, "MEMORY_LIMIT", "50MB")
    run.call(30)
    assert home.store.load() == 2
    home.rows("FORCE CHECKPOINT")  # writes the rows of the large bodies again, beside the new ones
    assert home.store.state == "ok"
    assert home.rows("SELECT left(request_body, 9) FROM exchanges WHERE target = 'read' AND request_bytes < 0") == []
    assert len(home.rows("SELECT body FROM messages WHERE run_id = 'run-1' AND seq IN (3, 4)")) == 2
    assert home.rows("SELECT length(body) > 900000 FROM messages WHERE run_id = 'run-1' AND seq = 59") == [(True,)]


def test_a_line_of_stderr_and_a_definition_are_cut_to_what_fits_into_a_row(home):
    talk = home.talk("run-1")
    tool = {"name": "t", "description": "d" * 100_000, "inputSchema": {"type": "object"}}
    talk.ask("tools/list", {"tools": [tool]})
    talk.run.write(StderrLine(START, 0, 100_001, "e" * 100_000))
    home.store.load()
    assert home.rows("SELECT length(text) FROM stderr_lines") == [(schema.PART,)]
    ((body, described, size),) = home.rows("SELECT body, length(description), size_bytes FROM definitions")
    assert (body, described) == (None, schema.PART)
    assert size > 100_000
