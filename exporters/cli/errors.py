"""What a command could not do: one line of what, where and what to do, and no traceback.

Only what can be expected is a `CommandError`. Everything else is a bug and shows its traceback.
"""

from __future__ import annotations

FAILED = 1
MISUSED = 2


class CommandError(Exception):
    """Something expected went wrong. The text says what and where, `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def one_line(problem: Exception) -> str:
    """The problem and its hint in one line, not yet harmless."""
    if isinstance(problem, OSError):
        place = f"{problem.filename}: " if problem.filename else ""
        return f"{place}{problem.strerror or problem}"
    message = " ".join(str(problem).split())
    hint: str = getattr(problem, "hint", "")
    return f"{message}; {hint}" if hint else message
