"""One run's bytes in, its records out: frames, messages, redaction, exchanges, in this order and in one place.

Sans-IO: the caller brings bytes with their offsets and times, and writes down the records it gets, in order. Every
byte of a stream is counted once: as part of a frame, of a stderr line or of a gap. So the records already written
say where each stream stands, and `Analysis.resume` goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, get_args

from mcptap.tap.clean import Cleaner
from mcptap.tap.dissect import jsonrpc
from mcptap.tap.dissect.correlate import NOTHING, Correlator
from mcptap.tap.dissect.frames import MAX_FRAME, Frame, Framer, within
from mcptap.tap.dissect.jsonrpc import Message
from mcptap.tap.dissect.pending import SIZE
from mcptap.tap.guard import guarded, report
from mcptap.tap.records import (
    Gap,
    MessageRecord,
    Record,
    RunEnded,
    RunStarted,
    RunState,
    Side,
    StderrLine,
    Stream,
)
from mcptap.tap.redact import Redactor
from mcptap.tap.scopes import Scopes, is_hashed

STREAMS: Final[tuple[Stream, ...]] = get_args(Stream)
_NOT_READ: Final = Message("noise", None, unscanned="internal error")
# A progress bar without newlines may grow for hours, and nobody reads a line of megabytes.
MAX_LINE: Final = 256 * 1024  # of a stderr line that is searched; of a longer one this much is kept


class Analysis:
    """The analysis of one run. Not safe for threads. `started` is the run's first record, already redacted."""

    def __init__(self, started: RunStarted, redactor: Redactor) -> None:
        self.run_id = started.run_id
        self._redactor = redactor
        self._scopes = Scopes(redactor.settings, redactor, started)
        self._correlator = Correlator(started.run_id)
        self._cleaner = Cleaner(redactor, self._scopes, self._correlator.asked)
        self._framers = {stream: _framer(stream) for stream in STREAMS}
        self._lines = {stream: self._scopes.lines() for stream in STREAMS}
        self._seq = 0
        # A batch of which only the first records were written: where it ends, and how many they are.
        self._torn: dict[Stream, tuple[int, int]] = {}

    @classmethod
    def resume(cls, started: RunStarted, redactor: Redactor, records: Iterable[Record]) -> Analysis:
        """The analysis as it stood when the last of `records` had been written."""
        analysis = cls(started, redactor)
        batches: dict[Side, MessageRecord] = {}  # the last of each side, and how many of its elements are there
        elements: dict[Side, int] = {}
        for record in records:
            match record:
                case MessageRecord(kind="batch", facts={"elements": _}):
                    batches[record.side], elements[record.side] = record, 0
                case MessageRecord(size_bytes=0):
                    elements[record.side] += 1
            analysis._replay(record)
        for side, batch in batches.items():
            if elements[side] < (batch.facts or {})["elements"]:
                analysis._framers[side] = Framer(side, batch.offset)
                analysis._torn[side] = (batch.offset + batch.size_bytes, 1 + elements[side])
        return analysis

    def safe_offsets(self) -> dict[Stream, int]:
        """Per stream the offset up to which all is in the records returned so far: may be acknowledged when
        those are written."""
        return {stream: framer.safe_offset for stream, framer in self._framers.items()}

    def let_go(self) -> None:
        """Holds no open frame any more: somebody needs the memory in which its bytes wait for their end."""
        for framer in self._framers.values():
            framer.let_go()

    def data(self, stream: Stream, offset: int, at: int, chunk: bytes, *, gap_reason: str = "overflow") -> list[Record]:
        """The records that `chunk`, the stream's bytes from `offset` on, completes.

        Bytes that were missed become a gap; bytes that are known already are passed over.
        """
        records = self._skip_to(stream, offset, at, gap_reason)
        framer = self._framers[stream]
        known = framer.offset - offset
        if known >= len(chunk):
            return records
        for frame in framer.feed(framer.offset, at, chunk[known:] if known else chunk):
            records += self._frame(frame)
        return records

    def end(
        self,
        at: int,
        *,
        final_offsets: Mapping[Stream, int] | None = None,
        exit_code: int | None = None,
        exit_signal: int | None = None,
        max_rss_bytes: int | None = None,
        cpu_seconds: float | None = None,
        state: RunState = "ended",
        reason: str | None = None,
        gap_reason: str = "overflow",
    ) -> list[Record]:
        """The last records. `final_offsets`: how much passed on each stream, where that is known."""
        records: list[Record] = []
        for stream in STREAMS:
            self._forget_torn(stream)
            records += self._skip_to(stream, (final_offsets or {}).get(stream, 0), at, gap_reason)
            for frame in self._framers[stream].end(at):
                records += self._frame(frame)
        passed = {stream: framer.offset for stream, framer in self._framers.items()}
        ended = RunEnded(
            at=at,
            state=state,
            exit_code=exit_code,
            exit_signal=exit_signal,
            max_rss_bytes=max_rss_bytes,
            cpu_seconds=cpu_seconds,
            bytes_client=passed["client"],
            bytes_server=passed["server"],
            bytes_stderr=passed["stderr"],
            reason=reason,
            exchanges=guarded(self._correlator.unanswered, (), "an exchange"),
        )
        return [*records, ended]

    def _skip_to(self, stream: Stream, offset: int, at: int, reason: str) -> list[Record]:
        """Records for the bytes between what was seen and `offset`, if any."""
        if offset <= self._framers[stream].offset:
            return []
        self._forget_torn(stream)
        framer = self._framers[stream]
        start = framer.offset
        if offset <= start:
            return []
        records = [record for frame in framer.gap(offset, at) for record in self._frame(frame)]
        return [*records, Gap(at, stream, start, offset - start, reason)]

    def _forget_torn(self, stream: Stream) -> None:
        """The rest of a torn batch will not come again; its bytes were counted with its first record."""
        if stream in self._torn:
            end, _ = self._torn.pop(stream)
            self._framers[stream] = Framer(stream, end)

    def _replay(self, record: Record) -> None:
        """Takes up the state after a record that was written."""
        match record:
            case MessageRecord():
                self._seq = record.seq
                guarded(lambda: self._correlator.settle(record), NOTHING, "an exchange")
                guarded(lambda: self._scopes.learn(record), None, "a tool")
                if record.kind == "noise":
                    self._lines[record.side].restore(record.redactions)
                if record.size_bytes:
                    self._framers[record.side] = Framer(record.side, record.offset + record.size_bytes)
            case StderrLine():
                self._lines["stderr"].restore(record.redactions)
                self._framers["stderr"] = _framer("stderr", record.offset + record.size_bytes)
            case Gap():
                self._framers[record.stream] = _framer(record.stream, record.offset + record.bytes)
                self._framers[record.stream].cut_start = True

    def _frame(self, frame: Frame) -> list[Record]:
        return [self._stderr(frame)] if frame.side == "stderr" else self._messages(frame, frame.side)

    def _stderr(self, frame: Frame) -> StderrLine:
        data = frame.data.removesuffix(b"\r")
        cut = frame._replace(cut_end=frame.cut_end or frame.sha256 is not None)
        try:
            text, redactions = self._lines["stderr"].line(within(data.decode(errors="replace"), cut))
        except Exception as error:
            report(error, "a line")
            text, redactions = "[mcptap: not kept, internal error]", ()
        if frame.sha256:
            text += f" [mcptap: cut, the line has {frame.size} bytes]"
        return StderrLine(frame.at, frame.offset, frame.size, text, redactions)

    def _messages(self, frame: Frame, side: Side) -> list[Record]:
        """The records of one frame: one, or for a batch one and one per element."""
        message = _dissect(frame)
        _, written = self._torn.pop(side, (0, 0))
        messages = (message, *message.elements)[written:]
        return [self._message(frame, side, item, 0 if item is not message else frame.size) for item in messages]

    def _message(self, frame: Frame, side: Side, message: Message, size: int) -> MessageRecord:
        cleaned = self._cleaner.clean(side, message, self._lines[side])
        hashed = frame.sha256 or (self._redactor.digest(frame.data) if is_hashed(cleaned.unscanned) else None)
        self._seq += 1
        own = self._seq if message.kind == "request" else None
        facts = {**(cleaned.facts or {}), SIZE: message.size} if message.size else cleaned.facts
        record = partial(
            MessageRecord,
            seq=self._seq,
            side=side,
            at=frame.at,
            kind=message.kind,
            method=cleaned.method,
            rpc_id=cleaned.rpc_id,
            offset=frame.offset,
            size_bytes=size,
            body=cleaned.body,
            truncated=frame.truncated,
            unscanned=cleaned.unscanned,
            sha256=hashed,
            redactions=cleaned.redactions,
        )
        alone = record(facts=facts, exchange_seq=own)
        guarded(lambda: self._scopes.learn(alone), None, "a tool")
        exchanges, belongs, orphan = guarded(lambda: self._correlator.settle(alone), NOTHING, "an exchange")
        if not exchanges and not orphan and belongs == own:
            return alone
        facts = {**(facts or {}), "orphan": orphan} if orphan else facts
        return record(facts=facts, exchanges=exchanges, exchange_seq=belongs)


def _framer(stream: Stream, offset: int = 0) -> Framer:
    return Framer(stream, offset, limit=MAX_LINE, keep=MAX_LINE) if stream == "stderr" else Framer(stream, offset)


def _dissect(frame: Frame) -> Message:
    """The message in a frame. Of a truncated one only text is kept, without what touches the cut."""
    if frame.sha256:
        most = f"{MAX_FRAME >> 20} MiB" if frame.size > MAX_FRAME else "the memory for it"
        return jsonrpc.unread(frame.envelope, f"larger than {most}")
    if frame.truncated:
        return Message("noise", within(frame.data.decode(errors="replace"), frame))
    return guarded(lambda: jsonrpc.dissect(frame.data), _NOT_READ, "a message")
