"""Redact writes what it reads without secrets, with the recorder's key, and leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

SECRET = "ghp_" + "Zq7Rk2Lm9Xw4Tb6Vn8Yc1Hd3Jf5Gs0Pa2Eu4"
OWN = "acme_" + "a1b2" * 5
CONFIG = "[redaction.rules.acme-key]\nkeywords = ['acme_']\npattern = 'acme_[a-z0-9]{20}'\n"


def test_where_nothing_is_recorded_nothing_is_written(fresh: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(f"one\nuse {SECRET}\nthree")
    said = fresh.say("redact", str(tmp_path / "text"))
    assert said.status == 0
    assert said.out.startswith("one\nuse [REDACTED:")
    assert said.out.endswith("]\nthree")
    assert said.err.startswith("3 lines, 1 values of 1 secrets taken out: ")
    assert not fresh.home.exists()
    again = fresh.say("redact", str(tmp_path / "text"))
    assert again.out != said.out, "a key of the moment is another each time"


def test_key_and_rules_of_the_installation_are_used_and_left_alone(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    (fresh.home / "redaction.key").write_bytes(b"0123456789abcdef" * 4)
    (fresh.home / "config.toml").write_text(CONFIG)
    before = sorted(fresh.home.rglob("*"))
    first, second = (fresh.say("redact", "-", "--json", input=f"{OWN}\n".encode()) for _ in range(2))
    assert first.out == second.out
    assert json.loads(first.err) == {"lines": 1, "values": 1, "secrets": 1, "rules": {"acme-key": 1}}
    assert sorted(fresh.home.rglob("*")) == before


def test_a_stream_is_told_line_by_line(fresh: Any) -> None:
    process = fresh.start("redact", "-", stdin=subprocess.PIPE)
    for line in (b"plain\n", b'{"a": 1}\n', b"[INFO] x\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"3 lines, no secret found\n")


def test_a_large_input_is_searched_in_one_go(fresh: Any, tmp_path: Path) -> None:
    (tmp_path / "large").write_text(f'{{"text": "nothing to see", "token": "{SECRET}"}}\n' * 20_000)
    said = fresh.say("redact", str(tmp_path / "large"), "--json")
    assert SECRET not in said.out
    assert json.loads(said.err) | {"rules": 0} == {"lines": 20_000, "values": 20_000, "secrets": 1, "rules": 0}


def test_a_line_that_is_too_long_is_not_shown(fresh: Any) -> None:
    said = fresh.say("redact", "-", input=b"a\n" + b"x y " * (5 << 20) + b"\nb\n")
    first, second, third = said.out.splitlines()
    assert (first, third) == ("a", "b")
    assert second.startswith("[REDACTED:unscanned:")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing", None, "missing: No such file or directory"),
        (".", None, "is a directory"),
        ("wide", "x\ny".encode("utf-16"), "line 1 has NUL bytes"),
    ],
)
def test_bad_input_is_told_in_one_line(fresh: Any, tmp_path: Path, name: str, content: bytes, told: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = fresh.say("redact", str(tmp_path / name))
    assert (said.status, said.out) == (1, "")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_a_wrong_configuration_ends_it_before_anything_is_shown(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    (fresh.home / "config.toml").write_text("[redaction")
    said = fresh.say("redact", "-", input=SECRET.encode())
    assert (said.status, said.out) == (1, "")
    assert "config.toml: is not TOML" in said.err


def test_quiet_says_nothing_more(fresh: Any) -> None:
    said = fresh.say("redact", "--quiet", "-", input=b"x\n")
    assert (said.status, said.out, said.err) == (0, "x\n", "")
