"""`mcptap dashboard`: the pages in a browser, as a process of their own that takes this one's place.

The idea: the command line knows of the dashboard only how it is started, so it works, and starts fast, without it.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.options import with_home

PORT = 8765


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help=f"where it listens (default: {PORT}, else a free port)"
)
@click.option("--no-browser", is_flag=True, help="only print the address")
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="listen there (default: 127.0.0.1); what others can reach asks for the token in the printed address",
)
@click.option("--token", is_flag=True, help="ask for the token on this machine too, where others have accounts")
@with_home
def dashboard(home: Path, port: int | None, host: str, *, no_browser: bool, token: bool) -> None:
    """Shows everything on pages in your browser.

    Nobody but this machine can reach it, and it sends nothing anywhere. It stays until Ctrl-C.
    """
    if find_spec("streamlit") is None:
        raise CommandError("the dashboard is not installed", "install it with: pip install 'mcptap[dashboard]'")
    told = ["--home", str(home), "--host", host, *(["--port", str(port)] if port else [])]
    flags = [name for name, given in (("--no-browser", no_browser), ("--token", token)) if given]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "mcptap.dashboard", *told, *flags])  # noqa: S606
