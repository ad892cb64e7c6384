"""What the system allows the collector, and what the collector leaves to the system.

The idea: it serves every host of its user, so what the one that happened to start it allows itself is no measure.
"""

import ctypes
import gc
import resource
import time
from contextlib import suppress
from math import inf

import anyio
from anyio.to_thread import run_sync

FILES = 65536
CYCLES = 10_000  # objects that are made and not freed, until it is looked for such as only refer to each other
GIVE_BACK_S = 5.0
WORK_S = 0.5  # of processor time


def lift_limits() -> None:
    """Takes as much as may be taken: soft limits become the hard ones."""
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (hard, hard))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # we need a few for each tap
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def give_back() -> None:
    """Gives the system the memory that was freed and kept for later. Does nothing where the C library has no such call.

    Building the automatons takes 40 MB more than they hold; what comes after does not need it. Of what passes strings
    of all sizes are freed in another order than they came: what lies between those that are held is not used again.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


async def give_back_at_times() -> None:
    """Gives memory back now, and ever again once there was work that may have freed some."""
    used = -inf
    while True:
        if time.process_time() - used > WORK_S:
            await run_sync(give_back)
            used = time.process_time()
        await anyio.sleep(GIVE_BACK_S)


def keep_what_is_there() -> None:
    """Rules, patterns, automatons and code stay until the end: looks for cycles elsewhere, and less often.

    What passes refers to itself nowhere, and what is held of it is much: to look through that takes its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(CYCLES)
