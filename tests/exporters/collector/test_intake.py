"""Reading a run's memory leaves room for everybody else: it rests in silence, and can be ended under any load."""

from __future__ import annotations

from threading import Event
from time import sleep
from typing import Any

import anyio
import pytest

from mcptap.exporters.collector.intake import BRIEF_S, BUSY, RECORDS, Intake, make_lanes
from mcptap.exporters.collector.memory import Entry, Memory
from mcptap.tap.pipe.channel import Channel
from mcptap.tap.pipe.wire import SERVER

pytestmark = pytest.mark.anyio
ENOUGH = 500  # steps without rest, after which nobody can call it a coincidence


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Run:
    """A run that takes everything."""

    ended = False
    written = (0, 0, 0)
    pending = 0

    def take(self, *_: Any) -> None: ...

    def write(self) -> None: ...


class Passes:
    """So many full passes, then silence. Fails when it is asked again and again without anybody else's turn."""

    crowded = False

    def __init__(self, passes: int) -> None:
        self.passes, self.asked = passes, 0

    @property
    def waiting(self) -> bool:
        self.asked += 1
        assert self.asked < ENOUGH, "never rests"
        return self.passes > 0

    def take(self) -> tuple[list[Entry], None]:
        if not self.passes:
            return [], None
        self.passes -= 1
        return [Entry(1, 0, 0, 0, 0, BUSY)], None

    def payload(self, _: Entry) -> bytes:
        return b""

    def lines(self, _: Entry) -> int:
        return 0

    def free(self, _: Any) -> None: ...

    def sleep(self, _: int) -> None: ...


class Connection:
    """A tap that says nothing."""

    async def receive(self) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(self, _: bytes) -> None: ...


def intake(memory: Any) -> Intake:
    connection: Any = Connection()
    parts: tuple[Any, Any] = Run(), memory
    return Intake(*parts, connection, make_lanes(), problem=lambda _: None)


async def test_silence_after_a_large_pass_is_rested_in() -> None:
    memory = Passes(passes=1)
    with anyio.move_on_after(0.2) as scope:
        await intake(memory).read(lambda: None)
    assert scope.cancelled_caught
    assert memory.passes == 0


async def test_a_stream_that_never_pauses_can_be_ended() -> None:
    memory = Passes(passes=ENOUGH)
    with anyio.CancelScope() as scope:
        await intake(memory).read(scope.cancel)
    assert scope.cancelled_caught


class Laborious(Passes):
    """A pass that takes long, and then one that takes until it is let."""

    def __init__(self) -> None:
        super().__init__(passes=2)
        self.at_it, self.let = anyio.Event(), Event()

    def take(self) -> tuple[list[Entry], None]:
        if self.passes == 2:
            sleep(BRIEF_S)
        else:
            anyio.from_thread.run_sync(self.at_it.set)
            self.let.wait()
        return super().take()


async def test_who_takes_long_does_not_hold_up_who_does_not() -> None:
    lanes, connection, laborious, brief = make_lanes(), Connection(), Laborious(), Passes(passes=3)
    parts: tuple[Any, ...] = connection, lanes
    run: Any = Run()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Intake(run, laborious, *parts, problem=lambda _: None).read, lambda: None)
            await laborious.at_it.wait()
            tasks.start_soon(Intake(run, brief, *parts, problem=lambda _: None).read, lambda: None)
            try:
                while brief.passes:
                    await anyio.sleep(0.01)
            finally:
                laborious.let.set()
            tasks.cancel_scope.cancel()
    assert laborious.passes == 0


class Disk(Run):
    """A run whose records are lines, written to a disk that may be full."""

    def __init__(self) -> None:
        self.held: list[bytes] = []
        self.lines: list[bytes] = []
        self.offset = self.most = 0
        self.full = 0  # so many writes fail

    @property
    def pending(self) -> int:  # type: ignore[override]
        return len(self.held)

    def take(self, _stream: int, offset: int, _at: int, chunk: bytes) -> None:  # type: ignore[override]
        assert offset == self.offset, "nothing twice, nothing left out"
        self.offset += len(chunk)
        self.held += chunk.splitlines()
        self.most = max(self.most, len(self.held))

    def end(self, _facts: bytes) -> None:
        assert not self.ended, "ends once"
        self.ended = True
        self.held.append(b"the end")

    def write(self) -> None:
        if self.full:
            self.full -= 1
            raise OSError(28, "No space left on device")
        self.lines += self.held
        self.held = []

    def let_go(self) -> None: ...


def recorded(data: bytes, channel: Channel | None = None) -> Memory:
    channel = channel or Channel(sizes=(4 << 20,))
    while data:
        room = channel.lanes[SERVER].room[0]
        part, data = data[: len(room)], data[len(room) :]
        room[: len(part)] = part
        channel.lanes[SERVER].add(len(part))
    return Memory(channel.memory)


@pytest.mark.parametrize("full", [0, 1, 7])
async def test_short_lines_without_number_are_written_before_they_are_many_and_none_is_lost_on_a_full_disk(
    full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcptap.exporters.collector.intake.RETRY_S", 0.001)
    disk: Any = Disk()
    disk.full = full
    connection: Any = Connection()
    memory = recorded(b"y\n" * 200_000)
    with anyio.move_on_after(1.0):
        reading = Intake(disk, memory, connection, make_lanes(), problem=lambda _: None)
        await reading.read(lambda: None)
    assert len(disk.lines) == 200_000
    assert disk.most <= 3 * RECORDS


@pytest.mark.parametrize("full", [1, 5])
async def test_while_the_disk_is_full_nothing_more_is_taken_and_a_run_ends_once(
    full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcptap.exporters.collector.intake.RETRY_S", 0.001)
    channel, disk = Channel(sizes=(4 << 20,)), Disk()
    memory = recorded((b"x" * 9_999 + b"\n") * 300, channel)  # three passes of few records
    channel.end(b"{}")
    disk.full = full
    parts: Any = disk, memory, Connection()
    with anyio.fail_after(20):
        await Intake(*parts, make_lanes(), problem=lambda _: None).read(lambda: None)
    assert disk.most < 200  # lines and parts of lines: one pass, and not two
    assert disk.lines[-1] == b"the end"
    assert sum(map(len, disk.lines[:-1])) == 300 * 9_999
