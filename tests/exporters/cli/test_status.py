"""Status tells how everything is, running or not; stop returns when the collector has left."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import psutil


def test_without_a_collector_the_same_keys_are_told(fresh: Any) -> None:
    told = json.loads(fresh.say("status", "--json").out)
    assert told["collector"] == {"pid": None, "state": "stopped", "home": str(fresh.home)}
    assert told["store"]["state"] == "closed"
    assert told["lag"] == {"runs": None, "bytes": None}
    assert told["gaps"] == {"count": None, "bytes": None, "noted_bytes": 0}
    assert "stopped" in fresh.say("status").out
    assert "nothing is recorded there yet; wrap a server: mcptap --" in fresh.say("status").out
    assert not fresh.home.exists()


def test_the_state_of_all_parts_is_told(recorded: Any) -> None:
    recorded.say("runs")
    told = json.loads(recorded.say("status", "--json").out)
    assert psutil.pid_exists(told["collector"]["pid"])
    assert (told["collector"]["state"], told["journal"]["state"], told["store"]["state"]) == ("running", "ok", "ok")
    assert told["lag"] == {"runs": 0, "bytes": 0}
    assert told["gaps"] == {"count": 2, "bytes": 4106, "noted_bytes": 0}
    said = recorded.say("status").out
    assert "2, 4.1 kB passed unrecorded" in said
    assert "nothing is recorded" not in said


def test_bytes_that_taps_noted_without_a_collector_are_told(fresh: Any) -> None:
    (fresh.home / "unrecorded").mkdir(parents=True)
    (fresh.home / "unrecorded" / "x.json").write_text('{"run_id": "x", "offsets": [1000, 500, 0]}')
    (fresh.home / "unrecorded" / "y.json").write_text("half a not")
    assert json.loads(fresh.say("status", "--json").out)["gaps"]["noted_bytes"] == 1500
    assert "1.5 kB more" in fresh.say("status").out


def test_stop_returns_when_the_collector_has_left(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    fresh.say("runs")
    pid = json.loads(fresh.say("status", "--json").out)["collector"]["pid"]
    said = fresh.say("stop")
    assert (said.status, said.out) == (0, f"the collector (pid {pid}) has left\n")
    with suppress(psutil.NoSuchProcess):
        assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert fresh.say("stop").out == "no collector is running\n"
