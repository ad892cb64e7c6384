"""A collector that was killed is known from one that left; how the store is comes in one word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcptap.dashboard.presence import READABLE, Condition, condition, was_killed


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"pid": "x"}', b"[1]"])
def test_without_a_readable_note_nobody_was_killed(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "collector.json").write_bytes(content)
    assert not was_killed(tmp_path)


def test_a_note_of_a_process_that_is_gone_tells_of_a_kill(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "collector.json").write_text(json.dumps({"pid": gone.pid}))
    assert was_killed(tmp_path)
    (tmp_path / "collector.json").write_text(json.dumps({"pid": os.getpid()}))
    assert not was_killed(tmp_path)


def test_the_condition_is_one_word(tmp_path: Path, recording: Any) -> None:
    assert condition(tmp_path / "nothing") == (Condition("empty"), {})
    assert condition(tmp_path)[0].state == "stopped"
    told, whole = condition(recording.home)
    assert told.state == READABLE
    assert whole["store"]["state"] == "ok"


@pytest.mark.parametrize(
    ("store", "state"),
    [({"port": None, "state": "locked", "detail": "by 7"}, "locked"), ({"port": None, "state": "loading"}, "loading"),
     ({"port": 1, "state": "locked"}, READABLE), (None, "outdated")],
)  # fmt: skip
def test_a_store_that_cannot_be_read_says_why(
    store: Any, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcptap.dashboard.presence.client.request", lambda *_: {"store": store})
    assert condition(tmp_path)[0].state == state
