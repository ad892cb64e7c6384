"""Scrubs copies of a state directory, the n-th of them killed at the n-th change to it. Started by test_scrub."""

import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

from mcptap.exporters.collector import scrub
from mcptap.exporters.collector.redaction import Redaction

CHANGES = ("os.rename", "os.remove", "open", "os.rmdir")


def kill_at(number: int, home: Path) -> None:
    """Before the change that has this number, so that the one before is the last."""
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in CHANGES and str(arguments[0]).startswith(str(home)):
            if event == "open" and not int(arguments[2]) & os.O_WRONLY:  # type: ignore[call-overload]
                return
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


original = Path(sys.argv[1])
scrub.rebuild = lambda _home: 0  # type: ignore[assignment]  # what it does has tests of its own
for number in count(1):
    home = Path(shutil.copytree(original, original.with_name(f"killed-{number}")))
    redaction = Redaction(home)
    child = os.fork()
    if not child:
        kill_at(number, home)
        scrub.scrub(home, redaction, lambda _done, _all: None)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
