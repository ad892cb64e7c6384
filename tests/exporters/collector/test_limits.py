"""What the collector takes of the system, and gives back."""

from __future__ import annotations

import ctypes

import psutil
import pytest

from mcptap.exporters.collector.limits import give_back

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
