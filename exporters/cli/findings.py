"""`mcptap findings`: what is suspicious or broken, the gravest first; and an exit status for scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from mcptap.exporters.cli.mutes import load, muted_by, now
from mcptap.exporters.cli.options import with_filters, with_home, with_json, with_limit
from mcptap.exporters.cli.output import Cell, note
from mcptap.exporters.cli.reading import Reader, literal
from mcptap.exporters.cli.runs import condition, place
from mcptap.exporters.cli.summary import tell
from mcptap.exporters.cli.table import table
from mcptap.exporters.cli.units import clock
from mcptap.tap.detect.rule import CHANNELS, SEVERITIES

FOUND: Final = 3  # exit status: something at or above --fail-on was found
SHOWN: Final = 10  # characters of an id, enough to name a finding
HEADINGS = ("finding", "severity", "server", "target", "rule", "when", "message", "what")
SPARE = ("message", "when")
STYLES: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "", "info": "dim"}
MOST: Final = 5_000  # rows that are looked at; mutes are judged here
ROWS = """
    SELECT f.*, r.name, r.server_name, r.server_key, coalesce(nullif(r.name, ''), r.server_name, r.server_key) AS server
    FROM findings f JOIN runs r USING (run_id) WHERE {where}
    ORDER BY list_position({order}, f.severity) DESC, f."at" DESC, f.finding_id LIMIT {most}"""


@click.command()
@with_limit(50, "the gravest first")
@click.option("--severity", type=click.Choice(SEVERITIES), help="this and what is graver")
@click.option("--rule", metavar="RULE", help="only of this rule")
@click.option("--detector", metavar="NAME", help="only of this detector")
@click.option("--channel", type=click.Choice(CHANNELS), help="only in this channel")
@click.option("--tool", metavar="NAME", help="only of this tool, prompt or resource")
@click.option("--muted", is_flag=True, help="also what is muted")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="exit status 3 if this or something graver is shown")
@with_filters
@with_json
@with_home
def findings(
    home: Path, limit: int, severity: str | None, server: str | None, since: datetime | None,
    *, fail_on: str | None, muted: bool, as_json: bool, **exact: str | None,
) -> int:  # fmt: skip
    """Lists what is suspicious or broken, the gravest first.

    `mcptap explain` with the id in the first column says why. What is muted is hidden, unless --muted is given.
    """
    with Reader(home) as reader:
        rows = reader.rows(ROWS.format(where=_where(severity, server, since, exact), order=list(SEVERITIES), most=MOST))
    mutes, moment = load(home), now()
    hidden = {row["finding_id"] for row in rows if muted_by(row, mutes, rules_of(row), moment)}
    shown = [row for row in rows if muted or row["finding_id"] not in hidden]
    status = FOUND if fail_on and any(_at_least(row["severity"], fail_on) for row in shown) else 0
    if as_json:
        tell(_as_json(row, muted=row["finding_id"] in hidden) for row in shown[:limit])
        return status
    table(HEADINGS, map(_cells, shown[:limit]), spare=SPARE)
    if not shown:
        note("no finding is shown that fits" if rows else "nothing suspicious is recorded that fits")
    elif len(shown) > limit:
        note(f"{limit} of {len(shown)} findings; --limit shows more")
    if hidden and not muted:
        note(f"{len(hidden)} muted; --muted shows them, mcptap mute says who muted what and why")
    return status


def details(row: Mapping[str, Any]) -> dict[str, Any]:
    """Why a finding is one, as it was recorded; nothing if that cannot be read."""
    try:
        value = json.loads(row["details"] or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def rules_of(row: Mapping[str, Any]) -> set[str]:
    """The rules that make up a finding: all that count for more than a note."""
    matches = details(row).get("matches")
    told = matches if isinstance(matches, list) else []
    rules = {str(one.get("rule")) for one in told if isinstance(one, dict) and (one.get("weight") or 0) > 0.5}
    return {row["rule"]} | (rules if row["detector"] in ("injected", "poisoned", "links", "user") else set())


def _where(severity: str | None, server: str | None, since: datetime | None, exact: dict[str, str | None]) -> str:
    parts = [condition('f."at"', server, since)]
    if severity:
        wanted = SEVERITIES[SEVERITIES.index(severity) :]
        parts.append(f"f.severity IN ({', '.join(map(literal, wanted))})")
    columns = {"tool": "target"}
    parts += [f"f.{columns.get(name, name)} = {literal(value)}" for name, value in exact.items() if value is not None]
    return " AND ".join(f"({part})" for part in parts)


def _at_least(severity: str, least: str) -> bool:
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


def _as_json(row: dict[str, Any], *, muted: bool) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "name"} | {"details": details(row), "muted": muted}


def _cells(row: dict[str, Any]) -> list[Cell]:
    return [
        row["finding_id"][:SHOWN],
        (row["severity"], STYLES.get(row["severity"], "")),
        row["server"] or "-",
        row["target"] or "-",
        row["rule"],
        clock(row["at"]),
        "-" if row["seq"] is None else place(row["run_id"], row["seq"]),
        row["title"],
    ]
