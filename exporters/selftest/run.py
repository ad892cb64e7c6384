"""Runs every case twice, once directly and once through the tap, and tells what differed.

The tap records into a temporary state directory of its own, so the user's records stay as they were.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mcptap.exporters.selftest import odd_server
from mcptap.exporters.selftest.cases import Case, make_cases
from mcptap.exporters.selftest.compare import by_shape, differences, summary
from mcptap.exporters.selftest.foreign import COMMAND_CASE, COMMAND_PATIENCE
from mcptap.exporters.selftest.host import PATIENCE, Facts, Host

ODD_SERVER = (sys.executable, "-I", "-S", str(Path(odd_server.__file__)))
Words = Sequence[str | bytes]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One row of the table: what must hold, what came of it directly and through the tap."""

    name: str
    sentence: str
    direct: str
    tapped: str
    same: bool
    detail: str  # where they part, or a remark; may be empty


def run_selftest(
    wrapper: Sequence[str],
    command: Sequence[str] | None = None,
    home: str | None = None,
    *,
    told: Callable[[CaseResult], None] = lambda _: None,
    cases: Sequence[Case] | None = None,
    patience: float = PATIENCE,
) -> list[CaseResult]:
    """Compares each case with and without `wrapper`; `told` hears each result as soon as it is known.

    `wrapper` starts mcptap, without its options: `["/usr/bin/mcptap"]`. `command` is the user's own
    server, compared before the cases. Without `home` the tap records into a temporary directory, which is
    removed in the end, its collector stopped. A run that makes no progress for `patience` seconds has hung.
    Raises OSError if `command` cannot be started.
    """
    results = []
    with (
        _state_directory(wrapper, home) as state,
        tempfile.TemporaryDirectory(prefix="mcptap-selftest-") as place,
    ):
        tap = [*wrapper, "--home", state, "--"]
        if command:
            results.append(_run_command(command, tap, Path(place)))
            told(results[-1])
        for case in make_cases() if cases is None else cases:
            results.append(_run_case(case, tap, Path(place), patience))
            told(results[-1])
    return results


def _run_case(case: Case, tap: Words, place: Path, patience: float) -> CaseResult:
    direct, tapped = [], []
    found: list[str] = []
    for words in case.servers:
        server: Words = case.command or (*ODD_SERVER, str(place / "report"), *words)
        direct.append(_play(case, server, place, patience))
        tapped.append(_play(case, (*tap, *server), place, patience))
        which = f"{_shown(words)}: " if len(case.servers) > 1 else ""
        found += [which + line for line in differences(direct[-1], tapped[-1], case.left_out)]
    return _result(case, direct, tapped, found)


def _run_command(command: Sequence[str], tap: Words, place: Path) -> CaseResult:
    """A foreign server may differ from run to run; that is found by starting it twice without the tap."""
    direct, again = (_play(COMMAND_CASE, command, place, COMMAND_PATIENCE) for _ in range(2))
    tapped = _play(COMMAND_CASE, (*tap, *command), place, COMMAND_PATIENCE)
    if not differences(direct, again):
        return _result(COMMAND_CASE, [direct], [tapped], differences(direct, tapped))
    found = differences(by_shape(direct), by_shape(tapped))
    return _result(COMMAND_CASE, [direct], [tapped], found, "differs from itself, compared by shape")


def _play(case: Case, command: Words, place: Path, patience: float) -> Facts:
    with Host(
        command,
        report=place / "report",
        environment=case.environment,
        hang_up_after=case.hang_up_after,
        patience=patience,
    ) as host:
        return case.play(host)


def _result(case: Case, direct: list[Facts], tapped: list[Facts], found: list[str], remark: str = "") -> CaseResult:
    detail = "\n".join([remark, *found] if remark else found)
    return CaseResult(case.name, case.sentence, summary(direct), summary(tapped), not found, detail)


def _shown(words: Words) -> str:
    return " ".join(str(word) for word in words)


@contextmanager
def _state_directory(wrapper: Sequence[str], home: str | None) -> Iterator[str]:
    if home is not None:
        yield home
        return
    state = tempfile.mkdtemp(prefix="mcptap-selftest-home-")
    try:
        yield state
    finally:
        subprocess.run([*wrapper, "--home", state, "stop"], capture_output=True, timeout=30, check=False)
        shutil.rmtree(state, ignore_errors=True)
