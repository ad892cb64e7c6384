"""`mcptap approve SERVER`: what a server offers now is what it should offer; later changes are measured by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.mutes import now, who
from mcptap.exporters.cli.options import with_home
from mcptap.exporters.cli.output import Screen
from mcptap.exporters.cli.reading import Reader, literal
from mcptap.exporters.collector.detection import APPROVED, read_object
from mcptap.exporters.collector.keys import replace_private
from mcptap.tap.detect.changed import MAX_BODY

Rows = Callable[[str], list[dict[str, Any]]]  # the rows of a statement

SERVERS = """
    SELECT DISTINCT server_key FROM runs
    WHERE server_key IS NOT NULL AND {server} IN (server_key, name, server_name) ORDER BY server_key"""
OFFERS = "SELECT kind, name, hash, body FROM current_definitions WHERE server_key = {server} ORDER BY kind, name"


@click.command()
@click.argument("server")
@click.argument("names", nargs=-1)
@click.option("--why", default="", metavar="TEXT", help="the reason, for whoever wonders later")
@with_home
def approve(home: Path, server: str, names: tuple[str, ...], why: str) -> None:
    """Approves what a server offers now: tools, prompts, resources, instructions.

    SERVER is its label, its own name or its key; NAMES approves only these. From then on every listing is compared with
    what was approved, in place of what was seen last.
    """
    with Reader(home) as reader:
        count = approve_offers(home, reader.rows, server, names, why)
    Screen().put(f"approved: {count} definitions of {server}")


def approve_offers(home: Path, rows_of: Rows, server: str, names: tuple[str, ...], why: str) -> int:
    """Approves what a server offers now (all, or only these names); how many definitions. Raises CommandError."""
    keys = [row["server_key"] for row in rows_of(SERVERS.format(server=literal(server)))]
    if not keys:
        raise CommandError(f"there is no server {server}", "mcptap servers lists them")
    if len(keys) > 1:
        raise CommandError(f"several servers are called {server}: {'; '.join(keys)}", "name one of them by its key")
    rows = rows_of(OFFERS.format(server=literal(keys[0])))
    chosen = [row for row in rows if not names or row["name"] in names]
    if missing := set(names) - {row["name"] for row in chosen}:
        raise CommandError(f"{server} does not offer {', '.join(sorted(missing))}", "mcptap tools lists what it offers")
    if not chosen:
        raise CommandError(f"{server} has not offered anything yet", "approve it after its first run")
    _keep(home, keys[0], chosen, whole=not names, why=why)
    return len(chosen)


def _keep(home: Path, key: str, rows: list[dict[str, Any]], *, whole: bool, why: str) -> None:
    approved = read_object(home / APPROVED)
    known = approved.get(key)
    before = known if isinstance(known, dict) and not whole else {}
    told = {"who": who(), "at": now(), "why": why}
    approved[key] = before | {
        f"{row['kind']}/{row['name']}": {"hash": row["hash"], "body": row["body"][:MAX_BODY], **told} for row in rows
    }
    replace_private(home / APPROVED, json.dumps(approved).encode())
