"""What the system lets the collector use: it serves all servers, so one host's limits are no measure for it."""

from __future__ import annotations

import resource

FILES = 65536


def lift_limits() -> None:
    """What the host that started the first server allows itself is no measure for us, who serve all of them."""
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (hard, hard))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # we need a few for each tap
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
