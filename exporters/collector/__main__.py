"""`python -m mcptap.exporters.collector --home DIR [--detach]`: becomes a process that belongs to nobody.

The idea: whoever started us (a tap, and so a host) must be able to die, kill its process group or wait for our end
without noticing us, and what we do must not take time from what they do: we detach before anything is imported, give
up the starter's pinning to a core, and step back in the scheduler.
"""

import os
import sys

NICENESS = 10


def detach() -> None:
    """Returns in a new session without controlling terminal or parent; the first process ends at once."""
    if os.fork():
        os._exit(0)
    os.setsid()


def step_back() -> None:
    """Runs after what is waited for, on any core."""
    os.nice(NICENESS)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def main() -> None:
    """Reads the options that a tap gives and serves. `--server PID`: what to look after, should the tap be killed."""
    from mcptap.tap.pipe.modules import ours_first

    ours_first()
    words = sys.argv[1:]
    server = int(words[words.index("--server") + 1]) if "--server" in words else 0
    from mcptap.exporters.collector.birth import born

    left = [(pid, born(pid)) for pid in (os.getppid(), server)] if server else []
    if "--detach" in words:
        detach()
    step_back()
    os.umask(0o077)
    home = os.path.abspath(words[words.index("--home") + 1])
    os.makedirs(home, mode=0o700, exist_ok=True)
    os.chdir(home)

    from mcptap.exporters.collector.service import serve

    sys.exit(serve(home, left))


if __name__ == "__main__":
    main()
