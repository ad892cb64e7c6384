"""Writing a run's file, and going on with it after a crash."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from mcptap.exporters.journal.ledger import runs_told, told_lines
from mcptap.exporters.journal.line import hash_of
from mcptap.exporters.journal.reader import read_lines
from mcptap.exporters.journal.verify import verify
from mcptap.exporters.journal.writer import JournalFile, open_runs


def test_a_run_is_a_file_of_its_day_that_starts_with_run_started(trail):
    journal = trail.begin("run", messages=2)
    assert journal.path == trail.home / "journal" / "2026-11-18" / "run.jsonl"
    types = [orjson.loads(line)["type"] for _, line in read_lines(journal.path)]
    assert types == ["run_started", "message", "message"]
    assert journal.lines == 3


def test_files_are_for_their_owner_only(trail):
    path = trail.begin("run").path
    assert path.stat().st_mode & 0o777 == 0o600
    assert [place.stat().st_mode & 0o777 for place in (path.parent, path.parent.parent)] == [0o700, 0o700]


def test_closing_tells_the_ledger_lines_and_head(trail):
    journal = trail.begin("run", messages=2)
    journal.close("lost")
    journal.close("ended")
    *_, (_, last) = read_lines(journal.path)
    told = runs_told(trail.home)["run"]
    assert (told.lines, told.head, told.state) == (3, hash_of(last), "lost")
    assert journal.head == hash_of(last)
    assert journal.closed


@pytest.mark.parametrize("run_id", ["", "../run", "a/b", ".hidden", "x" * 65, "a\n"])
def test_a_run_id_that_is_no_file_name_is_refused(trail, run_id):
    with pytest.raises(ValueError, match="not a run_id"):
        JournalFile.create(trail.home, trail.ledger, trail.started(run_id))


def test_a_run_that_has_lines_is_not_begun_again(trail):
    trail.begin("run-a")
    trail.compressed("run-b")
    for run_id in ("run-a", "run-b"):
        with pytest.raises(FileExistsError):
            JournalFile.create(trail.home, trail.ledger, trail.started(run_id, at=0))


@pytest.mark.parametrize("room", [0, 100, 600])
def test_a_run_that_a_full_disk_prevents_can_be_begun_later(trail, cut_writes, monkeypatch, room):
    cut_writes(room)
    with pytest.raises(OSError, match="No space"):
        trail.begin("run")
    monkeypatch.undo()
    trail.begin("run").close("ended")
    assert verify(trail.home).ok


def test_sync_puts_file_names_and_ledger_on_the_disk(trail, monkeypatch):
    synced = []
    monkeypatch.setattr("mcptap.exporters.journal.chain.os.fsync", synced.append)
    journal = trail.begin("run", messages=1)
    journal.sync()
    assert len(synced) == 4  # the file, its directory, the directory of days, the ledger
    journal.sync()
    assert len(synced) == 4


def test_reopening_gives_the_records_and_goes_on(trail):
    journal = trail.begin("run", messages=3)
    trail.restart()
    again, records = JournalFile.reopen(trail.home, trail.ledger, "run")
    again.append([trail.message(4)])
    assert list(records) == [trail.started("run"), *map(trail.message, (1, 2, 3))]
    assert (again.lines, again.path) == (5, journal.path)
    again.close("ended")
    assert verify(trail.home).ok


def test_a_torn_last_line_is_cut_and_told(trail):
    journal = trail.begin("run", messages=3)
    *_, (whole, _), (_, last) = read_lines(journal.path)
    with journal.path.open("r+b") as file:
        file.truncate(whole + 20)
    assert len(last) > 20
    trail.restart()
    again, records = JournalFile.reopen(trail.home, trail.ledger, "run")
    assert (len(list(records)), again.lines) == (3, 3)
    told = list(told_lines(trail.home))[-1]
    assert (told["type"], told["run_id"], told["cut_bytes"]) == ("recovered", "run", 20)
    again.append([trail.message(3)])
    again.close("ended")
    assert verify(trail.home).ok


def test_a_run_that_the_ledger_was_not_told_of_is_recovered(trail):
    path = trail.begin("run", messages=2).path
    trail.ledger.close()
    (trail.home / "ledger.jsonl").unlink()
    trail.restart()
    assert open_runs(trail.home) == ["run"]
    again, _ = JournalFile.reopen(trail.home, trail.ledger, "run")
    again.close("ended")
    assert again.path == path
    assert verify(trail.home).ok


def test_what_is_left_of_a_first_line_is_no_run_and_begun_over(trail):
    path = trail.begin("other").path.with_name("run.jsonl")
    path.write_bytes(b'{"n":1,"pr')
    assert open_runs(trail.home) == ["other"]
    journal = JournalFile.create(trail.home, trail.ledger, trail.started("run", at=0))
    assert (journal.path, journal.lines) == (path, 1)
    assert "recovered" in {told["type"] for told in told_lines(trail.home)}
    report = verify(trail.home)
    assert (report.problems, report.notes) == ([], [])


def test_open_runs_are_those_not_closed_that_have_a_file(trail):
    trail.closed("run-a")
    trail.compressed("run-b")
    trail.begin("run-c", messages=1)
    trail.begin("run-d").path.unlink()
    assert open_runs(trail.home) == ["run-c"]


def test_a_closed_or_missing_run_is_not_reopened(trail):
    trail.closed("run-a")
    trail.compressed("run-b")
    with pytest.raises(ValueError, match="was closed"):
        JournalFile.reopen(trail.home, trail.ledger, "run-a")
    for run_id in ("run-b", "run-c"):
        with pytest.raises(FileNotFoundError):
            JournalFile.reopen(trail.home, trail.ledger, run_id)


def test_a_damaged_line_does_not_prevent_recovery(trail):
    journal = trail.begin("run", messages=3)
    content = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join([*content[:2], b"[1]\n", *content[3:]]))
    trail.restart()
    again, records = JournalFile.reopen(trail.home, trail.ledger, "run")
    assert len(list(records)) == 3
    again.append([trail.message(4)])
    again.close("ended")
    [problem] = verify(trail.home).problems
    assert problem.line == 3


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_writer_has_kept_all_it_said(trail, seed):
    trail.ledger.close()
    command = [sys.executable, str(Path(__file__).with_name("crash.py")), str(trail.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        for _ in range(random.Random(seed).randint(1, 30)):
            said = int(writer.stdout.readline())
        writer.kill()
        for line in writer.stdout.read().splitlines():
            said = int(line)
    trail.restart()
    assert open_runs(trail.home) == ["run"]
    journal, records = JournalFile.reopen(trail.home, trail.ledger, "run")
    kept = [record.seq for record in records if record.type == "message"]
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= said
    journal.close("lost")
    assert verify(trail.home).ok
