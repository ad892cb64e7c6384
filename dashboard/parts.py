"""What was asked of all answers for one of them: its rows are there already, and need no statement.

The idea: a summary that tells servers, hosts or tools apart says of each what it says when it is asked for that one
alone. Of servers that is so where the name that is chosen means whole ones, each with all its runs. Else, and where
nothing is at hand, the database is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Final, NamedTuple

from mcptap.dashboard import filters, store
from mcptap.dashboard.filters import Chosen

Row = dict[str, Any]

COLUMNS: Final = {"server": "server", "host": "host", "target": "tool"}  # of a summary's rows, by what is chosen


class Question(NamedTuple):
    """A statement for a choice. `apart`: what its rows tell apart, of COLUMNS; a server with its `server_key`."""

    of: Callable[[Chosen], str]
    apart: tuple[str, ...] = ("server",)
    most: int | None = None  # rows, as the statement limits them


def rows(chosen: Chosen, questions: Sequence[Question], *next_: str) -> list[list[Row]]:
    """The rows of each; `next_` are statements that the page will ask for then. Raises StoreError."""
    found = [at_hand(chosen, question) for question in questions]
    asked = [question.of(chosen) for question, known in zip(questions, found, strict=True) if known is None]
    store.ahead(*asked, *next_)
    return [
        store.rows(question.of(chosen)) if known is None else known
        for question, known in zip(questions, found, strict=True)
    ]


def at_hand(chosen: Chosen, question: Question) -> list[Row] | None:
    """Its rows, if they need not be asked for. Raises StoreError."""
    narrowed = [name for name in question.apart if getattr(chosen, name) is not None]
    for count in range(len(narrowed) + 1):
        for names in combinations(narrowed, count):
            every = store.held(question.of(replace(chosen, **dict.fromkeys(names))))
            if every is not None and len(every) != question.most and (told := _told(chosen, names, every)) is not None:
                return told
    return None


def _told(chosen: Chosen, names: Sequence[str], every: list[Row]) -> list[Row] | None:
    """Those of the rows that are of what is chosen by these names; None if that cannot be known."""
    if "server" in names:
        keys = _whole(str(chosen.server), filters.called())
        if keys is None or any(row["server"] == chosen.server and row["server_key"] not in keys for row in every):
            return None
        every = [row for row in every if row["server_key"] in keys]
    others = [name for name in names if name != "server"]
    return [row for row in every if all(row[COLUMNS[name]] == getattr(chosen, name) for name in others)]


def _whole(server: str, runs: Sequence[Row]) -> set[str | None] | None:
    """The keys of the servers that this is a name of; None if one of them has runs that are called otherwise.

    A server without a key has its name as such. What has neither is told by its program, which is not looked at here.
    """
    if len(runs) == filters.MOST:
        return None
    named: set[str | None] = set()
    others: set[str | None] = set()
    for run in runs:
        key = run["server_key"] if run["server_key"] is not None else run["name"] or run["server_name"]
        (named if server in (run["name"], run["server_name"]) else others).add(key)
    return None if named & others else named
