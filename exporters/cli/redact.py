"""`mcptap redact`: any file or stream without its secrets, for those who want to show it to others.

The idea: the same rules and the same key as the recorder, so that a secret has the same digits in both; but nothing of
it is kept, and where nothing has ever been recorded nothing is written.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import orjson

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.options import with_home
from mcptap.exporters.cli.output import note
from mcptap.exporters.cli.units import number

if TYPE_CHECKING:
    from mcptap.tap.redact import Transcript

MAX_LINE = 16 << 20  # bytes; a longer line is not searched, and not shown


@click.command()
@click.option("-q", "--quiet", is_flag=True, help="no summary")
@click.option("--json", "as_json", is_flag=True, help="the summary on stderr as one JSON object")
@click.argument("file", metavar="FILE|-")
@with_home
def redact(home: Path, file: str, *, quiet: bool, as_json: bool) -> None:
    """Writes a file, or stdin, without its secrets to stdout.

    Text, JSON and JSON lines keep their form. Rules, key and config.toml are those of the recorder, if there is one;
    where nothing is recorded the key is one of the moment, and nothing is written anywhere. The summary is on stderr.
    """
    with _opened(file) as source:
        large, followed = _is_large(source), file == "-"
        transcript = _transcript(home, large=large)
        lines = _copy(source, transcript, followed=followed)
    if not quiet:
        _summarise(transcript, lines, as_json=as_json)


def _opened(file: str) -> BinaryIO:
    if file == "-":
        if sys.stdin is None:
            raise CommandError("stdin is closed", "name a file")
        return sys.stdin.buffer
    if Path(file).is_dir():
        raise CommandError(f"{file} is a directory", "name a file, or - for stdin")
    return Path(file).open("rb")


def _is_large(source: BinaryIO) -> bool:
    """Whether Hyperscan pays from the start; a stream finds out as it goes."""
    from mcptap.tap.redact.scanner import PAYS

    facts = os.fstat(source.fileno())
    return stat.S_ISREG(facts.st_mode) and facts.st_size > PAYS


def _transcript(home: Path, *, large: bool) -> Transcript:
    from mcptap.exporters.collector.redaction import Redaction
    from mcptap.tap.redact import Transcript

    redaction = Redaction(home, keep=False)
    if redaction.problem:
        raise CommandError(redaction.problem.partition(";")[0], "mend it, or name another --home")
    if large:
        redaction.build()
    return Transcript(redaction.redactor)


def _copy(source: BinaryIO, transcript: Transcript, *, followed: bool) -> int:
    """The number of lines. What is followed is shown at once."""
    count, ended = 0, True
    for line, ended in _lines(source, transcript):
        count += 1
        told = transcript.feed(line) if isinstance(line, str) else (*transcript.end(), line.decode())
        _write(told, ended=ended or transcript.holds)
        if followed:
            sys.stdout.buffer.flush()
    _write(transcript.end(), ended=ended)
    sys.stdout.buffer.flush()
    return count


def _write(lines: Iterable[str], *, ended: bool) -> None:
    if told := [line.encode(errors="replace") for line in lines]:
        sys.stdout.buffer.write(b"\n".join(told) + b"\n" * ended)


def _lines(source: BinaryIO, transcript: Transcript) -> Iterator[tuple[str | bytes, bool]]:
    """Each line and whether a newline ends it. Bytes: what stands for a line that is too long. Raises CommandError."""
    number_ = 0
    while data := source.readline(MAX_LINE):
        number_ += 1
        if b"\0" in data:
            raise CommandError(f"line {number_} has NUL bytes: this is not UTF-8 text", "convert it first")
        if len(data) < MAX_LINE or data.endswith(b"\n"):
            yield data.removesuffix(b"\n").decode(errors="replace"), data.endswith(b"\n")
            continue
        stands = transcript.unscanned(data.decode(errors="replace")).encode()
        while len(data) == MAX_LINE and not data.endswith(b"\n"):
            data = source.readline(MAX_LINE)
        yield stands, data.endswith(b"\n")


def _summarise(transcript: Transcript, lines: int, *, as_json: bool) -> None:
    rules: Counter[str] = transcript.rules
    told: dict[str, Any] = {
        "lines": lines,
        "values": rules.total(),
        "secrets": len(transcript.secrets),
        "rules": dict(rules.most_common()),
    }
    if as_json:
        sys.stderr.write(orjson.dumps(told).decode() + "\n")
        return
    named = ", ".join(f"{rule} {number(count)}" for rule, count in rules.most_common())
    values = f"{number(told['values'])} values of {number(told['secrets'])} secrets taken out"
    note(f"{number(lines)} lines, " + (f"{values}: {named}" if rules else "no secret found"))
