"""What was asked of all servers answers for one of them: its rows are there already, and need no statement.

The idea: a summary that tells servers apart says of each what it says when it is asked for that one alone. That is so
where the name that is chosen means whole servers, each with all its runs; else, and where nothing is at hand, the
database is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mcptap.dashboard import filters, store
from mcptap.dashboard.filters import Chosen

Row = dict[str, Any]


class Question(NamedTuple):
    """A statement for a choice. `apart`: each row has its server's `server` and `server_key`."""

    of: Callable[[Chosen], str]
    apart: bool = True
    most: int | None = None  # rows, as the statement limits them


def rows(chosen: Chosen, questions: Sequence[Question], *next_: str) -> list[list[Row]]:
    """The rows of each; `next_` are statements that the page will ask for then. Raises StoreError."""
    found = [_at_hand(chosen, question) for question in questions]
    asked = [question.of(chosen) for question, known in zip(questions, found, strict=True) if known is None]
    store.ahead(*asked, *next_)
    return [
        store.rows(question.of(chosen)) if known is None else known
        for question, known in zip(questions, found, strict=True)
    ]


def _at_hand(chosen: Chosen, question: Question) -> list[Row] | None:
    if chosen.server is None or not question.apart:
        return None
    every = store.held(question.of(replace(chosen, server=None)))
    if every is None or len(every) == question.most:
        return None
    keys = _whole(chosen.server, filters.called())
    if keys is None or any(row["server"] == chosen.server and row["server_key"] not in keys for row in every):
        return None
    return [row for row in every if row["server_key"] in keys]


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
