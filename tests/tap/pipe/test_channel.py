"""The channel lends memory to the streams, drops and counts what does not fit, and wakes who wants to be woken."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from mcptap.tap.pipe.channel import WARM, Channel
from mcptap.tap.pipe.wire import (
    ASLEEP,
    AWAKE,
    BLOCK,
    CHUNK,
    CLIENT,
    ENDED,
    FACTS,
    HEAD,
    RESTING,
    SERVER,
    SLEEP,
    TAIL,
)

SMALL = (4 << 20,)  # bytes of memory: 15 blocks that can be lent


def record(channel: Channel, stream: int, data: bytes) -> None:
    """What a pump does with these bytes."""
    while data:
        room = channel.lanes[stream].room[0]
        part, data = data[: len(room)], data[len(room) :]
        room[: len(part)] = part
        assert channel.lanes[stream].add(len(part)) == part


def fill(channel: Channel, stream: int) -> None:
    while not channel.dropping:
        record(channel, stream, bytes(CHUNK))


def done_with(channel: Channel, stream: int) -> None:
    """What a collector does that needs nothing of this stream any more."""
    channel.words[TAIL[stream]] = channel.words[HEAD[stream]]


def test_a_chunk_is_given_back_as_it_was_read_and_counted() -> None:
    channel = Channel(sizes=SMALL)
    record(channel, SERVER, b"some bytes")
    record(channel, SERVER, os.urandom(300_000))
    assert channel.offsets == [0, 300_010, 0]


def test_nearly_all_of_the_memory_is_used_before_anything_is_dropped() -> None:
    channel = Channel(sizes=SMALL)
    fill(channel, CLIENT)
    lent = SMALL[0] // BLOCK - 3  # block 0 holds the words, and two other streams have one each
    assert channel.offsets[CLIENT] >= 0.9 * lent * BLOCK


def test_what_is_dropped_is_passed_on_and_counted_all_the_same() -> None:
    channel = Channel(sizes=SMALL)
    fill(channel, CLIENT)
    before, head = channel.offsets[CLIENT], channel.words[HEAD[CLIENT]]
    record(channel, CLIENT, b"x" * 5000)
    assert channel.offsets[CLIENT] == before + 5000
    assert channel.words[HEAD[CLIENT]] == head


def test_after_an_overflow_nothing_is_taken_until_half_is_free() -> None:
    channel = Channel(sizes=SMALL)
    record(channel, SERVER, bytes(3 * BLOCK))
    fill(channel, CLIENT)
    head = channel.words[HEAD[CLIENT]]
    done_with(channel, SERVER)
    record(channel, CLIENT, b"still dropped")
    assert channel.dropping
    assert channel.words[HEAD[CLIENT]] == head
    done_with(channel, CLIENT)
    record(channel, CLIENT, b"dropped, and then there is room")
    record(channel, CLIENT, b"recorded")
    assert not channel.dropping
    assert channel.words[HEAD[CLIENT]] != head


def test_who_drops_tells_it_once_through_the_alarm() -> None:
    channel = Channel(sizes=SMALL)
    heard, channel.alarm = os.pipe()
    fill(channel, CLIENT)
    record(channel, CLIENT, bytes(3 * CHUNK))
    assert os.read(heard, 100) == b"!"
    for descriptor in (heard, channel.alarm):
        os.close(descriptor)


def test_a_strict_channel_makes_its_writer_wait_until_there_is_room() -> None:
    channel = Channel(strict=True, sizes=SMALL)
    done = threading.Event()

    def produce() -> None:
        record(channel, SERVER, bytes(2 * SMALL[0]))
        done.set()

    producer = threading.Thread(target=produce)
    producer.start()
    assert not done.wait(0.2)
    while not done.wait(0.01):
        done_with(channel, SERVER)
    producer.join()
    assert channel.offsets[SERVER] == 2 * SMALL[0]


def test_only_a_collector_that_sleeps_is_woken_and_once() -> None:
    channel = Channel(sizes=SMALL)
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        channel.connect(here.fileno())
        record(channel, CLIENT, b"while it is awake")
        channel.words[SLEEP] = ASLEEP
        record(channel, CLIENT, b"wakes it")
        record(channel, CLIENT, b"finds it awake")
        assert there.recv(100) == b"!"
        channel.disconnect()
        channel.words[SLEEP] = ASLEEP
        record(channel, CLIENT, b"nobody is there")
    assert channel.words[SLEEP] == AWAKE


def test_a_collector_that_rests_is_woken_when_there_is_much_to_do() -> None:
    channel = Channel(sizes=SMALL)
    here, there = socket.socketpair()
    with here, there:
        for end in (here, there):
            end.setblocking(False)
        channel.connect(here.fileno())
        channel.words[SLEEP] = RESTING
        record(channel, CLIENT, b"not for this")
        with pytest.raises(BlockingIOError):
            there.recv(100)
        record(channel, CLIENT, bytes(BLOCK))
        assert there.recv(100) == b"!"
        channel.disconnect()


def test_memory_is_used_again_and_given_back_when_there_is_quiet() -> None:
    channel = Channel(sizes=SMALL)
    blocks = set()
    for _ in range(100):
        record(channel, CLIENT, bytes(CHUNK))
        blocks.add(channel.words[HEAD[CLIENT]] // BLOCK)
        done_with(channel, CLIENT)
    assert len(blocks) <= 3
    record(channel, CLIENT, b"\xff" * BLOCK * 10)
    done_with(channel, CLIENT)
    kept = channel.words[HEAD[CLIENT]] // BLOCK
    channel.trim()
    left = [n for n in range(1, SMALL[0] // BLOCK) if n != kept and any(channel.view[n * BLOCK : (n + 1) * BLOCK])]
    assert len(left) <= WARM or not hasattr(os, "memfd_create")


def test_without_memory_traffic_passes_and_is_counted() -> None:
    channel = Channel(sizes=())
    record(channel, CLIENT, b"x" * 100_000)
    assert channel.memory == -1
    assert channel.offsets == [100_000, 0, 0]


def test_less_memory_is_taken_where_the_system_grants_no_more() -> None:
    channel = Channel(sizes=(1 << 62, *SMALL))
    assert os.fstat(channel.memory).st_size == SMALL[0]


def test_the_end_is_told_in_the_memory() -> None:
    channel = Channel(sizes=SMALL)
    channel.end(b'{"at":1}')
    assert bytes(channel.view[FACTS : FACTS + channel.words[ENDED]]) == b'{"at":1}'
