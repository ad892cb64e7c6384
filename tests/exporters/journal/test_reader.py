"""Reading run files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcptap.exporters.journal import reader
from mcptap.exporters.journal.compression import compress
from mcptap.exporters.journal.reader import (
    DamagedFileError,
    RunFile,
    find_run,
    read_lines,
    read_to_end,
    run_files,
    stat_of,
)


def test_lines_come_with_the_offset_behind_them(trail):
    path = trail.closed("run")
    content, offset = path.read_bytes(), 0
    for after, line in read_lines(path):
        assert content[offset:after] == line
        offset = after
    assert offset == len(content)


def test_reading_goes_on_at_an_offset_in_either_form(trail):
    plain = trail.closed("run", messages=20)
    whole = list(read_lines(plain))
    packed = compress(trail.home, trail.ledger, "run")
    for path in (packed, plain):  # the plain one is gone; a reader that knows only its name goes on
        for place, (offset, _) in enumerate(whole, 1):
            assert list(read_lines(path, offset)) == whole[place:]


def test_an_offset_behind_the_end_gives_nothing(trail):
    plain = trail.closed("one")
    size = plain.stat().st_size
    assert list(read_lines(plain, size + 99)) == []
    assert list(read_lines(trail.compressed("two"), size * 99)) == []


def test_what_has_no_newline_yet_is_no_line(trail):
    journal = trail.begin("run", messages=2)
    whole = list(read_lines(journal.path))
    with journal.path.open("ab") as file:
        file.write(b'{"n":4')
    assert list(read_lines(journal.path)) == whole
    assert list(read_to_end(journal.path))[-1] == (journal.path.stat().st_size, b'{"n":4')


def test_a_reader_that_goes_on_sees_what_was_added(trail):
    journal = trail.begin("run", messages=2)
    *_, (offset, _line) = read_lines(journal.path)
    assert list(read_lines(journal.path, offset)) == []
    journal.append([trail.message(3)])
    assert len(list(read_lines(journal.path, offset))) == 1


def test_a_line_longer_than_any_is_damage(trail, monkeypatch):
    plain, packed = trail.closed("one"), trail.compressed("two")
    monkeypatch.setattr(reader, "MAX_LINE", 200)
    for path in (plain, packed):
        with pytest.raises(DamagedFileError, match="more than 200 bytes"):
            list(read_lines(path))


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(read_lines(tmp_path / "none.jsonl"))


def test_run_files_lists_each_run_once_oldest_first(trail):
    second, first = trail.closed("run-b"), trail.compressed("run-a")
    second.with_name("run-b.jsonl.gz").write_bytes(b"unfinished")
    second.with_name("run-b.jsonl.gz.tmp").write_bytes(b"unfinished")
    earlier = trail.home / "journal" / "2025-01-01"
    earlier.mkdir()
    old = earlier / "run-z.jsonl"
    old.touch()
    assert run_files(trail.home) == [RunFile("run-z", old), RunFile("run-a", first), RunFile("run-b", second)]
    assert find_run(trail.home, "run-b") == second
    for other in ("run-c", "run-*", "../run-b", ""):
        assert find_run(trail.home, other) is None


def test_a_file_that_is_compressed_while_files_are_listed_is_listed(trail, monkeypatch):
    trail.closed("run")
    glob = Path.glob

    def meanwhile(self: Path, pattern: str) -> list[Path]:
        found = list(glob(self, pattern))
        monkeypatch.setattr(Path, "glob", glob)
        compress(trail.home, trail.ledger, "run")
        return found

    monkeypatch.setattr(Path, "glob", meanwhile)
    assert [run.run_id for run in run_files(trail.home)] == ["run"]


def test_what_a_file_is_like_is_known_after_it_was_compressed(trail, tmp_path):
    plain = trail.closed("run")
    assert stat_of(plain) == plain.stat()
    packed = compress(trail.home, trail.ledger, "run")
    assert stat_of(plain) == stat_of(packed) == packed.stat()
    assert stat_of(tmp_path / "none.jsonl") is None


def test_an_empty_home_has_no_run_files(tmp_path):
    assert run_files(tmp_path) == []
