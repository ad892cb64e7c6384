"""`mcptap export`: to OpenTelemetry backends by hand, what was recorded earlier or one span as a trial.

The idea: daily sending is the collector's work and needs no command. This is for what came before, and for finding out
whether the settings are right.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mcptap.exporters.cli.audit import progress_bar
from mcptap.exporters.cli.errors import FAILED, CommandError
from mcptap.exporters.cli.options import with_home
from mcptap.exporters.cli.output import Screen
from mcptap.exporters.cli.safe import harmless
from mcptap.exporters.cli.units import Moment, number
from mcptap.exporters.configuration import CONFIG
from mcptap.exporters.otlp.settings import Destination, configured

HINT = f"put OTEL_EXPORTER_OTLP_ENDPOINT under [otlp] in {CONFIG}"


@click.group()
def export() -> None:
    """Sends to OpenTelemetry backends by hand: what was recorded earlier, or a trial.

    What is recorded from now on is sent by itself to the destinations in config.toml.
    """


@export.command()
@click.option("--since", type=Moment(), metavar="WHEN", required=True, help="from 10m, 2h, 1d ago or 2026-11-20T14:00")
@click.option("--until", type=Moment(), metavar="WHEN", help="up to then (default: now)")
@click.option("--destination", metavar="NAME", help="only to this destination (default: to all)")
@with_home
def otlp(home: Path, since: datetime, until: datetime | None, destination: str | None) -> None:
    """Sends the spans and findings of a span of time, under the ids that they always have.

    Metrics are not sent: a backend takes no points of the past.
    """
    from mcptap.exporters.otlp.backfill import Backfill, BackfillError

    end = _nanoseconds(until) if until else time.time_ns()
    if _nanoseconds(since) >= end:
        raise click.UsageError("--since must be before --until")
    for chosen in _chosen(home, destination):
        try:
            with progress_bar(f"sending to {harmless(chosen.name)}") as told:
                sent = Backfill(home, chosen, _nanoseconds(since), end).send(told)
        except BackfillError as problem:
            raise CommandError(f"{chosen.name} ({chosen.place}): {problem}", "mcptap export test tells more") from None
        lost = f", {number(sent.rejected)} rejected there" if sent.rejected else ""
        lost += f", {number(sent.skipped)} passed over" if sent.skipped else ""
        spans = f"{number(sent.spans)} spans and {number(sent.logs)} findings of {number(sent.runs)} runs"
        Screen().put(f"{chosen.name}: {spans} sent{lost}")


@export.command()
@click.option("--destination", metavar="NAME", help="only this destination (default: all)")
@with_home
def test(home: Path, destination: str | None) -> int:
    """Sends a span named `mcptap test`, and an empty request for each other signal, and says what came of it."""
    from mcptap.exporters.otlp.backfill import try_out

    screen, failed = Screen(), False
    for chosen in _known(home, destination):
        if chosen.problem:
            failed = True
            screen.put(f"{chosen.name}  off  ", (chosen.problem, "red"))
        for route, outcome in try_out(chosen):
            good = outcome.verdict == "delivered" and not outcome.rejected
            failed |= not good
            cell: Any = ("taken", "green") if good else (outcome.detail or "rejected", "red")
            screen.put(f"{chosen.name}  {route.signal:<8} {route.place}  ", cell)
    return FAILED if failed else 0


def _chosen(home: Path, name: str | None) -> list[Destination]:
    """The destinations, if all can be used. Raises CommandError."""
    found = _known(home, name)
    for destination in found:
        if destination.problem:
            raise CommandError(f"{destination.name}: {destination.problem}", f"see {home / CONFIG}")
    return found


def _known(home: Path, name: str | None) -> list[Destination]:
    """The destinations, or the one of this name. Raises CommandError when there is none."""
    known = configured(home)
    found = [destination for destination in known if name in (None, destination.name)]
    if not known:
        raise CommandError("no destination is configured", HINT)
    if not found:
        raise CommandError(f"no such destination: {name}", f"there is {', '.join(one.name for one in known)}")
    return found


def _nanoseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp() * 1e9)
