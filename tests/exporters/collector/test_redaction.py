"""The redaction stage of an installation: its settings, its database, and what it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcptap.exporters.collector.redaction import CHANGED, Redaction
from mcptap.exporters.configuration import CONFIG
from mcptap.tap.redact.settings import CLOSED, Settings

SECRET = "acme_" + "a1b2" * 5


def databases(home: Path) -> list[Path]:
    return sorted(home.glob("rules-*.hs"))


def test_without_a_configuration_everybody_gets_the_same(tmp_path: Path) -> None:
    redaction = Redaction(tmp_path)
    assert redaction.settings == Settings()
    assert redaction.problem is None
    assert redaction.redactor.text("password=hunter2Zq")[1]
    assert redaction.redactor.text("jane.roe@contoso.com")[1]
    status = redaction.status()
    assert (status["state"], status["engine"], status["unredacted"]) == ("ok", "literals", [])
    assert status["rules"] > 400
    assert status["personal_data"] == "presidio"


def test_a_users_rules_and_scopes_are_used(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(
        "[redaction.rules.acme-key]\nkeywords = ['acme_']\npattern = 'acme_[a-z0-9]{20}'\n"
        "[[redaction.scope]]\nserver = 'debug'\nmode = 'full'\n"
    )
    redaction = Redaction(tmp_path)
    assert redaction.redactor.text(f"key {SECRET}")[1][0].rule == "acme-key"
    assert redaction.status()["unredacted"] == ["debug/*"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[redaction]\nmode = 'x'", "redaction.mode: must be one of"),
        (b"[redaction", "is not TOML: "),
        (b"[redacton]\nmode = 'hash'", "redacton: there is no such table, only detection, otlp, pii, redaction"),
        (b"mode = 'hash'", "mode: there is no such table"),
        (b"\xff\xfe", "is not TOML: "),
        (b"[pii]\nentities = ['URL']", "pii.entities: URL cannot be switched on"),
    ],
)
def test_while_the_configuration_is_wrong_no_body_is_kept(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / CONFIG).write_bytes(content)
    redaction = Redaction(tmp_path)
    assert redaction.settings == CLOSED
    assert redaction.settings.mode_of(("any",), None) == "hash"
    assert redaction.problem is not None
    assert redaction.problem.startswith(f"{tmp_path / CONFIG}: {told}")
    assert "\n" not in redaction.problem
    assert redaction.status()["state"] == "failing"


def test_the_database_is_built_once_private_and_loaded_the_next_time(tmp_path: Path) -> None:
    first = Redaction(tmp_path)
    first.build()
    (path,) = databases(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert first.status()["engine"] == "hyperscan"
    assert Redaction(tmp_path).status()["engine"] == "hyperscan"


def test_a_configuration_that_has_been_changed_since_is_told(tmp_path: Path) -> None:
    redaction = Redaction(tmp_path)
    assert redaction.status()["detail"] is None
    (tmp_path / CONFIG).write_text("[otlp]\n")
    assert redaction.status()["detail"] is None, "that table is read again by itself"
    (tmp_path / CONFIG).write_text("[redaction]\n")
    assert redaction.status()["detail"] == CHANGED
    assert Redaction(tmp_path).status()["detail"] is None
