"""Any bytes, cut anywhere: the same frames, every byte counted once."""

import hashlib
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.dissect.frames import Frame, Framer

STREAMS = st.binary(max_size=200) | st.lists(
    st.sampled_from([b"\n", b"{}", b'{"a":1}', b"\r\n", b"\xff", b"\xe2\x80\xa8"])
).map(b"".join)


def frames(data: bytes, cuts: list[int], **options: int) -> list[Frame]:
    framer = Framer("server", **options)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    found = []
    for low, high in pairwise(edges):
        found += framer.feed(low, 1, data[low:high])
    return found + framer.end(1)


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(0, 10_000)))
def test_any_cutting_gives_the_same_frames(data: bytes, cuts: list[int]) -> None:
    assert frames(data, cuts) == frames(data, []) == frames(data, list(range(len(data))))


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(0, 10_000)))
def test_the_sizes_of_frames_add_up_and_their_offsets_follow(data: bytes, cuts: list[int]) -> None:
    offset = 0
    for frame in frames(data, cuts):
        assert frame.offset == offset
        assert data[offset:].startswith(frame.data)
        offset += frame.size
    assert offset == len(data)


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(0, 10_000)))
def test_an_oversize_frame_is_only_counted_and_hashed(data: bytes, cuts: list[int]) -> None:
    for small, whole in zip(frames(data, cuts, limit=3, keep=2), frames(data, []), strict=True):
        assert (small.offset, small.size) == (whole.offset, whole.size)
        if len(whole.data) > 3:
            assert small.data == whole.data[:2]
            assert small.sha256 == hashlib.sha256(whole.data).hexdigest()
        else:
            assert small == whole


def test_a_frame_ends_at_a_newline_and_nowhere_else() -> None:
    text = "a\u2028b\u2029c\x85d\re\x0cf"
    assert [frame.data.decode() for frame in Framer("client").feed(0, 1, f"{text}\n".encode())] == [text]


def test_a_frame_has_the_time_of_its_last_byte() -> None:
    framer = Framer("client")
    framer.feed(0, 1, b"ab")
    (first,) = framer.feed(2, 5, b"c\nd")
    (last,) = framer.end(9)
    assert (first.at, last.at) == (5, 5)


def test_the_safe_offset_is_the_start_of_the_open_frame() -> None:
    framer = Framer("client")
    framer.feed(0, 1, b"ab\ncd")
    assert framer.safe_offset == 3


def test_an_open_oversize_frame_counts_as_passed() -> None:
    framer = Framer("client", limit=3)
    framer.feed(0, 1, b"ab\ncdefg")
    assert framer.safe_offset == framer.offset == 8


def test_a_gap_cuts_the_open_frame_and_the_next_one() -> None:
    framer = Framer("client")
    framer.feed(0, 1, b"one\ntw")
    (cut,) = framer.gap(20, 2)
    after = framer.feed(20, 3, b"ee\nfour\n")
    assert (cut.data, cut.cut_start, cut.cut_end, cut.at) == (b"tw", False, True, 1)
    assert [(frame.data, frame.truncated, frame.offset) for frame in after] == [(b"ee", True, 20), (b"four", False, 23)]


@pytest.mark.parametrize(
    ("data", "truncated"), [(b'{"a":1}', False), (b"[1]", False), (b'{"a":', True), (b"12", True), (b"text", True)]
)
def test_a_last_frame_without_newline_is_whole_only_if_it_is_json(data: bytes, truncated: bool) -> None:
    framer = Framer("client")
    framer.feed(0, 1, data)
    (frame,) = framer.end(2)
    assert frame.truncated is truncated
    assert frame.size == len(data)


def test_bytes_that_do_not_follow_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0"):
        Framer("client").feed(1, 1, b"x")


def test_a_line_of_100_mb_in_small_chunks_is_hashed_not_held() -> None:
    framer = Framer("server")
    chunk = b"x" * 65536
    for index in range(1600):
        framer.feed(index * len(chunk), 1, chunk)
    (frame,) = framer.feed(framer.offset, 1, b"\n")
    assert (frame.data, frame.size) == (b"", 1600 * 65536 + 1)
    assert frame.sha256


def test_an_open_frame_that_is_let_go_is_told_by_size_hash_and_envelope() -> None:
    data = b'{"jsonrpc":"2.0","id":7,"result":{"text":"' + b"x" * 5000 + b'"}}'
    framer = Framer("server")
    assert framer.feed(0, 1, data[:3000]) == []
    assert framer.safe_offset == 0
    framer.let_go()
    framer.let_go()
    assert framer.safe_offset == 3000
    (frame,) = framer.feed(3000, 2, data[3000:] + b"\n")
    assert (frame.size, frame.offset, frame.sha256) == (len(data) + 1, 0, sha256(data).hexdigest())
    assert frame.envelope == {"jsonrpc": "2.0", "id": 7, "result": {}}
    (after,) = framer.feed(len(data) + 1, 3, b"next\n")
    assert (after.data, after.sha256) == (b"next", None)


def test_where_no_frame_is_open_nothing_is_let_go() -> None:
    framer = Framer("client")
    framer.let_go()
    assert framer.feed(0, 1, b"whole\n")[0].data == b"whole"
