"""The store follows the journal: everything once, whatever happens to the file."""

# ruff: noqa: E501, DTZ001  whole statements stay on one line; times are in UTC without saying so

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from mcptap.exporters.journal.reader import RunFile, run_files
from mcptap.exporters.store import file, ingest, schema
from mcptap.exporters.store.rebuild import rebuild

COUNTS = "SELECT (SELECT count(*) FROM messages), (SELECT count(DISTINCT (run_id, seq)) FROM messages)"


def filled(home, calls=3):
    run = home.run("run-1").start()
    for number in range(calls):
        run.call(number)
    home.serve()
    home.store.load()
    return run


def test_documented_columns_are_the_real_ones(home):
    filled(home)
    for name, columns in schema.TABLES.items():
        if name in schema.RELATIONS:
            described = {row[0]: row[1] for row in home.ask(f"DESCRIBE {name}")}
            assert described == {column: type_.split()[0] for column, type_ in columns.items()}
    assert [row[0] for row in home.ask("DESCRIBE messages")][:11] == (
        ["run_id", "seq", "side", "at", "kind", "method", "rpc_id", "size_bytes", "body", "truncated", "journal_hash"]
    )
    assert [row[0] for row in home.ask("DESCRIBE calls")] == (
        ["logical_id", "run_id", "server", "target", "started_at", "rounds", "server_ms", "waiting_ms", "outcome"]
    )
    assert {row[0] for row in home.ask("SHOW TABLES")} == set(schema.RELATIONS)


def test_a_run_becomes_rows(home):
    run = filled(home, calls=1)
    run.end()
    assert home.store.load(["run-1"]) == 1
    assert (home.store.state, home.store.lag().bytes) == ("ok", 0)
    assert home.ask("SELECT name, command, env_names, state, exit_code, cpu_seconds, started_at, host_session_id FROM runs") == [
        ("demo", '["python","server.py"]', '["HOME","PATH"]', "ended", 0, 0.5, datetime(2027, 1, 15, 8, 0), "host-1")
    ]  # fmt: skip
    assert home.ask("SELECT seq, kind, body, length(journal_hash) FROM messages ORDER BY seq") == [
        (1, "request", '{"params":{"number":0,"text":""}}', 64),
        (2, "result", '{"result":{"number":0}}', 64),
    ]
    assert home.ask("SELECT seq, reply_seq, target, outcome, request_body, reply_body FROM exchanges") == [
        (1, 2, "read", "ok", '{"params":{"number":0,"text":""}}', '{"result":{"number":0}}')
    ]
    assert home.ask("SELECT seq, pointer, rule, length FROM redactions") == [(None, "/command/1", "jwt", 20)]
    assert home.ask("SELECT target, rounds, server_ms, waiting_ms, outcome FROM calls") == [("read", 1, 1.0, 0.0, "ok")]


def test_an_exchange_settled_in_a_later_batch_has_its_request(home):
    run = filled(home, calls=0)
    run.write(run.message("client", "request", {"q": 1}))
    home.store.load()
    run.write(run.message("server", "result", {"a": 1}, run.exchanged()))
    home.store.load()
    assert home.ask("SELECT request_body, reply_body FROM exchanges") == [('{"q":1}', '{"a":1}')]
    assert home.ask("SELECT body FROM messages ORDER BY seq") == [('{"q":1}',), ('{"a":1}',)]


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_late_answer_replaces_the_cancelled_exchange(home, batches):
    run = filled(home, calls=0)
    run.write(run.message("client", "request", {"q": 1}))
    if batches > 2:
        home.store.load()
    run.write(run.message("client", "notification", {"c": 1}, run.exchanged("cancelled", 1, reply_seq=None)))
    if batches > 1:
        home.store.load()
    run.write(run.message("server", "result", {"a": 1}, run.exchanged("late", 1, reply_seq=3)))
    home.store.load()
    assert home.ask("SELECT outcome, request_body, reply_body FROM exchanges") == [("late", '{"q":1}', '{"a":1}')]
    assert home.ask("SELECT body FROM messages ORDER BY seq") == [('{"q":1}',), ('{"c":1}',), ('{"a":1}',)]


def test_unanswered_exchanges_come_with_the_end_of_the_run(home):
    run = filled(home, calls=0)
    run.write(run.message("client", "request", {"q": 1}))
    run.end(run.exchanged("no_response", reply_seq=None, duration_ms=None))
    home.store.load()
    assert home.ask("SELECT outcome, request_body, reply_body FROM exchanges") == [("no_response", '{"q":1}', None)]


def test_the_rounds_of_one_call_are_one_row(home):
    run = filled(home, calls=0)
    for number, outcome in ((1, "input_required"), (2, "ok")):
        run.write(run.message("client", "request", {}))
        run.write(run.message("server", "result", {}, run.exchanged(outcome, logical_id="one", round=number)))
    home.store.load()
    assert home.ask("SELECT logical_id, rounds, server_ms, waiting_ms, outcome FROM calls") == [
        ("one", 2, 2.0, 1.0, "ok")
    ]


def test_a_second_pass_adds_nothing_and_an_unchanged_run_is_not_read(home, monkeypatch):
    filled(home)
    assert home.store.load() == 0
    monkeypatch.setattr(ingest, "read_lines", None)
    assert home.store.load() == 0
    assert home.store.load([]) == 0


def test_a_file_compressed_meanwhile_goes_on_where_it_was(home):
    run = filled(home)
    run.call(7)
    run.compress()
    assert home.store.lag().bytes > 0
    assert home.store.load(["run-1"]) == 2
    assert home.store.load() == 0
    assert home.ask(COUNTS) == [(8, 8)]


def test_a_line_that_is_no_json_costs_itself_only(home):
    run = filled(home, calls=1)
    with run.path.open("ab") as out:
        out.write(b"\xff\x00 not json\n\n")
    run.call(2)
    home.store.load()
    assert (home.store.refused, home.store.state) == (2, "ok")
    assert home.ask(COUNTS) == [(4, 4)]


def test_a_half_written_line_waits_for_its_end(home):
    run = filled(home, calls=1)
    whole = run.path.stat().st_size
    run.call(2)
    data = run.path.read_bytes()
    run.path.write_bytes(data[: whole + 50])
    assert home.store.load() == 0
    run.path.write_bytes(data)
    assert home.store.load() == 2


def test_a_run_that_is_compressed_between_being_listed_and_read_is_loaded(home, monkeypatch):
    run = home.run("run-1").start()
    run.call(1)

    def meanwhile(place: Path) -> list[RunFile]:
        files = run_files(place)
        if run.path.suffix != ".gz":
            run.compress()
        return files

    monkeypatch.setattr("mcptap.exporters.store.store.run_files", meanwhile)
    home.serve()
    home.store.load()
    assert run.path.suffix == ".gz"
    assert home.ask("SELECT count(*) FROM messages") == [(2,)]
    assert home.store.lag() == (0, 0)


def test_an_unreadable_file_does_not_stop_the_others(home):
    run = filled(home, calls=1)
    run.compress()
    other = home.run("run-2").start()
    other.call(1)
    broken = home.run("run-3").path.with_name("run-3.jsonl.gz")
    broken.write_bytes(b"\x1f\x8b" + b"\1" * 40)
    home.store.load()
    assert home.ask(COUNTS) == [(4, 4)]
    assert list(home.store.unreadable) == ["run-3"]


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x1b[31m",
        "\ud800".encode("utf-8", "replace").decode(),
        "a\nb\u2028c",
        "9" * 400,
        "'); DROP TABLE runs; --",
        "💥",
    ],
)
def test_text_of_a_server_arrives_as_it_was(home, text):
    run = filled(home, calls=0)
    run.call(0, text)
    home.store.load()
    assert home.ask("SELECT body->>'$.params.text' FROM messages WHERE seq = 1") == [(text,)]


def test_great_numbers_and_repeated_keys_stay(home):
    run = filled(home, calls=0)
    run.write(run.message("client", "request", {"n": 2**53 + 1, "m": 10**30, "x": None}))
    home.store.load()
    assert home.ask("SELECT body FROM messages") == [
        ('{"n":9007199254740993,"m":1000000000000000000000000000000,"x":null}',)
    ]


@pytest.mark.parametrize("batch_lines", [1, 2, 7])
def test_batches_of_any_size_give_the_same_rows(home, monkeypatch, batch_lines):
    monkeypatch.setattr(ingest, "NORMAL", ingest.NORMAL._replace(lines=batch_lines))
    filled(home, calls=9)
    assert home.ask(COUNTS) == [(18, 18)]
    assert home.ask("SELECT count(*), count(request_body), count(reply_body) FROM exchanges") == [(9, 9, 9)]


# What happens to the file


def test_a_database_that_another_process_holds_is_waited_for(home):
    run = filled(home)
    home.store.stop()
    code = f"import duckdb, sys; c = duckdb.connect({str(home.store.path)!r}); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        run.call(9)
        assert home.store.load() == 0
        assert home.store.state == "locked"
        assert "lock" in home.store.detail
        assert home.store.load(["run-1"]) == 0, "the next attempt has its time"
        other.communicate()
    home.later()
    assert home.store.load([]) == 2
    home.serve()
    assert home.ask(COUNTS) == [(8, 8)]


@pytest.mark.parametrize("how", ["deleted", "replaced", "emptied", "cut"])
def test_a_file_taken_away_while_open_is_noticed_and_made_anew(home, how):
    filled(home, calls=200)
    home.store._connection.execute("CHECKPOINT")
    home.store.load()
    path = home.store.path
    {
        "deleted": path.unlink,
        "replaced": lambda: (path.unlink(), path.write_bytes(b"garbage" * 5000)),
        "emptied": lambda: path.write_bytes(b""),
        "cut": lambda: subprocess.run(["truncate", "-s", "20000", path], check=True),
    }[how]()
    for _ in range(4):
        home.store.load([])
        home.later()
    assert home.store.state == "ok"
    assert home.ask(COUNTS) == [(400, 400)], "and it is served at the same place"


@pytest.mark.parametrize("damage", [b"", b"no database", b"garbage" * 5000])
def test_a_damaged_file_is_put_aside_and_loaded_again(home, damage):
    filled(home)
    home.store.stop()
    for _ in range(4):
        home.store.path.write_bytes(damage)
        home.store.load()
        assert home.store.state == "damaged"
        home.later()
        home.store.load()
        assert home.store.state == "ok"
        home.store.stop()
    assert len(list(home.path.glob("store.duckdb.damaged-*"))) == file.KEEP_DAMAGED


def test_another_schema_is_loaded_again(home, monkeypatch):
    filled(home)
    home.store.stop()
    monkeypatch.setattr(schema, "VERSION", 99)
    assert home.store.load() == 7
    assert home.store.state == "ok"
    assert not list(home.path.glob("*.damaged-*"))


def test_a_full_disk_is_told_and_survived(home, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("elsewhere: this user may not mount a file system")
    other = type(home)(small)
    try:
        (small / "journal").symlink_to(home.path / "journal")
        (home.path / "journal").mkdir()
        ballast = small / "ballast"
        ballast.write_bytes(bytes(2_600_000))
        run = home.run("run-1").start()
        for number in range(2000):
            run.call(number, f"{number * 7919:0100d}" * 4)
        other.store.load()
        assert other.store.state == "full"
        assert "space" in other.store.detail
        ballast.unlink()
        other.later()
        assert other.store.load() > 0
        assert other.store.state == "ok"
        other.serve()
        assert other.ask(COUNTS) == [(4000, 4000)]
    finally:
        other.store.stop()
        subprocess.run(["umount", "-l", small], check=True)


def test_a_directory_that_cannot_be_written_is_told(home):
    home.run("run-1").start()
    home.store.path.mkdir()
    assert home.store.load() == 0
    assert home.store.state == "unavailable"
    home.store.path.rmdir()
    home.later()
    assert home.store.load() == 1


def test_files_are_private(home):
    filled(home)
    home.store.load()
    for path in home.path.glob("store.duckdb*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((home.path / "tmp").stat().st_mode) == 0o700


def test_what_a_killed_query_had_spilled_is_removed_and_nothing_else(home):
    spill = home.path / "tmp"
    spill.mkdir(mode=0o700)
    for name in ("duckdb_temp_storage_DEFAULT-0.tmp", "duckdb_temp_block-7.block", "other"):
        (spill / name).write_bytes(b"left")
    filled(home)
    live = spill / "duckdb_temp_storage_DEFAULT-1.tmp"
    live.write_bytes(b"in use")
    rebuild(home.path)
    assert {path.name for path in spill.iterdir()} == {live.name, "other"}


def test_a_rebuilt_database_is_picked_up_by_the_store_that_has_the_old_one_open(home):
    filled(home)
    seen = []
    assert rebuild(home.path, lambda done, total: seen.append((done, total))) == (7, 0, [])
    assert not (home.path / "rebuild").exists()
    assert seen[-1][0] == seen[-1][1] > 0
    for _ in range(2):
        home.store.load([])
    assert home.store.state == "ok"
    assert home.ask(COUNTS) == [(6, 6)]


def test_killed_at_any_moment_of_loading_every_line_is_loaded_once(home):
    for name in ("run-1", "run-2", "run-3"):
        run = home.run(name).start()
        for number in range(400):
            run.call(number, "x" * 200)
    code = (
        "import os, sys\n"
        "from mcptap.exporters.store import ingest, store\n"
        "ingest.NORMAL = ingest.NORMAL._replace(lines=50)\n"
        "insert, n = store.insert, 0\n"
        "def told(*words):\n"
        "    print(flush=True)\n"
        "    return insert(*words)\n"
        "store.insert = told\n"
        f"store.Store({str(home.path)!r}).load()\n"
    )
    for batches in (1, 2, 3, 5, 8, 13):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as loader:
            for _ in range(batches):
                loader.stdout.readline()
            loader.kill()
    home.store.load()
    home.serve()
    assert home.store.state == "ok"
    assert home.ask(COUNTS) == [(2400, 2400)]
    assert home.ask("SELECT count(*), count(DISTINCT (run_id, seq)), count(request_body) FROM exchanges") == [
        (1200, 1200, 1200)
    ]


def test_the_process_ends_although_it_serves(home):
    code = (
        f"from mcptap.exporters.store.store import Store; s = Store({str(home.path)!r}); s.load(); s.serve('{'t' * 8}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout + done.stderr == b"", "and says nothing"


def test_nothing_is_written_outside_its_directory(home, tmp_path):
    code = (
        f"from mcptap.exporters.store.store import Store; s = Store({str(home.path)!r}); s.serve('{'t' * 8}'); s.load()"
    )
    user = tmp_path / "user"
    user.mkdir()
    subprocess.run([sys.executable, "-c", code], env={"HOME": str(user)}, cwd=user, timeout=60, check=True)
    assert list(Path(user).rglob("*")) == []
