"""A pump passes every byte before it tells of it, and passes ends on in both directions."""

import os
import threading
from _thread import allocate_lock
from collections.abc import Iterator

import pytest

from mcptap.tap.pipe.arena import CHUNK, Arena, Arenas
from mcptap.tap.pipe.pump import Pump, release, write_all


class Pipes:
    """A pump between two pipes, on a thread: `into` -> pump -> `out`."""

    def __init__(self) -> None:
        source, self.into = os.pipe()
        self.out, sink = os.pipe()
        self.stop_out, self.stop_in = os.pipe()
        self.arenas = Arenas(allocate_lock())
        self.told: list[tuple[int, bytes]] = []
        self.pump = Pump(1, source, sink, self.stop_out, self)  # type: ignore[arg-type]
        self.thread = threading.Thread(target=self.pump.run)
        self.thread.start()

    def take(self, stream: int, _at: int, chunk: memoryview, _arena: Arena) -> bool:
        self.told.append((stream, bytes(chunk)))
        return False

    def flush(self) -> None:
        pass

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
    assert b"".join(chunk for _, chunk in pipes.told) == payload
    assert {stream for stream, _ in pipes.told} == {1}
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
