"""A collector in the foreground stays until it is told to go, and is the only one."""

from __future__ import annotations

import json
import signal
import stat
from typing import Any

import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, None])
def test_it_stays_until_it_is_told_to_go(fresh: Any, eventually: Any, number: signal.Signals | None) -> None:
    collector = fresh.start("collector")
    try:
        told = eventually(lambda: _running(fresh))
        assert told["pid"] == collector.pid
        assert stat.S_IMODE(fresh.home.stat().st_mode) == 0o700
        if number:
            collector.send_signal(number)
        else:
            assert fresh.say("stop").status == 0
        _, err = collector.communicate(timeout=60)
    finally:
        collector.kill()
    assert collector.returncode == 0
    assert b"Traceback" not in err


def test_a_second_one_is_refused(fresh: Any, eventually: Any) -> None:
    collector = fresh.start("collector")
    try:
        eventually(lambda: _running(fresh))
        said = fresh.say("collector")
        assert said.status == 1
        assert f"a collector (pid {collector.pid}) is at work" in said.err
    finally:
        collector.terminate()
        collector.communicate(timeout=60)


def test_it_does_not_leave_when_nobody_is_there(fresh: Any, eventually: Any) -> None:
    hasty = "from mcptap.exporters.collector import service; service.IDLE_S = 0.5; "
    fresh.program = [*fresh.program[:-1], hasty + fresh.program[-1]]
    collector = fresh.start("collector")
    try:
        eventually(lambda: (told := _running(fresh)) and told["uptime_s"] > 3)
        assert collector.poll() is None
    finally:
        collector.terminate()
        collector.communicate(timeout=60)


def _running(fresh: Any) -> dict[str, Any] | None:
    told: dict[str, Any] = json.loads(fresh.say("status", "--json").out)["collector"]
    return told if told["state"] == "running" else None
