"""`mcptap redact`: any file or stream without its secrets, for those who want to show it to others.

The idea: the same rules and the same key as the recorder, so that a secret has the same digits in both; but nothing of
it is kept, and where nothing has ever been recorded nothing is written.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterator
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
PIECE = 1 << 16  # bytes that are read at a time


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
    """The number of lines. What is followed is shown as it comes."""
    count = 0
    for lines, ended in _together(source):
        told: list[str] = []
        for line in lines:
            count += 1
            told += _told(transcript, line, count)
        if followed or not ended:
            told += transcript.pause() if ended else transcript.end()
        _write(told, ended=ended)
    _write([*transcript.end()], ended=True)
    return count


def _told(transcript: Transcript, line: bytes, number_: int) -> Iterator[str]:
    """What can be told once this line is known. Raises CommandError."""
    if b"\0" in line:
        raise CommandError(f"line {number_} has NUL bytes: this is not UTF-8 text", "convert it first")
    text = line.decode(errors="replace")
    return transcript.leave_out(text) if len(line) > MAX_LINE else transcript.feed(text)


def _write(told: list[str], *, ended: bool) -> None:
    if told:
        sys.stdout.buffer.write("\n".join(told).encode(errors="replace") + b"\n" * ended)
        sys.stdout.buffer.flush()


def _together(source: BinaryIO) -> Iterator[tuple[list[bytes], bool]]:
    """The lines that came together, and whether a newline ends the last of them."""
    begun = bytearray()  # of a line; of one that is too long no more is read into memory
    while data := source.read1(PIECE):  # type: ignore[attr-defined]  # what open and stdin give has it
        first, *others = data.split(b"\n")
        if len(begun) <= MAX_LINE:
            begun += first
        if others:
            yield [bytes(begun), *others[:-1]], True
            begun[:] = others[-1]
    if begun:
        yield [bytes(begun)], False


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
