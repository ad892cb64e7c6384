"""What a walk through a file means: its first bad line, or how its good lines fit what the ledger tells."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mcptap.exporters.journal.ledger import RunTold, relative
from mcptap.exporters.journal.reader import RunFile, packed
from mcptap.exporters.journal.walk import Walked


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and where; as a note, what is merely unfinished."""

    file: str  # relative to the home
    line: int | None  # from 1, the file's first bad line; None: it is about the file as a whole
    offset: int | None  # uncompressed bytes in front of that line
    what: str
    run_id: str | None = None
    note: bool = False


def judge_chain(name: str, walked: Walked, run_id: str | None) -> Iterator[Problem]:
    """The first bad line, or a note of a torn one."""
    problem = partial(Problem, name, walked.lines + 1, walked.size, run_id=run_id)
    if walked.fault:
        yield problem(walked.fault)
    elif walked.torn:
        yield problem(f"the last line is unfinished ({walked.torn} bytes)", note=True)


def judge_run(home: Path, file: RunFile, told: RunTold | None, walked: Walked) -> Iterator[Problem]:
    """Everything that is to be said of a run's file."""
    name = relative(home, file.path)
    problem = partial(Problem, name, None, None, run_id=file.run_id)
    if walked.unreadable and told and told.lines == walked.lines:
        yield problem(f"all lines are good, but behind them: {walked.fault}")
        return
    if walked.fault:
        yield from judge_chain(name, walked, file.run_id)
        return
    if told is None:
        if walked.lines:
            yield problem("the ledger does not know this file")
    elif told.file and told.file != name.removesuffix(".gz"):
        yield problem(f"the ledger knows this run as {told.file}")
    if told is not None and told.lines is not None:
        yield from _judge_end(name, file.run_id, walked, told)
    else:
        yield from judge_chain(name, walked, file.run_id)
        if walked.kind == "run_ended":
            yield problem("the run has ended, and the ledger does not tell so yet", note=True)
    yield from _judge_compression(file, told, walked, problem)


def _judge_end(name: str, run_id: str, walked: Walked, told: RunTold) -> Iterator[Problem]:
    """Whether a closed run's file is all of it and no more."""
    after = partial(Problem, name, walked.lines + 1, walked.size, run_id=run_id)
    whole = partial(Problem, name, None, None, run_id=run_id)
    missing = (told.lines or 0) - walked.lines
    if missing > 0:
        yield after(f"the file ends here; {missing} of {told.lines} lines are missing")
    elif missing < 0:
        yield Problem(name, walked.lines + missing + 1, None, f"the run had {told.lines} lines", run_id)
    elif walked.torn:
        yield after(f"{walked.torn} bytes behind the last line")
    elif told.was(walked.head):
        yield whole("this is the file from before it was scrubbed: `mcptap scrub` finishes that", note=True)
    elif walked.head != told.head:
        yield whole("written anew: it does not end in the hash that the ledger keeps")


def _judge_compression(
    file: RunFile, told: RunTold | None, walked: Walked, whole: Callable[..., Problem]
) -> Iterator[Problem]:
    compressed = file.path.suffix == ".gz"
    expected = told.gz_sha256 if told else None
    if told and told.scrubbed_from and told.was(walked.head):
        expected = told.scrubbed_from[1] or expected
    if compressed and expected is None:
        yield whole("the ledger does not tell that this file was compressed")
    elif compressed and _sha256(file.path) != expected:
        yield whole("not the compressed file that the ledger tells of, though its lines are good")
    elif not compressed and (expected or packed(file.path).exists()):
        yield whole("the compression of this file is unfinished", note=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
