"""Who started a run, told by the run's own tap: what can be asked later depends on who still lives."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mcptap.exporters.collector import processes
from mcptap.tap.pipe.wrapper import Tap

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells processes in /proc")


@linux
@pytest.mark.parametrize("name", ["host", "a) R 1 (b", "two words\n"])
def test_a_host_that_has_ended_is_still_told_apart_by_what_its_tap_read(tmp_path, name, monkeypatch):
    shutil.copy(shutil.which("sleep"), tmp_path / name)
    host = subprocess.Popen([tmp_path / name, "60"])
    try:
        monkeypatch.setattr("os.getppid", lambda: host.pid)
        while not (stat := Tap(["server"], {})._hello()["host_stat"]).startswith(f"{host.pid} ({name})"):
            pass  # it is started, but not yet another program than we are
        alive = processes.host_session_id(host.pid, stat), processes.host_name(host.pid, stat)
    finally:
        host.kill()
        host.wait()
    assert (processes.host_session_id(host.pid, stat), processes.host_name(host.pid, stat)) == alive
    ours = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]
    assert int(alive[0].split("-")[1]) >= int(ours)
    assert alive[1] == name


@linux
def test_each_start_of_a_process_and_each_boot_has_a_name_of_its_own(monkeypatch):
    line = "12 (host) S " + "1 " * 18 + "{} 1 2 3"
    names = {processes.host_session_id(12, line.format(started)) for started in (777, 778)}
    monkeypatch.setattr(processes, "_boot", lambda: "another")
    names.add(processes.host_session_id(12, line.format(777)))
    assert len(names) == 3


def test_the_name_is_not_that_of_another_process_with_the_same_pid():
    me = os.getpid()
    line = f"{me} ({{}}) S " + "1 " * 18 + "777 1"
    assert processes.host_name(me, line.format("somebody-else")) == "somebody-else"
    mine = processes.name(me)
    assert processes.host_name(me, line.format(mine[:4])) == processes.host_name(me, None) == mine


def test_without_the_line_a_living_host_is_asked_and_one_that_has_ended_has_no_name():
    host = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        for line in (None, "", "nothing of the kind"):
            assert processes.host_session_id(host.pid, line) == f"{host.pid}-{processes.created(host.pid):.2f}"
    finally:
        host.communicate()
    assert processes.host_session_id(host.pid, None) is None
    assert processes.host_session_id(None, None) is None
    assert processes.host_name(None, None) is None


@pytest.mark.parametrize(
    "line",
    [
        0, 12, True, [], {"a": 1}, b"12 (a) S",
        "12 (a) S 1",
        "13 (another) S " + "1 " * 18 + "777 1",
        "12 (far) S " + "1 " * 18 + "7" * 100_000 + " 1",
        "12 (" + "x" * 100_000 + ") S " + "1 " * 18 + "777 1",
        "12 (digits) S " + "1 " * 18 + "\u0663 1",
    ],
)  # fmt: skip
def test_what_is_no_such_line_is_as_if_none_had_been_told(line):
    assert processes.told(12, line) is None
    assert processes.host_session_id(None, line) is None
