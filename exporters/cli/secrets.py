"""`mcptap secrets`: what was taken out where, and which secret several servers saw, without showing any.

The idea: a fingerprint names a secret that nobody has kept, so that its ways can be followed.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.options import with_filters, with_home, with_limit
from mcptap.exporters.cli.output import Cell, Screen, note, write_object
from mcptap.exporters.cli.reading import Reader
from mcptap.exporters.cli.runs import utc
from mcptap.exporters.cli.summary import asked, tell_nothing
from mcptap.exporters.cli.table import table
from mcptap.exporters.cli.units import clock, number

KINDS = ("server", "side", "rule", "times", "secrets", "first seen", "last seen")
SHARED = ("rule", "fingerprint", "servers", "times", "first seen", "last seen")
RIGHT = ("times", "secrets")
SPARE = ("first seen",)


@click.command()
@with_limit(50, "the most frequent first")
@with_filters
@click.option("--json", "as_json", is_flag=True, help="one JSON object with both lists, times in UTC")
@with_home
def secrets(home: Path, limit: int, server: str | None, since: datetime | None, *, as_json: bool) -> None:
    """Tells which kinds of secret were taken out, on which servers, and which of them several servers share.

    `side` is where it was seen: client (from the host), server, stderr, or command (with what a run was started).
    A fingerprint is what a placeholder ends with: the same secret has the same, and cannot be found out by it.
    """
    with Reader(home) as reader:
        kinds = reader.rows(f"FROM {asked('secret_summary', server, since)} SELECT *, count(*) OVER () AS of_all "
                            f"ORDER BY times DESC, server, side, rule LIMIT {limit}")  # fmt: skip
        shared = reader.rows(f"FROM {asked('shared_secrets', server, since)} SELECT *, count(*) OVER () AS of_all "
                             f"ORDER BY len(servers) DESC, last_at DESC, rule, fingerprint LIMIT {limit}")  # fmt: skip
    if as_json:
        write_object({"secrets": _plain(kinds), "shared": _plain(shared)})
        return
    table(KINDS, map(_kind, kinds), right=RIGHT, spare=SPARE)
    if shared:
        Screen().put("")
        Screen().put(("seen on more than one server", "bold"))
        table(SHARED, map(_shared, shared), right=RIGHT, spare=SPARE)
    if not kinds:
        tell_nothing("no secret", server, since)
    for rows, what in ((kinds, "kinds"), (shared, "shared secrets")):
        if rows and rows[0]["of_all"] > len(rows):
            note(f"{len(rows)} of {rows[0]['of_all']} {what}; --limit shows more")


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [utc({name: value for name, value in row.items() if name != "of_all"}) for row in rows]


def _kind(row: dict[str, Any]) -> list[Cell]:
    return [
        row["server"],
        row["side"],
        (row["rule"], "bold"),
        number(row["times"]),
        number(row["secrets"]),
        clock(row["first_at"]),
        clock(row["last_at"]),
    ]


def _shared(row: dict[str, Any]) -> list[Cell]:
    return [
        (row["rule"], "bold"),
        row["fingerprint"],
        (", ".join(row["servers"]), "yellow"),
        number(row["times"]),
        clock(row["first_at"]),
        clock(row["last_at"]),
    ]
