"""`mcptap mute` and `mcptap unmute`: what need not be shown any more, for a while or for good."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.mutes import Mute, load, now, save, who
from mcptap.exporters.cli.options import with_home, with_json
from mcptap.exporters.cli.output import Screen, note, write_json
from mcptap.exporters.cli.table import table
from mcptap.exporters.detected import RULES

HEADINGS = ("rule", "server", "tool", "until", "by", "since", "why")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Ahead(click.ParamType[str]):
    """A moment to come: `7d`, `12h`, or a day or time (UTC)."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The moment in UTC, ISO 8601."""
        text = str(value)
        try:
            if text[-1:] in UNITS and text[:-1].isdecimal():
                moment = datetime.now(UTC) + timedelta(**{UNITS[text[-1]]: int(text[:-1])})
            else:
                moment = datetime.fromisoformat(text)
                moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("write 12h, 7d or 2026-12-24", param, ctx)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@click.command()
@click.argument("rule", required=False)
@click.option("--server", default="*", metavar="LABEL", help="only of this server")
@click.option("--tool", default="*", metavar="NAME", help="only of this tool, prompt or resource")
@click.option("--until", type=Ahead(), metavar="WHEN", help="for 12h, 7d, or until 2026-12-24; else for good")
@click.option("--why", default="", metavar="TEXT", help="the reason, for whoever wonders later")
@with_json
@with_home
def mute(home: Path, rule: str | None, server: str, tool: str, until: str | None, *, why: str, as_json: bool) -> None:
    """Hides the findings of a rule; without RULE lists what is muted.

    RULE, --server and --tool may hold * and ?. Findings are recorded all the same: `mcptap findings --muted` shows
    them.
    """
    if rule is None:
        _show(load(home), as_json=as_json)
        return
    made = add_mute(home, rule, server, tool, until=until, why=why)
    if as_json:
        write_json([asdict(made)])
    else:
        Screen().put(f"muted: {_told(made)}")


@click.command()
@click.argument("rule")
@click.option("--server", metavar="LABEL", help="only what was muted for this server")
@click.option("--tool", metavar="NAME", help="only what was muted for this tool")
@with_home
def unmute(home: Path, rule: str, server: str | None, tool: str | None) -> None:
    """Shows the findings of a rule again."""
    for one in take_back(home, rule, server, tool):
        Screen().put(f"no longer muted: {_told(one)}")


def add_mute(home: Path, rule: str, server: str, tool: str, *, until: str | None, why: str) -> Mute:
    """Keeps a mute, in the place of an earlier one of the same. Raises CommandError when there is no such rule."""
    if not any(sign in rule for sign in "*?[") and rule not in RULES and rule not in _own(home):
        raise CommandError(f"there is no rule {rule}", "the README lists them, and mcptap findings shows their names")
    if not home.is_dir():
        raise CommandError(f"nothing is recorded in {home}", "wrap a server first: mcptap -- <server command>")
    made = Mute(rule, server, tool, until, who(), now(), why)
    kept = [one for one in load(home) if (one.rule, one.server, one.tool) != (rule, server, tool)]
    save(home, [*kept, made])
    return made


def take_back(home: Path, rule: str, server: str | None, tool: str | None) -> list[Mute]:
    """Forgets the mutes of a rule, and returns them. Raises CommandError when there are none."""
    mutes = load(home)
    gone = [one for one in mutes if one.rule == rule and server in (None, one.server) and tool in (None, one.tool)]
    if not gone:
        raise CommandError(f"no such rule is muted: {rule}", "mcptap mute lists what is")
    save(home, [one for one in mutes if one not in gone])
    return gone


def _own(home: Path) -> set[str]:
    """The rules of the user's own configuration, as far as it can be read."""
    from mcptap.exporters.collector.detection import users_rules

    return users_rules(home)


def _show(mutes: list[Mute], *, as_json: bool) -> None:
    if as_json:
        write_json(map(asdict, mutes))
        return
    table(HEADINGS, ([one.rule, one.server, one.tool, one.until or "-", one.who, one.at, one.why] for one in mutes))
    if not mutes:
        note("nothing is muted")


def _told(one: Mute) -> str:
    ends = f" until {one.until}" if one.until else ""
    return f"{one.rule} (server {one.server}, tool {one.tool}){ends}"
