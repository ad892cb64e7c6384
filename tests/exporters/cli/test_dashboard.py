"""`mcptap dashboard` starts the pages, or says in one line how they are installed."""

from __future__ import annotations

import os
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mcptap.exporters.cli import dashboard as command
from mcptap.exporters.cli.errors import CommandError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words of the programs that would have taken this one's place."""
    found: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _program, words: found.append(words))
    return found


def test_without_streamlit_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, started: Any) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "streamlit" else util.find_spec(name))
    said = CliRunner().invoke(command.dashboard, [])
    assert isinstance(said.exception, CommandError)
    assert "mcptap[dashboard]" in said.exception.hint
    assert started == []


def test_what_is_asked_for_is_handed_on(started: list[list[str]], tmp_path: Path) -> None:
    words = ["--home", str(tmp_path), "--port", "9000", "--no-browser", "--host", "0.0.0.0", "--token"]
    assert CliRunner().invoke(command.dashboard, words).exit_code == 0
    (told,) = started
    assert told[1:4] == ["-P", "-m", "mcptap.dashboard"]
    assert told[4:] == ["--home", str(tmp_path), "--host", "0.0.0.0", "--port", "9000", "--no-browser", "--token"]
