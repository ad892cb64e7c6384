"""`mcptap scan`: findings without recording anything, of a transcript or of what a server offers.

The idea: a transcript goes through the same analysis, redaction and detection as recorded traffic, line by line; what a
server offers is a transcript that is asked for here. Nothing is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import orjson

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.findings import FOUND, STYLES
from mcptap.exporters.cli.offered import conversation
from mcptap.exporters.cli.options import with_home, with_json
from mcptap.exporters.cli.output import note, write_json
from mcptap.exporters.cli.table import table
from mcptap.tap.detect.rule import SEVERITIES
from mcptap.tap.records import Finding, RunStarted, Side

MAX_LINE: Final = 16 << 20  # bytes; a longer line is passed over
HEADINGS: Final = ("severity", "line", "target", "rule", "what", "evidence")
LARGE: Final = 2 << 20  # bytes of a transcript
BEGAN: Final = 1_767_225_600 * 10**9  # a transcript has no times: one line a second
SHOWN: Final = 120  # characters of the evidence
OF_SERVERS: Final = ("sampling/createMessage", "elicitation/create", "roots/list")
OF_CLIENTS: Final = ("notifications/initialized", "notifications/cancelled", "notifications/roots/list_changed")
LISTINGS: Final = {"tools": "tools/list", "prompts": "prompts/list", "resources": "resources/list",
                   "resourceTemplates": "resources/templates/list", "serverInfo": "initialize"}  # fmt: skip


class Line(NamedTuple):
    """A message of a transcript."""

    number: int
    side: Side
    message: Any


Row = tuple[int, Finding]  # a finding, with its line


class Scan(click.Command):
    """Keeps what stands behind `--` apart: it is a server's command, all else is a file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options and the file."""
        if "--" in args:
            at = args.index("--")
            ctx.meta["command"], args = args[at + 1 :], args[:at]
        return super().parse_args(ctx, args)


@click.command(cls=Scan, options_metavar="[OPTIONS]")
@click.argument("file", metavar="[FILE | -- SERVER COMMAND...]", required=False)
@click.option("--timeout", type=click.IntRange(1, 3600), default=30, metavar="S", help="for all answers of a server")
@click.option("--severity", type=click.Choice(SEVERITIES), default="info", help="this and what is graver")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="exit status 3 if this or something graver is found")
@with_json
@with_home
@click.pass_context
def scan(
    context: click.Context, /, home: Path, file: str | None, timeout: int,
    *, severity: str, fail_on: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Looks for what is suspicious in a transcript, or in what a server offers, and keeps nothing.

    FILE has a JSON-RPC message in each line, or {"side": "client" or "server", "message": ...}. A server is started,
    asked what it offers, and ended.
    """
    command: list[str] = context.meta.get("command", [])
    path = Path(file) if file is not None else None
    if (path is None) == (not command):
        raise CommandError("name either a file or, behind --, a server's command", "see mcptap scan --help")
    lines = _read(path) if path else _asked(command, timeout)
    large = path is not None and _is_large(path)
    found, problem = _until_problem(_found(home, lines, large=large))
    found = [row for row in found if _at_least(row[1], severity)]
    if problem and not found:
        raise problem
    if as_json:
        write_json(_as_json(line, one) for line, one in found)
    else:
        ordered = sorted(found, key=lambda row: -SEVERITIES.index(row[1].severity))
        if ordered:
            table(HEADINGS, [_cells(line, one) for line, one in ordered], spare=("evidence",))
        note(f"{len(found)} findings" if found else "nothing suspicious was found")
    if problem:
        raise problem
    return FOUND if fail_on and any(_at_least(one, fail_on) for _, one in found) else 0


def _until_problem(found: Iterator[Row]) -> tuple[list[Row], CommandError | None]:
    """All that is found, or what is found until something goes wrong, and what that was."""
    rows: list[Row] = []
    try:
        rows.extend(found)
    except CommandError as problem:
        return rows, problem
    return rows, None


def _asked(command: list[str], timeout: float) -> Iterator[Line]:
    for number, (side, message) in enumerate(conversation(command, timeout), 1):
        yield Line(number, side, message)


def _read(path: Path) -> Iterator[Line]:
    """The messages of a transcript. Lines that are none are counted, and told at the end."""
    if path.is_dir():
        raise CommandError(f"{path} is a directory", "name a file")
    count = passed = longer = number = 0
    with path.open("rb") as source:
        for number, data in enumerate(_lines(source), 1):
            if line := _line(number, data) if data else None:
                count += 1
                yield line
            elif data is None:
                longer += 1
            else:
                passed += bool(data.strip())
    if longer:
        note(f"{longer} lines are longer than {MAX_LINE >> 20} MB, and were passed over")
    if number and not count:
        raise CommandError(f"no line of {path} is a JSON-RPC message", "a transcript has one in each line")
    if passed:
        note(f"{passed} lines are no JSON-RPC message, and were passed over")


def _lines(source: Any) -> Iterator[bytes | None]:
    """The lines of a file; None for one that is too long."""
    while data := source.readline(MAX_LINE):
        whole: bytes | None = data
        while len(data) == MAX_LINE and not data.endswith(b"\n"):
            whole, data = None, source.readline(MAX_LINE)
        yield whole


def _line(number: int, data: bytes) -> Line | None:
    try:
        value = orjson.loads(data)
    except ValueError:
        return None
    if isinstance(value, dict) and value.get("side") in ("client", "server") and "message" in value:
        return Line(number, value["side"], value["message"])
    first = value[0] if isinstance(value, list) and value else value  # of a batch
    if not isinstance(first, dict) or not first.keys() & {"method", "result", "error"}:
        return None
    return Line(number, _side(first), value)


def _side(message: dict[str, Any]) -> Side:
    method = message.get("method")
    if method is None:
        return "server"
    if "id" in message:
        return "server" if method in OF_SERVERS else "client"
    return "client" if method in OF_CLIENTS else "server"


def _is_large(path: Path) -> bool:
    """Whether building the automatons takes less time than doing without."""
    return path.is_file() and path.stat().st_size > LARGE


def _found(home: Path, lines: Iterable[Line], *, large: bool) -> Iterator[Row]:
    """Each finding with its line."""
    from mcptap.exporters.collector import keys
    from mcptap.exporters.collector.detection import settings_of
    from mcptap.exporters.collector.redaction import Redaction
    from mcptap.tap.analysis import Analysis
    from mcptap.tap.detect.settings import SettingsError
    from mcptap.tap.detect.watch import Everywhere, Watch

    try:
        redaction, settings = Redaction(home, keep=False), settings_of(home)
    except SettingsError as problem:
        raise CommandError(str(problem).partition(";")[0], "mend it, or name another --home") from None
    if redaction.problem:
        raise CommandError(redaction.problem.partition(";")[0], "mend it, or name another --home")
    if large:
        redaction.build()
    everywhere = Everywhere(key=keys.kept_or_passing(home / keys.KEY), settings=settings)
    started = RunStarted("scan", BEGAN, None, ("scan",), os.sep, (), "", 0, 0.0, 0, None, "scan", None, None)
    analysis, watch = Analysis(started, redaction.redactor), Watch(started, everywhere)
    offsets: dict[Side, int] = {"client": 0, "server": 0}
    asked = False
    for line in lines:
        asked = asked or line.side == "client"
        for side, message in (*_question(line, asked=asked), (line.side, line.message)):
            data = _wire(message)
            records = analysis.data(side, offsets[side], BEGAN + line.number * 10**9, data)
            offsets[side] += len(data)
            for found in (found for record in records for found in watch.see(record)):
                if asked or found.rule != "orphan-answer":
                    yield line.number, found


def _wire(message: Any) -> bytes:
    """A message as a line. What is nested too deeply for one is told as noise."""
    if isinstance(message, str):
        return message.encode() + b"\n"
    try:
        return orjson.dumps(message) + b"\n"
    except TypeError:
        return b"nested too deeply\n"


def _question(line: Line, *, asked: bool) -> Iterator[tuple[Side, Any]]:
    """What a listing answers, if nobody asked in this transcript."""
    result = line.message.get("result") if isinstance(line.message, dict) else None
    if not asked and isinstance(result, dict):
        method = next((LISTINGS[name] for name in LISTINGS if name in result), None)
        if method:
            yield "client", {"jsonrpc": "2.0", "id": line.message.get("id"), "method": method}


def _at_least(one: Finding, least: str) -> bool:
    return SEVERITIES.index(one.severity) >= SEVERITIES.index(least)


def _as_json(line: int, one: Finding) -> dict[str, Any]:
    return {
        "line": line, "rule": one.rule, "severity": one.severity, "channel": one.channel, "detector": one.detector,
        "title": one.title, "evidence": one.evidence, "pointer": one.pointer, "target": one.target,
        "details": one.details,
    }  # fmt: skip


def _cells(line: int, one: Finding) -> list[Any]:
    evidence = one.evidence[:SHOWN]
    return [(one.severity, STYLES.get(one.severity, "")), str(line), one.target or "-", one.rule, one.title, evidence]
