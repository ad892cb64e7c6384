"""What the demo reads back: text from servers never reaches the terminal as it is, and leaks are found."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mcptap.exporters.demo import recorded
from mcptap.exporters.store import read

SECRET = "open" + "-" + "sesame"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A store whose every answer is this list."""
    rows: list[tuple[Any, ...]] = []
    monkeypatch.setattr(read, "run", lambda sql, home: (["server", "tool"], rows))
    monkeypatch.setattr(recorded, "CATCH_UP", 0.0)
    return rows


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße ✓", "Grüße ✓"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb", "a\\nb"),
        ("\x9b1m", "\\x9b1m"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert recorded.visible(text) == shown


def test_markup_from_a_server_is_printed_and_not_interpreted(store: list[tuple[Any, ...]]) -> None:
    store.append(("[red]x[/]", "\x1b]0;title\x07"))
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    for table in recorded.tables(Path("/nowhere"), recorded.since(0)):
        console.print(table)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]x[/]" in printed
    assert "\x1b]0;" not in printed


def test_what_was_seen_and_not_recorded_is_named_with_its_number(store: list[tuple[Any, ...]]) -> None:
    store.append(("weather", "tools/call", "weather", "ok", 2))
    seen = {"weather": Counter({("tools/call", "weather", "ok"): 3})}
    assert recorded.missing(Path("/nowhere"), seen, recorded.since(0)) == [
        "not recorded: 1 x weather tools/call weather ok"
    ]


def test_what_was_recorded_too_often_is_named_too(store: list[tuple[Any, ...]]) -> None:
    store.append(("weather", "ping", None, "ok", 2))
    seen = {"weather": Counter({("ping", None, "ok"): 1})}
    assert recorded.missing(Path("/nowhere"), seen, recorded.since(0)) == [
        "recorded too much: 1 x weather ping None ok"
    ]


def test_a_secret_is_found_in_plain_and_in_compressed_files(store: list[tuple[Any, ...]], tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_text(f"x {SECRET} y")
    (tmp_path / "run.jsonl.gz").write_bytes(gzip.compress(SECRET.encode()))
    (tmp_path / "clean").write_text("nothing")
    assert recorded.leaks(tmp_path, {"password": SECRET}) == [
        "password came to rest in the file deep/log",
        "password came to rest in the file run.jsonl.gz",
    ]


def test_a_secret_is_found_in_rows_and_never_repeated_in_the_message(
    store: list[tuple[Any, ...]], tmp_path: Path
) -> None:
    store.append((f"x {SECRET}",))
    found = recorded.leaks(tmp_path, {"password": SECRET})
    assert len(found) == len(recorded.KEPT)
    assert not any(SECRET in line for line in found)


def test_run_ids_begin_with_their_time() -> None:
    assert recorded.since(0) == "00000000-0000"
    assert recorded.since(1_700_000_000.123) == "018bcfe5-687b"
