"""What the collector takes of the system, and gives back."""

from __future__ import annotations

import ctypes
import gc
import time

import anyio
import psutil
import pytest

from mcptap.exporters.collector import limits
from mcptap.exporters.collector.limits import CYCLES, WORK_S, give_back, give_back_at_times, keep_what_is_there

MUCH = 60_000_000  # bytes


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library keeps what was freed")
def test_what_was_freed_is_given_back_though_something_behind_it_is_still_held() -> None:
    process = psutil.Process()
    pieces = [bytes(1_000) for _ in range(MUCH // 1_000)]
    behind = pieces[-1:]
    held = process.memory_info().rss
    del pieces
    give_back()
    assert behind
    assert process.memory_info().rss < held - MUCH // 2


def test_memory_is_given_back_at_once_and_again_only_after_some_work(monkeypatch: pytest.MonkeyPatch) -> None:
    given, looked, used = 0, 0, 0.0

    def give() -> None:
        nonlocal given
        given += 1

    def process_time() -> float:
        nonlocal looked
        looked += 1
        return used

    monkeypatch.setattr(limits, "give_back", give)
    monkeypatch.setattr(limits, "GIVE_BACK_S", 0.001)
    monkeypatch.setattr(time, "process_time", process_time)

    async def watch() -> None:
        nonlocal used
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_back_at_times)
            while looked < 10:
                await anyio.sleep(0.001)
            assert given == 1
            used += WORK_S * 2
            while given < 2:
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()

    anyio.run(watch)
    assert given == 2


def test_what_is_there_is_not_looked_through_for_cycles_again() -> None:
    threshold = gc.get_threshold()
    try:
        keep_what_is_there()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] == CYCLES
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
    assert gc.get_freeze_count() == 0
