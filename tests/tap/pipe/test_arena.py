"""Memory that is used again never changes what has been taken and not yet acknowledged."""

import os
import random
import threading
from _thread import allocate_lock

from mcptap.tap.pipe.arena import ARENA, CHUNK, Arenas
from mcptap.tap.pipe.channel import Channel
from mcptap.tap.pipe.pump import Pump, write_all
from mcptap.tap.pipe.wire import ENDED, HEADER


def test_an_arena_is_free_when_nobody_reads_into_it_and_nothing_in_it_is_held() -> None:
    lock = allocate_lock()
    arenas = Arenas(lock)
    arena = arenas.get()
    arena.held = 2
    arenas.leave(arena)
    assert arenas.get() is not arena
    with lock:
        arenas.let_go(arena)
        arenas.let_go(arena)
    assert arenas.get() is arena


def test_an_arena_that_is_read_into_is_not_given_to_another_though_all_its_chunks_are_let_go() -> None:
    lock = allocate_lock()
    arenas = Arenas(lock)
    arena = arenas.get()
    arena.held = 1
    with lock:
        arenas.let_go(arena)
    assert arenas.get() is not arena


def test_what_is_recorded_of_a_long_stream_is_the_stream_though_its_memory_was_used_many_times() -> None:
    payload, seed = os.urandom(20 * ARENA + 17), random.Random(3)
    source, into = os.pipe()
    out, sink = os.pipe()
    stop, stopper = os.pipe()
    reading, writing = os.pipe()
    channel = Channel()
    os.set_blocking(writing, False)
    channel.connect(writing, [0, 0, 0])
    pump = threading.Thread(target=Pump(0, source, sink, stop, channel).run)
    feeder = threading.Thread(target=lambda: (write_all(into, payload), os.close(into)))
    passed: list[bytes] = []
    eater = threading.Thread(target=lambda: passed.extend(iter(lambda: os.read(out, CHUNK), b"")))
    for thread in (pump, feeder, eater):
        thread.start()
    recorded, pending = bytearray(), b""
    while len(recorded) < len(payload):
        channel.resume()
        pending += os.read(reading, seed.randrange(1, 300_000))
        while len(pending) >= HEADER.size:
            stream, length, offset, _ = HEADER.unpack_from(pending)
            if len(pending) < HEADER.size + length:
                break
            assert stream != ENDED
            assert offset == len(recorded)
            recorded += pending[HEADER.size : HEADER.size + length]
            pending = pending[HEADER.size + length :]
        if seed.random() < 0.3:
            channel.acknowledge([len(recorded), 0, 0], ended=False)
    for thread in (pump, feeder, eater):
        thread.join()
    assert b"".join(passed) == payload
    assert recorded == payload
    channel.disconnect()
    for descriptor in (out, stop, stopper, reading):
        os.close(descriptor)
