"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.units import Moment
from mcptap.tap.pipe.home import state_directory

Command = TypeVar("Command", bound=Callable[..., Any])
MOST_ROWS = 1_000_000_000


class Utf8(click.ParamType[str]):
    """A word for the database, which speaks UTF-8 whatever the locale."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word with its bytes read as UTF-8."""
        try:
            return os.fsencode(value).decode()
        except UnicodeError:
            self.fail("this is not UTF-8 text", param, ctx)


def given_home(context: click.Context) -> str | None:
    """The `--home` that stood before the command's name."""
    home: str | None = (context.find_root().obj or {}).get("--home")
    return home


def _state_directory(context: click.Context, _option: click.Parameter, value: str | None) -> Path:
    home = Path(state_directory(value or given_home(context)))
    if home.exists() and not home.is_dir():
        raise CommandError(f"{home} is not a directory", "--home says where the records are")
    return home


def with_home(command: Command) -> Command:
    """Gives `home`, the absolute path of the state directory, which need not exist."""
    told = "where the records are (default: $MCPTAP_HOME, else ~/.local/state/mcptap)"
    return click.option("--home", metavar="DIR", callback=_state_directory, help=told)(command)


def with_filters(command: Command) -> Command:
    """Gives `server` and `since`, each None where it is not asked for."""
    label = click.option(
        "--server", type=Utf8(), metavar="LABEL", help="only this server, by its label or its own name"
    )
    since = click.option(
        "--since", type=Moment(), metavar="WHEN", help="only what began after 10m, 2h, 1d ago or 2026-11-20T14:00"
    )
    return label(since(command))


def with_json(command: Command) -> Command:
    """Gives `as_json`."""
    told = "one JSON array of objects, times in UTC"
    return click.option("--json", "as_json", is_flag=True, help=told)(command)


def with_limit(default: int, order: str) -> Callable[[Command], Command]:
    """Gives `limit`, of rows in this order."""
    told = f"how many, {order}"
    return click.option(
        "-n", "--limit", type=click.IntRange(1, MOST_ROWS), default=default, show_default=True, help=told
    )
