"""Our own mistakes cost what they would have told, never a record.

The idea: traffic is hostile and code has bugs; so whatever is beside the record itself is tried, and where it fails the
place is logged, without the error's text, which may quote what was to be redacted.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


def report(error: Exception, lost: str) -> None:
    """Logs where our own code failed."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s at %s:%d: %s is not kept", type(error).__name__, where.filename, where.lineno, lost)


def guarded(read: Callable[[], _T], nothing: _T, lost: str) -> _T:
    """What `read` returns, or `nothing` when it fails."""
    try:
        return read()
    except Exception as error:
        report(error, lost)
        return nothing
