"""Reading a run's memory leaves room for everybody else: it rests in silence, and can be ended under any load."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcptap.exporters.collector.intake import BUSY, Intake
from mcptap.exporters.collector.memory import Entry

pytestmark = pytest.mark.anyio
ENOUGH = 500  # steps without rest, after which nobody can call it a coincidence


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Run:
    """A run that takes everything."""

    ended = False
    written = (0, 0, 0)

    def take(self, *_: Any) -> None: ...

    def write(self) -> None: ...


class Memory:
    """So many full passes, then silence. Fails when it is asked again and again without anybody else's turn."""

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

    def free(self, _: Any) -> None: ...

    def sleep(self, _: int) -> None: ...


class Connection:
    """A tap that says nothing."""

    async def receive(self) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(self, _: bytes) -> None: ...


def intake(memory: Memory) -> Intake:
    connection: Any = Connection()
    parts: tuple[Any, Any] = Run(), memory
    return Intake(*parts, connection, anyio.CapacityLimiter(2), problem=lambda _: None)


async def test_silence_after_a_large_pass_is_rested_in() -> None:
    memory = Memory(passes=1)
    with anyio.move_on_after(0.2) as scope:
        await intake(memory).read(lambda: None)
    assert scope.cancelled_caught
    assert memory.passes == 0


async def test_a_stream_that_never_pauses_can_be_ended() -> None:
    memory = Memory(passes=ENOUGH)
    with anyio.CancelScope() as scope:
        await intake(memory).read(scope.cancel)
    assert scope.cancelled_caught
