"""`mcptap explain FINDING`: which rules matched what, in which reading of the text, and what that was worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.findings import ROWS, STYLES, details, rules_of
from mcptap.exporters.cli.mutes import load, muted_by, now
from mcptap.exporters.cli.options import with_home, with_json
from mcptap.exporters.cli.output import Screen, write_object
from mcptap.exporters.cli.reading import Reader, literal
from mcptap.exporters.cli.runs import place, utc
from mcptap.exporters.cli.units import clock
from mcptap.exporters.detected import RULES
from mcptap.tap.detect.rule import SEVERITIES


@click.command()
@click.argument("finding")
@with_json
@with_home
def explain(home: Path, finding: str, *, as_json: bool) -> None:
    """Says why a finding is one: the rules, the matched text as it was read, what each was worth.

    FINDING is the id that `mcptap findings` shows, or its beginning.
    """
    if not finding or not finding.isalnum():
        raise CommandError("a finding's id has letters and digits only", "mcptap findings lists them")
    with Reader(home) as reader:
        where = f"starts_with(f.finding_id, {literal(finding.lower())})"
        rows = reader.rows(ROWS.format(where=where, order=list(SEVERITIES), most=2))
    if not rows:
        raise CommandError(f"there is no finding {finding}", "mcptap findings lists them")
    if len(rows) > 1:
        raise CommandError(f"several findings begin with {finding}", "write more of the id")
    row = rows[0]
    muted = muted_by(row, load(home), rules_of(row), now())
    if as_json:
        write_object({**utc(row), "details": details(row), "muted": bool(muted)})
        return
    _print(row, [f"{one.who} at {one.at}: {one.why or 'no reason given'}" for one in muted])


def _print(row: dict[str, Any], muted: list[str]) -> None:
    screen, why, rule = Screen(), details(row), RULES.get(row["rule"])
    lines: list[tuple[str, str]] = [
        ("finding", row["finding_id"]),
        ("severity", row["severity"]),
        ("rule", f"{row['rule']} (detector {row['detector']})"),
        ("reason", str(why.get("reason") or (rule.reason if rule else "-"))),
        ("OWASP", str(why.get("owasp") or "-")),
        ("channel", row["channel"]),
        ("server", row["server"] or "-"),
        ("target", row["target"] or "-"),
        ("when", clock(row["at"])),
        ("message", "-" if row["seq"] is None else f"{place(row['run_id'], row['seq'])} at {row['pointer'] or '/'}"),
        *(("muted by", told) for told in muted),
    ]
    for name, cell in lines:
        screen.put((f"{name:<10}", "bold"), (cell, STYLES.get(cell, "")), cut=False)
    screen.put("")
    for line in (row["evidence"] or "").split("\n"):
        screen.put(("  " + line, "cyan"), cut=False)
    for match in why.get("matches") or ():
        if isinstance(match, dict):
            _print_match(screen, match)
    if "score" in why:
        families = ", ".join(f"{name} {weight}" for name, weight in dict(why.get("families") or {}).items())
        screen.put("")
        screen.put(("score     ", "bold"), f"{why['score']} = {families}", cut=False)


def _print_match(screen: Screen, match: dict[str, Any]) -> None:
    notes = [f"tier {match.get('tier')}", f"worth {match.get('weight')}", f"family {match.get('family')}"]
    notes += [f"read as: {match['view']}"] if match.get("view") else []
    notes += [f"demoted: {match['demoted']}"] if match.get("demoted") else []
    screen.put("")
    screen.put((str(match.get("rule")), "bold"), f"   {', '.join(notes)}", cut=False)
    screen.put(f"  {match.get('reason')} ({match.get('owasp')})", cut=False)
    screen.put(f"  {match.get('pointer')}: ", (str(match.get("text")), "cyan"), cut=False)
