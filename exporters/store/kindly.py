"""Makes whatever a function starts give way to the rest of the process.

A reader's query runs on threads of DuckDB, inside the process that loads. Threads inherit their niceness from the
one that starts them (on Linux), so a thread that steps back first and then opens the database leaves every query,
however heavy, only the processor time that loading does not want.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

STEP = 5  # of niceness: a third of the share of what did not step back

_Result = TypeVar("_Result")


def kindly(function: Callable[[], _Result]) -> _Result:
    """What the function returns or raises, called on a thread of its own that has stepped back."""
    with ThreadPoolExecutor(1, initializer=_step_back) as thread:
        return thread.submit(function).result()


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere niceness belongs to the whole process
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + STEP)
