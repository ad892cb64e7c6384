"""The ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from mcptap.exporters.journal.ledger import Ledger, RunTold, ledger_path, runs_told, told_lines
from mcptap.exporters.journal.line import LEDGER_ROOT
from mcptap.exporters.journal.verify import verify


def test_it_tells_how_each_run_went(trail):
    trail.begin("run-a")
    trail.compressed("run-b", messages=1)
    told = runs_told(trail.home)
    assert told["run-a"] == RunTold("journal/2026-11-18/run-a.jsonl")
    b = told["run-b"]
    assert (b.file, b.lines, b.state) == ("journal/2026-11-18/run-b.jsonl", 3, "ended")
    path = trail.home / "journal/2026-11-18/run-b.jsonl.gz"
    assert (b.gz_bytes, len(b.gz_sha256)) == (path.stat().st_size, 64)


def test_it_knows_the_open_runs_again_after_a_restart(trail):
    trail.begin("run-a")
    trail.closed("run-b")
    trail.restart()
    assert trail.ledger.open == {"run-a": "journal/2026-11-18/run-a.jsonl"}


def test_home_and_file_are_for_their_owner_only(trail):
    assert trail.home.stat().st_mode & 0o777 == 0o700
    assert ledger_path(trail.home).stat().st_mode & 0o777 == 0o600


def test_the_chain_goes_on_after_a_restart(trail):
    assert trail.ledger.head == LEDGER_ROOT
    for run_id in ("run-a", "run-b"):
        trail.closed(run_id)
        trail.restart()
    report = verify(trail.home)
    assert (report.ok, report.ledger_lines, report.ledger_head) == (True, 4, trail.ledger.head)


def test_a_torn_last_line_is_cut_and_told(trail):
    trail.closed("run")
    with ledger_path(trail.home).open("ab") as file:
        file.write(b'{"n":3,"prev":"')
    trail.restart()
    last = list(told_lines(trail.home))[-1]
    assert (last["type"], last["run_id"], last["cut_bytes"]) == ("recovered", None, 15)
    assert verify(trail.home).ok


def test_a_damaged_line_stops_neither_opening_nor_adding(trail):
    trail.closed("run-a")
    path = ledger_path(trail.home)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\xff not JSON\n")
    trail.restart()
    trail.closed("run-b")
    [problem] = [problem for problem in verify(trail.home).problems if problem.file == path.name]
    assert problem.line == 2
    assert runs_told(trail.home)["run-b"].lines == 5


def test_threads_share_one_chain(trail):
    def tell(worker):
        for n in range(100):
            trail.ledger.append("scrubbed", run_id=f"run-{worker}", number=n)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(8)))
    report = verify(trail.home)
    assert (report.ok, report.ledger_lines) == (True, 800)


def test_a_full_disk_leaves_whole_lines(trail, cut_writes, monkeypatch):
    trail.ledger.append("scrubbed", run_id="a")
    cut_writes(100)
    with pytest.raises(OSError, match="No space"):
        trail.ledger.append("scrubbed", run_id="b")
    monkeypatch.undo()
    trail.ledger.append("scrubbed", run_id="c")
    assert [orjson.loads(line)["run_id"] for line in ledger_path(trail.home).read_bytes().splitlines()] == [
        "a",
        "c",
    ]
    assert verify(trail.home).ok


def test_nothing_is_told_where_there_is_no_ledger(tmp_path):
    assert runs_told(tmp_path) == {}


def test_a_home_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        Ledger(tmp_path / "file" / "home")
