"""Whatever servers send, no command lets a terminal obey it: in a pipe, on a terminal, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from mcptap.exporters.store.schema import RELATIONS
from mcptap.exporters.store.summaries import SUMMARIES

Obeyed = Callable[[str], list[str]]
QUERIES = [
    [
        "query",
        f"FROM (FROM {relation}) x WHERE x::VARCHAR NOT LIKE '%00-many%'",
        "--format",
        form,
    ]
    for relation in RELATIONS
    for form in ("table", "json", "csv")
    if relation not in SUMMARIES or form == "table"
]
COMMANDS = [
    ["servers"],
    ["servers", "--json"],
    ["tools"],
    ["errors"],
    ["slow"],
    ["runs"],
    ["runs", "--json"],
    ["show", "02-hostile-bbbb2222"],
    ["show", "02-hostile-bbbb2222", "--bodies"],
    ["show", "02-hostile-bbbb2222", "--bodies", "--json"],
    ["show", "02-hostile-bbbb2222/2"],
    ["show", "02-hostile-bbbb2222/5"],
    ["tail"],
    ["tail", "--json"],
    ["status"],
    ["status", "--json"],
    ["verify"],
    ["query", 'SELECT 1 AS "\x1b[31m\u202e"'],
    *QUERIES,
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_of_a_server_is_obeyed_in_a_pipe_and_there_is_no_colour(
    standing: Any, obeyed: Obeyed, words: list[str]
) -> None:
    said = standing().say(*words)
    assert (said.status, said.err) == (0, "")
    assert said.out
    assert "\x1b" not in said.out
    assert not obeyed(said.out)


@pytest.mark.parametrize("words", [words for words in COMMANDS if "csv" not in words], ids=" ".join)
@pytest.mark.parametrize("columns", [40, 200])
def test_nothing_of_a_server_is_obeyed_on_a_terminal(
    standing: Any, obeyed: Obeyed, words: list[str], columns: int
) -> None:
    said = standing(columns).say(*words)
    assert said.status == 0
    bar = "\x1b[?25l" in said.out  # of verify, drawn by us on stderr
    assert bar == (words == ["verify"])
    assert bar or not obeyed(said.out)


def test_markup_emoji_and_links_are_text(recorded: Any) -> None:
    said = recorded.say("show", "02-hostile-bbbb2222")
    assert "[bold]b[/bold][link=http://x.invalid]l[/link]:skull:" in said.out


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT cast(text AS INTEGER) FROM stderr_lines WHERE run_id LIKE '02%'",
        "SELECT error(text) FROM stderr_lines WHERE run_id LIKE '02%'",
        "SELECT \x1b[31m\u202e",
    ],
)
def test_an_error_that_quotes_a_server_is_one_harmless_line(recorded: Any, obeyed: Obeyed, sql: str) -> None:
    said = recorded.say("query", sql)
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("mcptap: ")
    assert said.err.count("\n") == 1
    assert not obeyed(said.err)


@pytest.mark.parametrize("words", [["show", "\x1b[31m"], ["\x1b[31m"], ["runs", "--since", "\x1b[31m"]])
def test_what_the_user_wrote_is_harmless_too(recorded: Any, obeyed: Obeyed, words: list[str]) -> None:
    said = recorded.say(*words)
    assert said.status
    assert said.err
    assert not obeyed(said.err)


def test_json_gives_the_text_back_exactly(recorded: Any, hostile: str) -> None:
    said = recorded.say("query", "SELECT text FROM stderr_lines WHERE run_id LIKE '02%'", "--format", "json")
    assert json.loads(said.out) == [{"text": hostile}]


def test_csv_has_one_line_per_row_and_no_formula(recorded: Any) -> None:
    sql = """SELECT -1 AS n,
             unnest(['=1+1', '+1', '-1', '@x', ' =1', chr(9) || 'x', chr(13) || 'x', '\uff1d1', 'a=1', ''])
             AS "=c" """
    said = recorded.say("query", sql, "--format", "csv")
    heading, *rows = csv.reader(io.StringIO(said.out))
    assert heading == ["n", "'=c"]
    assert [row[1] for row in rows] == ["'=1+1", "'+1", "'-1", "'@x", "' =1", r"'\tx", r"'\rx", "'\uff1d1", "a=1", ""]
    assert {row[0] for row in rows} == {"-1"}
    raw = recorded.say("query", sql, "--format", "csv", "--raw")
    assert next(csv.reader(io.StringIO(raw.out, newline=""))) == ["n", "=c"]
    assert "-1,\tx\n" in raw.out


def test_raw_never_goes_to_a_terminal(recorded: Any, obeyed: Obeyed) -> None:
    said = recorded.on_terminal("query", "SELECT text FROM stderr_lines", "--format", "csv", "--raw")
    assert said.status == 2
    assert not obeyed(said.out)


def test_the_label_of_a_running_server_is_harmless_in_status(fresh: Any, obeyed: Obeyed, eventually: Any) -> None:
    label = "\x1b[31m\u202elabel"
    server = fresh.start("--name", label, "--", "cat", stdin=-1)
    try:
        said = eventually(lambda: (told := fresh.say("status")) and "x1b" in told.out and told)
        assert r"\x1b[31m\u202elabel" in said.out
        assert not obeyed(said.out)
        (run,) = json.loads(fresh.say("status", "--json").out)["runs"]
        assert run["name"] == label
    finally:
        server.communicate(timeout=60)
