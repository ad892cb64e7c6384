"""How many secrets were found so far, for what is doubtful is judged by it.

The idea: where there are very many, nothing but secrets is there. None gets the benefit of the doubt then, which is
also what takes longest to judge.
"""

from __future__ import annotations

from typing import Final

_CROWD: Final = 1000


class Tally:
    """The values of telling names that were found in all that is searched together."""

    def __init__(self) -> None:
        self.found = 0

    @property
    def is_crowd(self) -> bool:
        """Whether these are very many."""
        return self.found > _CROWD
