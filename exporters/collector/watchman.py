"""What becomes of a run whose tap vanished without a goodbye: no orphan stays, and its record is closed as `lost`.

The idea: the tap was killed, so its server's stdin is at its end, which most servers obey. For the others we do what
a host does (PROTOCOL: 2 s after EOF SIGTERM, 2 s later SIGKILL), and only to the very process that the tap named.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
import psutil

from mcptap.exporters.collector import processes
from mcptap.exporters.collector.birth import born

Processes = list[tuple[int, str | None]]  # pid and when it started, in ticks

GRACE_S = 2.0
RETURN_S = 1.0  # so long a tap, or the copy it left behind, may take to come back
STEP_S = 0.1


async def end_left(left: Processes, is_known: Callable[[int], bool]) -> None:
    """Ends the server of a tap that started this collector and was killed before it could say hello."""
    if len(left) != 2 or None in (left[0][1], left[1][1]):
        return
    (tap, tap_born), (server, server_born) = left
    while born(tap) == tap_born:
        if is_known(server):
            return  # from now on its run is looked after
        await anyio.sleep(RETURN_S)
    await anyio.sleep(RETURN_S)
    if born(server) == server_born and not is_known(server):
        await end_orphan(server, processes.created(server))


async def end_orphan(pid: int | None, created: float | None) -> None:
    """Waits for the server to obey the end of its stdin; makes it end if it does not."""
    for act in ("wait", "terminate", "kill"):
        server = processes.same_process(pid, created)
        if server is None:
            return
        if act != "wait":
            try:
                getattr(server, act)()
            except psutil.Error:
                return
        with anyio.move_on_after(GRACE_S):
            while processes.same_process(pid, created):
                await anyio.sleep(STEP_S)
