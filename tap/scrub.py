"""A run's records as today's rules would have had them written: what they find now is taken out, all else stays.

The idea: a record that was written is redacted once more, in the same order and by the same way as it was the first
time. What was derived from a body (ids, facts, exchanges) is derived again from what is left of it, so no copy of a
value stays behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatchmethod
from typing import Any, Final

from mcptap.tap.clean import Cleaner
from mcptap.tap.dissect.correlate import NOTHING, Correlator
from mcptap.tap.dissect.jsonrpc import Message
from mcptap.tap.dissect.pending import SIZE
from mcptap.tap.guard import guarded
from mcptap.tap.records import Finding, MessageRecord, Record, Redaction, RunEnded, RunStarted, StderrLine
from mcptap.tap.redact import Redactor, UnscannableError, redact_started
from mcptap.tap.redact.settings import Settings
from mcptap.tap.scopes import Scopes

NOT_SEARCHED: Final = "not searched when it was scrubbed"
ORPHAN: Final = "orphan"
NOT_LISTED: Final = "not-listed"  # its length counts those of one message that are too many to list


class Scrubber:
    """Takes the records of one run in order. `values`: how many have been taken out so far."""

    def __init__(self, started: RunStarted, redactor: Redactor) -> None:
        self.values = 0
        self._redactor = redactor
        self._scopes = scopes = Scopes(_scrubbing(redactor.settings), redactor, started)
        self._correlator = Correlator(started.run_id)
        self._cleaner = Cleaner(redactor, scopes, self._correlator.asked)
        self._lines = {stream: scopes.lines() for stream in ("client", "server", "stderr")}

    @singledispatchmethod
    def clean(self, record: Record) -> Record:
        """The record without what is found in it now; the same where that is nothing."""
        return record

    @clean.register
    def _(self, record: RunStarted) -> RunStarted:
        clean = redact_started(self._redactor, record)
        self._count(clean.redactions[len(record.redactions) :])
        return clean

    @clean.register
    def _(self, record: StderrLine) -> StderrLine:
        text, notes = self._lines["stderr"].line(record.text)
        self._count(notes)
        return replace(record, text=text, redactions=(*record.redactions, *notes))

    @clean.register
    def _(self, record: Finding) -> Finding:
        return replace(record, title=self._text(record.title), evidence=self._text(record.evidence))

    @clean.register
    def _(self, record: RunEnded) -> RunEnded:
        return replace(record, exchanges=guarded(self._correlator.unanswered, (), "an exchange"))

    @clean.register
    def _(self, record: MessageRecord) -> MessageRecord:
        facts = {name: fact for name, fact in (record.facts or {}).items() if name != ORPHAN} or None
        alone = replace(record, facts=facts, exchanges=())
        clean = self._envelope(alone) if record.body is None else self._body(alone)
        own = clean.seq if clean.kind == "request" else None
        clean = replace(clean, exchange_seq=own)
        guarded(lambda: self._scopes.learn(clean), None, "a tool")
        settled = guarded(lambda: self._correlator.settle(clean), NOTHING, "an exchange")
        if settled.orphan:
            clean = replace(clean, facts={**(clean.facts or {}), ORPHAN: settled.orphan})
        return replace(clean, exchanges=settled.exchanges, exchange_seq=settled.exchange_seq)

    def _body(self, record: MessageRecord) -> MessageRecord:
        found = self._cleaner.clean(record.side, Message(record.kind, record.body), self._lines[record.side])
        if found.unscanned:
            self.values += 1
            digest = self._redactor.digest(repr(record.body).encode(errors="replace"))
            kept = self._envelope(replace(record, body=None))
            return replace(kept, unscanned=NOT_SEARCHED, sha256=record.sha256 or digest)
        if not found.redactions:
            return record
        self._count(found.redactions)
        size = {name: fact for name, fact in (record.facts or {}).items() if name == SIZE}  # on the wire, as it was
        return replace(
            record,
            body=found.body,
            method=found.method,
            rpc_id=found.rpc_id,
            facts={**(found.facts or {}), **size} or None,
            redactions=(*record.redactions, *found.redactions),
        )

    def _envelope(self, record: MessageRecord) -> MessageRecord:
        """A message of which there is no body."""
        told = {"method": record.method, "id": record.rpc_id, "facts": record.facts}
        try:
            clean, notes = self._redactor.value(told)
        except UnscannableError:
            clean, notes = dict.fromkeys(told), ()
        self._count(notes)
        notes = (*record.redactions, *notes)
        return replace(record, method=clean["method"], rpc_id=clean["id"], facts=clean["facts"], redactions=notes)

    def _text(self, text: str) -> str:
        clean, notes = self._redactor.text(text)
        self._count(notes)
        return clean

    def _count(self, notes: Iterable[Redaction]) -> None:
        self.values += sum(note.length if note.rule == NOT_LISTED else 1 for note in notes)


def _scrubbing(settings: Settings) -> Settings:
    """Of the modes only `full` counts: what a user wants whole stays so, what is not kept today may have been then."""

    def mode(scope: Any) -> Any:
        return scope if scope.mode == "full" else replace(scope, mode="redact")

    whole: Settings = mode(settings)
    return replace(whole, scopes=tuple(mode(scope) for scope in settings.scopes))
