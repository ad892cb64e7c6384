"""`mcptap collector`: the collector in the foreground, under whatever supervises it.

The idea: without taps a collector leaves after a minute; one that somebody started on purpose stays until it is told
to go. So it holds a lease on itself.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import click

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.options import with_home
from mcptap.exporters.collector import client
from mcptap.tap.pipe.home import ensure

ASK_AGAIN_S = 0.2


@click.command()
@with_home
def collector(home: Path) -> int:
    """Runs the collector in the foreground, for systemd, launchd or a container.

    It stays until SIGTERM, Ctrl-C or `mcptap stop`, and logs to stderr.
    """
    os.umask(0o077)
    ensure(str(home))
    os.chdir(home)
    with suppress(client.NotRunningError, OSError):
        pid = client.request(home, "status").get("collector", {}).get("pid")
        raise CommandError(f"a collector (pid {pid}) is at work in {home}", "stop it first: mcptap stop")

    from mcptap.exporters.collector.service import serve

    Thread(target=_stay, args=(home,), daemon=True).start()
    return serve(str(home))


def _stay(home: Path) -> None:
    """Holds a lease on the collector of this process, as soon as it takes one and as long as it lives."""
    while True:
        with suppress(client.NotRunningError, OSError, ValueError), client.open_request(home, "lease") as (held, _):
            held.settimeout(None)
            held.recv(1)
        time.sleep(ASK_AGAIN_S)
