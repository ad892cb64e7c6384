"""The manners of all commands: help, misuse, quiet ends."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.cli.main import COMMANDS, command
from mcptap.tap.pipe.options import OPTIONS


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_without_a_command_the_wrapper_and_all_commands_are_told(fresh: Any, words: tuple[str, ...]) -> None:
    said = fresh.say(*words)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Usage: mcptap [OPTIONS] -- SERVER COMMAND...")
    flat = " ".join(said.out.split())
    assert all(f"{name} {metavar or ''}".strip() in flat and told in flat for name, metavar, told in OPTIONS)
    assert all(f" {name} " in flat for name in COMMANDS)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(fresh: Any, name: str) -> None:
    said = fresh.say(name, "--help")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"Usage: mcptap {name}")
    assert not fresh.home.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("npx", "server"), "there is no command npx; to wrap a server write: mcptap -- <server command>"),
        (("x" * 60,), f"there is no command {'x' * 39}…; to wrap"),
        (("",), "the command's name is empty"),
        (("qery",), "did you mean query?"),
        (("query",), "Missing argument 'SQL'"),
        (("runs", "--nope"), "No such option"),
        (("--nope", "--", "cat"), "No such option"),
        (("--name", "x", "status"), "--name is an option of the wrapper"),
        (("query", "--format", "xml", "SELECT 1"), "'xml' is not one of"),
        (("verify", "--expect-head", "12"), "64 hexadecimal digits"),
        (("query", "--raw", "SELECT 1"), "--raw is for --format csv"),
        (("query", "SELECT '\udcff'"), "not UTF-8 text"),
    ],
)
def test_misuse_is_one_line_and_status_2(fresh: Any, words: tuple[str, ...], told: str) -> None:
    said = fresh.say(*words)
    assert (said.status, said.out) == (2, "")
    assert told in said.err
    assert said.err.count("\n") == 1
    assert "--help" in said.err


def test_of_a_mistyped_command_line_only_the_first_word_is_repeated(fresh: Any) -> None:
    assert "hidden" not in fresh.say("npx", "server", "--token", "hidden").err


@pytest.mark.parametrize(
    "words", [("runs",), ("show", "last"), ("tail", "-f"), ("query", "SELECT 1"), ("verify",), ("rebuild",)]
)
def test_where_nothing_is_recorded_nothing_is_made(fresh: Any, words: tuple[str, ...]) -> None:
    said = fresh.say(*words)
    assert (said.status, said.out) == (1, "")
    assert f"nothing is recorded in {fresh.home}" in said.err
    assert said.err.count("\n") == 1
    assert not fresh.home.exists()


def test_the_state_directory_may_stand_before_or_after_the_command(fresh: Any) -> None:
    before = fresh.say("status", "--json")
    after = subprocess.run(
        [*fresh.program, "status", "--json", "--home", str(fresh.home)], capture_output=True, check=True
    )
    assert json.loads(before.out) == json.loads(after.stdout)
    assert json.loads(before.out)["collector"]["home"] == str(fresh.home)


def test_a_state_directory_that_cannot_be_used_is_one_line(fresh: Any, tmp_path: Path) -> None:
    fresh.home.write_text("a file")
    for words in (["collector"], ["runs"], ["stop"], ["status"], ["verify"]):
        said = fresh.say(*words)
        assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
        assert f"{fresh.home} is not a directory" in said.err


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_with_its_output_closed_a_command_ends_quietly(fresh: Any, closed: str) -> None:
    line = f"{shlex.join(fresh.words('runs'))} {closed}"
    ran = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")


def test_a_reader_that_has_seen_enough_is_no_error(recorded: Any) -> None:
    many = ["query", "--format", "csv", "SELECT * FROM range(300000)"]
    for words in (many, [*many, "--format", "json"], ["show", "00-many-cccc3333"], ["tail", "--follow", "-n", "5"]):
        told = recorded.start(*words)
        assert told.stdout.readline()
        told.stdout.close()
        if "--follow" in words:
            told.send_signal(signal.SIGINT)  # it writes only when there is something to write
        assert told.wait(60) == (-signal.SIGINT if "--follow" in words else 128 + signal.SIGPIPE)
        assert told.stderr.read() == b""
        told.stderr.close()


def test_an_interrupted_query_ends_at_once_by_the_signal_and_without_a_word(
    fresh: Any, journal: Any, eventually: Any
) -> None:
    journal(fresh.home)
    slow = fresh.start("query", "SELECT count(*) FROM range(1000000) a, range(1000000) b")
    try:
        eventually(lambda: _is_loaded(slow.pid, "duckdb"))
        slow.send_signal(signal.SIGINT)
        out, err = slow.communicate(timeout=60)
    finally:
        slow.kill()
    assert (slow.returncode, out, err) == (-signal.SIGINT, b"", b"")


def test_without_a_utf8_locale_tables_are_shown_all_the_same(recorded: Any) -> None:
    plain = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    said = recorded.say("tail", "-n", "3", env=plain)
    assert (said.status, said.err) == (0, "")
    rows = json.loads(recorded.say("query", "SELECT 'é\u202e' AS x", "--format", "json", env=plain).out)
    assert rows == [{"x": "é\u202e"}]


def _is_loaded(pid: int, part: str) -> bool:
    return part in Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.parametrize(
    "name", ["servers", "tools", "errors", "slow", "runs", "show", "tail", "query", "status", "verify", "selftest"]
)
def test_every_command_that_shows_data_has_it_as_json(name: str) -> None:
    assert "--json" in {option for parameter in command(name).params for option in parameter.opts}


def test_no_command_loads_a_database_or_a_dashboard_before_it_needs_one() -> None:
    """A tenth of a second each, of which `stop`, `status` or `redact` would make no use."""
    program = (
        "import sys\nfrom mcptap.exporters.cli.main import COMMANDS, command\n"
        "names = [command(name).name for name in COMMANDS]\n"
        "print(*sorted({'duckdb', 'hyperscan', 'streamlit', 'opentelemetry'} & sys.modules.keys()), len(names))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == [str(len(COMMANDS))]
