"""What is read from a tap's memory is what passed, in the order of the run, whoever reads it and however often."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.exporters.collector.memory import Memory
from mcptap.tap.pipe.channel import Channel
from mcptap.tap.pipe.pump import Pump, write_all
from mcptap.tap.pipe.wire import BLOCK, CHUNK, CLIENT, DATA, ENTRY, HEAD, NEXT, SERVER, STDERR, TAIL

SMALL = (4 << 20,)


class Reader:
    """A collector's view of a channel, and the bytes that it has got, at their offsets."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.got: list[dict[int, int]] = [{}, {}, {}]
        self.written = [0, 0, 0]
        self.facts: bytes | None = None
        self.restart()

    def restart(self) -> None:
        self.memory, self.orders = Memory(self.channel.memory), [0]

    def take(self) -> None:
        entries, self.facts = self.memory.take()
        self.orders += [entry.order for entry in entries]
        for entry in entries:
            self.got[entry.stream].update(enumerate(self.memory.payload(entry), entry.offset))

    def free(self) -> None:
        self.written = [max(got, default=-1) + 1 for got in self.got]
        self.memory.free(self.written)


def record(channel: Channel, stream: int, data: bytes) -> None:
    while data:
        room = channel.lanes[stream].room[0]
        part, data = data[: len(room)], data[len(room) :]
        room[: len(part)] = part
        channel.lanes[stream].add(len(part))


steps = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.sampled_from([CLIENT, SERVER, STDERR]), st.integers(1, 400_000)),
        st.tuples(st.sampled_from(["restart", "take", "take", "free", "trim"])),
    ),
    max_size=80,
)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_what_is_read_is_what_passed_and_the_rest_shows_as_missing_offsets(script: list[tuple[object, ...]]) -> None:
    channel = Channel(sizes=SMALL)
    reader, passed = Reader(channel), [bytearray(), bytearray(), bytearray()]
    for name, *arguments in script:
        if name == "record":
            stream, size = arguments
            data = bytes((len(passed[stream]) + i) % 251 for i in range(size))
            passed[stream] += data
            record(channel, stream, data)
        elif name == "trim":
            channel.trim()
        else:
            getattr(reader, str(name))()
    channel.end(b"{}")
    while not reader.facts:
        reader.take()
    assert reader.orders == sorted(set(reader.orders))
    dropped = channel.dropping or any(len(got) < len(bytes_) for got, bytes_ in zip(reader.got, passed, strict=True))
    for stream, got in enumerate(reader.got):
        assert channel.offsets[stream] == len(passed[stream])
        assert dropped or len(got) == len(passed[stream])
        assert all(passed[stream][offset] == byte for offset, byte in got.items())


def test_what_was_not_freed_is_there_again_for_the_next_reader() -> None:
    channel = Channel(sizes=SMALL)
    reader = Reader(channel)
    record(channel, CLIENT, b"written")
    reader.take()
    reader.free()
    record(channel, CLIENT, b"not written")
    reader.take()
    after = Reader(channel)
    after.take()
    assert bytes(after.got[CLIENT].values()) == b"not written"


def test_no_answer_is_taken_before_its_request_however_the_reader_looks() -> None:
    channel, rounds = Channel(), 3000
    taken: list[int] = []
    memory = Memory(channel.memory)

    def converse() -> None:
        for _ in range(rounds):
            record(channel, CLIENT, b"request")
            record(channel, SERVER, b"answer")

    writer = threading.Thread(target=converse)
    writer.start()
    while len(taken) < 2 * rounds:
        taken += [entry.stream for entry in memory.take()[0]]
    writer.join()
    assert taken == [CLIENT, SERVER] * rounds


def test_what_is_recorded_of_a_long_stream_is_the_stream_though_its_memory_was_used_many_times() -> None:
    payload = os.urandom(20 * BLOCK + 17)
    (source, into), (out, sink), (stop, stopper) = os.pipe(), os.pipe(), os.pipe()
    channel = Channel(strict=True, sizes=SMALL)
    memory, recorded = Memory(channel.memory), bytearray()
    passed: list[bytes] = []
    threads = [
        threading.Thread(target=Pump(source, sink, stop, channel.lanes[SERVER]).run),
        threading.Thread(target=lambda: (write_all(into, payload), os.close(into))),
        threading.Thread(target=lambda: passed.extend(iter(lambda: os.read(out, CHUNK), b""))),
    ]
    for thread in threads:
        thread.start()
    while len(recorded) < len(payload):
        for entry in memory.take()[0]:
            assert entry.offset == len(recorded)
            recorded += memory.payload(entry)
        memory.free([0, len(recorded), 0])
    for thread in threads:
        thread.join()
    assert b"".join(passed) == payload
    assert recorded == payload
    for descriptor in (out, stop, stopper):
        os.close(descriptor)


def wrong_kind(channel: Channel, at: int) -> None:
    ENTRY.pack_into(channel.view, at, 1, 0, 0, 3, 7)


def too_long(channel: Channel, at: int) -> None:
    ENTRY.pack_into(channel.view, at, 1, 0, 0, CHUNK + 1, DATA)


def empty(channel: Channel, at: int) -> None:
    ENTRY.pack_into(channel.view, at, 1, 0, 0, 0, DATA)


def circle(channel: Channel, at: int) -> None:
    ENTRY.pack_into(channel.view, at, 0, at, 0, 0, NEXT)


def longer_circle(channel: Channel, at: int) -> None:
    ENTRY.pack_into(channel.view, at, 5, 0, 0, 8, DATA)
    ENTRY.pack_into(channel.view, at + 40, 0, at, 0, 0, NEXT)


def nowhere(channel: Channel, at: int) -> None:
    ENTRY.pack_into(channel.view, at, 0, 1 << 60, 0, 0, NEXT)


def outside(channel: Channel, at: int) -> None:
    channel.words[TAIL[CLIENT]] = len(channel.view) + at


@pytest.mark.parametrize("harm", [wrong_kind, too_long, empty, circle, longer_circle, nowhere, outside])
def test_a_memory_that_holds_what_no_tap_writes_is_refused(harm: object) -> None:
    channel = Channel(sizes=SMALL)
    record(channel, CLIENT, b"abc")
    harm(channel, channel.words[TAIL[CLIENT]])  # type: ignore[operator]
    channel.words[HEAD[CLIENT]] += 512
    with pytest.raises(ValueError, match="not what a tap writes"):
        Memory(channel.memory).take()


@pytest.mark.parametrize("size", [0, 4096, 5 << 18 | 1, 1 << 40])
def test_a_memory_of_another_size_is_refused(size: int) -> None:
    descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    with pytest.raises(ValueError, match="a memory of"):
        Memory(descriptor)
    os.close(descriptor)


def test_a_memory_that_could_be_taken_away_under_our_feet_is_refused() -> None:
    descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, SMALL[0])
    with pytest.raises(ValueError, match="may shrink"):
        Memory(descriptor)
    os.close(descriptor)


def test_a_memory_is_crowded_when_half_of_it_is_needed_and_no_longer_when_it_was_freed() -> None:
    channel = Channel(sizes=SMALL)
    memory = Memory(channel.memory)
    for share in (0.4, 0.2):
        assert not memory.crowded
        record(channel, CLIENT, bytes(int(share * SMALL[0])))
        while memory.waiting:
            memory.take()
    assert memory.crowded
    memory.free([channel.offsets[CLIENT], 0, 0])
    assert not memory.crowded


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells whose memory it is")
def test_what_was_freed_is_the_taps_alone() -> None:
    channel = Channel()
    record(channel, SERVER, bytes(16 << 20))
    reader = Memory(channel.memory)
    before = shared()
    while reader.waiting:
        entries, _ = reader.take()
        for entry in entries:
            reader.free([0, entry.offset + len(reader.payload(entry)), 0])
    assert shared() < before + (4 << 20)


def shared() -> int:
    """Bytes of memory shared with others that this process has looked at."""
    told = Path("/proc/self/status").read_text().split("RssShmem:")[1]
    return int(told.split()[0]) << 10
