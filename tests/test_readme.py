"""The README says what the code does: each of its tables is compared with the table in the code."""

from __future__ import annotations

import json
import re
import shlex
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import get_args

import click
import duckdb
import pytest

from mcptap.exporters.cli import main as command_line
from mcptap.exporters.detected import readme_table
from mcptap.exporters.store import schema
from mcptap.tap.detect.settings import read as read_detection
from mcptap.tap.pipe.options import OPTIONS, parse
from mcptap.tap.records import Outcome
from mcptap.tap.redact import assignment, columns, lines, services
from mcptap.tap.redact.manifest import ID as MANIFEST
from mcptap.tap.redact.redactor import UNSCANNED
from mcptap.tap.redact.settings import MODES, read
from mcptap.tap.redact.table import FAMILIES, families, title

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (.+?) \| (.+) \|$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'


def table(first_heading: str) -> dict[str, str]:
    """The README's table whose first column has this heading: the name in each row, without backticks, to the rest."""
    start = README.index(f"\n| {first_heading} | ")
    text = README[start : README.index("\n\n", start + 1)]
    return {name.strip("`"): rest for name, rest in ROW.findall(text)[1:] if set(name) != {"-"}}


def plain(text: str) -> str:
    return text.replace("`", "").rstrip(".").casefold()


def blocks(language: str) -> Iterator[str]:
    yield from (text for name, text in BLOCK.findall(README) if name == language)


SHELL = [line for text in blocks("sh") for line in text.splitlines()]
MCPTAP = [shlex.split(line)[1:] for line in SHELL if line.startswith("mcptap ")]
QUERIES = [words[-1] for words in MCPTAP if words[0] == "query"]


def test_the_options_are_those_that_the_wrapper_takes() -> None:
    assert table("option") == {f"{name} {metavar}" if metavar else name: told for name, metavar, told in OPTIONS}


def test_the_commands_are_those_that_there_are() -> None:
    commands = {name: command_line.command(name) for name in command_line.COMMANDS}
    told = {f"mcptap {name}": command.get_short_help_str(200) for name, command in commands.items()}
    assert {name: plain(text) for name, text in table("command").items()} == {n: plain(t) for n, t in told.items()}


def test_the_options_of_the_dashboard_are_those_that_it_takes() -> None:
    command = command_line.command("dashboard")
    context, told = click.Context(command), {}
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "home" and (record := option.get_help_record(context)):
            told[record[0]] = option.help
    assert table("dashboard option") == told


def test_the_relations_have_the_columns_that_are_told() -> None:
    told = {name: CODE.findall(rest) for name, rest in table("relation").items()}
    with empty_store() as connection:
        built = {
            name: [row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()] for name in schema.RELATIONS
        }
    assert told == built


def test_the_outcomes_are_those_that_there_are() -> None:
    assert list(table("outcome")) == list(get_args(Outcome))


def test_the_families_of_redaction_rules_are_those_that_there_are() -> None:
    assert table("family") == {family: title(family) for family in FAMILIES}
    assert sum(map(len, families().values())) > 400


def test_the_other_redaction_rules_are_those_that_there_are() -> None:
    code = "".join(path.read_text("utf-8") for path in Path(lines.__file__).parent.glob("*.py"))
    named = re.findall(r'(?:\._secret|\.whole|Redaction)\(.*?"([a-z-]+)", ', code)
    own = {rule.id for rules in families().values() for rule in rules}
    assert (
        set(table("other rule"))
        == {assignment.ID, columns.ID, services.ID, lines.OPEN, MANIFEST, UNSCANNED, *named} - own
    )


def test_the_modes_are_those_that_there_are() -> None:
    assert list(table("mode")) == list(MODES)


def test_the_configuration_in_the_readme_is_understood() -> None:
    document = tomllib.loads("\n".join(text for text in blocks("toml") if not text.startswith("[otlp")))
    settings, detection = read(document), read_detection(document)
    assert not detection.enabled
    assert detection.rules
    assert settings.scopes
    assert settings.allow
    assert settings.rules
    assert settings.pii.recognizers


def test_the_detection_rules_are_those_that_there_are() -> None:
    assert f"\n{readme_table()}\n" in README


@pytest.mark.parametrize("words", MCPTAP, ids=" ".join)
def test_a_command_line_in_the_readme_is_understood(words: list[str], mcptap: list[str]) -> None:
    _, wrapped, rest = parse(words)
    if wrapped is None:
        said = subprocess.run([*mcptap, rest[0], "--help"], capture_output=True, text=True, check=True).stdout
        own = rest[: rest.index("--")] if "--" in rest else rest
        assert {word for word in own if word.startswith("--")} <= set(re.findall(r"--[\w-]+", said))


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_in_the_readme_is_answered(sql: str) -> None:
    with empty_store() as connection:
        assert connection.execute(sql).description, "an answer has columns"


def test_the_configurations_wrap_a_server_by_an_absolute_path() -> None:
    for text in blocks("json"):
        (servers,) = json.loads(text).values()
        for entry in servers.values():
            assert Path(entry["command"]).is_absolute()
            assert parse(entry["args"])[1]


def files_and_modes(home: Path) -> dict[Path, int]:
    """Everything below this directory; the collector at work may take a file away (compressed) while we look."""
    found = {}
    for path in home.rglob("*"):
        with suppress(FileNotFoundError):
            found[path.relative_to(home)] = path.lstat().st_mode
    return found


def test_every_file_that_a_run_leaves_is_named_and_private(fresh_home: Path, mcptap: list[str]) -> None:
    here = [*mcptap, "--home", str(fresh_home)]
    subprocess.run([*here, "--", "cat"], input=REQUEST, stdout=subprocess.DEVNULL, check=True)
    subprocess.run([*here, "query", "SELECT 1"], stdout=subprocess.DEVNULL, check=True)
    told = [re.sub(r"<.*?>", "*", name).rstrip("/") for name in table("file")]
    folders = [str(Path(name).parent) for name in told if "/" in name] + ["journal"]
    left = files_and_modes(fresh_home)
    assert left
    assert not [path for path in left if not any(path.match(name) for name in (*told, *folders))]
    assert not [path for path, mode in left.items() if stat.S_IMODE(mode) & 0o077]


def empty_store() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for statement in schema.statements():
        connection.execute(statement)
    return connection
