"""The channel loses nothing that fits, counts what does not, and repeats what was not acknowledged."""

import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.pipe.channel import OVERHEAD, Channel
from mcptap.tap.pipe.wire import CLIENT, ENDED, HEADER, SERVER


class Reader:
    """What a collector sees of a channel: the reading end of its pipe, and the offsets it acknowledged."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.streams: list[dict[int, int]] = [{}, {}, {}]  # per stream: offset -> byte
        self.acknowledged = [0, 0, 0]
        self.ended = False
        self.out = -1

    def connect(self) -> None:
        self.close()
        self.out, into = os.pipe()
        for descriptor in (self.out, into):
            os.set_blocking(descriptor, False)
        self.buffer = b""
        self.channel.connect(into, self.acknowledged)

    def close(self) -> None:
        if self.out >= 0:
            os.close(self.out)
            self.out = -1

    def read(self) -> None:
        while True:
            try:
                data = os.read(self.out, 1 << 20)
            except BlockingIOError:
                break
            if not data:
                break
            self.buffer += data
        for stream, offset, payload in self._entries():
            if stream == ENDED:
                self.ended = True
            else:
                self.streams[stream].update(enumerate(payload, offset))

    def acknowledge(self) -> None:
        """Everything received so far counts as written."""
        self.acknowledged = [max(seen, default=-1) + 1 for seen in self.streams]
        self.channel.acknowledge(self.acknowledged, ended=self.ended)

    def _entries(self) -> Iterator[tuple[int, int, bytes]]:
        while len(self.buffer) >= HEADER.size:
            stream, length, offset, _ = HEADER.unpack_from(self.buffer)
            if len(self.buffer) < HEADER.size + length:
                return
            yield stream, offset, self.buffer[HEADER.size : HEADER.size + length]
            self.buffer = self.buffer[HEADER.size + length :]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.sampled_from([CLIENT, SERVER]), st.integers(1, 70_000)),
        st.tuples(st.sampled_from(["connect", "crash", "read", "acknowledge", "resume"])),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_what_arrives_is_what_passed_and_the_rest_shows_as_missing_offsets(script: list[tuple[object, ...]]) -> None:
    channel = Channel(limit=300_000)
    reader, passed = Reader(channel), [bytearray(), bytearray()]
    try:
        for name, *arguments in script:
            if name == "record":
                stream, size = arguments
                chunk = bytes((len(passed[stream]) + i) % 251 for i in range(size))
                passed[stream] += chunk
                channel.take(stream, 0, chunk)
                channel.flush()
            elif name == "connect":
                reader.connect()
            elif reader.out >= 0:
                if name == "crash":
                    reader.close()
                    channel.disconnect()
                else:
                    getattr(channel if name == "resume" else reader, str(name))()
        reader.connect()
        channel.end(0, b"{}")
        while not channel.drained:
            reader.read()
            reader.acknowledge()
            channel.resume()
    finally:
        reader.close()
        channel.disconnect()
    assert reader.ended
    for stream in (CLIENT, SERVER):
        assert channel.offsets[stream] == len(passed[stream])
        for offset, byte in reader.streams[stream].items():
            assert passed[stream][offset] == byte


def test_nothing_is_dropped_below_the_limit() -> None:
    channel = Channel(limit=10 * (1000 + OVERHEAD))
    for _ in range(10):
        channel.take(CLIENT, 0, b"x" * 1000)
    assert not channel.dropping
    channel.take(CLIENT, 0, b"x")
    assert channel.dropping
    assert channel.offsets[CLIENT] == 10_001


def test_after_an_overflow_nothing_is_taken_until_half_is_free() -> None:
    channel = Channel(limit=10 * (1000 + OVERHEAD))
    reader = Reader(channel)
    for _ in range(11):
        channel.take(CLIENT, 0, b"x" * 1000)
    reader.connect()
    channel.acknowledge([3000, 0, 0], ended=False)
    channel.take(CLIENT, 0, b"late")
    assert channel.dropping
    channel.acknowledge([8000, 0, 0], ended=False)
    channel.take(CLIENT, 0, b"taken")
    channel.flush()
    assert not channel.dropping
    reader.read()
    assert sorted(reader.streams[CLIENT])[-5:] == list(range(11_004, 11_009))
    reader.close()
    channel.disconnect()


def test_a_strict_channel_blocks_until_there_is_room() -> None:
    channel = Channel(strict=True, limit=10_000)
    reader = Reader(channel)
    reader.connect()
    done = threading.Event()

    def produce() -> None:
        for _ in range(100):
            channel.take(SERVER, 0, b"y" * 1000)
        done.set()

    producer = threading.Thread(target=produce)
    producer.start()
    assert not done.wait(0.2)
    while not done.is_set():
        reader.read()
        reader.acknowledge()
        channel.resume()
    producer.join()
    while not channel.drained:
        channel.resume()
        reader.read()
        reader.acknowledge()
    assert len(reader.streams[SERVER]) == 100_000
    reader.close()
    channel.disconnect()


@pytest.mark.parametrize("crashes", [1, 5])
def test_a_reader_that_died_gets_the_unacknowledged_rest_again(crashes: int) -> None:
    channel = Channel()
    reader = Reader(channel)
    for _ in range(crashes):
        reader.connect()
        channel.take(CLIENT, 0, b"abc")
        channel.flush()
        reader.streams = [{}, {}, {}]
        reader.read()
        assert len(reader.streams[CLIENT]) == channel.offsets[CLIENT]
        reader.close()
        channel.disconnect()
