"""`mcptap scrub`: today's rules over what was recorded earlier, and the journal tells that it happened."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mcptap.exporters.cli.audit import must_exist, progress_bar
from mcptap.exporters.cli.errors import FAILED, CommandError
from mcptap.exporters.cli.options import with_home
from mcptap.exporters.cli.output import Screen, write_object
from mcptap.exporters.cli.units import number

if TYPE_CHECKING:
    from mcptap.exporters.collector.redaction import Redaction
    from mcptap.exporters.collector.scrub import Outcome


@click.command()
@click.option("--dry-run", is_flag=True, help="only tell how many values would go")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@with_home
def scrub(home: Path, *, dry_run: bool, as_json: bool) -> int:
    """Takes out of earlier records what today's rules find in them.

    Journal and database are written anew where something is found; `mcptap verify` tells of it. The collector is asked
    to leave meanwhile, and taps keep what passes until it is back. Runs that have not ended are left alone, and so are
    files that do not verify (exit status 1). What is gone cannot be brought back.
    """
    from mcptap.exporters.collector import scrub as scrubbing
    from mcptap.exporters.store.read import StoreError

    must_exist(home)
    redaction = _redaction(home, keep=not dry_run)
    with progress_bar("searching", files=True) as told:
        try:
            done = (scrubbing.look if dry_run else scrubbing.scrub)(home, redaction, told)
        except scrubbing.BusyError as problem:
            raise CommandError(str(problem), "try again, or end it") from None
        except StoreError as problem:
            raise CommandError(f"the journal is scrubbed, but {problem}", "mcptap rebuild makes it") from None
    if as_json:
        write_object({"dry_run": dry_run, **asdict(done)})
    else:
        _print(done, dry_run=dry_run)
    return FAILED if done.refused else 0


def _redaction(home: Path, *, keep: bool) -> Redaction:
    from mcptap.exporters.collector.redaction import Redaction

    redaction = Redaction(home, keep=keep)
    if redaction.problem:
        raise CommandError(redaction.problem.partition(";")[0], "mend it first")
    return redaction


def _print(done: Outcome, *, dry_run: bool) -> None:
    screen = Screen()
    for run_id, why in done.refused.items():
        screen.put(f"{run_id}: ", (f"left as it is: {why}", "bold red"), cut=False)
    for run_id in done.open:
        screen.put((f"{run_id}: left as it is: it has not ended", "dim"), cut=False)
    values, runs = number(sum(done.values.values())), number(len(done.values))
    what = "would be taken out" if dry_run else "taken out"
    screen.put(f"{values} values {what} of {runs} runs; {number(done.runs)} searched")
