"""Tells what is the matter with a database from what DuckDB says of it.

DuckDB reports nearly all of this as one class with a message; so the messages are a table, and what is in no row
is left alone twice and called damage the third time. A lack of memory says nothing about the database.
"""

from __future__ import annotations

import re
from typing import Literal

import duckdb

State = Literal["ok", "loading", "locked", "full", "damaged", "unavailable"]

EXHAUSTED = r"Out of Memory|[Oo]ut of memory|bad.alloc|[Ff]ailed to (re)?allocate|could not allocate"

# First match wins: a fatal error quotes the error that it came from.
_SAYINGS: tuple[tuple[str, State], ...] = (
    (EXHAUSTED, "unavailable"),
    (r"Could not set lock|Conflicting lock", "locked"),
    (r"No space left|[Dd]isk quota|max_temp_directory_size|File too large", "full"),
    (
        r"Permission denied|Read-only file system|No such file|Is a directory|Not a directory|Too many open",
        "unavailable",
    ),
    (
        r"not a valid DuckDB|Could not read enough|[Cc]orrupt|checksum|version number|does not match",
        "damaged",
    ),
    (r"INTERNAL Error|FATAL Error|Serialization Error", "damaged"),
)


def state_of(error: Exception) -> State:
    """Which state this error means."""
    if isinstance(error, duckdb.Error | OSError):
        for pattern, state in _SAYINGS:
            if re.search(pattern, str(error)):
                return state
    return "unavailable"


def is_exhausted(error: Exception) -> bool:
    """Whether memory was lacking: of the process, or of what DuckDB may use."""
    return isinstance(error, MemoryError) or re.search(EXHAUSTED, str(error)) is not None


def sentence(error: Exception) -> str:
    """The error in one line."""
    line = " ".join(str(error).split("\n\n")[0].split())
    return re.sub(r"^\w+( \w+)? Error: ", "", line)[:500] or type(error).__name__
