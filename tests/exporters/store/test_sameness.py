"""Errors that differ only in what they are about are the same error, and requests are the same by their arguments."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.exporters.store.sameness import KEPT, arguments_hash, error_group, told_by_tool

GROUPS = (
    ("ENOENT: no such file or directory, open '/home/me/y z.txt'", "ENOENT: no such file or directory, open <text>"),
    ("cannot read /srv/a/b.txt: denied", "cannot read <path>: denied"),
    ("cannot read C:\\Users\\me\\b.txt", "cannot read <path>"),
    ("see https://example.org/a?b=1 (404)", "see <url> (<n>)"),
    ("id 550e8400-e29b-41d4-a716-446655440000 is gone", "id <id> is gone"),
    ("commit deadbeef12 is gone, at 0x7ffe12", "commit <id> is gone, at <id>"),
    ("request req_8fj3k2ab failed", "request <id> failed"),
    ("timed out after 30.5 s at 12:30:44", "timed out after <n> s at <n>"),
    ('no "a" and no `b` and no “c”', "no <text> and no <text> and no <text>"),
    ("key [REDACTED:github-token:0a0b0c0d] refused", "key <github-token> refused"),
    ("  two\n  lines\t", "two lines"),
    ("it isn't there and can't be", "it isn't there and can't be"),
    ("text/plain and/or nothing", "text/plain and/or nothing"),
    ("", ""),
)


@pytest.fixture(scope="module")
def sql():
    with duckdb.connect() as connection:
        yield lambda expression, value: connection.execute(
            f"SELECT {expression('c')} FROM (SELECT ?::VARCHAR AS c)", [value]
        ).fetchone()[0]


@pytest.mark.parametrize(("message", "group"), GROUPS)
def test_what_differs_from_one_occurrence_to_the_next_is_left_out(sql, message, group):
    assert sql(error_group, message) == group


def test_no_message_has_no_group_and_a_long_one_a_short_group(sql):
    assert sql(error_group, None) is None
    assert len(sql(error_group, "word " * 10_000)) <= KEPT


@given(first=st.integers(0), second=st.integers(0), quoted=st.text(st.characters(exclude_characters='"\n')))
def test_numbers_and_quoted_values_make_no_difference(sql, first, second, quoted):
    told = 'row {} of "{}" failed'
    assert sql(error_group, told.format(first, quoted)) == sql(error_group, told.format(second, "x"))


@given(st.text(st.characters(exclude_categories=["Cs"])))  # DuckDB takes no half of a character
def test_any_text_has_a_group_in_one_line(sql, message):
    assert "\n" not in sql(error_group, message)


def request(id_, arguments, **meta):
    return json.dumps({"jsonrpc": "2.0", "id": id_, "params": {"name": "x", "arguments": arguments, "_meta": meta}})


def test_requests_are_the_same_by_their_arguments_alone(sql):
    one = sql(arguments_hash, request(1, {"path": "a"}, progressToken=1))
    assert one == sql(arguments_hash, request(2, {"path": "a"}, progressToken=2))
    assert one != sql(arguments_hash, request(1, {"path": "b"}, progressToken=1))
    assert len(one) == 16
    assert sql(arguments_hash, None) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([{"type": "text", "text": "no"}, {"type": "text", "text": "more"}], "no"),
        ([{"type": "image", "data": ""}, {"type": "text", "text": "no"}], "no"),
        ([{"type": "text", "text": ""}, {"type": "text", "text": " "}, {"type": "text", "text": "no"}], "no"),
        ([{"type": "image", "data": ""}], None),
        ([{"text": ""}], None),
        ([], None),
        ("text", None),
        ([{"text": "x" * 5000}], "x" * 2000),
    ],
)
def test_a_failed_tool_tells_its_first_text(sql, content, told):
    assert sql(told_by_tool, json.dumps({"result": {"isError": True, "content": content}})) == told
