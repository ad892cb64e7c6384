"""A user's SQL is answered as a table, JSON or CSV, or refused in one line."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest


def test_json_is_one_array_of_objects(recorded: Any) -> None:
    sql = "SELECT run_id, exit_code FROM runs WHERE exit_code = 3"
    assert json.loads(recorded.say("query", sql, "--format", "json").out) == [
        {"run_id": "01-plain-aaaa1111", "exit_code": 3}
    ]
    assert json.loads(recorded.say("query", "SELECT 1 WHERE false", "--format", "json").out) == []


VALUES = (
    ("NULL", None),
    ("true", True),
    ("9007199254740993", 9007199254740993),
    ("1.5::DECIMAL(4,1)", 1.5),
    ("2::DECIMAL(38,0)", 2),
    ("'nan'::DOUBLE", None),
    ("[1, 2]", [1, 2]),
    ("{'a': {'b': NULL}}", {"a": {"b": None}}),
    ("map{1: 'x'}", {"1": "x"}),
    ("DATE '2026-11-20'", "2026-11-20"),
    ("TIMESTAMP '2026-11-20 14:00:00.5'", "2026-11-20T14:00:00.500000"),
    ("from_hex('00ff')", "00ff"),
    ("INTERVAL 90 MINUTE", "1:30:00"),
)


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_every_type_of_value_can_be_told(recorded: Any, form: str) -> None:
    sql = "SELECT " + ", ".join(f"{text} AS c{index}" for index, (text, _) in enumerate(VALUES))
    said = recorded.say("query", sql, "--format", form)
    assert (said.status, said.err) == (0, "")
    if form == "json":
        assert list(json.loads(said.out)[0].values()) == [value for _, value in VALUES]


def test_csv_has_headings_and_empty_cells_for_null(recorded: Any) -> None:
    said = recorded.say("query", "SELECT NULL AS a, 'x,\"y\"' AS b, [1] AS c", "--format", "csv")
    assert list(csv.reader(io.StringIO(said.out))) == [["a", "b", "c"], ["", 'x,"y"', "[1]"]]


def test_a_table_in_a_pipe_is_as_wide_as_it_is(recorded: Any) -> None:
    said = recorded.say("query", "SELECT repeat('x', 150) AS a, 1 AS b")
    assert said.out.splitlines()[1] == "x" * 150 + "  1"


def test_a_table_on_a_terminal_is_a_line_per_row(recorded: Any) -> None:
    said = recorded.on_terminal("query", "SELECT repeat('x', 1000) AS a, 12345 AS b FROM range(2)", columns=60)
    assert said.out.splitlines()[1:] == ["x" * 52 + "…  12345"] * 2


def test_a_long_table_is_cut_and_told(recorded: Any) -> None:
    said = recorded.say("query", "SELECT * FROM range(1500)")
    assert len(said.out.splitlines()) == 1001
    assert "the first 1000 of 1500 rows" in said.err


def test_sql_can_come_from_stdin(recorded: Any) -> None:
    assert recorded.say("query", "-", "--format", "csv", input=b"SELECT 1 AS n").out == "n\n1\n"


@pytest.mark.parametrize("comment", ["-- of = runs\n", "--of runs\n", "/* of runs */"])
def test_sql_may_begin_with_a_comment(recorded: Any, comment: str) -> None:
    assert recorded.say("query", "--format", "csv", f"{comment}SELECT 1 AS n").out == "n\n1\n"


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DROP TABLE runs", "not admitted"),
        ("SELEC 1", "syntax error"),
        ("SELECT at FROM messages", 'write "at" in quotes'),
        ("SELECT seq FROM messages WHERE at > now()", 'write "at" in quotes'),
        ("SELECT seq FROM messages WHERE seq > 0 AND facts->>'a' IS NULL", "write (facts->>'name') in parentheses"),
        ("SELECT seq FROM messages WHERE facts->'a' > 3", "write (facts->>'name') in parentheses"),
        ("SELECT m.at 'at' FROM messages m m", "one statement that reads"),
        ("SELECT nope FROM runs", "nope"),
        ("SELECT * FROM read_text('/etc/passwd')", "not for readers"),
        ("", ""),
    ],
)
def test_what_is_wrong_with_a_statement_is_told_in_one_line(recorded: Any, sql: str, told: str) -> None:
    said = recorded.say("query", sql)
    assert (said.status, said.out) == (1, "")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_what_was_recorded_just_now_is_in_the_answer(fresh: Any) -> None:
    request = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    for count in (2, 4):
        fresh.say("--", "cat", input=request)
        assert fresh.say("query", "SELECT count(*) AS n FROM messages", "--format", "csv").out == f"n\n{count}\n"
