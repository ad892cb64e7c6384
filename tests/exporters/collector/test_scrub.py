"""Scrubbing is killed at each of its steps, and nothing is lost, half done or left behind."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcptap.exporters.collector import scrub
from mcptap.exporters.collector.redaction import Redaction
from mcptap.exporters.configuration import CONFIG
from mcptap.exporters.journal.compression import compress
from mcptap.exporters.journal.ledger import Ledger
from mcptap.exporters.journal.reader import run_files
from mcptap.exporters.journal.verify import verify
from mcptap.exporters.journal.writer import JournalFile
from mcptap.exporters.otlp.items import Mark
from mcptap.exporters.otlp.marks import Marks
from mcptap.tap.records import MessageRecord, RunEnded, RunStarted, StderrLine

OWN = "acme_" + "a1b2" * 5
RULE = "[redaction.rules.acme-key]\nkeywords = ['acme_']\npattern = 'acme_[a-z0-9]{20}'\n"
AT = 1_795_000_000_000_000_000


def quiet(_done: int, _all: int) -> None:
    """Nobody looks."""


def write(home: Path, ledger: Ledger, run_id: str, text: str, *, close: bool = True) -> None:
    started = RunStarted(run_id, AT, "x", ("serve",), "/", (), "0", 1, None, None, None, None, None, None)
    journal = JournalFile.create(home, ledger, started)
    body = {"jsonrpc": "2.0", "method": "note", "params": {"text": text, "big": 1}}
    message = MessageRecord(1, "server", AT, "notification", "note", None, 0, 99, body)
    journal.append([message, StderrLine(AT, 0, 9, text), RunEnded(AT, "ended", 0, None, None, None, 0, 99, 9)])
    if close:
        journal.close("ended")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A plain run, a compressed one, one whose compression a crash ended, one that holds nothing; a database."""
    home = tmp_path / "home"
    ledger = Ledger(home)
    for run_id, text in (("plain", OWN), ("packed", OWN), ("torn", OWN), ("clean", "nothing")):
        write(home, ledger, run_id, text)
    compress(home, ledger, "packed")
    (plain,) = home.glob("journal/*/torn.jsonl")
    content = plain.read_bytes()
    compress(home, ledger, "torn")
    plain.write_bytes(content)
    ledger.close()
    (home / CONFIG).write_text(RULE)
    Redaction(home)  # makes the key
    for name in ("store.duckdb", "store.duckdb.wal", "store.duckdb.damaged-1"):
        (home / name).write_text(OWN)
    return home


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def journal(home: Path) -> dict[str, bytes]:
    return {run_id: content(path) for run_id, path in run_files(home)}


def holds(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and OWN.encode() in content(path)]


def finish(home: Path) -> scrub.Outcome:
    (home / "store.duckdb").unlink(missing_ok=True)  # it is none; a database is made in its place
    return scrub.scrub(home, Redaction(home), quiet)


def test_what_was_not_sent_whole_of_a_rewritten_run_is_sent_from_its_beginning(home: Path) -> None:
    marks, there = Marks(home, "key/traces", 1), Mark(10, 20, b"{}")
    marks.move({"plain": there, "clean": there})
    finish(home)
    assert (marks.of("plain"), marks.of("clean")) == (Mark(), there)
    marks.close()


def test_killed_at_any_step_it_leaves_old_or_new_files_and_finishes_the_next_time(home: Path) -> None:
    old = journal(home)
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("scrub_crash.py")), str(home)], check=True, timeout=200
    )
    killed = sorted(home.parent.glob("killed-*"), key=lambda path: int(path.name.partition("-")[2]))
    assert len(killed) > 12
    done = journal(killed[-1])
    assert {run_id for run_id in old if done[run_id] != old[run_id]} == {"plain", "packed", "torn"}
    assert holds(killed[-1]) == []
    for place in killed[:-1]:
        assert verify(place).problems == [], place
        now = journal(place)
        for run_id in old:
            assert now[run_id] in (old[run_id], done[run_id]), (place, run_id)
        if now != old:
            assert not (place / "store.duckdb").exists(), place
    for place in killed[::3]:
        assert set(finish(place).refused) == set()
        assert holds(place) == [], place
        report = verify(place)
        assert (report.problems, [note for note in report.notes if "scrubbed" in note.what]) == ([], []), place
        assert journal(place) == done, place


def test_the_ledger_tells_what_was_done_and_verify_reports_it(home: Path) -> None:
    done = finish(home)
    assert done.values == {"plain": 2, "packed": 2, "torn": 2}
    report = verify(home)
    assert report.ok
    assert {scrubbed.run_id: scrubbed.values for scrubbed in report.scrubbed} == done.values
    assert len({scrubbed.rules for scrubbed in report.scrubbed}) == 1
    before = journal(home)
    assert finish(home).values == {}
    assert journal(home) == before
    assert len(verify(home).scrubbed) == 3


def test_a_scrubbed_file_that_is_changed_afterwards_is_found_out(home: Path) -> None:
    (path,) = home.glob("journal/*/plain.jsonl")
    old = path.read_bytes()
    finish(home)
    new = path.read_bytes()
    path.write_bytes(new.replace(b"note", b"nose", 1))
    assert not verify(home).ok
    path.write_bytes(b"".join(new.splitlines(keepends=True)[:-1]))
    assert not verify(home).ok
    path.write_bytes(old)
    report = verify(home)
    assert report.ok
    assert "from before it was scrubbed" in report.notes[0].what


def test_only_changed_lines_change(home: Path) -> None:
    old = journal(home)["plain"].splitlines()
    finish(home)
    new = journal(home)["plain"].splitlines()
    assert old[0] == new[0]
    assert old[1] != new[1]
    assert (
        old[3].partition(b'"type"')[2].rpartition(b'"hash"')[0]
        == new[3].partition(b'"type"')[2].rpartition(b'"hash"')[0]
    )


def test_a_look_counts_and_changes_nothing(home: Path) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert scrub.look(home, Redaction(home, keep=False), quiet).values == {"plain": 2, "packed": 2, "torn": 2}
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_a_run_that_has_not_ended_is_left_alone(home: Path) -> None:
    ledger = Ledger(home)
    write(home, ledger, "open", OWN, close=False)
    ledger.close()
    assert finish(home).open == ["open"]
    assert {path.name for path in holds(home)} == {"open.jsonl", "store.duckdb"}, "its rows are those of its file"


def test_while_the_lock_is_held_by_one_who_stays_nothing_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrub, "LEAVING_S", 0.1)
    before = journal(home)
    with scrub.alone(home), pytest.raises(scrub.BusyError):
        scrub.scrub(home, Redaction(home), quiet)
    assert journal(home) == before


def test_files_stay_private(home: Path) -> None:
    finish(home)
    assert not [path for path in home.glob("journal/*/*") if os.stat(path).st_mode & 0o077]
