"""What the collector detects with: its settings are told, and what was seen outlives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcptap.exporters.collector.detection import APPROVED, SEEN, Detection
from mcptap.exporters.configuration import CONFIG
from mcptap.tap.detect.glance import automaton


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize(
    ("content", "state", "detail"),
    [
        (b"", "ok", None),
        (b"[detection]\nenabled = false\n", "off", "turned it off"),
        (b"[detection\n", "failing", "is not TOML"),
        (b"\xff\xfe", "failing", "is not TOML"),
        (b"[detection]\nenabeld = false\n", "failing", "enabeld"),
    ],
)
def test_settings_are_taken_or_what_is_wrong_with_them_is_told(
    home: Path, content: bytes, state: str, detail: str | None
) -> None:
    (home / CONFIG).write_bytes(content)
    told = Detection(home).status()
    assert told["state"] == state
    assert detail in told["detail"] if detail else told["detail"] is None
    assert told["text_rules"] > 0


def test_without_a_file_the_built_in_rules_are_at_work(home: Path) -> None:
    assert Detection(home).status()["state"] == "ok"


def test_a_file_that_cannot_be_read_is_told(home: Path) -> None:
    (home / CONFIG).mkdir()
    assert "cannot be read" in Detection(home).status()["detail"]


def test_what_servers_offered_outlives_the_collector(home: Path) -> None:
    offer = {"server": {"tool:x": {"hash": "h", "body": "{}"}}}
    first = Detection(home)
    shared = first.everywhere()
    shared.offered.seen, shared.offered.changed = offer, True
    first.keep()
    assert (home / SEEN).stat().st_mode & 0o777 == 0o600
    assert Detection(home).everywhere().offered.seen == offer


def test_the_automaton_is_built_once_and_loaded_by_later_collectors(home: Path) -> None:
    automaton.cache_clear()  # as in a process of its own
    first = Detection(home)
    assert first.everywhere().injected.automaton.database is None
    first.build()
    (path,) = home.glob("texts-*.hs")
    assert path.stat().st_mode & 0o777 == 0o600
    for expected in (True, False):
        automaton.cache_clear()
        assert (Detection(home).everywhere().injected.automaton.database is not None) == expected
        path.write_bytes(path.read_bytes()[:32] + b"no database")


def test_another_users_rule_is_another_automaton(home: Path) -> None:
    Detection(home).build()
    (home / CONFIG).write_text("[detection.rules.own]\npattern = 'zxcvb'\nkeywords = ['zxcvb']\n")
    changed = Detection(home)
    assert changed.problem is None
    assert changed.everywhere().injected.automaton.database is None


def test_where_it_is_turned_off_no_automaton_is_built(home: Path) -> None:
    (home / CONFIG).write_text("[detection]\nenabled = false\n")
    Detection(home).build()
    assert not list(home.glob("*.hs"))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"s": 1}', b'{"s": {"t": {"hash": 1}}}', b"\xff"])
def test_a_file_of_another_form_is_no_offer(home: Path, content: bytes) -> None:
    (home / APPROVED).write_bytes(content)
    (home / SEEN).write_bytes(content)
    shared = Detection(home).everywhere()
    assert not any(shared.offered.approved.values())
    assert shared.offered.seen == {}


def test_an_approval_is_taken_while_at_work(home: Path) -> None:
    detection = Detection(home)
    assert detection.everywhere().offered.approved == {}
    (home / APPROVED).write_bytes(b'{"s": {"tool:x": {"hash": "h", "body": "{}"}}}')
    assert detection.everywhere().offered.approved == {"s": {"tool:x": {"hash": "h", "body": "{}"}}}
