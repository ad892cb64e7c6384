"""A gzip file as a raw stream that gives out everything before a damaged place, then says so.

The standard library's reader loses what one call had decoded before it met the damage, and with it the number
of the damaged line; here the failing block is fed again byte by byte to a copy of the decoder.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP = 31  # zlib's `wbits` for a gzip header and checksum
BLOCK = 1 << 16  # compressed bytes per read
LIMIT = 1 << 20  # decoded bytes per step, whatever the compressed ones claim to hold


class DamagedFileError(OSError):
    """A file cannot be read on from some place: broken compression, or a line longer than any."""


class Inflate(io.RawIOBase):
    """Reads one gzip member that must fill the file. `readinto` raises DamagedFileError."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = zlib.decompressobj(GZIP)
        self._input = b""
        self._ready = b""
        self._damage: str | None = None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer).cast("B")
        while not self._ready:
            if self._damage is not None:
                raise DamagedFileError(f"{self._file.name}: {self._damage}")
            if self._decoder.eof:
                return 0
            self._advance()
        output, self._ready = self._ready[: len(target)], self._ready[len(target) :]
        target[: len(output)] = output
        return len(output)

    def _advance(self) -> None:
        self._input = self._input or self._file.read(BLOCK)
        before = self._decoder.copy()
        try:
            self._ready = self._decoder.decompress(self._input, LIMIT)
        except zlib.error as error:
            self._damage = str(error)
            self._ready = self._salvage(before)
            return
        ended = not self._input
        self._input = self._decoder.unconsumed_tail
        if self._decoder.eof:
            if self._decoder.unused_data or self._file.read(1):
                self._damage = "bytes behind the end"
        elif ended and not self._ready:
            self._damage = "cut short"

    def _salvage(self, decoder: zlib._Decompress) -> bytes:
        """What the block still holds before its damaged place."""
        output = bytearray()
        for byte in self._input:
            try:
                output += decoder.decompress(bytes((byte,)))
            except zlib.error:
                break
        return bytes(output)
