"""Verify says whether the journal is good, and where not; rebuild makes the database anew."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any


def test_a_good_journal_is_told_with_its_head(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    said = fresh.say("verify")
    assert (said.status, said.err) == (0, "")
    assert "1 runs, 9 lines" in said.out
    head = said.out.split()[-1]
    assert fresh.say("verify", "--expect-head", head).status == 0
    told = json.loads(fresh.say("verify", "--json").out)
    assert (told["ok"], told["problems"], told["ledger_head"]) == (True, [], head)


def test_the_first_bad_line_of_each_file_is_named(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    path = _journal_file(fresh.home)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[3].replace(b"warming", b"warning"), *lines[4:]]))
    said = fresh.say("verify")
    assert (said.status, said.err) == (1, "")
    assert f"{path.relative_to(fresh.home)}, line 4: " in said.out
    told = json.loads(fresh.say("verify", "--json").out)
    assert not told["ok"]
    assert told["problems"][0]["line"] == 4


def test_a_journal_written_anew_does_not_have_the_head_that_was_kept(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    said = fresh.say("verify", "--expect-head", "f" * 64)
    assert said.status == 1
    assert "no line has the hash" in said.out


def test_rebuild_loads_the_whole_journal_without_a_collector_and_with_one(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    count = ("query", "SELECT count(*) AS n FROM messages", "--format", "csv")
    assert fresh.say("rebuild").out == "9 lines of the journal loaded into a new database\n"
    assert fresh.say(*count).out == "n\n4\n"
    assert fresh.say("rebuild").status == 0
    assert fresh.say(*count).out == "n\n4\n"


def test_rebuild_names_what_cannot_be_read_and_loads_everything_else(fresh: Any, journal: Any, journal_of: Any) -> None:
    journal(fresh.home)
    plain = _journal_file(fresh.home)
    cut = plain.with_name(plain.name + ".gz")
    cut.write_bytes(gzip.compress(plain.read_bytes(), mtime=0)[:-20])
    plain.unlink()
    journal_of(fresh.home, ("whole",))
    said = fresh.say("rebuild")
    assert said.status == 1
    assert f"not to its end: {cut.name}: " in said.out
    assert "cut short" in said.out
    assert fresh.say("query", "SELECT count(*) AS n FROM exchanges WHERE target = 'whole'", "--format", "csv").out == (
        "n\n1\n"
    )


def test_rebuild_tells_of_lines_that_are_no_json(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    with _journal_file(fresh.home).open("ab") as file:
        file.write(b"no JSON\n")
    said = fresh.say("rebuild")
    assert said.status == 1
    assert "1 of them hold no JSON" in said.out


def test_a_bar_is_drawn_on_a_terminal_only(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    assert "loading" in fresh.on_terminal("rebuild").out
    assert fresh.say("rebuild").err == ""


def _journal_file(home: Path) -> Path:
    (path,) = home.glob("journal/*/*.jsonl")
    return path
