"""Compressing the files of ended runs."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from mcptap.exporters.journal import compression
from mcptap.exporters.journal.compression import compress
from mcptap.exporters.journal.verify import verify


def test_an_ended_run_becomes_a_smaller_file_of_the_same_lines(trail):
    plain = trail.closed("run", messages=50)
    content = plain.read_bytes()
    packed = compress(trail.home, trail.ledger, "run")
    assert not plain.exists()
    assert gzip.decompress(packed.read_bytes()) == content
    assert packed.stat().st_size < len(content) / 2
    assert packed.stat().st_mode & 0o777 == 0o600
    assert verify(trail.home).ok


def test_the_same_lines_compress_to_the_same_bytes(trail):
    content = trail.closed("run")
    before = content.read_bytes()
    first = compress(trail.home, trail.ledger, "run")
    packed = first.read_bytes()
    assert packed[4:8] == bytes(4)  # no time in the header
    content.write_bytes(before)
    assert compress(trail.home, trail.ledger, "run").read_bytes() == packed


def test_what_is_compressed_stays(trail):
    packed = trail.compressed("run")
    head = trail.ledger.head
    assert compress(trail.home, trail.ledger, "run") == packed
    assert trail.ledger.head == head


def test_the_plain_file_goes_last_when_all_else_is_on_the_disk(trail, monkeypatch):
    plain, steps, real = trail.closed("run"), [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: steps.append((plain.exists(), real(fd))))
    compress(trail.home, trail.ledger, "run")
    assert [there for there, _ in steps] == [True] * 3  # the compressed file, its name, the ledger


def test_an_open_run_is_refused(trail):
    trail.begin("run")
    with pytest.raises(ValueError, match="still open"):
        compress(trail.home, trail.ledger, "run")


def test_an_unknown_run_is_not_found(trail):
    with pytest.raises(FileNotFoundError):
        compress(trail.home, trail.ledger, "run")


class Crash(BaseException):
    pass


STEPS = {
    "while writing": (compression.os, "fsync"),
    "before naming": (Path, "replace"),
    "before the name is on the disk": (compression, "sync_directory"),
    "before telling": (compression.Ledger, "append"),
    "before the ledger is on the disk": (compression.Ledger, "sync"),
    "before removing": (Path, "unlink"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_loses_nothing_and_is_put_right(trail, monkeypatch, step):
    content = trail.closed("run", messages=20).read_bytes()

    def crash(*_):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(*STEPS[step], lambda *_, **__: crash())
        with pytest.raises(Crash):
            compress(trail.home, trail.ledger, "run")
    assert verify(trail.home).ok
    trail.restart()
    packed = compress(trail.home, trail.ledger, "run")
    assert gzip.decompress(packed.read_bytes()) == content
    assert [path.name for path in packed.parent.iterdir()] == [packed.name]
    report = verify(trail.home)
    assert (report.problems, report.notes) == ([], [])
