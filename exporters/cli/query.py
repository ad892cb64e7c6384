"""`mcptap query`: a user's own SQL, answered as a table, JSON or CSV."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mcptap.exporters.cli.options import Utf8, with_home
from mcptap.exporters.cli.output import NULL, note, str_cell, write_csv, write_json
from mcptap.exporters.cli.reading import Reader
from mcptap.exporters.cli.table import table

MOST_ROWS = 1000  # of a table: more is not read on a screen


class Statement(click.Command):
    """A command whose argument may begin with a comment of SQL, which looks like an option but has blanks in it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Lets the comment through, and still tells of an option that there is not."""
        ctx.ignore_unknown_options = any(word.startswith("--") and len(word.split()) > 1 for word in args)
        return super().parse_args(ctx, args)


@click.command(cls=Statement)
@click.argument("sql", type=Utf8())
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="table: a line per row, cut to fit; json: one array of objects; csv: with headings",
)
@click.option("--json", "form", flag_value="json", help="the same as --format json")
@click.option("--raw", is_flag=True, help="csv: without escapes, and without ' before what a spreadsheet would compute")
@with_home
def query(home: Path, sql: str, form: str, *, raw: bool) -> None:
    """Answers SQL, as a table, JSON or CSV.

    SQL is one statement that reads: runs, messages, exchanges, calls, findings, redactions, definitions,
    stderr_lines, gaps, and the summaries server_summary, tool_summary, error_groups, slow_calls and timeline. Times
    are in UTC, durations in milliseconds. `-` reads it from stdin.

    In CSV, a text that begins with = + - @ or a control character gets a ' in front, since spreadsheets would take it
    for a formula; --raw leaves every cell as it is.
    """
    if raw and (form != "csv" or sys.stdout.isatty()):
        raise click.UsageError("--raw is for --format csv into a file or pipe: it lets control characters through")
    with Reader(home) as reader:
        columns, rows = reader.run(_from_stdin() if sql == "-" else sql)
    if form == "json":
        write_json(dict(zip(columns, row, strict=True)) for row in rows)
    elif form == "csv":
        write_csv(columns, rows, raw=raw)
    else:
        shown = [[NULL if value is None else str_cell(value) for value in row] for row in rows[:MOST_ROWS]]
        numeric = [name for name, value in zip(columns, rows[0], strict=True) if _is_number(value)] if rows else []
        table(columns, shown, right=numeric)
        if len(rows) > MOST_ROWS:
            note(f"the first {MOST_ROWS} of {len(rows)} rows; --format json and csv give all")


def _from_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeError:
        raise click.UsageError("what stands on stdin is not UTF-8 text") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
