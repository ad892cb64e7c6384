"""Records that were written are cleaned as they would be today, and all that is derived from them with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcptap.tap.analysis import Analysis
from mcptap.tap.records import Finding, MessageRecord, Record, RunStarted
from mcptap.tap.redact import Redactor, redact_started
from mcptap.tap.redact.scan import BUILT_IN, SIGNS
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.settings import Scope, Settings, read
from mcptap.tap.scrub import NOT_SEARCHED, Scrubber

OWN = "acme_" + "a1b2" * 5
RULES = read({"redaction": {"rules": {"acme-key": {"keywords": ["acme_"], "pattern": "acme_[a-z0-9]{20}"}}}})
THEN = Redactor(b"key")
STARTED = RunStarted("r", 0, "vault", ("serve", OWN), "/", (), "0", 1, None, None, None, None, None, None)
CLIENT = (
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%(own)b","arguments":{"password":"hunter2Zq"}}}\n'
    b'[{"jsonrpc":"2.0","id":2,"method":"ping"},{"jsonrpc":"2.0","id":"%(own)b","method":"ping"}]\n'
    b'{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"clientInfo":{"name":"%(own)b","version":"1"}}}\n'
)
SERVER = (
    b"noise %(own)b\n"
    b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no %(own)b"}}\n'
    b'{"jsonrpc":"2.0","id":99,"result":{}}\n'
)


def now(settings: Settings = RULES) -> Redactor:
    return Redactor(b"key", Scanner((*BUILT_IN, *RULES.rules, *SIGNS)), settings=settings)


def recorded(redactor: Redactor = THEN) -> list[Record]:
    """A run as the analysis records it."""
    started = redact_started(redactor, STARTED)
    analysis = Analysis(started, redactor)
    own = {b"own": OWN.encode()}
    records: list[Record] = [started, *analysis.data("client", 0, 1, CLIENT % own)]
    records += analysis.data("server", 0, 2, SERVER % own)
    records += analysis.data("stderr", 0, 3, b"key %(own)b\n" % own)
    return [*records, *analysis.end(4)]


def scrubbed(records: list[Record], redactor: Redactor) -> tuple[list[Record], int]:
    first = records[0]
    assert isinstance(first, RunStarted)
    scrubber = Scrubber(first, redactor)
    return [scrubber.clean(record) for record in records], scrubber.values


def without_notes(records: list[Record]) -> list[Record]:
    return [replace(one, redactions=()) if hasattr(one, "redactions") else one for one in records]  # type: ignore[call-arg]


def test_what_was_recorded_then_becomes_what_would_be_recorded_today() -> None:
    then = recorded()
    assert OWN in repr(then)
    clean, values = scrubbed(then, now())
    assert OWN not in repr(clean)
    assert values == 7
    assert without_notes(clean) == without_notes(recorded(now()))


def test_by_the_same_rules_nothing_changes() -> None:
    then = recorded(now())
    assert scrubbed(then, now()) == (then, 0)


def test_earlier_placeholders_stay_as_they_are() -> None:
    (call,) = (one for one in scrubbed(recorded(), now())[0] if getattr(one, "seq", 0) == 1)
    assert isinstance(call, MessageRecord)
    assert [note.rule for note in call.redactions] == ["key-name", "acme-key"]
    assert "[REDACTED:key-name:" in repr(call.body)


@pytest.mark.parametrize(("mode", "stays"), [("full", True), ("hash", False), ("metadata", False)])
def test_of_the_modes_only_full_keeps_what_is_there(mode: str, stays: bool) -> None:
    settings = replace(RULES, scopes=(Scope(mode, server="vault"),))  # type: ignore[arg-type]
    clean, _ = scrubbed(recorded(), now(settings))
    bodies = [one.body for one in clean if isinstance(one, MessageRecord) and one.kind == "request"]
    assert all(body is not None for body in bodies)
    assert (OWN in repr(bodies)) == stays


def test_a_body_that_cannot_be_searched_any_more_is_not_kept() -> None:
    ticking = iter(range(10_000))
    hurried = Redactor(b"key", now().scanner, clock=lambda: next(ticking) * 100.0)
    clean, values = scrubbed(recorded(), hurried)
    call = next(one for one in clean if isinstance(one, MessageRecord) and one.seq == 1)
    assert (call.body, call.unscanned) == (None, NOT_SEARCHED)
    assert call.sha256
    assert OWN not in repr(clean)
    assert values


def test_evidence_of_a_finding_is_cleaned_too() -> None:
    finding = Finding("f", 1, 0, "d", "r", "low", "result", f"a {OWN}", f"b {OWN}", "/x", "00")
    clean, values = scrubbed([*recorded()[:1], finding], now())
    assert OWN not in repr(clean[1])
    assert values == 3
