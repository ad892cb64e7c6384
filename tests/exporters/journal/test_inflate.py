"""Reading damaged gzip files as far as they go."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.exporters.journal.inflate import DamagedFileError, Inflate

PLAIN = b"".join(b"line %d %d\n" % (n, n * n) for n in range(500))
PACKED = gzip.compress(PLAIN, mtime=0)


class Named(io.BytesIO):
    name = "a.gz"


def read(packed):
    """(what could be had, what was wrong)"""
    stream, had = Inflate(Named(packed)), b""
    try:
        while block := stream.read(100):
            had += block
    except DamagedFileError as error:
        return had, str(error)
    return had, None


def test_a_good_file_is_read_whole():
    assert read(PACKED) == (PLAIN, None)


def test_large_blocks_that_hardly_compress_or_compress_extremely_are_read_whole():
    for plain in (random.Random(1).randbytes(3_000_000), b"x" * 5_000_000):
        stream = io.BufferedReader(Inflate(Named(gzip.compress(plain))), 1 << 20)
        assert stream.read() == plain


@given(st.integers(0, len(PACKED) - 1))
def test_a_file_cut_short_gives_its_beginning_and_says_so(size):
    had, damage = read(PACKED[:size])
    assert PLAIN.startswith(had)
    assert damage == "a.gz: cut short"


def test_bytes_behind_the_end_are_damage():
    assert read(PACKED + b"x") == (PLAIN, "a.gz: bytes behind the end")
    assert read(PACKED + PACKED) == (PLAIN, "a.gz: bytes behind the end")


@given(st.integers(0, len(PACKED) - 1), st.integers(1, 255))
def test_what_stands_before_a_damaged_byte_is_given_out(at, change):
    damaged = bytearray(PACKED)
    damaged[at] ^= change
    had, damage = read(bytes(damaged))
    reference, _ = read(PACKED[:at])
    assert had.startswith(reference)
    assert damage or had == PLAIN


def test_closing_closes_the_file():
    file = Named(PACKED)
    Inflate(file).close()
    assert file.closed


def test_an_empty_file_is_cut_short():
    stream = Inflate(Named(b""))
    with pytest.raises(DamagedFileError, match="cut short"):
        stream.read(1)
