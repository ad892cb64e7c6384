"""The tap never changes what passes: seen from a host, with real processes on both sides."""

import os
import pty
import signal
import subprocess
import sys

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcptap.exporters.selftest.cases import PAYLOADS, make_cases
from mcptap.exporters.selftest.plays import take_turns
from mcptap.exporters.selftest.run import run_selftest

ENTRY = "from mcptap.exporters.entry import main; main()"
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD_PIECES = st.one_of(st.binary(max_size=400), st.sampled_from([data for _, data in PAYLOADS]))


@pytest.fixture(scope="module")
def compare(shared_tap):
    """Runs one case directly and through the tap; returns where they part."""

    def run(case):
        (result,) = run_selftest([str(shared_tap.around()[0])], home=str(shared_tap.home), cases=[case])
        return result.detail

    return run


# Of a flood, what pipes and buffers hold many times over; to record all of it takes longer than to pass it.
@pytest.mark.parametrize("case", make_cases(flood=1 << 20), ids=lambda case: case.name.replace(" ", "-"))
def test_a_server_behind_the_tap_is_the_same_server(compare, case):
    assert compare(case) == ""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["exit status", "death by signal", "both flood", "writes before it reads"])
def test_every_exit_code_and_every_signal_comes_back_and_a_long_flood_passes(compare, name):
    (case,) = (row for row in make_cases(thorough=True) if row.name == name)
    assert compare(case) == ""


@FEW
@given(pieces=st.lists(ODD_PIECES.filter(bool), min_size=1, max_size=6))
def test_any_bytes_pass_both_ways_unchanged_and_at_once(shared_tap, pieces):
    with shared_tap.host("copy") as host:
        sent = b""
        for piece in pieces:
            sent += piece
            assert host.send(piece) == "taken"
            assert host.await_output(len(sent)), "held back"
        host.close()
        facts = host.facts()
    assert (facts["stdout"], facts["stderr"], facts["exit status"]) == (sent, b"", 0)


@FEW
@given(data=st.binary(min_size=1, max_size=5000), times=st.integers(1, 100))
def test_any_bytes_pass_on_stderr_unchanged(shared_tap, data, times):
    with shared_tap.host("copy-to-stderr") as host:
        host.send(data * times)
        host.close()
        facts = host.facts()
    assert (facts["stderr"], facts["stdout"], facts["exit status"]) == (data * times, b"", 0)


def test_a_command_that_does_not_exist_ends_with_127_and_one_line(tap):
    ended = subprocess.run(tap.around("no-such-server"), capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (127, b"")
    assert ended.stderr.startswith(b"mcptap: ")
    assert ended.stderr.count(b"\n") == 1


@pytest.mark.parametrize("kind", ["directory", "file that is not executable"])
def test_a_command_that_is_not_executable_ends_with_126_and_one_line(tap, kind):
    target = tap.place / "target"
    target.mkdir() if kind == "directory" else target.write_text("x")
    ended = subprocess.run(tap.around(str(target)), capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (126, b"")
    assert ended.stderr.count(b"\n") == 1


def test_without_stderr_pump_the_server_writes_to_the_hosts_own_file(tap):
    script = "import os; print(os.fstat(2).st_ino)"
    with (tap.place / "stderr").open("wb") as file:
        command = tap.around(sys.executable, "-c", script, options=("--no-stderr",))
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=file, timeout=60, check=False)
    assert int(ended.stdout) == (tap.place / "stderr").stat().st_ino


@pytest.mark.skipif(not hasattr(signal, "sigwaitinfo"), reason="elsewhere: macOS does not tell who sent a signal")
def test_ctrl_c_at_a_terminal_reaches_the_server_once(tap):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(tap.odd("report-signals")[0], tap.odd("report-signals"))
    try:
        assert b"ready" in os.read(terminal, 100)
        os.write(terminal, b"\x03")
        reported = tap.place / "report"
        tap.until(lambda: reported.exists() and "INT" in reported.read_text())
        os.kill(pid, signal.SIGTERM)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
        assert reported.read_text().splitlines() == ["INT", "TERM"]
    finally:
        os.close(terminal)


# Ends that nobody announces


def test_when_the_host_is_killed_the_tap_and_the_server_end(tap):
    script = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=-1, stdout=-1, stderr=-1).wait()"
    host = subprocess.Popen([sys.executable, "-c", script, *tap.odd("copy")])
    pids = tap.place / "report.pids"
    server = tap.until(lambda: pids.exists() and pids.read_text().split())[0]
    (child,) = psutil.Process(host.pid).children()
    host.kill()
    host.wait()
    assert tap.until(lambda: not tap.alive(child.pid) and not tap.alive(int(server)))


def test_when_the_tap_is_killed_a_server_that_ignores_the_end_is_not_left_behind(tap):
    tap.home.mkdir(mode=0o700)
    with tap.host("ignore-end") as host:
        tap.until(lambda: tap.query("select state from runs") == [{"state": "running"}])
        host.process.kill()
        host.process.wait()
        assert host.facts()["server is gone"]
        tap.until(lambda: tap.query("select state from runs") == [{"state": "lost"}])


def test_when_the_tap_is_killed_at_most_the_chunk_in_hand_is_missing(tap):
    with tap.host("copy") as host:
        tap.until(lambda: tap.query("select run_id from runs"))
        line = b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n'
        size = 0
        for number in range(200):
            size += len(line % number)
            host.send(line % number)
            assert host.await_output(size)
        host.process.kill()
        tap.until(lambda: tap.query("select state from runs") == [{"state": "lost"}])
    (counted,) = tap.query("select count(*) as n, count(distinct (side, rpc_id)) as d from messages")
    assert counted["n"] == counted["d"]
    assert 400 - 2 <= counted["n"] <= 400


def test_the_hosts_pipe_ends_with_the_tap_although_the_collector_lives_on(tap):
    with tap.host("copy") as host:
        collector = tap.collector()
        host.close()
        assert host.facts()["output ends with the process"]
    assert tap.alive(collector)


def test_killing_the_hosts_process_group_leaves_the_collector_alive(tap):
    with tap.host("copy") as host:
        collector = tap.collector()
        os.killpg(host.process.pid, signal.SIGKILL)
        host.process.wait()
        assert host.facts()["server is gone"]
    assert tap.alive(collector)


def test_traffic_passes_while_the_collector_hangs(tap):
    with tap.host("copy") as host:
        collector = tap.collector()
        os.kill(collector, signal.SIGSTOP)
        try:
            facts = take_turns(100, host)
        finally:
            os.kill(collector, signal.SIGCONT)
    assert (facts["exit status"], facts["stderr"]) == (0, b"")
    assert len(facts["stdout"]) == facts["bytes sent in turns"]


# Where it records


@pytest.fixture(params=["a file", "below a file"])
def impossible_home(tmp_path, request):
    """A state directory that nobody can make, not even root."""
    (tmp_path / "file").write_text("in the way")
    return tmp_path / "file" if request.param == "a file" else tmp_path / "file" / "home"


def test_without_a_state_directory_traffic_passes_and_one_line_tells_it(tap, impossible_home):
    tap = type(tap)(impossible_home, tap.place)
    with tap.host("copy") as host:
        host.send(b"a message\n")
        assert host.await_output(10)
        assert host.await_output(1, "stderr")
        host.close()
        facts = host.facts()
    assert (facts["stdout"], facts["exit status"]) == (b"a message\n", 0)
    assert facts["stderr"].startswith(b"mcptap: ")
    assert facts["stderr"].count(b"\n") == 1


def test_a_strict_tap_refuses_to_start_where_it_cannot_record(tap, impossible_home):
    tap = type(tap)(impossible_home, tap.place)
    with tap.host("copy", options=("--strict",)) as host:
        facts = host.facts()
    assert facts["exit status"] == 1
    assert facts["stderr"].startswith(b"mcptap: --strict refuses")
    assert facts["server reports"] == ""
    assert not (tap.place / "report.pids").exists(), "the server was started"


def test_a_strict_tap_that_can_record_passes_the_traffic(tap):
    with tap.host("copy", options=("--strict",)) as host:
        facts = take_turns(20, host)
    assert (facts["exit status"], facts["stderr"]) == (0, b"")
    assert len(facts["stdout"]) == facts["bytes sent in turns"]


def test_a_state_directory_with_a_long_path_works(tap):
    tap = type(tap)(tap.place / ("long" * 30) / ("longer" * 20), tap.place)
    try:
        with tap.host("copy") as host:
            facts = take_turns(5, host)
        assert (facts["exit status"], facts["stderr"]) == (0, b"")
        tap.until(lambda: tap.query("select count(*) as n from messages") == [{"n": 10}])
    finally:
        tap.stop()


def test_the_tap_loads_little_and_nothing_of_others():
    """Every module costs time before the first reply; `-X importtime` tells them all on stderr."""

    def loaded(*words):
        command = [sys.executable, "-X", "importtime", *words]
        lines = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
        return {line.rpartition("|")[2].strip() for line in lines.stderr.splitlines() if "|" in line}

    own = loaded("-c", ENTRY, "--home", "/dev/null/none", "--", "true") - loaded("-c", "pass")
    assert "mcptap.tap.pipe.wrapper" in own
    foreign = {name for name in own if name.partition(".")[0] not in {*sys.stdlib_module_names, "mcptap"}}
    assert foreign == set()
    assert own.isdisjoint({"asyncio", "subprocess", "threading", "typing", "dataclasses", "logging"})
    assert {name for name in own if name.startswith("mcptap.")} >= {"mcptap.tap.pipe.pump"}
    assert not {name for name in own if name.startswith(("mcptap.tap.redact", "mcptap.exporters.cli"))}
