"""The wrapper's command line: what stands before `--` is ours, what stands behind it never is."""

import pytest

from mcptap.tap.pipe.options import UsageError, parse


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--", "npx", "-y", "server"], ({}, ["npx", "-y", "server"], [])),
        (["--name", "git", "--strict", "--", "git"], ({"--name": "git", "--strict": True}, ["git"], [])),
        (["--name=a=b", "--", "x", "--", "--name"], ({"--name": "a=b"}, ["x", "--", "--name"], [])),
        (["--home", "/h", "query", "--", "x"], ({"--home": "/h"}, None, ["query", "--", "x"])),
        (["selftest", "--", "x"], ({}, None, ["selftest", "--", "x"])),
        (["--help"], ({}, None, ["--help"])),
        ([], ({}, None, [])),
    ],
)
def test_a_command_line_is_split_into_options_command_and_other_words(
    words: list[str], expected: tuple[dict[str, str | bool], list[str] | None, list[str]]
) -> None:
    assert parse(words) == expected


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--name", "--", "x"], "--name needs a value"),
        (["--home"], "--home needs a value"),
        (["--strict=yes", "--", "x"], "--strict takes no value"),
        (["--"], "no command after --"),
        (["--strict", "--"], "no command after --"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(words: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(words)
