"""Built databases are kept from one collector to the next, and only this installation's own are used."""

from __future__ import annotations

from pathlib import Path

from mcptap.exporters.collector.database_file import DatabaseFile


def names(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


def test_a_database_of_other_rules_is_replaced_and_one_of_another_kind_is_not(tmp_path: Path) -> None:
    cache, other = DatabaseFile(tmp_path, b"key", "rules"), DatabaseFile(tmp_path, b"key", "texts")
    other.store("old", b"kept")
    cache.store("old", b"data")
    cache.store("new", b"more")
    assert names(tmp_path) == ["rules-new.hs", "texts-old.hs"]
    assert (cache.load("old"), cache.load("new"), other.load("old")) == (None, b"more", b"kept")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_database_that_another_hand_changed_is_not_used(tmp_path: Path) -> None:
    cache = DatabaseFile(tmp_path, b"key", "rules")
    cache.store("x", b"data")
    path = tmp_path / "rules-x.hs"
    assert DatabaseFile(tmp_path, b"other", "rules").load("x") is None
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert cache.load("x") is None


def test_a_database_under_another_name_than_its_own_is_not_used(tmp_path: Path) -> None:
    cache = DatabaseFile(tmp_path, b"key", "rules")
    cache.store("x", b"data")
    (tmp_path / "rules-y.hs").write_bytes((tmp_path / "rules-x.hs").read_bytes())
    (tmp_path / "texts-x.hs").write_bytes((tmp_path / "rules-x.hs").read_bytes())
    assert (cache.load("x"), cache.load("y")) == (b"data", None)
    assert DatabaseFile(tmp_path, b"key", "texts").load("x") is None


def test_who_may_only_read_writes_none(tmp_path: Path) -> None:
    DatabaseFile(tmp_path, b"key", "rules", read_only=True).store("x", b"data")
    assert not names(tmp_path)


def test_a_directory_that_cannot_be_written_costs_nothing_but_the_cache(tmp_path: Path) -> None:
    DatabaseFile(tmp_path / "missing", b"key", "rules").store("x", b"data")
    assert not names(tmp_path)
