"""What the system allows the collector, and what the collector leaves to the system.

The idea: it serves every host of its user, so what the one that happened to start it allows itself is no measure.
"""

import ctypes
import resource
from contextlib import suppress

FILES = 65536


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

    Building the automatons takes 40 MB more than they hold; what comes after does not need it.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
