"""The summaries say what a plain computation over the same exchanges says."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import quantiles

import duckdb
import pytest

from benchmarks.generated import generate
from mcptap.exporters.store import hours, schema, summaries

BEGUN = datetime(2026, 11, 20, 12)  # noqa: DTZ001  as the store has it


class Tables:
    """An empty database of ours, and rows for it."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        for statement in schema.statements():
            self.connection.execute(statement)
        self.seq = 0

    def insert(self, table, **values):
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))

    def run(self, run_id="r1", **values):
        known = {"name": "files", "server_name": "own", "host_name": "host", "started_at": BEGUN, "state": "running"}
        self.insert("runs", run_id=run_id, **known | values)

    def exchange(self, second=0.0, **values):
        """One call `second` seconds after the start; the sequence number is returned."""
        self.seq += 2
        run_id = values.get("run_id", "r1")
        known = {
            "run_id": run_id, "seq": self.seq, "side": "client", "method": "tools/call", "target": "read",
            "started_at": BEGUN + timedelta(seconds=second), "duration_ms": 10.0, "outcome": "ok", "probe": False,
            "long_lived": False, "reply_bytes": 400, "request_bytes": 100, "arguments_hash": f"{self.seq:016}",
            "logical_id": f"{run_id}/{self.seq}", "added_up_in": 0,
        }  # fmt: skip
        self.insert("internal.exchange_rows", **known | values)
        return self.seq

    def ask(self, sql):
        result = self.connection.execute(sql)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.fixture
def tables():
    made = Tables()
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    path = generate(tmp_path_factory.mktemp("generated"), 6_000, 20)
    with duckdb.connect(str(path), read_only=True) as connection:
        made = Tables.__new__(Tables)
        made.connection = connection
        yield made


def server_ms(row):
    return max(0.0, row["duration_ms"] - (row["waiting_ms"] or 0.0))


def percentile(values, share):
    """Independent of DuckDB: with linear interpolation between the closest ranks."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[share - 1]


CALLS = """SELECT e.*, r.name, r.server_name FROM exchanges e JOIN runs r USING (run_id)
    WHERE side = 'client' AND target IS NOT NULL AND NOT probe AND NOT long_lived"""
FAILED = ("tool_error", "rpc_error", "no_response")


@pytest.mark.parametrize(
    ("relation", "key", "method"),
    [("server_summary", ("name",), None), ("tool_summary", ("name", "target"), "tools/call")],
)
def test_counts_and_percentiles_are_those_of_a_plain_computation(generated, relation, key, method):
    expected = {}
    for row in generated.ask(CALLS):
        if method in (None, row["method"]):
            expected.setdefault(tuple(row[name] for name in key), []).append(row)
    told = {
        tuple(row[name] for name in ("server", "tool") if name in row): row for row in generated.ask(f"FROM {relation}")
    }
    assert len(expected) >= 10
    for name, rows in expected.items():
        timed = [server_ms(row) for row in rows if row["outcome"] not in ("cancelled", "no_response")]
        found = told.pop(name)
        assert found["calls"] == sum(row["outcome"] != "input_required" for row in rows)
        assert found["errors"] == sum(row["outcome"] in FAILED for row in rows)
        for share in (50, 95, 99) if "p99_ms" in found else (50, 95):
            assert found[f"p{share}_ms"] == pytest.approx(percentile(timed, share), rel=hours.WITHIN)
    assert all(row["calls"] == 0 for row in told.values())


def test_the_slowest_calls_are_those_of_a_plain_computation(generated):
    calls = {}
    for row in generated.ask(f"{CALLS} AND outcome NOT IN ('cancelled', 'no_response')"):
        calls.setdefault(row["logical_id"], []).append(server_ms(row))
    assert any(len(rounds) > 1 for rounds in calls.values())
    expected = sorted((sum(rounds) for rounds in calls.values()), reverse=True)[:50]
    told = generated.ask("FROM slow_calls(most := 50)")
    assert [row["server_ms"] for row in told] == pytest.approx(expected)
    assert all(len(calls[row["logical_id"]]) == row["rounds"] for row in told)


def test_the_groups_of_errors_hold_every_error(generated):
    (errors,) = generated.ask(
        f"SELECT count(*) AS n FROM exchanges WHERE outcome IN {FAILED} AND NOT probe AND NOT long_lived"
    )
    groups = generated.ask("FROM error_groups")
    assert sum(row["errors"] for row in groups) == errors["n"] > 100
    assert any(row["blind_retries"] for row in groups)
    assert all(row["first_at"] <= row["last_at"] and row["example_seq"] for row in groups)


def test_the_timeline_holds_every_call(generated):
    (calls,) = generated.ask("SELECT sum(calls) AS calls, sum(errors) AS errors FROM server_summary")
    for step in ("1 MINUTE", "1 DAY"):
        rows = generated.ask(f"FROM timeline(step := INTERVAL {step})")
        assert sum(row["calls"] for row in rows) == calls["calls"]
        assert sum(row["errors"] for row in rows) == calls["errors"]


def test_latency_is_without_probes_long_lived_requests_cancelled_ones_and_waiting(tables):
    tables.run()
    tables.exchange(duration_ms=100.0)
    tables.exchange(duration_ms=5_100.0, waiting_ms=5_000.0)
    tables.exchange(duration_ms=100.0, outcome="tool_error")
    for odd in ({"probe": True}, {"long_lived": True}, {"outcome": "cancelled"}, {"side": "server"}, {"target": None}):
        tables.exchange(duration_ms=90_000.0, **odd)
    tables.exchange(duration_ms=None, outcome="no_response")
    (row,) = tables.ask("FROM server_summary")
    assert (row["p50_ms"], row["p95_ms"]) == (100.0, 100.0)
    assert (row["calls"], row["errors"]) == (5, 2)
    assert tables.ask("FROM tool_summary")[0]["p99_ms"] == 100.0


def test_a_call_that_asks_back_is_one_call_and_its_server_time_a_sum(tables):
    tables.run()
    first = tables.exchange(0, duration_ms=30.0, outcome="input_required")
    tables.exchange(10, duration_ms=50.0, logical_id=f"r1/{first}", round=2)
    assert tables.ask("FROM tool_summary")[0]["calls"] == 1
    (call,) = tables.ask("FROM slow_calls")
    assert (call["seq"], call["rounds"], call["outcome"]) == (first, 2, "ok")
    assert call["server_ms"] == 80.0
    assert call["waiting_ms"] == pytest.approx(10_050 - 80)


@pytest.mark.parametrize(
    ("again", "blind"),
    [
        ({"second": 1}, 1),
        ({"second": 59}, 1),
        ({"second": 61}, 0),
        ({"second": 1, "arguments_hash": "other"}, 0),
        ({"second": 1, "target": "write"}, 0),
        ({"second": 1, "run_id": "r2"}, 0),
        ({"second": 0.005}, 0),  # before the error came
    ],
)
def test_a_blind_retry_is_the_same_call_again_soon_after_the_error(tables, again, blind):
    tables.run()
    tables.run("r2")
    tables.exchange(0, outcome="tool_error", arguments_hash="same")
    tables.exchange(**{"arguments_hash": "same", **again})
    (group,) = tables.ask("FROM error_groups")
    assert group["blind_retries"] == blind


def test_a_retry_is_not_blind_when_something_else_was_done_in_between(tables):
    tables.run()
    tables.exchange(0, outcome="tool_error", arguments_hash="same")
    tables.exchange(1, target="make_directory")
    tables.exchange(2, arguments_hash="same")
    assert tables.ask("FROM error_groups")[0]["blind_retries"] == 0


def test_errors_are_told_apart_by_server_target_and_message(tables):
    tables.run()
    tables.run("r2", name="other")
    for changes in ({}, {}, {"target": "write"}, {"error_group": "denied"}, {"run_id": "r2"}):
        tables.exchange(tables.seq, **{"outcome": "tool_error", "error_group": "not found", **changes})
    tables.exchange(outcome="ok")
    groups = tables.ask("FROM error_groups")
    assert sorted(row["errors"] for row in groups) == [1, 1, 1, 2]
    (most,) = (row for row in groups if row["errors"] == 2)
    assert (most["server"], most["target"], most["error_group"]) == ("files", "read", "not found")
    assert most["last_at"] - most["first_at"] == timedelta(seconds=2)


FILTERS = [
    ("", 3),
    (f"since := TIMESTAMP '{BEGUN + timedelta(hours=1)}'", 2),
    (f"until := TIMESTAMP '{BEGUN + timedelta(hours=1)}'", 1),
    ("server := 'files'", 2),
    ("server := 'own2'", 1),
    ("server := 'nobody'", 0),
    ("host := 'b'", 1),
    (f"server := 'files', since := TIMESTAMP '{BEGUN + timedelta(hours=1)}', host := 'a'", 1),
]


@pytest.mark.parametrize(("filters", "found"), FILTERS)
@pytest.mark.parametrize("name", sorted(summaries.MACROS.keys() - {"shared_secrets"}))  # whose filters differ
def test_every_summary_takes_the_same_filters(tables, name, filters, found):
    tables.run("r1", host_name="a")
    tables.run("r2", name="other", server_name="own2", host_name="b")
    for hour, run_id in ((0, "r1"), (2, "r1"), (3, "r2")):
        tables.exchange(3600 * hour, run_id=run_id, outcome="tool_error")
        tables.insert("redactions", run_id=run_id, side="client", rule="jwt", at=BEGUN + timedelta(hours=hour))
    rows = tables.ask(f"FROM {name}({filters})")
    column = next((column for column in ("errors", "calls", "times") if rows and column in rows[0]), None)
    assert sum(row[column] if column else 1 for row in rows) == found


def test_the_state_of_a_server_is_that_of_its_latest_run_or_running(tables):
    states = {
        "running": {"state": "running"},
        "ended": {"state": "ended", "exit_code": 0},
        "crashed": {"state": "ended", "exit_code": 1},
        "lost": {"state": "lost"},
    }
    for name, values in states.items():
        tables.run(f"old-{name}", name=name, state="lost")
        tables.run(f"new-{name}", name=name, **{"started_at": BEGUN + timedelta(hours=1), **values})
    tables.run("killed", name="signal", state="ended", exit_signal=11)
    tables.run("terminated", name="told to", state="ended", exit_signal=15)
    told = {row["server"]: row["state"] for row in tables.ask("FROM server_summary")}
    assert told == {name: name for name in states} | {"signal": "crashed", "told to": "ended"}


def test_a_server_is_known_by_its_key_and_called_as_its_latest_run(tables):
    tables.run("r1", server_key="k", name=None, server_name=None, command='["/usr/bin/serve", "-v"]')
    tables.run("r2", server_key="k", name="new", started_at=BEGUN + timedelta(hours=1))
    tables.run("r3", name=None, server_name=None, command='["/usr/bin/serve", "-v"]')
    tables.run("r4", name=None, server_name=None, command="no JSON")
    told = {row["server"]: (row["server_key"], row["runs"]) for row in tables.ask("FROM server_summary")}
    assert told == {"new": ("k", 2), "serve": ("serve", 1), "?": ("?", 1)}


@pytest.mark.parametrize(("outcome", "calls"), [("input_required", [0]), ("ok", [1]), (None, [])])
def test_a_server_that_was_used_in_the_time_is_told_also_if_it_only_asked_back(tables, outcome, calls):
    tables.run(started_at=BEGUN - timedelta(days=1), state="ended", exit_code=0)
    tables.run("r2", name="other", server_name="other")
    if outcome:
        tables.exchange(1.0, outcome=outcome)
    told = tables.ask(f"FROM server_summary(since := TIMESTAMP '{BEGUN}') WHERE server = 'files'")
    assert [row["calls"] for row in told] == calls


def test_what_is_offered_and_never_called_is_told(tables):
    tables.run(server_key="k")
    tables.exchange()
    known = {"run_id": "r1", "server_key": "k", "kind": "tool", "begins": True, "whole": True, "complete": True}
    for number, names in enumerate((("read", "delete"), ("read", "write"))):
        at = BEGUN + timedelta(hours=number)
        listing = {"first_seq": number, "begun_at": at, "ended_at": at, "page_digests": [f"page{number}"]}
        tables.insert("internal.listings", **known, **listing)
        for name in names:
            tables.insert("internal.listing_members", digest=f"page{number}", position=0, name=name, hash=name)
    for name in ("read", "write", "delete"):
        tables.insert("internal.definition_texts", kind="tool", hash=name, tokens_estimate=50)
    (server,) = tables.ask("FROM server_summary")
    assert (server["definition_tokens"], server["tools_offered"], server["tools_used"]) == (100, 2, 1)
    (unused,) = tables.ask("FROM tool_summary WHERE calls = 0")
    assert (unused["tool"], unused["offered"], unused["definition_tokens"]) == ("write", True, 50)


def test_a_task_that_failed_is_an_error_and_took_its_own_time(tables):
    tables.run()
    tables.exchange(outcome="task_created", task_outcome="tool_error", task_ms=5_000.0, task_waiting_ms=1_000.0)
    assert [(row["outcome"], row["errors"]) for row in tables.ask("FROM error_groups")] == [("tool_error", 1)]
    assert [(row["server_ms"], row["waiting_ms"]) for row in tables.ask("FROM slow_calls")] == [(4_000.0, 1_000.0)]


def test_a_database_without_rows_has_empty_summaries(tables):
    assert [tables.ask(f"FROM {name}") for name in summaries.MACROS] == [[]] * len(summaries.MACROS)


def test_secrets_are_counted_by_kind_and_those_of_several_servers_are_told(tables):
    for run_id, name in (("r1", "files"), ("r2", "files"), ("r3", "mail")):
        tables.run(run_id, name=name, server_key=name)
    for second, (run_id, side, rule, mark) in enumerate([
        ("r1", "client", "jwt", "aa"), ("r2", "client", "jwt", "bb"), ("r2", "stderr", "jwt", "aa"),
        ("r3", "server", "jwt", "bb"), ("r3", "server", "bearer", "aa"), ("r1", "client", "not-listed", ""),
    ]):  # fmt: skip
        tables.insert("redactions", run_id=run_id, side=side, rule=rule, fingerprint=mark, length=7,
                      at=BEGUN + timedelta(seconds=second))  # fmt: skip
    found = {(row["server"], row["side"], row["rule"]): row for row in tables.ask("FROM secret_summary")}
    assert {key: (row["times"], row["secrets"]) for key, row in found.items()} == {
        ("files", "client", "jwt"): (2, 2), ("files", "stderr", "jwt"): (1, 1), ("mail", "server", "jwt"): (1, 1),
        ("mail", "server", "bearer"): (1, 1), ("files", "client", "not-listed"): (7, 0),
    }  # fmt: skip
    (shared,) = tables.ask("FROM shared_secrets")
    assert (shared["rule"], shared["fingerprint"], shared["servers"]) == ("jwt", "bb", ["files", "mail"])
    assert shared["places"] == ["files client", "mail server"]
    assert len(tables.ask("FROM shared_secrets(server := 'mail')")) == 1
    assert not tables.ask("FROM shared_secrets(server := 'other')")
    assert not tables.ask("FROM shared_secrets(since := TIMESTAMP '2026-11-20 12:00:03')")
    assert len(tables.ask("FROM secret_summary(server := 'mail')")) == 2
