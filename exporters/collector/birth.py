"""When a process was born, as the kernel counts.

The idea: this is asked before anything is imported, while who started us surely lives; so it is a file's one number.
"""


def born(pid: int) -> str | None:
    """When a process started, in the kernel's ticks: with the pid it names one process. None where nobody says."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as facts:  # noqa: PTH123  # loads nothing
            return facts.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
