"""What becomes of a run whose tap vanished without a goodbye: no orphan stays, and its record is closed as `lost`.

The idea: the tap was killed, so its server's stdin is at its end, which most servers obey. For the others we do what
a host does (PROTOCOL: 2 s after EOF SIGTERM, 2 s later SIGKILL), and only to the very process that the tap named.
"""

from __future__ import annotations

import anyio
import psutil

from mcptap.exporters.collector import processes
from mcptap.tap.records import RunStarted

GRACE_S = 2.0
RETURN_S = 1.0  # so long a tap, or the copy it left behind, may take to come back
STEP_S = 0.1


async def end_orphan(started: RunStarted) -> None:
    """Waits for the server to obey the end of its stdin; makes it end if it does not."""
    for act in ("wait", "terminate", "kill"):
        server = processes.same_process(started.server_pid, started.server_created)
        if server is None:
            return
        if act != "wait":
            try:
                getattr(server, act)()
            except psutil.Error:
                return
        with anyio.move_on_after(GRACE_S):
            while processes.same_process(started.server_pid, started.server_created):
                await anyio.sleep(STEP_S)
