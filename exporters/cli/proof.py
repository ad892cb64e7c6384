"""`mcptap selftest` and `mcptap demo`: the tap put to the test, and shown at work, on the user's own machine."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcptap.exporters.cli.errors import FAILED, CommandError
from mcptap.exporters.cli.exchange_line import fitted
from mcptap.exporters.cli.options import given_home
from mcptap.exporters.cli.output import Screen, write_json

if TYPE_CHECKING:
    from mcptap.exporters.selftest.run import CaseResult


def wrapper() -> list[str]:
    """The words that start this very mcptap."""
    script = Path(sys.argv[0]).absolute()
    if script.name == "mcptap" and os.access(script, os.X_OK):
        return [str(script)]
    return [sys.executable, "-P", "-m", "mcptap.exporters.entry"]


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="one JSON array of objects")
@click.option("--home", metavar="DIR", help="where the tap shall record meanwhile (default: a temporary directory)")
@click.argument("command", nargs=-1, metavar="[-- SERVER COMMAND...]", type=click.UNPROCESSED)
@click.pass_context
def selftest(context: click.Context, command: tuple[str, ...], home: str | None, *, as_json: bool) -> int:
    """Compares an odd-behaving server, and your own, with and without the tap.

    Bytes, order, exit status, signals and the end of stdin must be the same. Exit status 1 if they are not.
    """
    from mcptap.exporters.selftest.run import run_selftest

    screen = Screen()
    told = (lambda _: None) if as_json else (lambda result: _print(screen, result))
    home = home or given_home(context)
    try:
        results = run_selftest(wrapper(), command or None, home and str(Path(home).absolute()), told=told)
    except FileNotFoundError as problem:
        raise CommandError(f"{problem.filename}: no such command", "name your server's command after --") from None
    differing = [result for result in results if not result.same]
    if as_json:
        write_json(asdict(result) for result in results)
    elif differing:
        screen.put((f"{len(differing)} of {len(results)} cases differ through the tap", "bold red"))
    else:
        screen.put((f"all {len(results)} cases are the same with and without the tap", "bold green"))
    return FAILED if differing else 0


@click.command()
@click.option("--keep", metavar="DIR", help="record there and leave it for you to look at")
@click.pass_context
def demo(context: click.Context, keep: str | None) -> int:
    """Records a short scripted run of bundled servers.

    Nothing of yours is touched: without --keep the recording is in a temporary directory, and gone in the end.
    """
    from mcptap.exporters.demo.play import run_demo

    place = keep or given_home(context)
    return run_demo(Path(place) if place else None, wrapper(), Screen(markup=True))


def _print(screen: Screen, result: CaseResult) -> None:
    verdict = ("same  ", "green") if result.same else ("DIFFER", "bold red")
    screen.put(verdict, (f"  {fitted(result.name, 28)}", "bold"), f"  {result.direct}")
    if not result.same:
        screen.put(f"{'':36}  {result.tapped}   (through the tap)")
    for line in result.detail.splitlines():
        screen.put((f"{'':10}{line}", "dim"))
