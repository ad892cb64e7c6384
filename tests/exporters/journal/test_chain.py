"""Appending to a chained file."""

from __future__ import annotations

import os
import resource
import signal

import pytest

from mcptap.exporters.journal.chain import Chain, Tail, tail_of
from mcptap.exporters.journal.line import LEDGER_ROOT, fault, hash_of

EMPTY = Tail(0, LEDGER_ROOT, 0, 0)
BATCH = [("message", b'{"a":"%b"}' % (b"x" * 1000))] * 5


@pytest.fixture
def chain(tmp_path):
    made = Chain(tmp_path / "chain.jsonl", EMPTY)
    yield made
    made.close()


def assert_whole(chain, lines):
    assert (chain.lines, chain.size) == (lines, chain.path.stat().st_size)
    assert tail_of(chain.path, LEDGER_ROOT) == Tail(lines, chain.head, chain.size, 0)
    head = LEDGER_ROOT
    for n, line in enumerate(chain.path.read_bytes().splitlines(keepends=True), 1):
        assert fault(line, n, head) is None
        head = hash_of(line)


def test_batches_make_one_chain(chain):
    chain.append(BATCH)
    chain.append([])
    chain.append(BATCH)
    assert_whole(chain, 10)


def test_the_file_is_for_its_owner_only(chain):
    assert chain.path.stat().st_mode & 0o777 == 0o600


def test_a_batch_is_one_write(chain, monkeypatch):
    sizes, real = [], os.write
    monkeypatch.setattr(os, "write", lambda fd, data: sizes.append(len(data)) or real(fd, data))
    chain.append(BATCH)
    assert sizes == [chain.size]


def test_a_short_write_is_gone_on_with(chain, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:700]))
    chain.append(BATCH)
    assert_whole(chain, 5)


@pytest.mark.parametrize("room", [0, 1, 500, 1180, 5000])
def test_a_disk_that_fills_up_leaves_whole_batches(chain, cut_writes, monkeypatch, room):
    chain.append(BATCH)
    cut_writes(room)
    with pytest.raises(OSError, match="No space"):
        chain.append(BATCH)
    assert_whole(chain, 5)
    monkeypatch.undo()
    chain.append(BATCH)
    assert_whole(chain, 10)


def test_a_batch_that_the_kernel_itself_cuts_short_is_taken_back(chain):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    chain.append(BATCH)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (chain.size + 1500, hard))
        with pytest.raises(OSError, match="File too large"):
            chain.append(BATCH)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert_whole(chain, 5)


def test_what_could_not_be_taken_back_at_once_is_before_the_next_batch(chain, cut_writes, monkeypatch):
    chain.append(BATCH)
    cut_writes(500)
    monkeypatch.setattr(os, "ftruncate", lambda fd, size: (_ for _ in ()).throw(OSError("stuck")))
    with pytest.raises(OSError, match="stuck"):
        chain.append(BATCH)
    assert chain.path.stat().st_size == chain.size + 500
    monkeypatch.undo()
    chain.append(BATCH)
    assert_whole(chain, 10)


def test_opening_cuts_what_is_torn(chain):
    chain.append(BATCH)
    chain.close()
    with chain.path.open("ab") as file:
        file.write(b'{"n":6,"pr')
    tail = tail_of(chain.path, LEDGER_ROOT)
    assert tail == Tail(5, chain.head, chain.size, 10)
    again = Chain(chain.path, tail)
    again.append(BATCH)
    again.close()
    assert_whole(again, 10)


def test_sync_waits_for_the_disk_once_per_change(chain, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(real(fd)))
    chain.append(BATCH)
    chain.sync()
    chain.sync()
    assert len(synced) == 1


def test_a_failed_sync_is_tried_again(chain, monkeypatch):
    chain.append(BATCH)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError("bad disk")))
        with pytest.raises(OSError, match="bad disk"):
            chain.sync()
    synced, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(real(fd)))
    chain.sync()
    assert len(synced) == 1
