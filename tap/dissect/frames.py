"""Bytes of one stream in, frames out.

A frame ends at the byte 0x0A and nowhere else: U+2028 or a lone carriage return may stand inside JSON. The open
frame is a list of parts that is joined once, so a line of 100 MB in chunks of 64 KiB costs linear time.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final, NamedTuple

import orjson

from mcptap.tap.dissect.skim import Skim
from mcptap.tap.records import Stream

# A frame is analysed in memory, at ten times its size and more once it is parsed and written down. It cannot be
# acknowledged to the tap before it is whole either, and fills the tap's buffer of 64 MiB until then.
MAX_FRAME: Final = 16 << 20

_RUN = re.compile(r"\S*")


class Frame(NamedTuple):
    """One line, or what was seen of it."""

    side: Stream
    at: int  # when its last byte arrived
    offset: int  # of its first byte
    data: bytes  # without the newline; of an oversize frame only its first `keep` bytes
    size: int  # of all of it, with its newline
    cut_start: bool = False  # its beginning is missing
    cut_end: bool = False  # its end is missing
    sha256: str | None = None  # of an oversize frame without its newline
    envelope: dict[str, Any] | None = None  # of an oversize frame that is a JSON object; see `Skim.envelope`

    @property
    def truncated(self) -> bool:
        return self.cut_start or self.cut_end


class Framer:
    """Splits one stream. `offset` is the stream's next expected byte."""

    def __init__(self, side: Stream, offset: int = 0, *, limit: int = MAX_FRAME, keep: int = 0) -> None:
        self.side = side
        self.offset = offset
        self.cut_start = False  # of the open or the next frame
        self._limit = limit
        self._keep = keep
        self._open()

    def _open(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._at = 0
        self._hash: hashlib._Hash | None = None
        self._skim: Skim | None = None  # of an oversize frame of a side

    @property
    def safe_offset(self) -> int:
        """Everything below it has become frames. An oversize open frame is not held and so counts as passed."""
        return self.offset if self._hash else self.offset - self._size

    def feed(self, offset: int, at: int, data: bytes) -> list[Frame]:
        """The frames that `data`, the stream's bytes from `offset` on, completes. It must follow on what was fed."""
        if offset != self.offset:
            raise ValueError(f"{self.side}: got offset {offset}, expected {self.offset}")
        if b"\n" not in data:  # the middle of a long line: not to be copied
            if data:
                self._hold(data, at)
            return []
        frames = []
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._hold(line, at)
            frames.append(self._close(at, newline=1))
        if rest:
            self._hold(rest, at)
        return frames

    def gap(self, to_offset: int, at: int) -> list[Frame]:
        """Bytes up to `to_offset` will never come: ends the open frame; the next one lacks its beginning."""
        frames = [self._close(self._at or at, cut_end=True)] if self._size else []
        self.offset = to_offset
        self.cut_start = True
        return frames

    def end(self, at: int) -> list[Frame]:
        """The stream has ended: the open frame, whole if it is a JSON object or array without a newline."""
        if not self._size:
            return []
        return [self._close(self._at or at, cut_end=not self._is_whole())]

    def _hold(self, part: bytes, at: int) -> None:
        self.offset += len(part)
        self._size += len(part)
        self._at = at
        if self._hash:
            self._pass(part)
            return
        self._parts.append(part)
        if self._size > self._limit:
            self.let_go()

    def let_go(self) -> None:
        """Holds no more of the open frame than its hash and envelope, as of an oversize one."""
        if self._hash or not self._size:
            return
        self._hash = hashlib.sha256()
        self._skim = Skim() if self.side != "stderr" else None
        for held in self._parts:
            self._pass(held)
        self._parts = [b"".join(self._parts)[: self._keep]]

    def _pass(self, part: bytes) -> None:
        """Bytes of an oversize frame."""
        assert self._hash
        self._hash.update(part)
        if self._skim:
            self._skim.feed(part)

    def _envelope(self) -> dict[str, Any] | None:
        return self._skim.envelope() if self._skim and not self.cut_start else None

    def _close(self, at: int, newline: int = 0, *, cut_end: bool = False) -> Frame:
        size = self._size + newline
        sha256 = self._hash.hexdigest() if self._hash else None
        data = b"".join(self._parts)
        start = self.offset - self._size
        self.offset += newline
        envelope = None if cut_end else self._envelope()
        frame = Frame(self.side, at, start, data, size, self.cut_start, cut_end, sha256, envelope)
        self.cut_start = False
        self._open()
        return frame

    def _is_whole(self) -> bool:
        data = b"".join(self._parts)
        if self._hash:
            return self._envelope() is not None
        if self.cut_start or data.lstrip()[:1] not in (b"{", b"["):
            return False
        try:
            orjson.loads(data)
        except orjson.JSONDecodeError:
            return False
        return True


def within(text: str, frame: Frame) -> str:
    """Text of a truncated frame without the unbroken runs that touch the cuts.

    A secret that was cut is not recognised any more by its shape. On the sides, where text is JSON, the string in
    which a frame begins is dropped whole: it may be the value of a key that is missing.
    """
    if frame.cut_start:
        quote = text.find('"') + 1 if frame.side != "stderr" else 0
        text = text[max(quote, len(text) - len(text.lstrip()) if text[:1].isspace() else _run(text)) :]
    if frame.cut_end and text and not text[-1].isspace():
        text = (text.rsplit(None, 1) if len(text.split(None, 1)) > 1 else [""])[0]
    return text


def _run(text: str) -> int:
    """The length of the run of non-space characters that `text` begins with."""
    match = _RUN.match(text)
    return match.end() if match else 0
