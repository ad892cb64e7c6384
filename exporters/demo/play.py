"""The demo itself: wrap two servers, make forty calls, show what was recorded, prove what was not."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mcptap.exporters.collector.client import NotRunningError, request
from mcptap.exporters.demo import planted, recorded
from mcptap.exporters.demo.client import HANDSHAKE, Call, Client, ServerGoneError, tool
from mcptap.exporters.store import read

CITIES = ("Oslo", "Lagos", "Lima", "Quito", "Atlantis")
WEATHER = (
    Call("tools/list"),
    *(tool("weather", city=city) for city in CITIES),
    tool("slow_report", seconds=1.2),
    *(tool("flaky", attempt=attempt) for attempt in (1, 2, 3)),
    *(tool("weather", city=city) for city in reversed(CITIES)),
    tool("slow_report", seconds=0.6),
    *(tool("flaky", attempt=attempt) for attempt in (1, 3)),
    tool("slow_report", seconds=0.9),
)
WORKSPACE = (
    Call("tools/list"),
    Call("prompts/list"),
    Call("resources/list"),
    Call("prompts/get", {"name": "packing", "arguments": {"city": "Oslo"}}),
    Call("resources/read", {"uri": "demo://stations"}),
    Call("resources/read", {"uri": "demo://missing"}),
    *(tool("read_config", path=path) for path in ("service.conf", "service.conf", "backup.conf")),
    *(tool("fetch_page", url=f"https://shop.invalid/{page}") for page in ("boots", "tents", "ropes")),
    tool("slow_report", seconds=0.8),
    tool("delete_everything"),
    Call("ping"),
    *(tool("fetch_page", url=f"https://shop.invalid/{page}") for page in ("maps", "stoves")),
    Call("ping"),
)
STOP_S = 15.0
Script = tuple[str, tuple[str, ...], tuple[Call, ...]]  # name of the server, tools that it offers, calls
SCRIPTS: tuple[Script, ...] = (
    ("weather", ("weather", "slow_report", "flaky"), WEATHER),
    ("workspace", ("read_config", "fetch_page", "slow_report"), WORKSPACE),
)


def run_demo(home: Path | None, wrapper: Sequence[str], console: Console) -> int:
    """Plays the demo through `wrapper` (the command that starts mcptap) and prints what came of it.

    `home` is the state directory to record in and keep; None means a fresh one that is removed at the end.
    Returns the exit status: 0, or 1 when something that passed was not recorded or a secret came to rest.
    """
    if home is not None:
        return _play(home.absolute(), wrapper, console, keep=True)
    with tempfile.TemporaryDirectory(prefix="mcptap-demo-", ignore_cleanup_errors=True) as directory:
        return _play(Path(directory), wrapper, console, keep=False)


def _play(home: Path, wrapper: Sequence[str], console: Console, *, keep: bool) -> int:
    begin = recorded.since(time.time())
    console.print(f"Recording in [bold]{escape(str(home))}[/]" + ("" if keep else ", removed at the end."))
    try:
        seen = _perform(home, wrapper, console)
        status = _tell(home, seen, begin, console)
    except (ServerGoneError, OSError, read.StoreError) as error:
        console.print(f"[bold red]demo failed:[/] {escape(recorded.visible(str(error)))}")
        return 1
    else:
        if keep:
            _where_next(home, console)
        return status
    finally:
        if not keep:
            stop(home)


def _tell(home: Path, seen: recorded.Seen, begin: str, console: Console) -> int:
    lost = recorded.missing(home, seen, begin)
    for table in recorded.tables(home, begin):
        console.print(table, "")
    secrets = planted.secrets()
    leaks = recorded.leaks(home, secrets)
    for problem in (*lost, *leaks):
        console.print(f"[bold red]{escape(problem)}[/]")
    if not lost:
        console.print(f"[green]All {sum(map(Counter.total, seen.values()))} exchanges that passed are recorded.[/]")
    if not leaks:
        console.print(f"[green]None of the {len(secrets)} planted secrets is anywhere in what was kept.[/]")
    return 1 if lost or leaks else 0


def _perform(home: Path, wrapper: Sequence[str], console: Console) -> recorded.Seen:
    """Plays all scripts at the same time, one wrapped server each."""
    total = sum(len((HANDSHAKE, *calls)) for _, _, calls in SCRIPTS)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, ThreadPoolExecutor(len(SCRIPTS)) as pool:
        task = progress.add_task("two servers, wrapped", total=total)
        acts = [pool.submit(_act, script, home, wrapper, lambda: progress.advance(task)) for script in SCRIPTS]
        clients = [act.result() for act in acts]
    for complaint in dict.fromkeys(line for client in clients for line in client.complaints):
        console.print(f"[yellow]{escape(recorded.visible(complaint))}[/]")
    return {name: client.seen for (name, _, _), client in zip(SCRIPTS, clients, strict=True)}


def _act(script: Script, home: Path, wrapper: Sequence[str], advance: Callable[[], None]) -> Client:
    """Plays one script against one wrapped server. Returns the client, whose connection has ended."""
    name, offered, calls = script
    server = [sys.executable, "-m", "mcptap.exporters.demo.server", *planted.command_options(), *offered]
    client = Client([*wrapper, "--name", name, "--home", str(home), "--", *server])
    try:
        with client:
            advance()
            client.play(calls, lambda *_: advance())
    except ServerGoneError as error:
        raise ServerGoneError("; ".join((f"{name}: {error}", *client.complaints))) from None
    return client


def stop(home: Path) -> None:
    """Waits until the collector has left: it must be gone before its directory is."""
    with contextlib.suppress(NotRunningError, psutil.Error):
        pid = request(home, "status")["collector"]["pid"]
        request(home, "stop")
        psutil.Process(pid).wait(STOP_S)


def _where_next(home: Path, console: Console) -> None:
    console.print("\nLook around (the recording stays where it is):\n", style="bold")
    commands = (
        "mcptap dashboard",
        "mcptap status",
        "mcptap runs",
        "mcptap tail",
        "mcptap verify",
        'mcptap query "select target, outcome, count(*) from exchanges group by all order by all"',
    )
    console.print(f"  export MCPTAP_HOME={escape(str(home))}", highlight=False, soft_wrap=True)
    for command in commands:
        console.print(f"  {escape(command)}", highlight=False, soft_wrap=True)
