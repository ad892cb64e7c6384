"""How the commands that summarise ask: one table macro of the database, with the user's filters.

The idea: what a call or an error is stands in the database alone, so a user's own SQL and these commands cannot
disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mcptap.exporters.cli.output import NULL, note, write_json
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.runs import utc


def asked(macro: str, server: str | None, since: datetime | None, *, most: int | None = None) -> str:
    """The macro with these filters, as it stands after FROM."""
    filters = [] if most is None else [f"most := {most}"]
    if since is not None:
        filters.append(f"since := TIMESTAMP {literal(since.isoformat(sep=' '))}")
    if server is not None:
        filters.append(f"server := {literal(server)}")
    return f"{macro}({', '.join(filters)})"


def tell(rows: Iterable[Mapping[str, Any]]) -> None:
    """The rows as JSON, times in UTC."""
    write_json(utc(dict(row)) for row in rows)


def tell_nothing(what: str, server: str | None, since: datetime | None) -> None:
    """A note that there is no such thing, or none that fits."""
    filtered = server is not None or since is not None
    note(f"{what} is recorded that fits" if filtered else f"{what} is recorded yet")


def share(part: float | None) -> str:
    """A share of one in percent: `0.3 %`; `-` where there is nothing to have a share of."""
    return NULL if part is None else f"{100 * part:.1f} %"
