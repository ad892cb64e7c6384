"""How files fit with the ledger."""

from __future__ import annotations

import hashlib

from mcptap.exporters.journal.ledger import ledger_path
from mcptap.exporters.journal.verify import verify


def test_an_unknown_file_is_named(trail):
    path = trail.closed("run-a")
    path.with_name("run-b.jsonl").write_bytes(path.read_bytes())
    [problem] = verify(trail.home).problems
    assert (problem.run_id, problem.line) == ("run-b", 1)  # the copy is not that run's
    path.with_name("run-b.jsonl").unlink()
    ledger_path(trail.home).write_bytes(b"")
    [problem] = verify(trail.home).problems
    assert (problem.run_id, problem.what) == ("run-a", "the ledger does not know this file")


def test_a_moved_file_is_named(trail):
    path = trail.closed("run")
    other = path.parent.with_name("2026-01-01")
    other.mkdir()
    path.rename(other / path.name)
    moved, missing = verify(trail.home).problems
    assert "2026-11-18" in moved.what
    assert "missing" in missing.what


def test_a_missing_ledger_is_named(trail):
    trail.closed("run")
    ledger_path(trail.home).unlink()
    assert "the ledger is missing" in {problem.what for problem in verify(trail.home).problems}


def test_a_run_that_has_ended_and_is_not_closed_is_noted(trail):
    trail.begin("run").append([trail.ended()])
    report = verify(trail.home)
    assert (report.ok, len(report.notes)) == (True, 1)


def test_the_hash_of_a_compressed_file_is_checked_though_its_lines_are_good(trail):
    path = trail.compressed("run")
    content = bytearray(path.read_bytes())
    content[4] ^= 1  # the time in the header
    path.write_bytes(content)
    [problem] = verify(trail.home).problems
    assert problem.line is None
    assert hashlib.sha256(content).hexdigest() not in ledger_path(trail.home).read_text()
