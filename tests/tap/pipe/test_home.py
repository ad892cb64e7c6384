"""The state directory is the same for every tap and the command line, and private."""

import os
import stat
from pathlib import Path

import platformdirs
import pytest

from mcptap.tap.pipe.home import ensure, state_directory


def test_the_default_is_the_platforms_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MCPTAP_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_directory() == platformdirs.user_state_dir("mcptap")


def test_an_option_goes_before_the_environment_and_that_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPTAP_HOME", "/from/environment")
    assert state_directory("/from/option") == "/from/option"
    assert state_directory() == "/from/environment"


def test_a_variable_that_hosts_do_not_pass_on_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MCPTAP_HOME", raising=False)
    before = state_directory()
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert state_directory() == before


def test_it_is_made_for_its_owner_alone_also_when_it_stood_open(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    ensure(str(home))
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    os.chmod(home, 0o755)
    ensure(str(home))
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
