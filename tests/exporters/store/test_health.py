"""How runs fared: what is counted, and what the views make of it."""

from __future__ import annotations

import pytest

from mcptap.exporters.store.views import STDERR_TAIL
from mcptap.tap.records import StderrLine

CALL = {"name": "t", "arguments": {}}
ENDED = {"exit_code": 0, "exit_signal": None}


@pytest.mark.parametrize("at_once", [True, False])
def test_requests_and_the_first_answer_are_counted_whatever_the_batches(home, at_once):
    talk = home.talk("run-0")
    steps = [("initialize", {}), ("ping", {}), ("tools/list", {"tools": []}), ("tools/call", None), ("tools/call", {})]
    for method, result in steps:
        talk.ask(method, result)
        if not at_once:
            home.store.load()
    talk.say("server", {"id": 1, "method": "sampling/createMessage"})
    talk.ask("subscriptions/listen", None)
    talk.end(**ENDED)
    home.store.load()
    assert home.rows("SELECT requests, unanswered, first_answer_ms FROM runs") == [(4, 1, 2.0)]
    assert home.rows("SELECT requests, unanswered, first_answer_ms, probe_only FROM run_health") == [(4, 1, 2.0, False)]


def test_a_run_of_the_handshake_alone_is_a_probe(home):
    for number, method in enumerate(["initialize", "server/discover", "ping"]):
        home.talk(f"run-{number}").ask(method, {})
    home.talk("run-3").end(**ENDED)
    home.store.load()
    assert home.rows("SELECT probe_only, first_answer_ms IS NULL FROM run_health ORDER BY run_id") == [
        (True, False), (True, False), (True, False), (True, True)
    ]  # fmt: skip


def test_a_start_after_an_end_is_a_restart(home):
    crashed = home.talk("run-0")
    crashed.end(exit_code=3)
    home.talk("run-1", at=5.0).end(**ENDED)
    home.talk("run-2", at=5.0005)  # beside the one before, as some hosts start two
    home.talk("run-3", at=6.0, host_session_id="another")
    home.talk("run-4", at=7.0, host_session_id=None)
    home.talk("run-5", at=8.0, name="other server")
    home.store.load()
    assert home.rows(
        "SELECT run_id, start_number, previous_run_id, previous_exit_code, pause_ms FROM restarts ORDER BY run_id"
    ) == [("run-1", 2, "run-0", 3, 4999.0), ("run-2", 3, "run-0", 3, 4999.5)]
    numbers = home.rows("SELECT start_number FROM run_health ORDER BY run_id")
    assert numbers == [(1,), (2,), (3,), (1,), (None,), (1,)]


@pytest.mark.parametrize(
    ("end", "pid", "how"),
    [
        ({"exit_code": 0}, 11, None),
        ({"exit_code": 143}, 11, None),
        ({"exit_code": 1}, 11, "exit"),
        ({"exit_signal": 15}, 11, None),
        ({"exit_signal": 2}, 11, None),
        ({"exit_signal": 11}, 11, "signal"),
        ({"exit_signal": 6}, 11, "signal"),
        ({"exit_signal": 9}, 11, "killed"),
        ({"exit_code": 127}, None, "not_started"),
        ({"exit_code": 127}, 11, "exit"),
        ({"state": "lost"}, 11, None),
    ],
)
def test_a_crash_is_an_end_that_nobody_asked_for(home, end, pid, how):
    home.talk("run-0", server_pid=pid).end(**end)
    home.store.load()
    assert home.rows("SELECT how FROM crashes") == ([(how,)] if how else [])


def test_a_crash_is_told_with_its_last_words(home):
    talk = home.talk("run-0", host_process="the-host")
    talk.run.write(*(StderrLine(talk.started.at, number, 3, f"line {number}") for number in range(STDERR_TAIL + 5)))
    talk.ask("tools/call", None)
    talk.end(exit_code=1, max_rss_bytes=5)
    home.talk("run-1").end(exit_code=1)
    home.store.load()
    told = "\n".join(f"line {number}" for number in range(5, STDERR_TAIL + 5))
    assert home.rows(
        "SELECT run_id, host_process, lasted_ms, unanswered, max_rss_bytes, stderr_tail FROM crashes ORDER BY run_id"
    ) == [("run-0", "the-host", 2.0, 1, 5, told), ("run-1", None, 1.0, 0, None, None)]


def test_a_run_that_goes_on_has_the_figures_of_its_samples(home):
    run = home.run("run-1").start()
    run.usage(1, 100, 0.5)
    run.usage(2, 300, 1.5, processes=3)
    run.usage(3, 200, 1.7)
    home.store.load()
    assert home.rows(
        "SELECT peak_rss_bytes, first_rss_bytes, last_rss_bytes, cpu_seconds, processes FROM run_health"
    ) == [(300, 100, 200, 1.7, 3)]
    run.end()
    home.store.load()
    assert home.rows("SELECT peak_rss_bytes, cpu_seconds FROM run_health") == [(1000, 1.7)]


def test_samples_are_rows_and_what_could_not_be_read_is_null(home):
    run = home.run("run-1").start()
    run.usage(1, None, None, denied=1)
    run.compress()
    home.store.load()
    assert home.rows("SELECT rss_bytes, cpu_seconds, processes, denied FROM usage") == [(None, None, 1, 1)]


def test_a_journal_from_before_these_columns_is_loaded(home):
    run = home.run("run-1").start()
    run.end()
    old = run.path.read_bytes().replace(b',"host_process":null', b"")
    assert old != run.path.read_bytes()
    run.path.write_bytes(old)
    home.store.load()
    assert home.rows("SELECT host_process, server_key, requests FROM runs") == [(None, "demo", 0)]


def test_a_run_of_which_little_is_known_has_an_empty_key(home):
    home.run("run-1").start(name=None, command=(), cwd="")
    home.store.load()
    assert home.rows("SELECT server_key FROM runs") == [("",)]
