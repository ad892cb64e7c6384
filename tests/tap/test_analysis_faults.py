"""An error of our own costs what it concerns, never the record or the run."""

import json
from typing import Any

import pytest

from mcptap.tap.analysis import Analysis
from mcptap.tap.dissect import jsonrpc, mcp
from mcptap.tap.dissect.correlate import Correlator
from mcptap.tap.records import MessageRecord, RunEnded, RunStarted
from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
SECRET = "ghp_" + "a1B2" * 10
STARTED = RunStarted("run", 1, "n", ("srv",), "/", (), "0", 1, None, 2, None, None, None, None)


def rpc(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **members}).encode() + b"\n"


INITIALIZE = rpc(id=1, method="initialize", params={"protocolVersion": "v"})
CALL = rpc(id=2, method="tools/call", params={"name": "t", "arguments": {"password": "x", "text": SECRET}})


def broken(*_: Any) -> Any:
    raise KeyError(SECRET)


def test_an_error_in_correlation_costs_the_exchange_and_not_the_record(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Correlator, "settle", broken)
    monkeypatch.setattr(Correlator, "unanswered", broken)
    analysis = Analysis(STARTED, REDACTOR)
    (record,) = analysis.data("client", 0, 1, INITIALIZE)
    assert isinstance(record, MessageRecord)
    assert (record.kind, record.method, record.exchanges) == ("request", "initialize", ())
    (ended,) = Analysis.resume(STARTED, REDACTOR, [record]).end(2)
    assert isinstance(ended, RunEnded)
    assert "KeyError at" in caplog.text
    assert SECRET not in caplog.text


def test_an_error_in_reading_facts_costs_them_and_not_the_record(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mcp, "facts", broken)
    (record,) = Analysis(STARTED, REDACTOR).data("client", 0, 1, INITIALIZE)
    assert isinstance(record, MessageRecord)
    assert (record.method, record.facts, record.unscanned) == ("initialize", None, None)
    assert record.body["id"] == 1
    assert SECRET not in caplog.text


def test_an_error_in_dissecting_costs_the_message_and_not_the_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jsonrpc, "dissect", broken)
    (record,) = Analysis(STARTED, REDACTOR).data("client", 0, 1, INITIALIZE)
    assert isinstance(record, MessageRecord)
    assert (record.kind, record.body, record.unscanned) == ("noise", None, "internal error")
    assert SECRET not in caplog.text


def test_an_internal_error_keeps_nothing_of_the_body(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    analysis = Analysis(STARTED, REDACTOR)
    monkeypatch.setattr(REDACTOR, "value", lambda _: {}[SECRET], raising=True)
    (record,) = analysis.data("client", 0, 1, CALL)
    assert (record.body, record.unscanned, record.kind) == (None, "internal error", "request")
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


def test_an_internal_error_keeps_nothing_of_a_stderr_line(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    monkeypatch.setattr(REDACTOR, "text", lambda _: {}[SECRET])
    (line,) = Analysis(STARTED, REDACTOR).data("stderr", 0, 1, SECRET.encode() + b"\n")
    assert line.text == "[mcptap: not kept, internal error]"
    assert SECRET not in caplog.text
