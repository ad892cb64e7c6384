"""A reader waits for the tables, and says what they still lack when it waits no longer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.cli import reading

MB = 1_000_000


@pytest.mark.parametrize(
    ("state", "detail", "line"),
    [
        ("ok", "", "3.0 MB of the journal are not in the tables yet; ask again for the rest"),
        ("full", "no space left", "3.0 MB of the journal are not in the tables yet (full no space left); ask again"),
    ],
)
def test_an_answer_that_leaves_something_out_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: str, detail: str, line: str
) -> None:
    _tells(monkeypatch, lag_bytes=3 * MB, state=state, detail=detail)
    monkeypatch.setattr(reading, "CATCH_UP_S", -reading.FRESH_S)
    reading._await_tables(Path("home"))
    assert line in capsys.readouterr().err


def test_an_answer_that_leaves_nothing_out_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _tells(monkeypatch, lag_bytes=0, state="ok", detail="")
    reading._await_tables(Path("home"))
    assert capsys.readouterr().err == ""


def _tells(monkeypatch: pytest.MonkeyPatch, **store: Any) -> None:
    told = {"store": {"port": 1, **store}, "collector": {"uptime_s": 60.0}}
    monkeypatch.setattr(reading, "ask", lambda *_: told)
