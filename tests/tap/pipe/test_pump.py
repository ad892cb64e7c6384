"""A pump tells of every byte and passes it on, and passes ends on in both directions."""

import os
import tempfile
import threading
from collections.abc import Iterator
from mmap import mmap

import pytest

from mcptap.tap.pipe.pump import Pump, release, write_all
from mcptap.tap.pipe.wire import CHUNK


class Pipes:
    """A pump between two pipes, on a thread: `into` -> pump -> `out`."""

    def __init__(self) -> None:
        source, self.into = os.pipe()
        self.out, sink = os.pipe()
        self.stop_out, self.stop_in = os.pipe()
        self.room = (memoryview(bytearray(CHUNK)),)
        self.told: list[bytes] = []
        self.pump = Pump(source, sink, self.stop_out, self)  # type: ignore[arg-type]
        self.thread = threading.Thread(target=self.pump.run)
        self.thread.start()

    def add(self, size: int) -> memoryview:
        self.told.append(bytes(self.room[0][:size]))
        return self.room[0][:size]

    def read(self) -> bytes:
        """Everything until the end."""
        parts = iter(lambda: os.read(self.out, 1 << 20), b"")
        return b"".join(parts)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    made = Pipes()
    yield made
    made.thread.join()
    os.close(made.stop_out)


def test_bytes_pass_unchanged_and_are_told_in_order(pipes: Pipes) -> None:
    payload = os.urandom(5 * CHUNK + 17)
    writer = threading.Thread(target=lambda: (write_all(pipes.into, payload), os.close(pipes.into)))
    writer.start()
    assert pipes.read() == payload
    writer.join()
    assert b"".join(pipes.told) == payload
    os.close(pipes.out)
    os.close(pipes.stop_in)


def test_a_reader_that_goes_is_seen_by_the_writer_though_nothing_was_written(pipes: Pipes) -> None:
    os.close(pipes.out)
    pipes.thread.join()
    with pytest.raises(BrokenPipeError):
        os.write(pipes.into, b"x")
    os.close(pipes.into)
    os.close(pipes.stop_in)


def test_when_told_to_stop_it_passes_on_what_was_left_though_others_hold_the_pipe_open(pipes: Pipes) -> None:
    os.write(pipes.into, b"last words")
    os.close(pipes.stop_in)
    assert pipes.read() == b"last words"
    pipes.thread.join()
    os.close(pipes.into)
    os.close(pipes.out)


def test_a_standard_descriptor_is_let_go_but_its_number_stays_taken() -> None:
    out, into = os.pipe()
    saved = os.dup(2)
    os.dup2(into, 2)
    os.close(into)
    try:
        release(2)
        assert os.read(out, 10) == b""
        assert os.write(2, b"nowhere") == 7
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(out)


def test_a_descriptor_that_somebody_made_non_blocking_still_takes_everything() -> None:
    out, into = os.pipe()
    os.set_blocking(into, False)
    payload = os.urandom(3 << 20)
    writer = threading.Thread(target=lambda: (write_all(into, payload), os.close(into)))
    writer.start()
    assert b"".join(iter(lambda: os.read(out, 1 << 16), b"")) == payload
    writer.join()
    os.close(out)


def test_traffic_passes_though_there_is_no_memory_to_record_into() -> None:
    source, into = os.pipe()
    out, sink = os.pipe()
    stop, stopper = os.pipe()
    with tempfile.TemporaryFile() as file:
        file.truncate(CHUNK)
        gone = mmap(file.fileno(), CHUNK)
        file.truncate(0)  # from now on the kernel cannot write there

    class Lane:
        room: tuple[object, ...] = (gone,)
        refuge = memoryview(bytearray(CHUNK))

        def give_up(self) -> None:
            self.room = (self.refuge,)

        def add(self, size: int) -> memoryview:
            return self.refuge[:size]

    os.write(into, b"all the same")
    os.close(into)
    Pump(source, sink, stop, Lane()).run()  # type: ignore[arg-type]
    assert os.read(out, 100) == b"all the same"
    for descriptor in (out, stop, stopper):
        os.close(descriptor)


def test_what_cannot_be_recorded_for_any_reason_is_passed_on_all_the_same() -> None:
    (source, into), (out, sink), (stop, stopper) = os.pipe(), os.pipe(), os.pipe()

    class Lane:
        room = (memoryview(bytearray(CHUNK)),)
        gave_up = 0

        def give_up(self) -> None:
            self.gave_up += 1

        def add(self, size: int) -> memoryview:
            raise MemoryError(size)

    lane = Lane()
    os.write(into, b"every byte")
    os.close(into)
    Pump(source, sink, stop, lane).run()  # type: ignore[arg-type]
    assert os.read(out, 100) == b"every byte"
    assert lane.gave_up == 1
    for descriptor in (out, stop, stopper):
        os.close(descriptor)
