"""Readers in other processes: what they get, and what they are told when they get nothing."""

# ruff: noqa: E501, DTZ001  whole statements stay on one line; times are in UTC without saying so

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import datetime

import duckdb
import psutil
import pytest

from mcptap.exporters.store import quack, read

PATIENCE_S = 60.0


@pytest.fixture
def serving(home):
    run = home.run("run-1").start()
    for number in range(5):
        run.call(number)
    home.store.load()
    home.serve()
    return home


def test_a_query_gives_columns_and_rows(serving):
    columns, rows = read.run("SELECT run_id, count(*) AS n FROM exchanges GROUP BY ALL", serving.path)
    assert (columns, rows) == (["run_id", "n"], [("run-1", 5)])


def attached(sql, home):
    with read.connect(home) as connection:
        read.bind(connection, statement=sql)
        return read.fetched(connection, "FROM store.query(getvariable('statement'))")


@pytest.mark.parametrize(("ask", "admitted"), [(read.run, 1), (attached, 3)], ids=["alone", "attached"])
def test_a_query_is_run_once(serving, ask, admitted):
    database = serving.store._connection
    database.execute("CREATE SEQUENCE admitted")
    database.execute("CREATE OR REPLACE MACRO mcptap_admits(sid, query) AS (nextval('admitted') > 0)")
    assert ask("SELECT count(*) FROM exchanges", serving.path)[1] == [(5,)]
    assert database.execute("SELECT currval('admitted')").fetchone() == (admitted,)  # attaching asks for two by itself


def test_another_process_reads_while_this_one_loads(serving):
    code = (
        "import sys; from mcptap.exporters.store import read\n"
        f"for line in sys.stdin: print(read.run('SELECT count(*) FROM messages', {str(serving.path)!r})[1][0][0], flush=True)"
    )
    run = serving.run("run-2").start()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        for n in range(3):
            reader.stdin.write("\n")
            reader.stdin.flush()
            assert int(reader.stdout.readline()) == 10 + 2 * n
            run.call(n)
            serving.store.load(["run-2"])
        reader.stdin.close()


def test_an_attached_client_sees_tables_and_views(serving):
    with read.connect(serving.path) as connection:
        assert connection.execute("SELECT count(*) FROM store.messages").fetchone() == (10,)
        assert connection.execute("FROM store.query('SELECT count(*) FROM calls')").fetchone() == (5,)
        for statement in (
            "INSERT INTO store.gaps VALUES ('a', now()::TIMESTAMP, 'b', 1, 'c')",
            "DELETE FROM store.gaps",
            "DROP TABLE store.gaps",
            "CREATE TABLE store.x (i INT)",
            "FROM store.query('DROP TABLE gaps')",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement).fetchall()
    assert serving.ask("SELECT count(*) FROM gaps") == [(0,)]


def test_times_with_zone_can_be_had(serving):
    (row,) = serving.ask('SELECT now() AS "a b", 1, started_at FROM runs')
    assert isinstance(row[0], datetime)
    assert row[2] == datetime(2027, 1, 15, 8, 0)


@pytest.mark.parametrize(
    "sql", ["DROP TABLE runs", "SELECT 1; DROP TABLE runs", "FROM read_text('/etc/passwd')", "selec"]
)
def test_what_is_not_admitted_is_refused_with_a_reason(serving, sql):
    with pytest.raises(read.RefusedError) as refused:
        serving.ask(sql)
    assert str(refused.value)
    assert "SELECT" in refused.value.hint


def test_a_wrong_statement_is_told_as_duckdb_tells_it(serving):
    with pytest.raises(read.QueryError, match='"nix" not found'):
        serving.ask("SELECT nix FROM runs")


def test_a_wrong_token_is_refused(serving):
    (serving.path / read.TOKEN).write_text("0" * 32)
    with pytest.raises(read.NotServingError, match="token"):
        serving.ask("SELECT 1")
    with pytest.raises(read.NotServingError, match="token"):
        read.connect(serving.path)


def test_without_a_collector_it_is_told_how_to_start_one(serving):
    serving.store.stop()
    with pytest.raises(read.NotServingError) as dead:
        serving.ask("SELECT 1")
    assert "mcptap collector" in dead.value.hint
    for content in (None, "{", json.dumps({"pid": 1, "quack_port": None}), "[]"):
        (serving.path / read.COLLECTOR).unlink(missing_ok=True)
        if content:
            (serving.path / read.COLLECTOR).write_text(content)
        with pytest.raises(read.NotServingError):
            serving.ask("SELECT 1")


def test_only_the_loopback_interface_listens(serving):
    port = json.loads((serving.path / read.COLLECTOR).read_bytes())["quack_port"]
    listening = [
        c.laddr for c in psutil.Process().net_connections("inet") if c.status == "LISTEN" and c.laddr.port == port
    ]
    assert {address.ip for address in listening} <= {"127.0.0.1", "::1"}
    assert listening


def test_after_a_reopening_the_same_port_and_token_serve(serving):
    serving.store.path.unlink()
    for _ in range(2):
        serving.store.load([])
    until, found = time.monotonic() + PATIENCE_S, None
    while found is None and time.monotonic() < until:
        with suppress(read.NotServingError):  # on a busy machine for a moment; "try again" is what it says
            found = serving.ask("SELECT count(*) FROM messages")
    assert found == [(10,)]


def test_instead_of_a_taken_port_another_is_tried_and_if_none_is_free_that_is_told(home, monkeypatch):
    free = quack.free_port
    home.run("run-1").start()
    with subprocess.Popen(
        [sys.executable, "-c", "import socket,sys; s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as taker:  # fmt: skip
        port = int(taker.stdout.readline())
        ports = iter((port, port, 0))
        monkeypatch.setattr(quack, "free_port", lambda: next(ports) or free())
        home.store.load()
        home.serve()
        assert (home.store.serving, home.store.port != port) == (True, True)
        home.store.stop()
        ports = iter((port,) * quack.PORTS)
        home.store.load()
        home.serve()
        assert (home.store.state, home.store.serving) == ("ok", False)
        assert str(port) in home.store.detail
        taker.communicate()
    monkeypatch.undo()
    home.store.load([])
    assert home.store.serving


def test_a_query_beyond_the_memory_limit_fails_and_the_store_lives(serving):
    with pytest.raises(read.QueryError, match=r"(?i)memory"):
        serving.ask("SELECT len(list(range)) FROM range(100000000)")
    assert serving.ask("SELECT count(*) FROM messages") == [(10,)]


def test_an_overdue_query_is_named_and_loading_goes_on(serving):
    endless = "SELECT sum(a.range * b.range) FROM range(60000) a, range(60000) b"
    code = f"from mcptap.exporters.store import read; read.run({endless!r}, {str(serving.path)!r})"
    run = serving.run("run-2").start()
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as reader:
        waiting = threading.Event()
        while not (overdue := serving.store.overdue(0.1)) and reader.poll() is None:
            waiting.wait(0.05)
        assert overdue == [endless]
        run.call(1)
        assert serving.store.load(["run-2"]) == 3
        assert serving.ask("SELECT count(*) FROM messages") == [(12,)]
        reader.kill()
    assert serving.store.overdue(600) == []
