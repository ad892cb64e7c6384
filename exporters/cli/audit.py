"""`mcptap verify` and `mcptap rebuild`: the journal against itself, and the database from the journal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mcptap.exporters.cli.errors import FAILED, CommandError
from mcptap.exporters.cli.options import with_home
from mcptap.exporters.cli.output import Screen, write_object
from mcptap.exporters.cli.units import number, size
from mcptap.exporters.journal.verify import Problem, Report
from mcptap.exporters.journal.verify import verify as check

HEAD = re.compile("[0-9a-f]{64}")


@click.command()
@click.option("--expect-head", metavar="HASH", help="a ledger head printed earlier, which must still be there")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@with_home
def verify(home: Path, expect_head: str | None, *, as_json: bool) -> int:
    """Checks the journal and names the first bad line of each file.

    Exit status 1 if anything is wrong. Keep the ledger's head that is printed somewhere else: with --expect-head even a
    journal that was written anew is found out.
    """
    if expect_head is not None and not HEAD.fullmatch(expect_head := expect_head.strip().lower()):
        raise click.UsageError("--expect-head takes the 64 hexadecimal digits that mcptap verify printed")
    must_exist(home)
    with progress_bar("checking") as told:
        report = check(home, expect_head=expect_head, progress=told)
    if as_json:
        write_object({"ok": report.ok, **asdict(report)})
    else:
        _print(report)
    return 0 if report.ok else FAILED


@click.command()
@with_home
def rebuild(home: Path) -> int:
    """Makes the database anew from the journal.

    The old one is used until the new one is complete. A collector at work goes on with the new one. Exit status 1 if
    something of the journal cannot be read; everything else is then loaded nevertheless.
    """
    from mcptap.exporters.store.read import StoreError
    from mcptap.exporters.store.rebuild import rebuild as load

    must_exist(home)
    try:
        with progress_bar("loading") as told:
            built = load(home, told)
    except StoreError as problem:
        raise CommandError(str(problem), problem.hint) from None
    screen = Screen()
    screen.put(f"{number(built.lines)} lines of the journal loaded into a new database")
    faults = [f"not to its end: {what}" for what in built.unreadable]
    faults += [f"{number(built.refused)} of them hold no JSON; `mcptap verify` names the first"] * bool(built.refused)
    for fault in faults:
        screen.put((fault, "bold red"), cut=False)
    return FAILED if faults else 0


def must_exist(home: Path) -> None:
    """Raises CommandError where there is no state directory."""
    if not home.is_dir():
        raise CommandError(f"nothing is recorded in {home}", "name another directory with --home")


@contextmanager
def progress_bar(what: str, *, files: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, of bytes or of files, if that is a terminal."""
    screen = Screen(stderr=True)
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn() if files else DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(report: Report) -> None:
    screen = Screen()
    for problem in report.problems:
        screen.put(f"{_place(problem)}: ", (problem.what, "bold red"), cut=False)
    for note in report.notes:
        screen.put((f"{_place(note)}: {note.what}", "dim"), cut=False)
    lines = f"{number(report.lines)} lines, {size(report.bytes)}"
    screen.put(f"{report.files} runs, {lines}; ledger of {number(report.ledger_lines)} lines")
    if report.scrubbed:
        runs, values = {scrub.run_id for scrub in report.scrubbed}, sum(scrub.values for scrub in report.scrubbed)
        screen.put(
            f"{number(len(runs))} runs were scrubbed: {number(values)} values taken out after they were recorded"
        )
    verdict = ("the journal is good", "bold green")
    found = (f"{len(report.problems)} problems, the first of each file is shown", "bold red")
    screen.put(verdict if report.ok else found)
    screen.put(f"ledger head {report.ledger_head}", cut=False)


def _place(problem: Problem) -> str:
    return problem.file if problem.line is None else f"{problem.file}, line {problem.line}"
