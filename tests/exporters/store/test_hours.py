"""What is added up by the hour says what the exchanges themselves say, whatever came when and what was restarted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mcptap.exporters.collector import scrub
from mcptap.exporters.collector.redaction import Redaction
from mcptap.exporters.store import file, hours
from mcptap.exporters.store.rebuild import rebuild
from mcptap.exporters.store.store import FILE

HOUR = 3600 * 10**9
BEGUN = 1_800_000_000_000_000_000
FIRST = datetime.fromtimestamp(BEGUN / 1e9, UTC).replace(tzinfo=None)

# Plainly, from every exchange; each is asked with the same filters as the summary that it stands for.
CALLS = """FROM exchanges e JOIN runs r USING (run_id) WHERE e.side = 'client' AND e.target IS NOT NULL AND NOT e.probe
    AND NOT e.long_lived AND e.started_at >= {since} AND e.started_at < {until} AND e.target IN {targets}"""
MS = "greatest(0, coalesce(e.task_ms, e.duration_ms) - coalesce(e.task_waiting_ms, e.waiting_ms, 0))"
COUNTED = "count(*) FILTER (e.outcome <> 'input_required')"
FAILED = "count(*) FILTER (coalesce(e.task_outcome, e.outcome) IN ('tool_error', 'rpc_error', 'no_response'))"
TIMED = "FILTER (e.outcome NOT IN ('cancelled', 'no_response'))"
P50, P95, P99 = (f"quantile_cont({MS}, {part}) {TIMED}" for part in (0.5, 0.95, 0.99))
BUCKET = "time_bucket({step}, e.started_at)"
BIN = f"floor(4 * log10(greatest(0.1, {MS})))"
QUESTIONS = {
    "SELECT calls, errors, reply_bytes, first_at, last_at, p50_ms, p95_ms, p99_ms FROM overall_summary({filters})":
        f"SELECT {COUNTED}, {FAILED}, sum(reply_bytes), min(e.started_at), max(e.started_at), {P50}, {P95}, {P99}"
        f" {CALLS} HAVING count(*) > 0",
    "SELECT tool, calls, errors, reply_bytes, last_used_at, p50_ms, p95_ms, p99_ms FROM tool_summary({filters})":
        f"SELECT e.target, {COUNTED}, {FAILED}, sum(reply_bytes), max(e.started_at), {P50}, {P95}, {P99}"
        f" {CALLS} GROUP BY ALL",
    "SELECT bucket, calls, errors, request_bytes, reply_bytes, max_ms, p95_ms FROM timeline({step}, {filters})":
        f"SELECT {BUCKET}, {COUNTED}, {FAILED}, sum(request_bytes), sum(reply_bytes), max({MS}) {TIMED}, {P95}"
        f" {CALLS} GROUP BY ALL",
    "SELECT bucket, calls, p99_ms, server_ms, waiting_ms FROM latency_timeline({step}, {filters})":
        f"SELECT {BUCKET}, {COUNTED}, {P99}, sum({MS}) {TIMED}, sum(coalesce(e.waiting_ms, 0)) {CALLS} GROUP BY ALL",
    "SELECT bucket, from_ms, calls FROM latency_heatmap({step}, {filters})":
        f"SELECT {BUCKET}, pow(10, {BIN} / 4), count(*) {CALLS}"
        " AND e.outcome NOT IN ('cancelled', 'no_response', 'input_required') GROUP BY ALL",
}  # fmt: skip

CALL = st.tuples(
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(["read", "write"]),
    st.integers(0, 5 * HOUR // 10**6),  # after the beginning, in ms
    st.floats(0.2, 90_000.0),
    st.sampled_from(["ok", "ok", "ok", "tool_error", "rpc_error", "cancelled", "input_required", "no_response"]),
)
STEP = CALL | st.sampled_from(["load", "load", "restart", "late"])


class Traffic:
    """Calls of two runs, of which some are told again later."""

    def __init__(self, home):
        self.home, self.told = home, []
        self.runs = {name: home.run(name).start()
                     for name in ("r1", "r2")}  # fmt: skip

    def call(self, run_id, target, after_ms, duration_ms, outcome):
        run = self.runs[run_id]
        run.write(run.message("client", "request", {"q": run.seq}))
        silent = outcome in ("cancelled", "no_response")
        waited = duration_ms / 3 if outcome == "ok" and after_ms % 2 else None
        exchange = run.exchanged(outcome, target=target, started_at=BEGUN + after_ms * 10**6, waiting_ms=waited,
                                 duration_ms=None if silent else duration_ms, request_bytes=after_ms % 97)  # fmt: skip
        run.write(run.message("server", "result", {"a": 1}, exchange))
        self.told.append((run, exchange))

    def late(self):
        """The first call that was not told again."""
        if self.told:
            run, exchange = self.told.pop(0)
            again = replace(exchange, outcome="late", duration_ms=(exchange.duration_ms or 1.0) * 2)
            run.write(run.message("server", "result", {"a": 2}, again))

    def do(self, step):
        if step == "load":
            self.home.store.load()
        elif step == "restart":
            self.home.store.stop()
        elif step == "late":
            self.late()
        else:
            self.call(*step)


def ordered(rows):
    return sorted(rows, key=lambda row: [str(value) for value in row[:2]])


def same(row, expected):
    """Percentiles within their limit, sums of milliseconds too; all else exactly."""
    return row == tuple(
        pytest.approx(due, rel=hours.WITHIN) if isinstance(due, float) else due for due in expected
    )  # fmt: skip


def differences(home, since="2000-01-01", until="2100-01-01", target=None, step=7200):
    """What the summaries say otherwise than the exchanges."""
    since, until = (f"TIMESTAMP '{when}'" for when in (since, until))
    targets = f"('{target}')" if target else "('read', 'write')"
    filters = f"since := {since}, until := {until}" + (f", target := '{target}'" if target else "")
    every, found = f"INTERVAL {step} SECOND", []
    for summed, plain in QUESTIONS.items():
        told = ordered(home.rows(summed.format(step=f"step := {every}", filters=filters)))
        due = ordered(home.rows(plain.format(step=every, since=since, until=until, targets=targets)))
        if len(told) != len(due) or not all(map(same, told, due)):
            found.append((summed, told, due))
    return found


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
          phases=[Phase.explicit, Phase.generate])  # fmt: skip
@given(
    steps=st.lists(STEP, min_size=15, max_size=30),
    window=st.tuples(st.integers(-10, 300), st.integers(0, 320)),
    target=st.sampled_from([None, "read"]),
    step=st.sampled_from([60, 1800, 3600, 10_800]),
)
def test_sums_by_the_hour_equal_plain_aggregates(make_home, monkeypatch, steps, window, target, step):
    monkeypatch.setattr(hours, "ENOUGH", 4)
    home = make_home()
    traffic = Traffic(home)
    for one in steps:
        traffic.do(one)
    home.store.load()
    since, until = (FIRST + timedelta(minutes=minutes) for minutes in window)
    assert differences(home) == []
    assert differences(home, since, until, target, step) == []
    rebuild(home.path)
    home.later()
    home.store.load()
    home.later()
    home.store.load()
    assert differences(home) == []
    home.store.stop()


@pytest.mark.parametrize("enough", [1, 100])
def test_the_percentiles_of_a_fast_server_are_told_apart(home, monkeypatch, enough):
    monkeypatch.setattr(hours, "ENOUGH", enough)
    traffic = Traffic(home)
    for number in range(1, 9):
        traffic.call("r1", "read", number * 2, number / 100, "ok")
    home.store.load()
    ((p50, p95, drawn),) = home.rows(
        "SELECT p50_ms, p95_ms, (SELECT max(to_ms) FROM latency_heatmap) FROM tool_summary"
    )
    durations = sorted(exchange.duration_ms - (exchange.waiting_ms or 0.0) for _, exchange in traffic.told)
    assert p50 == pytest.approx((durations[3] + durations[4]) / 2, rel=hours.WITHIN)
    assert p95 == pytest.approx(durations[6] + 0.65 * (durations[7] - durations[6]), rel=hours.WITHIN)
    assert drawn < 0.2, "a picture has no need of so much"


def test_a_call_may_take_as_long_as_its_times_can_tell(home):
    traffic = Traffic(home)
    for years in (100, 200):
        traffic.call("r1", "read", 2, years * 3.2e10, "ok")
    home.store.load()
    assert home.rows("SELECT p50_ms, max_ms FROM timeline") == [(4.8e12, 6.4e12)]


def test_what_was_added_up_and_is_told_anew_is_taken_out_again(home, monkeypatch):
    monkeypatch.setattr(hours, "ENOUGH", 1)
    traffic = Traffic(home)
    traffic.call("r1", "read", 5, 100.0, "tool_error")
    home.store.load()
    assert home.rows("SELECT errors, p50_ms FROM overall_summary") == [(1, 100.0)]
    traffic.late()
    home.store.load()
    assert home.rows("SELECT calls, errors, p50_ms FROM overall_summary") == [(1, 0, 200.0)]
    assert len(home.rows("FROM internal.call_hours")) == 3


def test_scrubbing_adds_up_what_is_left(home, monkeypatch):
    monkeypatch.setattr(hours, "ENOUGH", 2)
    traffic = Traffic(home)
    for number in range(5):
        traffic.call("r1", "read", number, 10.0 + number, "ok")
    home.store.load()
    before = home.rows("FROM tool_summary")
    home.store.stop()
    file.remove(home.path / FILE)
    scrub.scrub(home.path, Redaction(home.path), lambda _done, _all: None)
    home.later()
    home.store.load()
    assert home.rows("FROM tool_summary") == before
    assert home.rows("SELECT sum(calls) FROM internal.call_hours") > [(3,)]
